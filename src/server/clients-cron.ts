// ClientsCron: idle timeouts, query buffer resizing, client eviction (maxmemory-clients).
//
// Always: while maxmemory-clients is set, client memory is exact for output buffers, and as of each client's last event
// for the rest.

import {
  CLIENT_BLOCKED,
  CLIENT_MASTER,
  CLIENT_MONITOR,
  CLIENT_NO_EVICT,
  CLIENT_PUBSUB,
  CLIENT_REPLICA,
  type Client,
  REPLY_SHARE_BYTES,
} from '../engine/client.ts'
import { clientClass, clientMemory, READ_SHARE_BYTES } from '../engine/client-memory.ts'
import type { Engine } from '../engine/engine.ts'
import type { MemoryStats } from './memory-stats.ts'

const IDLE_MS = 2000
const KEEP_BYTES = 32 * 1024
const CLIENTS_PER_TICK_MIN = 5
const LIMIT_BYTES_MIN = 128 * 1024
const REPLY_PEAK_MS = 5000
const REPLY_SHARE_BYTES_MIN = 1024
const EVICT_AGAIN_MS = 100

export class ClientsCron {
  /** DEBUG REPLYBUFFER PEAK-RESET-TIME, milliseconds; negative: never. */
  replyPeakResetMs = REPLY_PEAK_MS
  /** DEBUG REPLYBUFFER RESIZING. */
  replyResizing = true
  private readonly engine: Engine
  private readonly memoryStats: MemoryStats
  private queue: Client[] = []
  /** INFO's client_recent_max_input_buffer and …output_buffer: peaks of the last seconds. */
  inputPeakBytes = 0
  outputPeakBytes = 0
  replyBufferShrinks = 0
  replyBufferExpands = 0
  private inputPeak = 0
  private outputPeak = 0
  private peaksSinceMs = 0
  /** Until then no client can be evicted: all would be sorted for every event. */
  private evictAgainMs = 0

  constructor(engine: Engine, memoryStats: MemoryStats) {
    this.engine = engine
    this.memoryStats = memoryStats
  }

  /** Visits so many clients that all are visited once a second. */
  tick(hz: number): void {
    const { clients } = this.engine
    let left = Math.max(CLIENTS_PER_TICK_MIN, Math.ceil(clients.size / hz))
    if (this.queue.length === 0) this.queue = [...clients.values()]
    for (; left > 0 && this.queue.length > 0; left--) {
      const client = this.queue.pop()!
      if (clients.get(client.id) === client) this.cronFor(client)
    }
    this.updatePeaks()
  }

  private cronFor(client: Client): void {
    const { engine } = this
    const nowMs = engine.keyspace.nowMs
    if (this.isIdleTooLong(client, nowMs)) {
      engine.log?.('verbose', 'Closing idle client')
      return engine.closeClient(client)
    }
    if (client.softLimitSinceMs !== 0) engine.output.checkLimit(client)
    this.shrinkQuery(client, nowMs)
    const share = nowMs - client.lastActiveMs <= IDLE_MS ? READ_SHARE_BYTES : 0
    this.inputPeak = Math.max(this.inputPeak, client.queryPeak, share)
    // What Redis keeps beside the client's own reply buffer.
    this.outputPeak = Math.max(this.outputPeak, client.outBytes - client.replyShare)
    client.queryPeak = client.inputBytes
    if (this.replyResizing) this.resizeReplyShare(client, nowMs)
  }

  /**
   * All clients share one reply buffer. Each is shown with the size that Redis's own buffer would have: halved when the
   * peak is below half, doubled when the peak reaches it.
   */
  private resizeReplyShare(client: Client, nowMs: number): void {
    const { replyShare } = client
    const peak = Math.min(client.replyPeak, replyShare)
    if (replyShare / 2 >= REPLY_SHARE_BYTES_MIN && peak < replyShare / 2) {
      client.replyShare = Math.max(REPLY_SHARE_BYTES_MIN, peak + 1)
      this.replyBufferShrinks++
    } else if (replyShare < REPLY_SHARE_BYTES && peak === replyShare) {
      client.replyShare = Math.min(REPLY_SHARE_BYTES, replyShare * 2)
      // The known peak is what it used, not the new size.
      client.replyPeak = peak
      this.replyBufferExpands++
    }
    if (this.replyPeakResetMs < 0 || nowMs - client.replyPeakMs < this.replyPeakResetMs) return
    client.replyPeak = 0
    client.replyPeakMs = nowMs
  }

  resetStats(): void {
    this.replyBufferShrinks = this.replyBufferExpands = 0
  }

  private isIdleTooLong(client: Client, nowMs: number): boolean {
    const { timeout } = this.engine.settings
    const exempt = CLIENT_REPLICA | CLIENT_MONITOR | CLIENT_MASTER | CLIENT_BLOCKED | CLIENT_PUBSUB
    return timeout > 0 && (client.flags & exempt) === 0 && nowMs - client.lastActiveMs > timeout * 1000
  }

  /** Query buffers are retained for the next long command, until the client is idle or its peak is small. */
  private shrinkQuery(client: Client, nowMs: number): void {
    const room = client.query?.length ?? 0
    const have = client.queryBytes
    const idle = nowMs - client.lastActiveMs > IDLE_MS
    if (idle) client.partial?.shrinkBulk()
    if (room === 0 || room <= have * 2) return
    // The capacity for an incomplete command was allocated for the whole of it.
    if (!idle && (have > 0 || room <= KEEP_BYTES || client.queryPeak * 2 >= room)) return
    this.engine.input.resize(client, idle ? have : Math.max(have, client.queryPeak))
  }

  private updatePeaks(): void {
    const nowMs = this.engine.keyspace.nowMs
    this.inputPeakBytes = Math.max(this.inputPeakBytes, this.inputPeak)
    this.outputPeakBytes = Math.max(this.outputPeakBytes, this.outputPeak)
    if (nowMs - this.peaksSinceMs < 4000) return
    this.peaksSinceMs = nowMs
    this.inputPeakBytes = this.inputPeak
    this.outputPeakBytes = this.outputPeak
    this.inputPeak = this.outputPeak = 0
  }

  // ---- maxmemory-clients ----

  /** Bytes, or 0 for no limit. */
  private limitBytes(): number {
    const { maxmemoryClients, maxmemory } = this.engine.settings
    if (maxmemoryClients === 0 || (maxmemoryClients < 0 && maxmemory === 0)) return 0
    const bytes = maxmemoryClients > 0 ? maxmemoryClients : Math.floor((maxmemory * -maxmemoryClients) / 100)
    return Math.max(bytes, LIMIT_BYTES_MIN)
  }

  /** Starts and stops counting client memory, which costs a little for each event. */
  settingsChanged(): void {
    const on = this.limitBytes() > 0 || this.engine.settings.maxmemory > 0
    this.engine.afterEvent = on ? client => this.count(client) : undefined
  }

  private count(client: Client | undefined): void {
    if (client !== undefined) this.memoryStats.countClient(client)
    const limit = this.limitBytes()
    if (limit === 0 || this.memoryStats.clientBytes() <= limit) return
    if (this.engine.keyspace.nowMs >= this.evictAgainMs) this.evict()
  }

  /** Closes the largest clients until client memory is below the limit. */
  evict(): void {
    const { engine } = this
    const limit = this.limitBytes()
    if (limit === 0) return
    const sized = [...engine.clients.values()]
      .filter(client => clientClass(client) === 'normal' || clientClass(client) === 'pubsub')
      .map(client => ({ client, bytes: clientMemory(client) }))
      .sort((a, b) => b.bytes - a.bytes)
    let total = sized.reduce((sum, one) => sum + one.bytes, 0)
    const before = total
    for (const { client, bytes } of sized) {
      if (total <= limit) return
      if (client.has(CLIENT_NO_EVICT)) continue
      engine.log?.('notice', `Evicting client: id=${client.id} addr=${client.connection.peer} name=${client.name}`)
      engine.closeClient(client)
      engine.stats.evictedClients++
      total -= bytes
    }
    if (total <= limit) return
    engine.log?.('warning', 'Over client maxmemory after evicting all evictable clients')
    if (total === before) this.evictAgainMs = engine.keyspace.nowMs + EVICT_AGAIN_MS
  }
}
