// MigrationTarget: one server that keys are moved to, with its connection and the orders for it, one after the other.
//
//   IDLE → CONNECTING [attempt] → WORKING [begin] → IDLE [finish, fail]
//   WORKING → CONNECTING [closed: once, when the target has answered nothing yet]
//
// Always: `order` is undefined in IDLE alone; the connection outlives orders, and goes when it is not used for a while.

import type { Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import type { MigrationOrder } from '../engine/ports/migration.ts'
import { Slice } from '../lib/slice.ts'
import { Reply } from '../protocol/reply.ts'
import type { Outgoing } from '../system/network.ts'
import type { Timer, Timers } from '../system/system.ts'

export interface Order extends MigrationOrder {
  client: Client
}

export interface TargetParts {
  engine: Engine
  timers: Timers
  connect(timeoutMs: number): Promise<Outgoing>
  /** An order is over: keys that the target has confirmed, and what went wrong. */
  ended(order: Order, taken: readonly Slice[], error: string | null): void
}

const KEPT_MS = 10_000
/** Serialising goes on for so long before others have their turn. */
const SLICE_US = 500
const CHUNK_BYTES = 64 * 1024
/** A target that sends more than this without the end of a line is none. */
const LINE_BYTES_MAX = 64 * 1024
const LF = 10
const MINUS = 0x2d

const CONNECT_FAILED = 'IOERR error or timeout connecting to the client'
const READ_FAILED = 'IOERR error or timeout reading to target instance'
const WRITE_FAILED = 'IOERR error or timeout writing to target instance'

export class MigrationTarget {
  private readonly parts: TargetParts
  private readonly queue: Order[] = []
  private readonly out = new Reply()
  private link: Outgoing | undefined
  /** The database that the connection is in, -1: not known. */
  private index = -1
  private timer: Timer | undefined
  private progressUs = 0
  private order: Order | undefined
  /** The order was tried again already, over a new connection. */
  private retried = false
  private nextKey = 0
  private blockedBySocket = false
  /** Keys whose RESTORE is sent, in order; the first `answered` of them have their answer. */
  private sent: Slice[] = []
  private answered = 0
  /** Lines that come before those for keys: of AUTH and SELECT. */
  private preludeLeft = 0
  private taken: Slice[] = []
  private error: string | undefined
  private preludeFailed = false
  private half = ''

  constructor(parts: TargetParts) {
    this.parts = parts
  }

  get busy(): boolean {
    return this.order !== undefined
  }

  get connected(): boolean {
    return this.link !== undefined
  }

  give(order: Order): void {
    this.queue.push(order)
    if (this.order === undefined) this.next()
  }

  /** Closes the connection. Orders that are left are not answered any more: the server is at its end. */
  stop(): void {
    this.queue.length = 0
    this.order = undefined
    this.drop()
    this.setTimer(undefined)
  }

  private next(): void {
    this.order = this.queue.shift()
    this.retried = false
    if (this.order !== undefined) this.attempt(this.order)
    else this.setTimer(this.parts.timers.after(KEPT_MS, () => this.drop()))
  }

  private attempt(order: Order): void {
    this.setTimer(undefined)
    if (this.link !== undefined) return this.begin(order)
    this.parts.connect(order.timeoutMs).then(
      link => {
        if (this.order !== order) return link.close()
        this.open(link)
        this.begin(order)
      },
      () => {
        if (this.order === order) this.end(CONNECT_FAILED)
      },
    )
  }

  private open(link: Outgoing): void {
    this.link = link
    this.index = -1
    this.half = ''
    link.onData = bytes => this.received(bytes)
    link.onDrain = () => {
      this.progress()
      this.blockedBySocket = false
      this.send()
    }
    link.onClose = () => {
      if (this.link === link) this.closed()
    }
  }

  private drop(): void {
    const { link } = this
    this.link = undefined
    link?.close()
  }

  // ---- sending ----

  private begin(order: Order): void {
    this.nextKey = this.answered = 0
    this.sent = []
    this.taken = []
    this.error = undefined
    this.preludeFailed = false
    this.blockedBySocket = false
    const { credentials, index } = order
    this.preludeLeft = 0
    if (credentials.length > 0) this.prelude('AUTH', ...credentials)
    if (this.index !== index) this.prelude('SELECT', String(index))
    this.index = index
    this.progress()
    this.watch(order)
    this.send()
  }

  private prelude(name: string, ...words: (Slice | string)[]): void {
    this.preludeLeft++
    this.command(name, words)
  }

  private command(name: string, words: readonly (Slice | string)[]): void {
    const { out } = this
    out.array(words.length + 1)
    out.bulkText(name)
    for (const word of words) {
      if (typeof word === 'string') out.bulkText(word)
      else out.bulk(word)
    }
  }

  /** Sends keys until all are sent, the socket is full, or others should have their turn. */
  private readonly send = (): void => {
    const { order } = this
    const { engine, timers } = this.parts
    if (order === undefined || this.link === undefined || this.blockedBySocket) return
    const untilUs = engine.machine.monotonicUs() + SLICE_US
    engine.tick()
    while (this.nextKey < order.keys.length) {
      this.restore(order, order.keys[this.nextKey++])
      if (this.out.pos >= CHUNK_BYTES && !this.flush()) return
      if (engine.machine.monotonicUs() < untilUs) continue
      timers.soon(this.send)
      return
    }
    if (this.flush()) this.finishIfDone()
  }

  /** A key that is gone meanwhile is left out. */
  private restore(order: Order, key: Slice): void {
    const { engine } = this.parts
    const { from, replace } = order
    const entry = from.find(key)
    if (entry === 0) return
    const whenMs = from.entries.expiryOf(entry)
    const leftMs = whenMs <= 0 ? 0 : whenMs - engine.keyspace.nowMs
    if (leftMs < 0) return
    const ttl = String(whenMs <= 0 ? 0 : Math.max(1, leftMs))
    const payload = engine.payloads.dump(entry)
    const name = engine.host.mode === 'cluster' ? 'RESTORE-ASKING' : 'RESTORE'
    this.command(name, replace ? [key, ttl, payload, 'REPLACE'] : [key, ttl, payload])
    this.sent.push(key)
  }

  /** False: the socket has to drain first. */
  private flush(): boolean {
    const { link, out } = this
    if (out.pos === 0) return true
    const bytes = out.u8.slice(0, out.pos)
    out.pos = 0
    out.trim()
    this.blockedBySocket = !link!.write(bytes)
    return !this.blockedBySocket
  }

  // ---- answers ----

  private received(bytes: Uint8Array): void {
    if (this.order === undefined) return this.drop()
    this.progress()
    let from = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      const line = this.half + new Slice(bytes, from, end - from).latin1()
      this.half = ''
      from = end + 1
      this.line(line.endsWith('\r') ? line.slice(0, -1) : line)
    }
    this.half += new Slice(bytes, from, bytes.length - from).latin1()
    if (this.half.length > LINE_BYTES_MAX) return this.closed()
    this.finishIfDone()
  }

  private line(text: string): void {
    const isError = text.charCodeAt(0) === MINUS
    if (isError) this.error ??= `ERR Target instance replied with error: ${text.slice(1)}`
    if (this.preludeLeft > 0) {
      this.preludeLeft--
      this.preludeFailed ||= isError
      return
    }
    const key = this.sent[this.answered++]
    if (key !== undefined && !isError && !this.preludeFailed) this.taken.push(key)
  }

  private finishIfDone(): void {
    const { order } = this
    if (order === undefined || this.nextKey < order.keys.length) return
    if (this.preludeLeft > 0 || this.answered < this.sent.length) return
    if (this.error !== undefined) this.index = -1
    this.end(this.error ?? null)
  }

  private end(error: string | null): void {
    const { order, taken } = this
    this.setTimer(undefined)
    this.out.pos = 0
    this.parts.ended(order!, taken, error)
    this.taken = this.sent = []
    this.next()
  }

  // ---- when it goes wrong ----

  /** The connection is gone. Kept ones often are; if nothing can have happened, a new one may do. */
  private closed(): void {
    this.drop()
    const { order } = this
    if (order === undefined) return
    this.out.pos = 0
    if (!this.retried && this.answered === 0 && this.error === undefined) {
      this.retried = true
      this.attempt(order)
    } else this.end(this.error ?? READ_FAILED)
  }

  private progress(): void {
    this.progressUs = this.parts.engine.machine.monotonicUs()
  }

  /** Gives up when nothing moves for the order's time. */
  private watch(order: Order): void {
    const { engine, timers } = this.parts
    const silentMs = (engine.machine.monotonicUs() - this.progressUs) / 1000
    if (silentMs >= order.timeoutMs) {
      const failure = this.blockedBySocket ? WRITE_FAILED : READ_FAILED
      this.drop()
      return this.end(this.error ?? failure)
    }
    this.setTimer(timers.after(Math.max(1, Math.ceil(order.timeoutMs - silentMs)), () => this.watch(order)))
  }

  private setTimer(timer: Timer | undefined): void {
    if (this.timer !== undefined) this.parts.timers.cancel(this.timer)
    this.timer = timer
  }
}
