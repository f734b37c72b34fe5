// OutputBuffers: how replies leave. Two stages:
//
//   queued     replies of several clients, one after the other in the shared reply buffer, until the input of this
//              turn has been handled: then the append-only file is written once for all, and each client gets one
//              write
//
//     reply.u8  [ sent already | client A | client B | client A | … being written ]
//                                        ^ends[0]   ^ends[1]   ^ends[2] = deferredEnd
//
//   buffered   bytes that a socket did not take: the client's own chunks, sent when it drains, limited by
//              client-output-buffer-limit
//
//   During one event of a client with a limit the reply buffer is limited too: output beyond it is dropped and the
//   client closed, as in Redis, which sends nothing in between (beginEvent).
//
//   broadcast  messages to many clients at once, in one buffer for all of them (broadcast.ts)
//
// Always: a client's bytes leave in the order they were written; client.outBytes = Σ chunks + range of a broadcast
// − outSent; `memoryBytes` is the sum of outBytes over all clients.

import type { OutputLimit } from '../config/special.ts'
import { pushAdjacent, releaseBuffer } from '../lib/bytes.ts'
import type { Reply } from '../protocol/reply.ts'
import {
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSING,
  CLIENT_MASTER,
  CLIENT_MONITOR,
  CLIENT_PENDING_REPLY,
  CLIENT_PUBSUB,
  CLIENT_REPLICA,
  CLIENT_WRITE_PENDING,
  type Client,
} from './client.ts'
import { clientClass } from './client-memory.ts'
import type { Engine } from './engine.ts'
import { Broadcast } from './messaging/broadcast.ts'
import { clientLine } from './monitoring/client-line.ts'

const CHUNK_BYTES = 16 * 1024
/** Redis's blocks of pending output: their bytes, and what one counts for in the limits. */
const BLOCK_BYTES = 20 * 1024 - 16
const BLOCK_COUNTED_BYTES = BLOCK_BYTES + 40
const SPARE_MAX = 16
/** A rest of so many bytes is not copied out of the reply buffer. */
const SHARED_BYTES_MIN = 512 * 1024
/** Memory of chunks that is freed in one turn. */
const RELEASE_BYTES = 4 * 1024 * 1024
const SPECIAL_CLASS = CLIENT_MASTER | CLIENT_PUBSUB | CLIENT_REPLICA

export class OutputBuffers {
  memoryBytes = 0
  /** repl-backlog-size: the least hard limit of replicas. */
  replicaBytesMin = 0
  private readonly engine: Engine
  private readonly pending: Client[] = []
  private readonly broadcasts: Broadcast[] = []
  private readonly spare: Broadcast[] = []
  private turn = 0

  constructor(engine: Engine) {
    this.engine = engine
    engine.reply.onLimit = more => this.passLimit(more)
  }

  /** Runs before replies leave: writes and fsyncs what they acknowledge (appendfsync always). */
  readonly beforeSend: (() => void)[] = []
  /** Runs before what this turn has queued is sent, if there was any or schedule() was called. */
  readonly beforeTurnEnds: (() => void)[] = []
  /** True while it is worth waiting for more replies before sending: an fsync costs the same for one and for many. */
  delaysSending: (() => boolean) | undefined
  private readonly clients: Client[] = []
  private readonly ends: number[] = []
  private sentTo = 0
  private deferredEnd = 0
  private scheduled = false
  private readonly flushSoon = () => {
    this.scheduled = false
    this.engine.stats.countTurn()
    if (this.delaysSending?.()) this.schedule()
    else this.flushAll()
  }

  /** Sends what is queued before work that would delay it, unless sending is delayed anyway. */
  flushTurn(): void {
    if (this.scheduled && !this.delaysSending?.()) this.flushAll()
  }

  /** Queues the reply buffer beyond deferredEnd for `client`, to be sent at the end of this turn. */
  queueForTurn(client: Client): void {
    this.spilled = undefined
    this.endEvent()
    const end = this.engine.reply.pos
    if (end > this.deferredEnd) {
      this.clients.push(client)
      this.ends.push(end)
      this.deferredEnd = end
      client.flags |= CLIENT_PENDING_REPLY
    } else if (!client.has(CLIENT_CLOSE_AFTER_REPLY)) return
    else if (!client.has(CLIENT_PENDING_REPLY)) {
      this.clients.push(client)
      this.ends.push(end)
      client.flags |= CLIENT_PENDING_REPLY
    }
    this.schedule()
  }

  /** True while replies to `client`, whose command is running, wait to be sent. */
  hasPending(client: Client): boolean {
    return client.outBytes > 0 || client.has(CLIENT_PENDING_REPLY) || this.engine.reply.pos > this.deferredEnd
  }

  /** Drops the reply buffer beyond deferredEnd. */
  discard(): void {
    this.spilled = undefined
    this.endEvent()
    this.engine.reply.pos = this.deferredEnd
  }

  // ---- the output limit of the client whose event it is ----

  isLimited = false
  /** Bytes of the event's replies that the socket has taken. */
  private sentInEvent = 0

  /** An event of `client` begins: its output counts together, as in Redis, which sends nothing in between. */
  beginEvent(client: Client): void {
    const { hardBytes, softBytes } = this.limitOf(client)
    if (hardBytes === 0 && softBytes === 0) return
    this.isLimited = true
    this.sentInEvent = 0
    if (client.outBytes < softBytes) client.softLimitSinceMs = 0
    this.limitTo(client, softBytes === 0 || (hardBytes !== 0 && hardBytes < softBytes) ? hardBytes : softBytes)
  }

  /** Has passLimit() called when the client's output reaches `bytes` in all. */
  private limitTo(client: Client, bytes: number): void {
    const blocks = Math.ceil(bytes / BLOCK_COUNTED_BYTES) - 1
    const left = blocks * BLOCK_BYTES - client.outBytes - this.sentInEvent
    this.engine.reply.limitTo(this.deferredEnd + CHUNK_BYTES + Math.max(0, left))
  }

  /** The current client's output is about to pass a limit, by `more` bytes. */
  private passLimit(more: number): void {
    const { current, reply } = this.engine
    if (current === undefined) return reply.limitTo()
    if (this.isOver(current, this.sentInEvent + reply.pos - this.deferredEnd + more))
      return this.closeOverLimit(current)
    // Beyond the soft limit, but not for long enough: in this event only the hard one remains.
    const { hardBytes } = this.limitOf(current)
    if (hardBytes === 0) reply.limitTo()
    else this.limitTo(current, hardBytes)
  }

  /** Redis reads 16 KB of a pipeline at once, and sends its replies before it reads more. */
  beginNextRead(client: Client): void {
    if (!this.isLimited || this.engine.reply.pos - this.deferredEnd <= CHUNK_BYTES) return
    this.spill(client)
    if (!client.has(CLIENT_CLOSING)) this.beginEvent(client)
  }

  private endEvent(): void {
    if (!this.isLimited) return
    this.isLimited = false
    this.engine.reply.limitTo()
  }

  /** The turn will end with what beforeTurnEnds does, and with sending what is queued. */
  schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.engine.machine.soon(this.flushSoon)
  }

  /** Sends everything that is queued. */
  flushAll(): void {
    for (const prepare of this.beforeTurnEnds) prepare()
    this.sendQueuedForTurn()
    this.flushPending()
    this.engine.afterEvent?.()
  }

  sendQueuedForTurn(): void {
    if (this.clients.length === 0) return
    for (const prepare of this.beforeSend) prepare()
    const { reply } = this.engine
    for (let i = 0; i < this.clients.length; i++) {
      const client = this.clients[i]
      const end = this.ends[i]
      client.flags &= ~CLIENT_PENDING_REPLY
      this.send(client, this.sentTo, end)
      this.sentTo = end
    }
    // Closing runs other modules' code, so it comes when the lists are consistent again.
    const closing = this.clients.filter(isClosing)
    this.clients.length = this.ends.length = 0
    if (reply.pos === this.deferredEnd) {
      reply.pos = this.sentTo = this.deferredEnd = 0
      this.rewinds++
      if (this.bufferInUse) reply.renew()
      else reply.trim()
      this.bufferInUse = false
    }
    for (const client of closing) if (client.outBytes === 0) this.engine.closeClient(client, true)
  }

  /** Number of times that the reply buffer was emptied. */
  rewinds = 0
  /** The client whose reply was partly sent in the middle of its command, until the end of the event. */
  spilled: Client | undefined
  private bufferInUse = false

  /** The reply buffer is full in the middle of a command of `client`: sends it. */
  spill(client: Client): void {
    const { reply } = this.engine
    this.sendQueuedForTurn()
    for (const prepare of this.beforeSend) prepare()
    const bytes = reply.pos - this.sentTo
    const kept = client.outBytes
    this.send(client, this.sentTo, reply.pos)
    reply.pos = this.sentTo = this.deferredEnd = 0
    this.rewinds++
    this.spilled = client
    if (this.bufferInUse) reply.renew(true)
    this.bufferInUse = false
    if (reply.isCutOff) reply.cutOff(0, true)
    else if (this.isLimited) {
      const { hardBytes, softBytes } = this.limitOf(client)
      this.sentInEvent += bytes - (client.outBytes - kept)
      this.limitTo(client, client.softLimitSinceMs !== 0 && hardBytes !== 0 ? hardBytes : softBytes || hardBytes)
    }
  }

  private send(client: Client, from: number, end: number): void {
    if (client.has(CLIENT_CLOSING) || from === end) return
    const { u8 } = this.engine.reply
    let sent = from
    if (end - from > client.replyPeak) client.replyPeak = end - from
    if (end - from > CHUNK_BYTES && this.isOver(client, end - from)) return this.closeOverLimit(client)
    if (client.outBytes === 0) {
      sent += client.connection.write(u8, from, end)
      if (sent > from) client.lastActiveMs = this.engine.keyspace.nowMs
      if (client.connection.bufferInUse === true) this.bufferInUse = true
    }
    this.engine.stats.writes++
    this.engine.stats.netOutputBytes += end - from
    client.bytesOut += end - from
    if (sent < end) this.bufferOutput(client, u8, sent, end)
  }

  /** Copies reply.u8[from .. pos) for a client that is flushed later. */
  queue(client: Client, reply: Reply, from: number): void {
    if (reply.pos === from) return
    this.engine.stats.writes++
    this.engine.stats.netOutputBytes += reply.pos - from
    client.bytesOut += reply.pos - from
    // A client whose socket is full is flushed when it drains.
    if (client.outBytes === 0 && !client.has(CLIENT_WRITE_PENDING)) {
      client.flags |= CLIENT_WRITE_PENDING
      this.pending.push(client)
      this.schedule()
    }
    this.bufferOutput(client, reply.u8, from, reply.pos)
  }

  /** Queues bytes that nobody changes any more, without copying them, for a client that is flushed later. */
  queueChunk(client: Client, bytes: Uint8Array): void {
    if (client.has(CLIENT_CLOSING)) return
    if (client.has(CLIENT_PENDING_REPLY)) this.sendQueuedForTurn()
    const { stats } = this.engine
    stats.writes++
    stats.netOutputBytes += bytes.length
    client.bytesOut += bytes.length
    if (client.outBytes === 0 && !client.has(CLIENT_WRITE_PENDING)) {
      client.flags |= CLIENT_WRITE_PENDING
      this.pending.push(client)
      this.schedule()
    }
    if (client.sharedReply !== undefined) this.closeSharedReply(client)
    pushAdjacent(client.out, bytes)
    client.outBytes += bytes.length
    this.memoryBytes += bytes.length
    this.checkLimit(client)
  }

  /** The broadcast of this turn: `atHand` if it is of this turn. */
  broadcast(atHand: Broadcast | undefined): Broadcast {
    if (atHand !== undefined && atHand.turn === this.turn) return atHand
    const batch = this.spare.pop() ?? new Broadcast()
    batch.turn = this.turn
    this.broadcasts.push(batch)
    return batch
  }

  /** Queues a broadcast's bytes from `from` on for a client. */
  queueBroadcast(client: Client, batch: Broadcast, from: number): void {
    const bytes = batch.end - from
    this.engine.stats.netOutputBytes += bytes
    client.bytesOut += bytes
    if (client.sharedReply === batch && client.sharedReplyEnd === from) client.sharedReplyEnd = batch.end
    else {
      if (client.sharedReply !== undefined) this.closeSharedReply(client)
      if (!client.has(CLIENT_WRITE_PENDING)) {
        // A client with pending output gets a copy, because it is flushed in some later turn.
        if (client.outBytes > 0) return this.bufferOutput(client, batch.u8, from, batch.end)
        client.flags |= CLIENT_WRITE_PENDING
        this.pending.push(client)
        this.schedule()
      }
      client.sharedReply = batch
      client.sharedReplyFrom = from
      client.sharedReplyEnd = batch.end
    }
    client.outBytes += bytes
    this.memoryBytes += bytes
    if (client.outBytes > CHUNK_BYTES) this.checkLimit(client)
  }

  /** Copies a client's range of a broadcast to its chunks. */
  private closeSharedReply(client: Client): void {
    const batch = client.sharedReply!
    client.sharedReply = undefined
    this.copyToChunks(client, batch.u8, client.sharedReplyFrom, client.sharedReplyEnd)
  }

  /** Sends to every client that has output from queue(). */
  flushPending(): void {
    const pending = this.pending
    while (pending.length > 0) {
      const client = pending.pop()!
      client.flags &= ~CLIENT_WRITE_PENDING
      this.flush(client)
      if (client.outBytes === 0) this.engine.drained(client)
    }
    if (this.broadcasts.length === 0) return
    this.turn++
    for (const batch of this.broadcasts) {
      batch.clear()
      if (this.spare.length < SPARE_MAX) this.spare.push(batch)
    }
    this.broadcasts.length = 0
  }

  /** Sends as much as the socket takes. */
  flush(client: Client): void {
    let done = 0
    while (done < client.out.length && !client.has(CLIENT_CLOSING)) {
      const chunk = client.out[done]
      const length = chunk.length
      const sent = client.connection.write(chunk, client.outSent, length)
      client.outSent += sent
      if (sent > 0) client.lastActiveMs = this.engine.keyspace.nowMs
      client.outBytes -= sent
      this.memoryBytes -= sent
      if (client.outSent < length) break
      done++
      client.outSent = 0
      if (this.canRelease(client, chunk)) releaseBuffer(chunk.buffer)
    }
    if (done === client.out.length) client.out.length = 0
    else if (done > 0) client.out.splice(0, done)
    if (client.sharedReply !== undefined) this.flushSharedReply(client)
  }

  private flushSharedReply(client: Client): void {
    const batch = client.sharedReply!
    if (client.out.length > 0) return this.closeSharedReply(client)
    if (client.has(CLIENT_CLOSING)) return
    const from = client.sharedReplyFrom
    const sent = client.connection.write(batch.u8, from, client.sharedReplyEnd)
    if (client.connection.bufferInUse === true) batch.bufferInUse = true
    if (sent > 0) client.lastActiveMs = this.engine.keyspace.nowMs
    client.outBytes -= sent
    this.memoryBytes -= sent
    client.sharedReplyFrom = from + sent
    if (client.sharedReplyFrom < client.sharedReplyEnd) this.closeSharedReply(client)
    else client.sharedReply = undefined
  }

  /** Drops the output of a closed client. */
  drop(client: Client): void {
    this.memoryBytes -= client.outBytes
    if (client.outBytes > RELEASE_BYTES) this.releaseLater(client)
    client.out.length = 0
    client.sharedReply = undefined
    client.outBytes = 0
    client.outSent = 0
  }

  // ---- memory of chunks ----

  /** Chunks of closed clients, freed in later turns. */
  private readonly unused: Uint8Array[] = []

  /** Whether nobody uses a chunk but this client, whose connection holds on to nothing. */
  private canRelease(client: Client, chunk: Uint8Array): boolean {
    // Those of a replica are the backlog's.
    const isOwn = chunk.buffer !== this.engine.reply.u8.buffer && !client.has(CLIENT_REPLICA)
    return chunk.length >= CHUNK_BYTES && client.connection.bufferInUse === undefined && isOwn
  }

  private releaseLater(client: Client): void {
    const isFirst = this.unused.length === 0
    for (const chunk of client.out) if (this.canRelease(client, chunk)) this.unused.push(chunk)
    if (isFirst && this.unused.length > 0) this.engine.machine.soon(this.releaseSome)
  }

  /** Frees a few chunks: the memory of a slow reader is too much for one turn. */
  private readonly releaseSome = () => {
    for (let bytes = 0; bytes < RELEASE_BYTES && this.unused.length > 0; ) {
      const chunk = this.unused.pop()!
      bytes += chunk.length
      releaseBuffer(chunk.buffer)
    }
    if (this.unused.length > 0) this.engine.machine.soon(this.releaseSome)
  }

  private bufferOutput(client: Client, u8: Uint8Array, from: number, to: number): void {
    if (client.sharedReply !== undefined) this.closeSharedReply(client)
    this.copyToChunks(client, u8, from, to)
    client.outBytes += to - from
    this.memoryBytes += to - from
    this.checkLimit(client)
  }

  /**
   * Appends bytes to the client's chunks: a copy, or the reply buffer itself when they are most of it and many. The
   * buffer is then replaced, not reused.
   */
  private copyToChunks(client: Client, u8: Uint8Array, from: number, to: number): void {
    const bytes = to - from
    if (bytes >= SHARED_BYTES_MIN && bytes * 2 > u8.length && u8 === this.engine.reply.u8) {
      this.bufferInUse = true
      client.out.push(u8.subarray(from, to))
      return
    }
    if (client.out.length === 0 || bytes > CHUNK_BYTES / 2) {
      client.out.push(u8.slice(from, to))
      return
    }
    // Small pieces share a buffer of CHUNK_BYTES, so that a flood of messages does not become a flood of arrays. No
    // other chunk has room in a buffer of that size.
    const end = client.out.length - 1
    const last = client.out[end]
    const { buffer, length } = last
    if (end > 0 && buffer.byteLength === CHUNK_BYTES && length + bytes <= CHUNK_BYTES) {
      const longer = new Uint8Array(buffer, 0, length + bytes)
      longer.set(u8.subarray(from, to), length)
      client.out[end] = longer
      return
    }
    const fresh = new Uint8Array(new ArrayBuffer(CHUNK_BYTES), 0, bytes)
    fresh.set(u8.subarray(from, to))
    client.out.push(fresh)
  }

  /** Closes a client beyond its hard limit, or beyond its soft limit for too long. */
  checkLimit(client: Client): void {
    if (this.isOver(client, 0)) this.closeOverLimit(client)
  }

  private limitOf(client: Client): OutputLimit {
    const limits = this.engine.settings.clientOutputBufferLimit
    const name = (client.flags & SPECIAL_CLASS) === 0 ? 'normal' : clientClass(client)
    return limits[name === 'master' ? 'normal' : name]
  }

  /** Whether a client would be beyond its limits with `more` bytes in addition. */
  private isOver(client: Client, more: number): boolean {
    const { engine } = this
    const limit = this.limitOf(client)
    // A limit below the backlog would close replicas that were just continued from it.
    const leastBytes = client.has(CLIENT_REPLICA) && !client.has(CLIENT_MONITOR) ? this.replicaBytesMin : 0
    // Redis does not count the client's fixed reply buffer, and of the rest whole blocks.
    const bytes = Math.ceil((client.outBytes + more - CHUNK_BYTES) / BLOCK_BYTES) * BLOCK_COUNTED_BYTES
    if (limit.hardBytes > 0 && bytes >= Math.max(limit.hardBytes, leastBytes)) return true
    if (limit.softBytes === 0 || bytes < limit.softBytes) {
      client.softLimitSinceMs = 0
      return false
    }
    const { nowMs } = engine.keyspace
    if (client.softLimitSinceMs === 0) client.softLimitSinceMs = nowMs
    return nowMs - client.softLimitSinceMs > limit.softSeconds * 1000
  }

  private closeOverLimit(client: Client): void {
    const { engine } = this
    engine.stats.clientOutputBufferLimitDisconnections++
    engine.log?.(
      'warning',
      `Client ${clientLine(client, engine.keyspace.nowMs, undefined)} scheduled to be closed ASAP for overcoming of output buffer limits.`,
    )
    engine.connections.closeSoon(client)
    if (client === engine.current) engine.reply.cutOff(this.deferredEnd, true)
  }
}

function isClosing(client: Client): boolean {
  return client.has(CLIENT_CLOSE_AFTER_REPLY)
}
