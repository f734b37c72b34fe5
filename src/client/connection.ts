// Connection: a client's connection to a server. Commands are pipelined, replies come in order.
//
//   DIALLING [opened] ─▶ GREETING: AUTH, HELLO, SELECT [greeted] ─▶ READY [takeOver] ─▶ RAW: every byte to one sink
//       └───────────────────────┴───────── [fail, close] ─▶ CLOSED ◀──────┴────────────────┘
//
//   out: commands of the caller ─[flush]─▶ server ─▶ replies ─▶ awaiting: [handler × count | handler × count …]
//
// Always: each reply goes to one handler, in the order of expect(). When the connection ends, `closed` is called on
// every handler that still awaits replies, and then once on the owner, unless the owner itself called close().
// Handlers may send and close from within; the network may answer within write(). A command allocates no promise,
// closure or timer.

import { Queue } from '../lib/queue.ts'
import { CommandWriter } from '../protocol/command-writer.ts'
import { type ReplyLimits, ReplyReader } from '../protocol/reply-reader.ts'
import { Push, ReplyError, type Value } from '../protocol/value.ts'
import { type Address, type Network, NetworkError, type Outgoing } from '../system/network.ts'
import type { Clock, Timer, Timers } from '../system/system.ts'
import type { CloseReason } from './errors.ts'

/** The parts of the system that the client uses. */
export interface ClientSystem {
  readonly network: Pick<Network, 'dial'>
  readonly timers: Timers
  readonly clock: Pick<Clock, 'monotonicUs'>
}

export interface ConnectionOptions {
  address: Address
  /** '' or absent: the default user. */
  user?: string
  /** '' or absent: no AUTH. */
  password?: string
  /** 3: HELLO 3, after which pushes may come. */
  protocol?: 2 | 3
  /** SELECTed unless it is 0. */
  database?: number
  connectMs?: number
  /** Closes the connection when replies are awaited and nothing is received for so long; 0: never. */
  silenceMs?: number
  limits?: Partial<ReplyLimits>
}

interface ConnectionOwner {
  /** The greeting is accepted. Commands written before are flushed after this. */
  ready?(): void
  pushed?(push: Push): void
  /** After flush() returned false: the connection is writable again. */
  drained?(): void
  closed(reason: CloseReason): void
}

/** Receives the replies to some commands. */
export interface ReplyHandler {
  reply(value: Value): void
  /** The outstanding replies will not come. */
  closed(reason: CloseReason): void
}

interface Awaited {
  handler: ReplyHandler
  left: number
}

type ConnectionState = 'dialling' | 'greeting' | 'ready' | 'raw' | 'closed'

const CONNECT_MS = 10_000

export class Connection {
  /** Commands to be sent by the next flush(). Each needs an expect() for its reply. */
  readonly out = new CommandWriter()
  state: ConnectionState = 'dialling'
  private silenceMs: number
  private readonly system: ClientSystem
  private readonly owner: ConnectionOwner
  private readonly reader: ReplyReader
  private readonly awaited = new Queue<Awaited>()
  /** Names of the commands of the greeting whose replies are awaited. */
  private greeting: string[] = []
  private link: Outgoing | undefined
  private full = false
  private paused = false
  private sink: (bytes: Uint8Array) => void = () => {}
  private timer: Timer | undefined
  private progressUs = 0

  constructor(system: ClientSystem, options: ConnectionOptions, owner: ConnectionOwner) {
    this.system = system
    this.owner = owner
    this.silenceMs = options.silenceMs ?? 0
    this.reader = new ReplyReader(options.limits)
    system.network.dial(options.address, options.connectMs ?? CONNECT_MS, result => {
      if (result instanceof NetworkError) this.fail({ kind: 'unreachable', text: result.message })
      else if (this.state === 'closed') result.close()
      else this.opened(result, options)
    })
  }

  /** 'address:port' of the server and of our end; '' before the connection is open. */
  get peer(): string {
    return this.link?.peer ?? ''
  }

  get local(): string {
    return this.link?.local ?? ''
  }

  /** False: flushed bytes are buffered in this process until drained(). */
  get writable(): boolean {
    return !this.full
  }

  // ---- connecting ----

  private opened(link: Outgoing, options: ConnectionOptions): void {
    this.link = link
    link.onData = bytes => this.received(bytes)
    link.onDrain = () => this.drained()
    link.onClose = reason => this.fail({ kind: 'lost', text: reason ?? '' })
    this.state = 'greeting'
    const words = greetingOf(options)
    if (words.length === 0) return this.greeted()
    this.greeting = words.map(command => command[0])
    const greeting = new CommandWriter()
    for (const command of words) writeWords(greeting, command)
    this.awake()
    this.write(greeting)
  }

  private greet(value: Value): void {
    const command = this.greeting.shift()!
    if (value instanceof ReplyError) this.fail({ kind: 'refused', text: value.text, command })
    else if (this.greeting.length === 0) this.greeted()
  }

  private greeted(): void {
    this.state = 'ready'
    if (this.awaited.length > 0) this.awake()
    this.owner.ready?.()
    this.flush()
  }

  // ---- commands ----

  /** `handler` gets the next `count` replies, of commands that are in `out` or were sent. */
  expect(count: number, handler: ReplyHandler): void {
    if (this.state === 'closed') return handler.closed(CLOSED)
    if (count === 0) return
    const last = this.awaited.last()
    if (last !== undefined && last.handler === handler) last.left += count
    else this.awaited.push({ handler, left: count })
    if (last === undefined) this.awake()
  }

  /** Sends `out`; before the connection is ready it stays buffered. False: wait for drained(). */
  flush(): boolean {
    if (this.state === 'ready' || this.state === 'raw') this.write(this.out)
    return !this.full
  }

  private write(out: CommandWriter): void {
    if (out.len > 0 && !this.link!.write(out.take())) this.full = true
  }

  private drained(): void {
    this.full = false
    this.progressUs = this.system.clock.monotonicUs()
    if (this.state !== 'closed') this.owner.drained?.()
  }

  // ---- replies ----

  private received(bytes: Uint8Array): void {
    if (this.state === 'closed') return
    this.progressUs = this.system.clock.monotonicUs()
    if (this.state === 'raw') return this.sink(bytes)
    this.reader.feed(bytes)
    while (this.isReading()) {
      const value = this.next()
      if (value === undefined) return
      if (value instanceof Push) this.owner.pushed?.(value)
      else this.deliver(value)
    }
  }

  /** Checked after each value: its handler may have closed, or taken over. */
  private isReading(): boolean {
    return this.state === 'ready' || this.state === 'greeting'
  }

  private next(): Value | Push | undefined {
    try {
      return this.reader.next()
    } catch (error) {
      this.fail({ kind: 'protocol', text: (error as Error).message })
      return undefined
    }
  }

  private deliver(value: Value): void {
    if (this.state === 'greeting') return this.greet(value)
    const one = this.awaited.first()
    if (one === undefined) return this.fail({ kind: 'protocol', text: 'a reply that nobody asked for' })
    if (--one.left === 0) this.awaited.shift()
    one.handler.reply(value)
  }

  /** Called by the handler of a reply: every byte after that reply goes to `sink`, which owns it. */
  takeOver(sink: (bytes: Uint8Array) => void): void {
    if (this.state === 'closed') return
    this.state = 'raw'
    this.sink = sink
    this.awake()
    const rest = this.reader.rest()
    if (rest.length > 0) sink(rest)
  }

  /** Stops and resumes reading; the silence timeout is suspended meanwhile. */
  pause(): void {
    this.paused = true
    this.link?.pause()
  }

  resume(): void {
    this.paused = false
    this.awake()
    this.link?.resume()
  }

  // ---- silence timeout ----

  /** Changes `silenceMs`; the timeout starts anew. */
  setSilence(ms: number): void {
    this.silenceMs = ms
    this.cancel()
    this.awake()
  }

  private isAwaiting(): boolean {
    if (this.paused) return false
    return this.state === 'ready' ? this.awaited.length > 0 : this.state === 'greeting' || this.state === 'raw'
  }

  /** A reply is awaited from now on: starts the timeout. */
  private awake(): void {
    this.progressUs = this.system.clock.monotonicUs()
    if (this.silenceMs > 0 && this.timer === undefined) this.watch()
  }

  /** One timer for all awaited replies: it fires when the silence could be too long, and is set anew if it is not. */
  private readonly watch = (): void => {
    this.timer = undefined
    if (this.silenceMs === 0 || !this.isAwaiting()) return
    const silentMs = (this.system.clock.monotonicUs() - this.progressUs) / 1000
    if (silentMs >= this.silenceMs) this.fail({ kind: 'timeout', text: `no answer for ${this.silenceMs} ms` })
    else this.timer = this.system.timers.after(Math.max(1, Math.ceil(this.silenceMs - silentMs)), this.watch)
  }

  private cancel(): void {
    if (this.timer !== undefined) this.system.timers.cancel(this.timer)
    this.timer = undefined
  }

  // ---- closing ----

  /** Closes. Handlers that await replies are notified, the owner is not. */
  close(): void {
    this.end(CLOSED)
  }

  /** Ends the connection as if it had been lost. */
  fail(reason: CloseReason): void {
    if (this.end(reason)) this.owner.closed(reason)
  }

  private end(reason: CloseReason): boolean {
    if (this.state === 'closed') return false
    this.state = 'closed'
    this.cancel()
    this.link?.close()
    for (let one = this.awaited.shift(); one !== undefined; one = this.awaited.shift()) one.handler.closed(reason)
    return true
  }
}

const CLOSED: CloseReason = { kind: 'closed', text: '' }

function greetingOf({ user = '', password = '', protocol = 2, database = 0 }: ConnectionOptions): string[][] {
  const commands: string[][] = []
  if (password !== '') commands.push(authWords(user, password))
  if (protocol === 3) commands.push(['HELLO', '3'])
  if (database > 0) commands.push(['SELECT', String(database)])
  return commands
}

/** AUTH; `user` '': of the default user. */
export function authWords(user: string, password: string): string[] {
  return user === '' ? ['AUTH', password] : ['AUTH', user, password]
}

/** A command of text words, encoded as UTF-8. */
export function writeWords(out: CommandWriter, words: readonly string[]): void {
  out.count(words.length)
  for (const word of words) out.bytes(encoder.encode(word))
}

const encoder = new TextEncoder()
