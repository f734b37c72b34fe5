// OutputBuffers: what sockets did not take at once. Counts it, sends it on, and cuts clients off that let it pile up
// (client-output-buffer-limit).
//
// Always: client.outBytes is the sum of its chunks less outSent; `memoryBytes` is the sum over all clients.

import type { Reply } from '../protocol/reply.ts'
import { CLIENT_CLOSING, CLIENT_WRITE_PENDING, type Client } from './client.ts'
import type { Engine } from './engine.ts'

const CHUNK_BYTES = 16 * 1024

export class OutputBuffers {
  memoryBytes = 0
  private readonly engine: Engine
  private readonly pending: Client[] = []

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** Sends the whole of `reply` and empties it; what the socket does not take is kept. */
  send(client: Client, reply: Reply): void {
    const end = reply.pos
    reply.pos = 0
    if (client.has(CLIENT_CLOSING)) return
    if (end > client.replyPeak) client.replyPeak = end
    let sent = 0
    if (client.outBytes === 0) sent = client.connection.write(reply.u8, 0, end)
    this.engine.stats.netOutputBytes += end
    client.bytesOut += end
    if (sent < end) this.keep(client, reply.u8, sent, end)
    if (client.connection.holdsBuffer === true) reply.renew()
    else reply.trim()
  }

  /** Keeps reply.u8[from .. pos) for a client that is flushed later. */
  queue(client: Client, reply: Reply, from: number): void {
    if (reply.pos === from) return
    this.engine.stats.netOutputBytes += reply.pos - from
    client.bytesOut += reply.pos - from
    if (client.outBytes === 0 && !client.has(CLIENT_WRITE_PENDING)) this.pending.push(client)
    this.keep(client, reply.u8, from, reply.pos)
  }

  /** Sends to every client that got something through queue(). */
  flushPending(): void {
    const pending = this.pending
    while (pending.length > 0) {
      const client = pending.pop()!
      client.flags &= ~CLIENT_WRITE_PENDING
      this.flush(client)
      if (client.outBytes === 0) this.engine.drained(client)
    }
  }

  /** Sends as much as the socket takes. */
  flush(client: Client): void {
    while (client.out.length > 0 && !client.has(CLIENT_CLOSING)) {
      const chunk = client.out[0]
      const length = chunk.length
      const sent = client.connection.write(chunk, client.outSent, length)
      client.outSent += sent
      client.outBytes -= sent
      this.memoryBytes -= sent
      if (client.outSent < length) return
      client.out.shift()
      client.outSent = 0
    }
  }

  /** Forgets what was kept for a client that is gone. */
  drop(client: Client): void {
    this.memoryBytes -= client.outBytes
    client.out.length = 0
    client.outBytes = 0
    client.outSent = 0
  }

  private keep(client: Client, u8: Uint8Array, from: number, to: number): void {
    const bytes = to - from
    // Small pieces are gathered, so that a flood of messages does not become a flood of arrays.
    const last = client.out[client.out.length - 1]
    if (last !== undefined && client.out.length > 1 && last.length + bytes <= CHUNK_BYTES) {
      const joined = new Uint8Array(last.length + bytes)
      joined.set(last)
      joined.set(u8.subarray(from, to), last.length)
      client.out[client.out.length - 1] = joined
    } else client.out.push(u8.slice(from, to))
    client.outBytes += bytes
    this.memoryBytes += bytes
    this.checkLimit(client)
  }

  /** Closes a client beyond its hard limit, or beyond its soft limit for too long. */
  checkLimit(client: Client): void {
    const engine = this.engine
    const limit = engine.settings.clientOutputBufferLimit[engine.outputClass(client)]
    let over = limit.hardBytes > 0 && client.outBytes >= limit.hardBytes
    if (limit.softBytes > 0 && client.outBytes >= limit.softBytes) {
      if (client.softLimitSinceMs === 0) client.softLimitSinceMs = engine.keyspace.nowMs
      else if (engine.keyspace.nowMs - client.softLimitSinceMs > limit.softSeconds * 1000) over = true
    } else client.softLimitSinceMs = 0
    if (!over) return
    engine.stats.clientOutputBufferLimitDisconnections++
    engine.log?.(
      'warning',
      `Client id=${client.id} addr=${client.connection.peer} scheduled to be closed ASAP for overcoming of output buffer limits.`,
    )
    engine.closeClient(client)
  }
}
