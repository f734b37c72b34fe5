// The library: a Redis server as a value inside a program or a test.
//
//   import { createServer } from 'redstart'
//   const server = await createServer()
//   const socket = server.connect()          // in process
//   const port = await server.listen()       // or for any Redis client

import { Config } from './config/config.ts'
import { loadText } from './config/parser.ts'
import type { AuditEvent } from './engine/monitoring/audit.ts'
import { runtimeNetwork } from './net/runtime.ts'
import { Logger } from './server/log.ts'
import type { Authenticate, AuthenticationOptions } from './server/logins.ts'
import { Server } from './server/server.ts'
import { realSystem } from './system/real.ts'
import type { System } from './system/system.ts'
import { type VirtualOptions, virtualSystem as virtualMachine } from './system/virtual.ts'

export type { AuditEvent } from './engine/monitoring/audit.ts'
export type { Authenticate, AuthenticateAnswer, AuthenticationOptions } from './server/logins.ts'
export type { System } from './system/system.ts'

/** A connection without a socket. */
export interface MemorySocket {
  /** Called with each piece the server sends; the callee owns the bytes. */
  onData: (bytes: Uint8Array) => void
  /** The server has closed the connection. */
  onClose: () => void
  /** Sends bytes to the server; replies were handed to onData when this returns, unless a command blocks. */
  write(bytes: Uint8Array): void
  close(): void
}

/** A simulated machine: its clock advances on request, its disk is in memory, a seed decides its random numbers. */
export interface SimulatedMachine {
  readonly system: System
  /** Advances the clock and runs events on the way, each at its own time. */
  advance(ms: number): void
  /** Runs everything that is due now, and what becomes due by it. */
  settle(): void
}

export function virtualSystem(options: VirtualOptions = {}): SimulatedMachine {
  return virtualMachine(options)
}

export interface CreateServerOptions {
  /** Directives and their values as in redis.conf: { maxmemory: '100mb', databases: '4' }. */
  config?: Readonly<Record<string, string>>
  /**
   * A fault in the server has ended it: its connections are closed and nothing was saved. The program goes on, and
   * may make another server. `error.cause` is the fault.
   */
  onError?: (error: Error) => void
  /**
   * Decides logins (AUTH, HELLO with AUTH) before the passwords of users: true for the user that was named, { user }
   * for another one, false to refuse, undefined to leave it to the passwords; or a promise of that. Which commands a
   * user may run is always ACL's.
   */
  authenticate?: Authenticate
  /** Of promises that authenticate returns, and of what it accepted. */
  authentication?: AuthenticationOptions
  /** Hears of logins, refusals and administrative commands, after each. */
  audit?: (event: AuditEvent) => void
  /** Clock, randomness, disk, network and timers; the machine's own unless given (see virtualSystem). */
  system?: System
}

export interface EmbeddedServer {
  /** The TCP port it listens on, 0 when it does not. */
  readonly port: number
  /** A connection without a socket. */
  connect(): MemorySocket
  /** Opens a TCP socket (port 0: a free one) besides those of the configuration; the port. */
  listen(port?: number, host?: string): Promise<number>
  /** Ends the server and its connections. */
  close(): Promise<void>
}

/** Makes a server. It shares nothing with any other in the process. Rejects when a directive or a socket is refused. */
export async function createServer(options: CreateServerOptions = {}): Promise<EmbeddedServer> {
  const system = options.system ?? realSystem(runtimeNetwork())
  const config = new Config(system.disk, { embedded: true })
  const directives = { loglevel: 'nothing', save: '', port: '0', ...options.config }
  const lines = Object.entries(directives).map(([name, value]) => `${name} ${value === '' ? '""' : value}`)
  loadText(config, lines.join('\n'))
  const failed = (error: Error) => options.onError?.(error)
  const { authenticate, authentication, audit } = options
  const server = new Server(config, system, new Logger(system, config), { failed, authenticate, authentication, audit })
  await server.listen()
  await server.load()
  return {
    get port() {
      return server.port
    },
    connect: () => server.memory.connect(),
    listen: (port = 0, host = '127.0.0.1') => server.listenOn(host, port),
    close: () => server.shutdown(['nosave', 'now']),
  }
}
