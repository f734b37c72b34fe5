// A server in a thread of its own, as the program sees it: createServer({ worker: true }). Its load does not disturb
// the event loop of the program, which takes part only in what its own connections send and receive.
//
// Always: every question is answered, or rejected when the thread ends. The process lives while an answer is awaited,
// and no longer.

import type { Duplex } from 'node:stream'
import { asyncDispose } from '../lib/dispose.ts'
import { ServerSocket } from '../net/server-socket.ts'
import { startThread, type Thread } from '../system/thread.ts'
import { openClient } from './client.ts'
import type { Call, CallSync, Client, ClientOptions } from './client-types.ts'
import type { CommandFields, CommandRecord } from './command-record.ts'
import type { CommandMatch } from './faults.ts'
import { type CreateServerOptions, forkConfig } from './options.ts'
import { restResponse } from './rest.ts'
import type { JsonOptions, SeedData } from './seed.ts'
import type { EmbeddedServer, MemorySocket } from './server.ts'
import type { ResetOptions } from './state.ts'
import type { Faults, History } from './trouble.ts'
import {
  errorOf,
  type ForkSeed,
  type FromThread,
  NOT_IN_THREADS,
  type Outcome,
  type ThreadCall,
  type ToThread,
} from './worker-messages.ts'
import { ThreadTrouble, type WorkerInterceptor } from './worker-trouble.ts'

/** The dataset of a server in a thread at one moment, which the thread keeps. */
export interface WorkerSnapshot {
  readonly keys: number
  readonly bytes: number
}

/** The clock of a server in a thread: fake timers of the program do not reach it. */
export interface WorkerClock {
  now(): Promise<number>
  advance(duration: number | string): Promise<void>
  set(at: Date | number): Promise<void>
  freeze(): Promise<void>
  resume(): Promise<void>
}

/** An EmbeddedServer whose answers are promises. */
export interface WorkerServer
  extends Pick<
    EmbeddedServer,
    'port' | 'url' | 'isClosed' | 'socket' | 'listen' | 'client' | 'call' | 'fetch' | 'waitFor' | 'on' | 'close'
  > {
  readonly clock: WorkerClock
  /** A connection without a socket; replies come in a later turn. */
  connect(): MemorySocket
  snapshot(): Promise<WorkerSnapshot>
  restore(snapshot: WorkerSnapshot): Promise<void>
  reset(options?: ResetOptions): Promise<void>
  toJSON(options?: JsonOptions): Promise<SeedData>
  rdb(): Promise<Uint8Array>
  /** Stops the program's thread until the server's has replied. */
  readonly callSync: CallSync
  /** Another server in a thread of its own, with a copy of the dataset. */
  fork(options?: CreateServerOptions): Promise<WorkerServer>
  /** Commands are matched by name; functions cannot cross. */
  readonly faults: Faults
  /** Reading `commands` stops the program's thread until the server's has replied. */
  readonly history: History
  /** As in the program's thread; the interceptor runs in that, and next() is a promise. */
  use(interceptor: WorkerInterceptor): () => void
  [Symbol.asyncDispose](): Promise<void>
}

/** Rejects when an option is refused, or cannot cross to a thread. */
export async function startWorkerServer(options: CreateServerOptions & { worker?: boolean }): Promise<WorkerServer> {
  const { worker: _worker, onError: _onError, ...rest } = options
  for (const name of NOT_IN_THREADS)
    if (name in options) throw new TypeError(`createServer: ${name} cannot be given to a server in a worker`)
  const server = new ThreadedServer(options)
  await server.create(rest)
  return server
}

interface Waiting {
  resolve(value: never): void
  reject(error: Error): void
}

class ThreadedServer implements WorkerServer {
  port = 0
  private address = ''
  private readonly options: CreateServerOptions
  private readonly password: Uint8Array
  private readonly thread: Thread = startThread()
  private readonly waiting = new Map<number, Waiting>()
  private readonly sockets = new Map<number, ThreadSocket>()
  private readonly handles = new WeakMap<WorkerSnapshot, number>()
  private nextId = 1
  private own: Client | undefined
  private ending: Promise<void> | undefined
  private readonly answered = { count: 0 }
  private failure: Error | undefined
  readonly call: Call
  readonly callSync = ((...words: unknown[]) => {
    return this.askSync(words)
  }) as CallSync
  private readonly trouble = new ThreadTrouble(
    trouble => this.thread.post({ trouble } satisfies ToThread),
    () => this.askSync('recorded') as CommandFields[],
    work => void this.during(work),
  )
  readonly faults = this.trouble.faults
  readonly history = this.trouble.history
  readonly fetch: WorkerServer['fetch']
  readonly clock: WorkerClock = {
    now: () => this.ask('now'),
    advance: duration => this.ask('advance', duration),
    set: at => this.ask('set', at),
    freeze: () => this.ask('freeze'),
    resume: () => this.ask('resume'),
  }

  constructor(options: CreateServerOptions) {
    this.options = options
    const { onError, config } = options
    this.password = new TextEncoder().encode(textOf(config?.requirepass))
    this.call = ((name: string, ...args: never[]) => {
      this.own ??= this.client()
      return this.own.call(name, ...args)
    }) as Call
    this.fetch = (request, { token } = {}) =>
      restResponse({ ...this.source(), answered: this.answered, token }, request)
    this.thread.onMessage = message => this.received(message as FromThread, onError)
    this.thread.onEnd = error => this.ended(error ?? new Error('the server is closed'))
  }

  async create(options: object): Promise<void> {
    try {
      this.port = await this.ask('create', options)
    } catch (error) {
      await this.thread.end()
      throw error
    }
  }

  get url(): string {
    if (this.address === '') throw new Error('the server has no port: call listen() first')
    return this.address
  }

  get isClosed(): boolean {
    return this.ending !== undefined || this.failure !== undefined
  }

  connect(): MemorySocket {
    this.mustBeOpen()
    const to = this.nextId++
    const socket = new ThreadSocket(this.thread, to, () => this.sockets.delete(to))
    this.sockets.set(to, socket)
    return socket
  }

  socket(): Duplex {
    this.mustBeOpen()
    return new ServerSocket(() => this.connect())
  }

  async listen(port: number | { readonly path: string } = 0, host = '127.0.0.1'): Promise<number> {
    const [opened, url] = await this.ask<[number, string]>('listen', port, host)
    this.port ||= opened
    this.address = url
    return opened
  }

  client(options: ClientOptions & { bytes: true }): Client<Uint8Array>
  client(options?: ClientOptions): Client
  client(options?: ClientOptions): never {
    this.mustBeOpen()
    return openClient(this.source(), options) as never
  }

  private source() {
    return { open: () => this.connect(), password: this.password }
  }

  async snapshot(): Promise<WorkerSnapshot> {
    const { index, keys, bytes } = await this.ask<WorkerSnapshot & { index: number }>('snapshot')
    const snapshot = Object.freeze({ keys, bytes })
    this.handles.set(snapshot, index)
    return snapshot
  }

  async restore(snapshot: WorkerSnapshot): Promise<void> {
    const index = this.handles.get(snapshot)
    if (index === undefined) throw new TypeError('restore() takes a snapshot of this server')
    return this.ask('restore', index)
  }

  waitFor(command: CommandMatch, test?: (args: string[]) => boolean): Promise<CommandRecord> {
    this.mustBeOpen()
    return this.trouble.waitFor(command, test)
  }

  use(interceptor: WorkerInterceptor): () => void {
    this.mustBeOpen()
    return this.trouble.use(interceptor)
  }

  on(event: string, listener: (event: never) => void): () => void {
    this.mustBeOpen()
    return this.trouble.on(event, listener)
  }

  reset(options: ResetOptions = {}): Promise<void> {
    this.trouble.reset()
    return this.ask('reset', options)
  }

  toJSON(options: JsonOptions = {}): Promise<SeedData> {
    return this.ask('toJSON', options)
  }

  rdb(): Promise<Uint8Array> {
    return this.ask('rdb')
  }

  async fork(options: CreateServerOptions = {}): Promise<WorkerServer> {
    const { data, nowMs, isStill } = await this.ask<ForkSeed>('forked')
    const still = isStill ? { mode: 'virtual' as const, startMs: nowMs } : 'global'
    const { dir: _dir, ...mine } = this.options
    const config = { ...forkConfig(mine.config), ...options.config }
    const made = { ...mine, data, clock: still, ...options, config } as CreateServerOptions
    const fork = await startWorkerServer(made)
    if (!isStill && options.clock === undefined && Math.abs((await fork.clock.now()) - nowMs) > CLOCKS_DIFFER_MS)
      await fork.clock.set(nowMs)
    return fork
  }

  close(): Promise<void> {
    this.ending ??= this.ask<void>('close').then(() => this.thread.end())
    return this.ending
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }

  private ask<T>(call: ThreadCall, ...args: unknown[]): Promise<T> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    return new Promise((resolve, reject) => {
      const id = this.nextId++
      this.thread.hold()
      this.waiting.set(id, { resolve, reject })
      this.thread.post({ id, call, args } satisfies ToThread)
    })
  }

  /** The process lives until `work` is done, and the thread has told what that brought forth. */
  private async during(work: () => Promise<void>): Promise<void> {
    this.thread.hold()
    await work()
    if (this.failure === undefined) await this.ask('now').catch(() => {})
    this.thread.release()
  }

  private askSync(sync: Extract<ToThread, { sync: unknown }>['sync']): unknown {
    this.mustBeOpen()
    const outcome = this.thread.ask({ sync } satisfies ToThread) as Outcome
    if ('error' in outcome) throw errorOf(outcome.error)
    return outcome.value
  }

  private received(message: FromThread, onError: ((error: Error) => void) | undefined): void {
    if ('to' in message) return this.sockets.get(message.to)?.received(message)
    if ('failed' in message) return onError?.(errorOf(message.failed))
    if (!('id' in message)) return this.trouble.received(message)
    const { id, value, error } = message
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    this.thread.release()
    if (error === undefined) waiting?.resolve(value as never)
    else waiting?.reject(errorOf(error))
  }

  private ended(error: Error): void {
    this.failure ??= error
    for (const { reject } of this.waiting.values()) {
      this.thread.release()
      reject(error)
    }
    this.waiting.clear()
    this.trouble.ended(error)
    for (const [to, socket] of this.sockets) socket.received({ to, closed: true })
  }

  private mustBeOpen(): void {
    if (this.isClosed) throw new Error('the server is closed')
  }
}

/** The program's end of a connection to a thread. */
class ThreadSocket implements MemorySocket {
  onData: (bytes: Uint8Array) => void = () => {}
  onClose: () => void = () => {}
  onDrain: () => void = () => {}
  private readonly thread: Thread
  private readonly to: number
  private readonly forget: () => void
  private isOpen = true
  /** Something was written, and what came since does not end with its reply. */
  private isAwaited = false
  private hasCome = false
  /** Writes that the server has not taken yet. */
  private pending = 0

  constructor(thread: Thread, to: number, forget: () => void) {
    this.thread = thread
    this.to = to
    this.forget = forget
    thread.post({ to, open: true } satisfies ToThread)
  }

  write(bytes: Uint8Array | string): boolean {
    if (!this.isOpen) return true
    const copy = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : new Uint8Array(bytes)
    this.pending++
    this.hasCome = false
    this.awaited(true)
    this.thread.post({ to: this.to, bytes: copy } satisfies ToThread, copy)
    return this.pending < PENDING_MAX
  }

  pause(): void {
    this.thread.post({ to: this.to, reads: false } satisfies ToThread)
  }

  resume(): void {
    this.thread.post({ to: this.to, reads: true } satisfies ToThread)
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.awaited(false)
    this.forget()
    this.thread.post({ to: this.to, close: true } satisfies ToThread)
  }

  received({ bytes, drained, closed }: Extract<FromThread, { to: number }>): void {
    if (!this.isOpen) return
    if (bytes !== undefined) this.hasCome = true
    const wasFull = this.pending >= PENDING_MAX
    this.pending -= drained ?? 0
    // A write is taken after its reply was sent, unless it waits.
    if (this.pending === 0 && this.hasCome) this.awaited(false)
    if (bytes !== undefined) this.onData(bytes)
    if (wasFull && this.pending < PENDING_MAX) this.onDrain()
    if (!closed) return
    this.isOpen = false
    this.awaited(false)
    this.forget()
    this.onClose()
  }

  private awaited(isAwaited: boolean): void {
    if (isAwaited === this.isAwaited) return
    this.isAwaited = isAwaited
    if (isAwaited) this.thread.hold()
    else this.thread.release()
  }
}

/** Clocks that differ by less have the same offset. */
const CLOCKS_DIFFER_MS = 1000

/** Writes on their way, after which the program is told to wait. */
const PENDING_MAX = 1000

function textOf(password: unknown): string {
  return password === undefined ? '' : String(password)
}
