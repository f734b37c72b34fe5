// A server inside a program: made by createServer, with the program's own clock, and no file unless a folder is named.
//
//   options ─▶ system (clock, disk in memory) ─▶ Config ─▶ Server ─▶ EmbeddedServer
//
// Always: servers share nothing that a command can change. After close(), or a fault, connect() and listen() throw.

import type { Duplex } from 'node:stream'
import { Config } from '../config/config.ts'
import { applyValues } from '../config/values.ts'
import { textOfBytes } from '../config/words.ts'
import { bytesOf } from '../lib/bytes.ts'
import { asyncDispose } from '../lib/dispose.ts'
import type { ServerEvents } from '../modules/definition.ts'
import type { MemorySocket as InProcessSocket } from '../net/memory.ts'
import { runtimeNetwork } from '../net/runtime.ts'
import { ServerSocket } from '../net/server-socket.ts'
import { Logger } from '../server/log.ts'
import { Server } from '../server/server.ts'
import { realSystem } from '../system/real.ts'
import { ServerTime } from '../system/server-time.ts'
import type { System } from '../system/system.ts'
import { VirtualDisk } from '../system/virtual-disk.ts'
import type { Words } from './arguments.ts'
import { openClient, openSyncClient, type SyncClient } from './client.ts'
import type { Call, CallSync, Client, ClientOptions } from './client-types.ts'
import { EmbeddedClock, type ServerClock } from './clock.ts'
import type { CommandRecord } from './command-record.ts'
import type { CommandMatch } from './faults.ts'
import type { Interceptor } from './interception.ts'
import { type CreateServerOptions, checkOptions, forkConfig } from './options.ts'
import { restResponse } from './rest.ts'
import type { JsonOptions, SeedData } from './seed.ts'
import { SpareBuffers } from './spare-buffers.ts'
import { type ResetOptions, ServerState, type Snapshot } from './state.ts'
import { type EmbeddedEvents, type Faults, type History, Trouble } from './trouble.ts'
import { startWorkerServer, type WorkerServer } from './worker-server.ts'

/** A connection without a socket. */
export interface MemorySocket {
  /** Called with each piece the server sends; the callee owns the bytes. */
  onData: (bytes: Uint8Array) => void
  /** The server has closed the connection. */
  onClose: () => void
  /** Called after write() returned false, when the server has taken everything. */
  onDrain: () => void
  /**
   * Sends bytes (a string as UTF-8) to the server; replies were handed to onData when this returns, unless a command
   * blocks or the input is so long that others are served in between. False: the server does not read at the moment;
   * the bytes are kept for it, and onDrain follows.
   */
  write(bytes: Uint8Array | string): boolean
  /** Stops and resumes calls of onData; the server keeps its output, up to client-output-buffer-limit. */
  pause(): void
  resume(): void
  close(): void
}

export interface EmbeddedServer {
  /** The TCP port it listens on, 0 when it does not. */
  readonly port: number
  /** It was closed, or a fault has ended it. */
  readonly isClosed: boolean
  /** redis://127.0.0.1:port, with the password if there is one; an error before listen(). */
  readonly url: string
  /** Its clock, to look at and to move. Absent with a `system`, which has its own. */
  readonly clock: ServerClock
  /** A connection without a socket. */
  connect(): MemorySocket
  /** The same as a stream that behaves like a net.Socket, for clients that take a socket. */
  socket(): Duplex
  /**
   * Opens a TCP socket (port 0: a free one), or a Unix socket at `path`, besides those of the configuration; the port,
   * 0 for a Unix socket.
   */
  listen(port?: number | { readonly path: string }, host?: string): Promise<number>
  /** A client of its own: a method for each command, in process. */
  client(options: ClientOptions & { bytes: true }): Client<Uint8Array>
  client(options?: ClientOptions): Client
  /** Runs a command on a connection of the server's own: server.call('GET', 'k'). */
  readonly call: Call
  /** The same at once, for assertions and starting data; an error for commands that wait. */
  readonly callSync: CallSync
  /** The dataset of this moment, with function libraries and scripts: a copy, for restore() and createServer(). */
  snapshot(): Snapshot
  /**
   * The dataset becomes that of the snapshot. Clients stay connected: transactions that watch a key of before or after
   * fail, blocked clients are served, tracking clients forget what they know.
   */
  restore(snapshot: Snapshot): void
  /** Another server with a copy of the dataset, on the options of this one (but `dir`) and those given. */
  fork(options?: CreateServerOptions): Promise<EmbeddedServer>
  /**
   * As createServer() made it: its dataset (empty, or `data`), configuration and users; no scripts, function libraries,
   * logs and statistics.
   */
  reset(options?: ResetOptions): void
  /** The keys and values of a database as plain values, in order: what `data` takes. */
  toJSON(options?: JsonOptions): SeedData
  /** The dataset as an RDB file. */
  rdb(): Uint8Array
  /** Answers requests as Upstash's REST API does; with a token, those that name it. */
  readonly fetch: (request: Request, options?: { token?: string }) => Promise<Response>
  /** Errors, delays, lost connections and replies, on demand; see Fault. */
  readonly faults: Faults
  /** What clients have sent, from history.start() on, or from the beginning with the option `history`. */
  readonly history: History
  /** The next such command that a client sends: waitFor('SET', ([key]) => key === 'k'). */
  waitFor(command: CommandMatch, test?: (args: string[]) => boolean): Promise<CommandRecord>
  /** Puts an interceptor between clients and the server, behind those that are there; the result takes it out. */
  use(interceptor: Interceptor): () => void
  /** Calls `listener` at each such event; the result ends that. */
  on<Name extends keyof AllEvents>(event: Name, listener: (event: AllEvents[Name]) => void): () => void
  /** Ends the server and its connections; with a `dir`, saves what `save` asks for. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Those of modules are told after the commands of a client's event (docs/modules.md), the others at once. */
type AllEvents = EmbeddedEvents & ServerEvents

/** Most servers of tests never need more; the next segment is of the usual size. */
const ARENA_START_BYTES = 256 * 1024

const DEFAULTS = { loglevel: 'nothing', port: 0 }

/**
 * Makes a server. It shares nothing with any other in the process. Rejects when an option, directive or socket is
 * refused.
 */
export function createServer(options: CreateServerOptions & { worker: true }): Promise<WorkerServer>
export function createServer(options?: CreateServerOptions): Promise<EmbeddedServer>
export async function createServer(
  options: CreateServerOptions & { worker?: boolean } = {},
): Promise<EmbeddedServer | WorkerServer> {
  checkOptions(options)
  return options.worker === true ? startWorkerServer(options) : openServer(options)
}

/** What a server is made for. */
interface Purpose {
  /** The nodes file of a cluster that is just made. */
  readonly newCluster?: string
  /** The clock of the server that it is a fork of. */
  readonly clockOf?: ServerTime | undefined
  /** The memory of other forks of that server. */
  readonly spare?: SpareBuffers
}

export async function openServer(options: CreateServerOptions, purpose: Purpose = {}): Promise<EmbeddedServer> {
  const { time, system } = options.system ? { time: undefined, system: options.system } : machineOf(options)
  if (purpose.clockOf !== undefined && (options.clock ?? 'global') === 'global') time?.follow(purpose.clockOf)
  const config = new Config(system.disk, { embedded: true })
  const given = { ...options.config } as Readonly<Record<string, unknown>>
  const dir = options.dir === undefined ? {} : { dir: options.dir }
  applyValues(config, { ...DEFAULTS, ...(options.dir === undefined ? { save: [] } : {}), ...dir, ...given })
  const embedded = new Embedded(options, config, { system, time, purpose })
  await embedded.start()
  return embedded
}

function machineOf(options: CreateServerOptions): { time: ServerTime; system: System } {
  const { clock } = options
  const startMs = typeof clock === 'object' ? clock.startMs : undefined
  const real = realSystem(runtimeNetwork())
  const time = new ServerTime(clock === undefined || clock === 'global' ? undefined : (startMs ?? real.clock.nowMs()))
  const disk = hasFolder(options) ? real.disk : new VirtualDisk(time.timers, () => time.nowMs(), '/')
  return { time, system: { ...real, clock: time.clock, timers: time.timers, disk } }
}

/** A folder named as a directive counts as well. */
function hasFolder({ dir, config }: CreateServerOptions): boolean {
  return dir !== undefined || config?.dir !== undefined
}

/** The options of a fork of a server on these options. */
function forkOptions(
  { dir: _dir, ...options }: CreateServerOptions,
  given: CreateServerOptions,
  time: ServerTime | undefined,
): CreateServerOptions {
  if (time === undefined && given.system === undefined)
    throw new Error('fork() of a server on a system of its own needs another system')
  const clock = time?.isStill ? { mode: 'virtual' as const, startMs: time.nowMs() } : 'global'
  const { system: _system, ...others } = options
  const clocked = given.system === undefined ? { clock: given.clock ?? clock } : {}
  return { ...others, ...clocked, config: { ...forkConfig(options.config), ...given.config } }
}

interface Machine {
  system: System
  time: ServerTime | undefined
  purpose: Purpose
}

class Embedded implements EmbeddedServer {
  private readonly server: Server
  private readonly time: ServerTime | undefined
  private readonly savesAtEnd: boolean
  private readonly hosts = new Map<number, string>()
  private readonly options: CreateServerOptions
  private readonly state: ServerState
  private readonly trouble: Trouble
  private readonly spareOfBase: SpareBuffers | undefined
  private spare: SpareBuffers | undefined
  private movable: EmbeddedClock | undefined
  private ending: Promise<void> | undefined
  private own: SyncClient | undefined
  private readonly answered = { count: 0 }
  readonly call = ((name: string, ...args: Words[]) => this.owned().call(name, ...args)) as Call
  readonly fetch = (request: Request, { token }: { token?: string } = {}) =>
    restResponse({ ...this.source(), answered: this.answered, token }, request)
  readonly callSync = ((name: string, ...args: Words[]) => this.owned().callSync(name, ...args)) as CallSync

  constructor(options: CreateServerOptions, config: Config, { system, time, purpose }: Machine) {
    this.time = time
    this.options = options
    this.savesAtEnd = options.dir !== undefined
    const { spare } = purpose
    this.spare = this.spareOfBase = spare
    this.server = new Server(config, system, new Logger(system, config), {
      failed: error => options.onError?.(error),
      authenticate: options.authenticate,
      authentication: options.authentication,
      audit: options.audit,
      modules: options.modules?.map(module => ({ module })),
      unref: options.ref !== true,
      mayRest: time !== undefined,
      arenaStartBytes: ARENA_START_BYTES,
      allocate: spare && (bytes => spare.take(bytes) ?? system.process.allocate(bytes)),
      newCluster: purpose.newCluster,
    })
    this.state = new ServerState(this.server)
    this.trouble = new Trouble(this.server)
    if (options.history === true) this.trouble.history.start()
  }

  async start(): Promise<void> {
    await this.server.listen()
    await this.server.load()
    const { data } = this.options
    if (data === undefined) return
    try {
      this.state.fill(data)
    } catch (error) {
      await this.server.shutdown(['nosave', 'now'])
      throw error
    }
  }

  get port(): number {
    return this.server.port
  }

  get url(): string {
    const { port } = this.server
    if (port === 0) throw new Error('the server has no port: call listen() first')
    const { requirepass } = this.server.config
    const password = requirepass === '' ? '' : `:${encodeURIComponent(textOfBytes(requirepass))}@`
    return `redis://${password}${this.hosts.get(port) ?? '127.0.0.1'}:${port}`
  }

  get clock(): ServerClock {
    if (this.time === undefined) throw new Error('a server on a system of its own has no clock but that')
    this.movable ??= new EmbeddedClock(this.server, this.time)
    return this.movable
  }

  connect(): InProcessSocket {
    this.mustBeOpen()
    return this.server.memory.connect()
  }

  socket(): Duplex {
    this.mustBeOpen()
    return new ServerSocket(() => this.connect())
  }

  client(options: ClientOptions & { bytes: true }): Client<Uint8Array>
  client(options?: ClientOptions): Client
  client(options?: ClientOptions): never {
    this.mustBeOpen()
    return openClient(this.source(), options) as never
  }

  private owned(): SyncClient {
    this.mustBeOpen()
    this.own ??= openSyncClient(this.source())
    return this.own
  }

  private source() {
    const { requirepass } = this.server.config
    return { open: () => this.connect(), password: bytesOf(requirepass) }
  }

  async listen(port: number | { readonly path: string } = 0, host = '127.0.0.1'): Promise<number> {
    this.mustBeOpen()
    if (typeof port === 'object') return this.server.listenOn('', 0, port.path)
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new RangeError(`not a port: ${String(port)}`)
    const opened = await this.server.listenOn(host, port)
    this.hosts.set(opened, host.includes(':') ? `[${host}]` : host)
    return opened
  }

  snapshot(): Snapshot {
    this.mustBeOpen()
    return this.state.snapshot()
  }

  restore(snapshot: Snapshot): void {
    this.mustBeOpen()
    this.state.restore(snapshot)
  }

  fork(options: CreateServerOptions = {}): Promise<EmbeddedServer> {
    this.mustBeOpen()
    const { config: _config, ...withoutConfig } = options
    checkOptions(options)
    const made = { ...forkOptions(this.options, options, this.time), data: this.snapshot(), ...withoutConfig }
    this.spare ??= new SpareBuffers()
    return openServer(made, { clockOf: options.clock === undefined ? this.time : undefined, spare: this.spare })
  }

  reset(options: ResetOptions = {}): void {
    this.mustBeOpen()
    this.trouble.reset()
    this.state.reset(options)
    if (this.options.history === true) this.trouble.history.start()
  }

  get faults(): Faults {
    return this.trouble.faults
  }

  get history(): History {
    return this.trouble.history
  }

  waitFor(command: CommandMatch, test?: (args: string[]) => boolean): Promise<CommandRecord> {
    this.mustBeOpen()
    return this.trouble.waitFor(command, test)
  }

  use(interceptor: Interceptor): () => void {
    this.mustBeOpen()
    return this.trouble.use(interceptor)
  }

  on<Name extends keyof AllEvents>(event: Name, listener: (event: AllEvents[Name]) => void): () => void {
    this.mustBeOpen()
    const { events } = this.server
    if (events.knows(event)) return events.on(event, listener as (event: unknown) => void)
    return this.trouble.on(event as keyof EmbeddedEvents, listener as (event: unknown) => void)
  }

  toJSON(options: JsonOptions | string = {}): SeedData {
    this.mustBeOpen()
    // JSON.stringify() hands over the name of the property that the server is the value of.
    return this.state.toJson(typeof options === 'string' ? {} : options)
  }

  rdb(): Uint8Array {
    this.mustBeOpen()
    return this.state.rdb()
  }

  close(): Promise<void> {
    this.ending ??= this.end().catch((error: unknown) => {
      this.ending = undefined
      throw error
    })
    return this.ending
  }

  private async end(): Promise<void> {
    await this.server.shutdown(this.savesAtEnd ? ['now'] : ['nosave', 'now'])
    this.spareOfBase?.keepOf(this.server)
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }

  get isClosed(): boolean {
    return this.ending !== undefined || this.server.isClosed
  }

  private mustBeOpen(): void {
    if (this.isClosed) throw new Error('the server is closed')
  }
}
