// MemoryStats: the numbers behind INFO memory, MEMORY STATS, maxmemory and maxmemory-clients.
//
// Always: used memory is the sum of arena allocations, clients and the other memory sources; nothing of it is estimated
// from the JavaScript heap.

import type { Client } from '../engine/client.ts'
import { clientClass, clientMemory, outputMemory } from '../engine/client-memory.ts'
import type { Engine } from '../engine/engine.ts'
import type { MemoryFigures } from '../engine/ports/host.ts'

/** Memory of a module outside the arena; each module with any adds one. */
interface MemorySource {
  kind: 'backlog' | 'aofBuffer' | 'scripts' | 'functions' | 'clusterLinks' | 'values' | 'other'
  bytes(): number
  /** What of it counts towards maxmemory; absent: all. */
  countedBytes?(): number
}

/** One page or three for each size class, and a few tables. */
const SLACK_BYTES_MAX = 2 * 1024 * 1024
/** A runtime that takes more than this for itself is worth a look. */
const BASE_BYTES_MAX = 160 * 1024 * 1024
/** Asking all sources takes as long as a table lookup. */
const SOURCES_KEPT_CALLS = 16

export class MemoryStats {
  readonly memorySources: MemorySource[] = []
  readonly startupBytes: number
  private readonly engine: Engine
  private readonly rss: () => number

  constructor(engine: Engine, rss: () => number) {
    this.engine = engine
    this.rss = rss
    this.startupBytes = engine.keyspace.arena.usedBytes
  }

  /** used_memory_peak. */
  peakBytes = 0
  private rssBytes = 0
  private sourcesBytes = 0
  private sourcesCallsLeft = 0
  /** Peak of the pages in use, among the segments that still exist. */
  private touchedBytes = 0

  updatePeak(): void {
    const used = this.usedBytes()
    if (used > this.peakBytes) this.peakBytes = used
    const { pageBytes, segmentBytes, spare } = this.engine.keyspace.arena
    this.touchedBytes = Math.min(Math.max(this.touchedBytes, pageBytes), segmentBytes + spare.bytes)
  }

  /** Asks the operating system for the resident set size: slow. */
  sampleResident(): void {
    this.rssBytes = this.rss()
  }

  /** Resident memory beside the arena's, now: the operating system is asked. */
  runtimeBytes(): number {
    this.updatePeak()
    this.sampleResident()
    return this.rssBytes - this.touchedBytes
  }

  /**
   * Client memory besides output buffers, as last counted: the sum of client.restBytes. All that the output of replicas
   * costs is one of the memorySources.
   */
  clientRestBytes = 0
  private replicaOutputBytes = 0

  /** Counts a client's memory anew. */
  countClient(client: Client): void {
    const output = clientClass(client) === 'replica' ? outputMemory(client) : client.outBytes
    const bytes = clientMemory(client) - output
    this.clientRestBytes += bytes - client.restBytes
    client.restBytes = bytes
  }

  forget(client: Client): void {
    this.clientRestBytes -= client.restBytes
    client.restBytes = 0
  }

  /** Counts all clients anew; the cron calls it, so that usedBytes() is cheap. */
  sumClientMemory(): void {
    let replicas = 0
    for (const client of this.engine.clients.values()) {
      this.countClient(client)
      if (clientClass(client) === 'replica') replicas += client.outBytes
    }
    this.replicaOutputBytes = replicas
  }

  /** used_memory. Cheap: read before every write while maxmemory is set. */
  usedBytes(): number {
    let bytes = this.ownBytes
    for (const user of this.memorySources) bytes += user.bytes()
    return bytes
  }

  /** The arena without received arguments, which are part of their clients. */
  private get dataBytes(): number {
    const { arena, strings } = this.engine.keyspace
    return arena.usedBytes - strings.lent.bytes
  }

  /** Memory that counts towards maxmemory: usedBytes() without notCountedBytes(). */
  countedBytes(): number {
    let bytes = this.ownBytes
    const { memorySources } = this
    for (let i = 0; i < memorySources.length; i++)
      bytes += memorySources[i].countedBytes?.() ?? memorySources[i].bytes()
    return bytes
  }

  /** As countedBytes(), for each command; what the sources say is from one of the last SOURCES_KEPT_CALLS calls. */
  countedRoughly(): number {
    if (--this.sourcesCallsLeft < 0) {
      this.sourcesCallsLeft = SOURCES_KEPT_CALLS
      this.sourcesBytes = this.countedBytes() - this.ownBytes
    }
    return this.ownBytes + this.sourcesBytes
  }

  /** The next countedRoughly() is countedBytes(). */
  askSources(): void {
    this.sourcesCallsLeft = 0
  }

  /** Without the sources. */
  private get ownBytes(): number {
    return this.dataBytes + this.clientRestBytes + this.engine.output.memoryBytes
  }

  /** Memory of all clients but replicas. */
  clientBytes(): number {
    return this.clientRestBytes + this.engine.output.memoryBytes - this.replicaOutputBytes
  }

  /** mem_not_counted_for_evict: output of replicas beyond the backlog's size, AOF buffer. */
  notCountedBytes(): number {
    let bytes = 0
    for (const source of this.memorySources)
      if (source.countedBytes !== undefined) bytes += source.bytes() - source.countedBytes()
    return Math.max(0, bytes)
  }

  private bytesOf(kind: MemorySource['kind']): number {
    let bytes = 0
    for (const user of this.memorySources) if (user.kind === kind) bytes += user.bytes()
    return bytes
  }

  figures(): MemoryFigures {
    const { keyspace } = this.engine
    const { tables } = keyspace
    this.sumClientMemory()
    this.updatePeak()
    this.sampleResident()
    const usedBytes = this.usedBytes()
    let clientsNormalBytes = 0
    let clientsReplicaBytes = 0
    for (const client of this.engine.clients.values()) {
      if (clientClass(client) === 'replica') clientsReplicaBytes += clientMemory(client)
      else clientsNormalBytes += clientMemory(client)
    }
    const databases = keyspace.databases
      .filter(db => db.size > 0)
      .map(db => ({
        index: db.index,
        mainBytes: tables.bytes(db.mainTable),
        expiresBytes: tables.bytes(db.expiryTable),
      }))
    const backlogBytes = this.bytesOf('backlog')
    const aofBufferBytes = this.bytesOf('aofBuffer')
    const scriptBytes = this.bytesOf('scripts')
    const functionBytes = this.bytesOf('functions')
    let overheadBytes = this.startupBytes + clientsNormalBytes + clientsReplicaBytes
    overheadBytes += backlogBytes + aofBufferBytes + scriptBytes + functionBytes + this.bytesOf('other')
    for (const { mainBytes, expiresBytes } of databases) overheadBytes += mainBytes + expiresBytes
    return {
      usedBytes,
      peakBytes: this.peakBytes,
      startupBytes: this.startupBytes,
      rssBytes: this.rssBytes,
      ...this.resident(usedBytes),
      clientsNormalBytes,
      clientsReplicaBytes,
      backlogBytes,
      aofBufferBytes,
      scriptBytes,
      functionBytes,
      notCountedBytes: this.notCountedBytes(),
      overheadBytes,
      datasetBytes: Math.max(0, usedBytes - overheadBytes),
      keys: keyspace.databases.reduce((sum, db) => sum + db.size, 0),
      databases,
    }
  }

  /**
   *   rss   [ runtime: at most BASE_BYTES_MAX | resident: pages that were in use | … active: are | … allocated: used ]
   *
   * Free space in resident pages, up to SLACK_BYTES_MAX, is unavoidable in an allocator: it counts as allocated.
   * Memory outside the arena is assumed to be fully resident.
   */
  private resident(
    usedBytes: number,
  ): Pick<MemoryFigures, 'baseBytes' | 'allocatedBytes' | 'activeBytes' | 'residentBytes'> {
    const { arena } = this.engine.keyspace
    const outside = usedBytes - arena.usedBytes
    const pageBytes = Math.max(arena.pageBytes, arena.usedBytes)
    const touchedBytes = Math.max(pageBytes, this.touchedBytes)
    const slack = Math.min(touchedBytes - arena.usedBytes, SLACK_BYTES_MAX)
    const residentBytes = touchedBytes + outside
    return {
      baseBytes: Math.min(Math.max(0, this.rssBytes - residentBytes), BASE_BYTES_MAX),
      allocatedBytes: usedBytes + slack,
      activeBytes: Math.max(pageBytes, arena.usedBytes + slack) + outside,
      residentBytes,
    }
  }
}
