// A server on a virtual machine (system/virtual.ts): the test controls clock, randomness and disk, replies come at
// once, and the power can fail at any moment.

import { Config } from '../../src/config/config.ts'
import { loadText } from '../../src/config/parser.ts'
import { type DigestHash, datasetDigest } from '../../src/keyspace/digest.ts'
import type { StartServerOptions } from '../../src/server/launch.ts'
import { Logger } from '../../src/server/log.ts'
import { Server } from '../../src/server/server.ts'
import type { System } from '../../src/system/system.ts'
import type { VirtualMachine } from '../../src/system/virtual.ts'
import { encodeCommand, latin1Text, type PlainValue, takeReplies, type Word } from './resp.ts'

const WAIT_MS_MAX = 1000

/** Directives as a configuration file has them. */
export function configText(directives: Readonly<Record<string, string>>): string {
  const lines = Object.entries(directives).map(([name, value]) => `${name} ${value === '' ? '""' : value}`)
  return lines.join('\n')
}

export class MachineServer {
  readonly machine: VirtualMachine
  readonly server: Server
  private readonly replies: number[][] = []
  private readonly sockets: ReturnType<Server['memory']['connect']>[] = []

  private constructor(machine: VirtualMachine, server: Server) {
    this.machine = machine
    this.server = server
  }

  /** Starts a server with the files on the machine's disk. Rejects when startup fails. */
  static async start(
    machine: VirtualMachine,
    directives: Readonly<Record<string, string>> = {},
    options: StartServerOptions = {},
    system: System = machine.system,
  ): Promise<MachineServer> {
    const config = new Config(machine.disk)
    const all = { save: '', port: '0', 'enable-debug-command': 'yes', ...directives }
    loadText(config, configText(all))
    const server = new Server(config, system, new Logger(system, config), options)
    let loaded = false
    const loading = server
      .listen()
      .then(() => server.load())
      .finally(() => {
        loaded = true
      })
    for (let turns = 0; !loaded && turns < 100000; turns++) {
      machine.settle()
      await Promise.resolve()
    }
    await loading
    return new MachineServer(machine, server)
  }

  /** Opens a connection; returns its number. */
  connect(): number {
    const socket = this.server.memory.connect()
    const bytes: number[] = []
    socket.onData = piece => {
      for (const byte of piece) bytes.push(byte)
    }
    this.sockets.push(socket)
    this.replies.push(bytes)
    return this.sockets.length - 1
  }

  /** Sends a command without waiting. */
  send(connection: number, words: readonly Word[]): void {
    this.write(connection, encodeCommand(words))
  }

  /** Sends raw bytes. */
  write(connection: number, bytes: Uint8Array): void {
    this.sockets[connection].write(bytes)
  }

  /** Takes the replies received on a connection. */
  take(connection: number): PlainValue[] {
    return takeReplies(this.replies[connection])
  }

  /** Runs a command and returns its reply; time passes while it blocks. */
  call(...words: Word[]): PlainValue {
    if (this.sockets.length === 0) this.connect()
    this.send(0, words)
    this.machine.settle()
    for (let ms = 0; ms < WAIT_MS_MAX && this.replies[0].length === 0; ms++) this.machine.advance(1)
    const replies = this.take(0)
    if (replies.length !== 1) throw new Error(`${words.join(' ')}: ${replies.length} replies`)
    return replies[0]
  }

  /** DEBUG DIGEST and what it does not cover: one text for the whole dataset. */
  digest(): string {
    return String(this.call('debug', 'digest'))
  }

  /** digest() without sending a command: sent commands may not have been read yet. */
  digestNow(hash?: DigestHash): string {
    return datasetDigest(this.server.engine.keyspace, hash)
  }

  /** Ends the server like SHUTDOWN. */
  async stop(flags: readonly ('save' | 'nosave' | 'now' | 'force')[] = []): Promise<void> {
    await this.until(this.server.shutdown(flags))
  }

  /** Lets virtual time pass until the promise settles. */
  async until<Result>(promise: Promise<Result>): Promise<Result> {
    let settled = false
    const both = promise.finally(() => {
      settled = true
    })
    both.catch(() => {})
    for (let turns = 0; !settled && turns < 100000; turns++) {
      this.machine.settle()
      await new Promise(resolve => setImmediate(resolve))
      if (!settled) this.machine.advance(1)
    }
    return both
  }

  static text(u8: Uint8Array): string {
    return latin1Text(u8)
  }
}
