// StreamFeed: what of the stream is sent to which replica, and when.
//
//   piece ─┬─▶ online: at once
//          └─▶ others: it waits in the backlog from Replica.nextOffset on: within client-output-buffer-limit in memory,
//              beyond repl-sync-memory in a file
//   continuing: [pull] a few pieces, and the next ones when the socket has taken them ─▶ online
//
// Always: output of a replica are views of the backlog's blocks, whose bytes stay as they are until all of it has been
// sent: `viewedFrom`.

import type { Client } from '../engine/client.ts'
import { clientLine } from '../engine/monitoring/client-line.ts'
import type { PersistenceDependencies } from '../persistence/parts.ts'
import type { BacklogNeeds } from './backlog.ts'
import type { Replica } from './replica.ts'
import type { ReplicationStream } from './stream.ts'

/** More unsent bytes make a replica's next pieces wait. */
const PULLED_BYTES = 256 * 1024
const LOOK_MS = 1

export interface StreamFeedConfig {
  readonly replBacklogSize: number
  /** 0: no limit. */
  readonly replSyncMemory: number
}

interface StreamFeedParts {
  server: PersistenceDependencies
  config: StreamFeedConfig
  stream(): ReplicationStream
  replicas(): Iterable<Replica>
  isThere(replica: Replica): boolean
}

export class StreamFeed {
  /** Bytes sent to replicas. */
  outputBytes = 0
  private readonly parts: StreamFeedParts
  private readonly found: BacklogNeeds = { limit: 0, neededFrom: 0, viewedFrom: 0, memoryMax: 0 }

  constructor(parts: StreamFeedParts) {
    this.parts = parts
  }

  /** Sends a piece that the backlog has as well. */
  distribute(piece: Uint8Array): void {
    for (const replica of this.parts.replicas())
      if (replica.phase === 'online') this.give(replica.client, piece)
      else if (replica.awaitsStream) this.checkLag(replica)
  }

  private give(client: Client, piece: Uint8Array): void {
    this.parts.server.engine.output.queueChunk(client, piece)
    this.outputBytes += piece.length
  }

  /** The replica can read the stream from nextOffset on. */
  begin(replica: Replica): void {
    const { stream, server } = this.parts
    const { backlog } = stream()
    if (backlog !== undefined && backlog.end > replica.nextOffset) {
      const fromFile = Math.max(0, backlog.memoryStart - replica.nextOffset)
      server.log.notice(
        `Replica ${replica.name} is sent ${backlog.end - replica.nextOffset} bytes of the stream, ${fromFile} of them from a file.`,
      )
    }
    replica.phase = 'continuing'
    this.pull(replica)
  }

  private pull(replica: Replica): void {
    const { server, isThere, stream } = this.parts
    const { backlog } = stream()
    const { client } = replica
    if (!isThere(replica)) return
    while (client.outBytes < PULLED_BYTES && replica.nextOffset !== backlog?.end) {
      const piece = backlog?.view(replica.nextOffset)
      // The stream has become another one.
      if (piece === undefined) return server.engine.closeClient(client)
      replica.nextOffset += piece.length
      this.give(client, piece)
    }
    if (replica.nextOffset === backlog?.end) replica.phase = 'online'
    else server.after(LOOK_MS, () => this.pull(replica))
  }

  /** What replicas need of the backlog. The same object each time. */
  needs(): BacklogNeeds {
    const { stream, config, replicas } = this.parts
    const { backlog, offset } = stream()
    const { found } = this
    const end = backlog?.end ?? offset
    found.limit = config.replBacklogSize
    found.memoryMax = config.replSyncMemory === 0 ? Number.POSITIVE_INFINITY : found.limit + config.replSyncMemory
    found.neededFrom = found.viewedFrom = end
    for (const { phase, client, nextOffset, awaitsStream } of replicas()) {
      if (phase === 'online') found.viewedFrom = Math.min(found.viewedFrom, end - client.outBytes)
      else if (phase === 'continuing') found.viewedFrom = Math.min(found.viewedFrom, nextOffset - client.outBytes)
      else if (awaitsStream) found.neededFrom = Math.min(found.neededFrom, nextOffset)
    }
    found.neededFrom = Math.min(found.neededFrom, found.viewedFrom)
    return found
  }

  /** Closes a replica for which too much waits. */
  private checkLag(replica: Replica): void {
    const { engine, log } = this.parts.server
    const { nowMs } = engine.keyspace
    const { hardBytes, softBytes, softSeconds } = engine.settings.clientOutputBufferLimit.replica
    const { backlog } = this.parts.stream()
    const bytes = backlog === undefined ? 0 : backlog.end - Math.max(replica.nextOffset, backlog.memoryStart)
    if (softBytes === 0 || bytes < softBytes) replica.softLimitSinceMs = 0
    else if (replica.softLimitSinceMs === 0) replica.softLimitSinceMs = nowMs
    const tooLong = replica.softLimitSinceMs > 0 && nowMs - replica.softLimitSinceMs > softSeconds * 1000
    if (!tooLong && (hardBytes === 0 || bytes < Math.max(hardBytes, engine.output.replicaBytesMin))) return
    engine.stats.clientOutputBufferLimitDisconnections++
    log.warning(
      `Client ${clientLine(replica.client, nowMs, undefined)} scheduled to be closed ASAP for overcoming of output buffer limits.`,
    )
    engine.closeClient(replica.client)
  }
}
