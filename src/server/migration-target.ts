// MigrationTarget: one target server of MIGRATE, with its connection and a queue of orders.
//
//   IDLE → CONNECTING [attempt] → WORKING [begin] → IDLE [finish, fail]
//   WORKING → CONNECTING [closed: once, before the target's first reply]
//
// Always: `order` is undefined in IDLE alone; the connection is reused by later orders, and closed when idle. A target
// that is silent for an order's timeout fails it. A large value is serialised in slices, and sent when its payload is
// whole; meanwhile compaction is stopped (`pins`).

import { type ClientSystem, Connection, type ReplyHandler } from '../client/connection.ts'
import type { CloseReason } from '../client/errors.ts'
import type { Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import type { MigrationOrder } from '../engine/ports/migration.ts'
import type { StepwiseDump } from '../engine/ports/payloads.ts'
import { Queue } from '../lib/queue.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { ReplyError, type Value } from '../protocol/value.ts'
import { textOfError } from '../system/errors.ts'
import type { Timer } from '../system/system.ts'

export interface Order extends MigrationOrder {
  client: Client
}

interface TargetParts {
  engine: Engine
  system: ClientSystem
  host: string
  port: number
  /** Values that are serialised: they must not move. */
  pinned: { pins: number }
  /** An order has ended: keys that the target has confirmed, and the error. */
  ended(order: Order, taken: readonly Slice[], error: string | null): void
}

/** A large value on its way. */
interface LargeValue {
  key: Slice
  entry: Ref
  value: Ref
  dump: StepwiseDump
  /** Chunks that were sent; -1: the payload is not whole. */
  sent: number
}

const KEPT_MS = 10_000
/** Keys are serialised for at most so long in one turn of the event loop. */
const SLICE_US = 500
const CHUNK_BYTES = 64 * 1024
/** A target with a longer reply to RESTORE is refused. */
const LIMITS = { lineBytesMax: 64 * 1024, replyBytesMax: 64 * 1024 }
const [AUTH, SELECT, RESTORE, RESTORE_ASKING, REPLACE] = ['AUTH', 'SELECT', 'RESTORE', 'RESTORE-ASKING', 'REPLACE'].map(
  name => Slice.of(name),
)

const REFUSED = textOfError('ECONNREFUSED')
const CONNECT_FAILED = 'IOERR error or timeout connecting to the client'
const READ_FAILED = 'IOERR error or timeout reading to target instance'
const WRITE_FAILED = 'IOERR error or timeout writing to target instance'

export class MigrationTarget implements ReplyHandler {
  private readonly parts: TargetParts
  private readonly queue = new Queue<Order>()
  private connection: Connection | undefined
  /** The database selected on the connection, -1: not known. */
  private index = -1
  private timer: Timer | undefined
  private order: Order | undefined
  /** The order was retried over a new connection already. */
  private retried = false
  private nextKey = 0
  private large: LargeValue | undefined
  /** Keys whose RESTORE is sent, in order; the first `answered` of them have their replies. */
  private sent: Slice[] = []
  private answered = 0
  /** Outstanding replies to AUTH and SELECT. */
  private preludeLeft = 0
  private taken: Slice[] = []
  private error: string | undefined
  private preludeFailed = false

  constructor(parts: TargetParts) {
    this.parts = parts
  }

  get busy(): boolean {
    return this.order !== undefined
  }

  get connected(): boolean {
    return this.connection !== undefined
  }

  give(order: Order): void {
    this.queue.push(order)
    if (this.order === undefined) this.next()
  }

  /** Closes the connection. Queued orders get no reply: the server is shutting down. */
  stop(): void {
    this.queue.clear()
    this.order = undefined
    this.setLarge(undefined)
    this.drop()
    this.setTimer(undefined)
  }

  private next(): void {
    this.order = this.queue.shift()
    this.retried = false
    if (this.order !== undefined) this.attempt(this.order)
    else this.setTimer(this.parts.system.timers.after(KEPT_MS, () => this.drop()))
  }

  private attempt(order: Order): void {
    this.setTimer(undefined)
    if (this.connection === undefined) this.connection = this.open(order)
    this.connection.setSilence(order.timeoutMs)
    if (this.connection.state === 'ready') this.begin(order)
  }

  private open({ timeoutMs }: Order): Connection {
    const { system, host, port } = this.parts
    const options = { address: { host, port }, connectMs: timeoutMs, limits: LIMITS }
    this.index = -1
    return new Connection(system, options, {
      ready: () => this.begin(this.order!),
      drained: () => this.send(),
      closed: reason => this.lost(reason),
    })
  }

  private drop(): void {
    const { connection } = this
    this.connection = undefined
    connection?.close()
  }

  // ---- sending ----

  private begin(order: Order): void {
    this.nextKey = this.answered = 0
    this.setLarge(undefined)
    this.sent = []
    this.taken = []
    this.error = undefined
    this.preludeFailed = false
    const { credentials, index } = order
    this.preludeLeft = 0
    if (credentials.length > 0) this.prelude([AUTH, ...credentials])
    if (this.index !== index) this.prelude([SELECT, Slice.of(String(index))])
    this.index = index
    this.send()
  }

  private prelude(words: readonly Slice[]): void {
    this.preludeLeft++
    this.command(words)
  }

  private command(words: readonly Slice[]): void {
    this.connection!.out.command(words)
    this.connection!.expect(1, this)
  }

  /** Sends keys until all are sent, the socket is full, or the slice is over. */
  private readonly send = (): void => {
    const { order } = this
    const { connection } = this
    const { engine, system } = this.parts
    if (order === undefined || connection === undefined || !connection.writable) return
    const untilUs = engine.machine.monotonicUs() + SLICE_US
    engine.tick()
    while (this.large !== undefined || this.nextKey < order.keys.length) {
      if (this.large === undefined) this.restore(order, order.keys[this.nextKey++])
      else this.continueLarge(order, this.large)
      if (connection.out.len >= CHUNK_BYTES && !connection.flush()) return
      // The target may have replied, or disconnected, within flush().
      if (this.order !== order || this.connection !== connection) return
      if (engine.machine.monotonicUs() < untilUs) continue
      system.timers.soon(this.send)
      return
    }
    connection.flush()
    if (this.order === order && this.connection === connection) this.finishIfDone()
  }

  /** A key that was removed meanwhile is skipped. */
  private restore(order: Order, key: Slice): void {
    const { engine } = this.parts
    const entry = order.from.find(key)
    if (entry === 0) return
    const dump = engine.payloads.beginDump(entry)
    if (dump === undefined) return this.restoreWhole(order, key, entry)
    this.setLarge({ key, entry, value: order.from.entries.valueOf(entry), dump, sent: -1 })
  }

  private restoreWhole(order: Order, key: Slice, entry: Ref): void {
    const ttl = this.ttlOf(order, entry)
    if (ttl === undefined) return
    const { payloads } = this.parts.engine
    const payload = payloads.dump(entry)
    if (payload === undefined) return this.unsaved(payloads.failure)
    this.command([this.restoreName, key, ttl, payload, ...(order.replace ? [REPLACE] : [])])
    this.sent.push(key)
  }

  /** A module's code has failed: the key stays here. */
  private unsaved(failure: string): void {
    this.error ??= `ERR ${failure}`
  }

  private get restoreName(): Slice {
    return this.parts.engine.host.mode === 'cluster' ? RESTORE_ASKING : RESTORE
  }

  /** Milliseconds that are left; undefined: none. */
  private ttlOf({ from }: Order, entry: Ref): Slice | undefined {
    const whenMs = from.entries.expiryOf(entry)
    const leftMs = whenMs <= 0 ? 0 : whenMs - this.parts.engine.keyspace.nowMs
    if (leftMs < 0) return undefined
    return Slice.of(String(whenMs <= 0 ? 0 : Math.max(1, leftMs)))
  }

  /** A step of a large value: some of its payload is made, or sent. */
  private continueLarge(order: Order, large: LargeValue): void {
    const { out } = this.connection!
    const { key, dump } = large
    if (large.sent < 0) return this.continueDump(order, large)
    const chunk = dump.chunks[large.sent++]
    out.raw(chunk, chunk.length)
    if (large.sent < dump.chunks.length) return
    out.endArgument()
    if (order.replace) out.argument(REPLACE)
    this.sent.push(key)
    this.setLarge(undefined)
  }

  private continueDump(order: Order, large: LargeValue): void {
    const { key, entry, value, dump } = large
    const { from } = order
    // It may have expired, been evicted, or been moved to disk.
    const found = from.find(key)
    if (found !== entry || from.entries.isCold(entry) || from.entries.valueOf(entry) !== value) {
      this.setLarge(undefined)
      if (found !== 0) this.restoreWhole(order, key, found)
      return
    }
    if (!dump.step()) return
    if (dump.failure !== undefined) {
      this.setLarge(undefined)
      return this.unsaved(dump.failure)
    }
    const ttl = this.ttlOf(order, entry)
    if (ttl === undefined) return this.setLarge(undefined)
    const { out } = this.connection!
    out.count(order.replace ? 5 : 4)
    for (const word of [this.restoreName, key, ttl]) out.argument(word)
    out.beginArgument(dump.bytes)
    large.sent = 0
    this.connection!.expect(1, this)
  }

  private setLarge(large: LargeValue | undefined): void {
    const { pinned } = this.parts
    if (this.large !== undefined) pinned.pins--
    if (large !== undefined) pinned.pins++
    this.large = large
  }

  // ---- replies ----

  reply(value: Value): void {
    const isError = value instanceof ReplyError
    if (isError) this.error ??= `ERR Target instance replied with error: ${value.text}`
    if (this.preludeLeft > 0) {
      this.preludeLeft--
      this.preludeFailed ||= isError
    } else {
      const key = this.sent[this.answered++]
      if (!isError && !this.preludeFailed) this.taken.push(key)
    }
    this.finishIfDone()
  }

  /** ReplyHandler: lost() handles it. */
  closed(): void {}

  private finishIfDone(): void {
    const { order } = this
    if (order === undefined || this.large !== undefined || this.nextKey < order.keys.length) return
    if (this.preludeLeft > 0 || this.answered < this.sent.length) return
    if (this.error !== undefined) this.index = -1
    this.end(this.error ?? null)
  }

  private end(error: string | null): void {
    const { order, taken } = this
    this.setTimer(undefined)
    this.setLarge(undefined)
    this.parts.ended(order!, taken, error)
    this.taken = this.sent = []
    this.next()
  }

  // ---- errors ----

  /** The connection was lost. A reused one often is; before the first reply a new one is tried. */
  private lost({ kind, text }: CloseReason): void {
    const { order, connection } = this
    this.connection = undefined
    if (order === undefined) return
    // Redis meets a refusal when it writes.
    if (kind === 'unreachable') return this.end(text === REFUSED ? WRITE_FAILED : CONNECT_FAILED)
    if (kind === 'timeout') return this.end(this.error ?? (connection!.writable ? READ_FAILED : WRITE_FAILED))
    if (!this.retried && this.answered === 0 && this.error === undefined) {
      this.retried = true
      this.attempt(order)
    } else this.end(this.error ?? READ_FAILED)
  }

  private setTimer(timer: Timer | undefined): void {
    if (this.timer !== undefined) this.parts.system.timers.cancel(this.timer)
    this.timer = timer
  }
}
