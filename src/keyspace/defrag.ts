// Defrag: compaction. When the arena has far more memory than is in use, its emptiest segments are marked as
// evacuating, all keys are visited, and allocations in those segments move to free slots of others; an empty segment
// is dropped.
//
//   IDLE ─ begin: worth it ─▶ per database: TABLES (its chunks) ─▶ BUCKETS (entries and values) ─▶ … ─▶ IDLE
//                             large collections of these buckets, part by part ─┘
//
// Always: nothing moves while a snapshot is running, or MIGRATE serialises a large value; refs outside the keyspace do
// not survive a slice.

import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { TableSlot } from '../memory/table-slot.ts'
import type { Database } from './database.ts'
import type { Keyspace } from './keyspace.ts'
import { RelocationCursor } from './values/shared/relocation.ts'

const CHECK_US = 1_000_000
/** A slice takes so long, or as long as commands did since the last one: compaction keeps up with them. */
const SLICE_US = 300
/** Elements of the largest collection that is moved in one slice. */
const WHOLE_EFFORT_MAX = 200
const CHUNKS_PER_STEP = 16
const BUCKETS_PER_STEP = 8
/** Pause after a run that freed nothing, unless much has been deleted since: it grows. */
const PAUSE_US = 10_000_000
const PAUSE_US_MAX = 3_600_000_000
/** When less than this share is left of the bytes in use when segments were chosen, others are worth evacuating. */
const CHOICE_HOLDS_MIN = 0.8

/** When compaction is worth it, and how much time it may take: the active-defrag directives. */
export interface DefragLimits {
  /** Unused bytes in segments, at least. */
  ignoreBytes: number
  /** Unused bytes per hundred that are in use: where it begins, and from where on it takes all of its share. */
  lowerPercent: number
  upperPercent: number
  /** Percent of the time at these. */
  cycleMin: number
  cycleMax: number
}

/** Without activedefrag. */
export const DEFRAG_LIMITS: DefragLimits = {
  ignoreBytes: 24 * 1024 * 1024,
  lowerPercent: 5,
  upperPercent: 25,
  cycleMin: 10,
  cycleMax: 50,
}

export class Defrag {
  limits = DEFRAG_LIMITS
  /** Entries that moved, or stayed. */
  hits = 0
  misses = 0
  usedUs = 0
  running = false
  /** So many values are read in slices by others. */
  pins = 0
  private readonly space: Keyspace
  private readonly nowUs: () => number
  /** The rest of this tick's share, and when the last slice or the tick's beginning was. */
  private readonly time = { leftUs: 0, slicedUs: 0 }
  /** When segments were looked at, and the least waste since that or the end of a run. */
  private readonly checked = { atUs: Number.NEGATIVE_INFINITY, leastWaste: 0 }
  private database = 0
  private phase: 'main' | 'expires' | 'buckets' = 'main'
  private at = 0
  /** When it last began to run: how many segments were chosen, bytes in use, usedUs; when its pass began: hits. */
  private readonly before = { segments: 0, usedBytes: 0, usedUs: 0, hits: 0 }
  /** After a run that freed nothing: its end, and its length. */
  private readonly pause = { untilUs: Number.NEGATIVE_INFINITY, us: PAUSE_US }
  /** Keys of collections that are moved in parts, and the position in the last of them. */
  private readonly large: Slice[] = []
  private readonly part = new RelocationCursor()
  private readonly whole = new RelocationCursor()
  private readonly slot: TableSlot
  private readonly key = new Slice()
  private readonly move = (entry: Ref): Ref => {
    const db = this.space.databases[this.database]
    this.space.entries.ahead.forget()
    const moved = db.relocateEntry(entry, WHOLE_EFFORT_MAX, this.whole)
    if (this.isLarge(moved)) this.large.push(this.space.entries.keyOf(moved, this.key).copy())
    if (moved === entry) this.misses++
    else this.hits++
    return moved
  }

  /** `nowUs`: a monotonic clock. */
  constructor(space: Keyspace, nowUs: () => number) {
    this.space = space
    this.slot = new TableSlot(space.arena)
    this.nowUs = nowUs
  }

  /** Its share of time, in percent; 0 while it does not run. */
  get percent(): number {
    return this.running ? Math.floor(this.share() * 100) : 0
  }

  /** Time used by the current run. */
  get currentUsedUs(): number {
    return this.running ? this.usedUs - this.before.usedUs : 0
  }

  resetStats(): void {
    this.hits = this.misses = this.usedUs = this.before.usedUs = 0
  }

  private get isStopped(): boolean {
    return this.space.snapshotting || this.pins > 0
  }

  /** Called by the cron: true when slice() should follow. */
  begin(hz: number): boolean {
    const now = this.nowUs()
    this.time.leftUs = this.running ? (this.share() * 1e6) / hz : 0
    this.time.slicedUs = now
    if (this.isStopped) return false
    if (this.running && !this.choiceIsStale()) return true
    if (this.running) this.finish()
    const { wasteBytes, checked } = this
    checked.leastWaste = Math.min(checked.leastWaste, wasteBytes)
    if (!this.isWorthIt(wasteBytes)) return false
    // Waste that grows, as when values of another size replace these, does not wait.
    const grows = this.isWorthIt(wasteBytes - checked.leastWaste)
    if (!grows && now - checked.atUs < CHECK_US) return false
    if (!grows && now < this.pause.untilUs && !this.choiceIsStale()) return false
    checked.atUs = now
    checked.leastWaste = wasteBytes
    this.time.leftUs = (this.share() * 1e6) / hz
    return this.start()
  }

  /** Compacts now if there is anything to gain (MEMORY PURGE). */
  start(): boolean {
    const { arena } = this.space
    if (this.running || this.isStopped) return false
    this.before.segments = arena.evacuateSparse()
    if (this.before.segments === 0) return false
    this.running = true
    this.before.usedUs = this.usedUs
    this.before.usedBytes = arena.usedBytes
    this.beginPass()
    return true
  }

  private beginPass(): void {
    this.before.hits = this.hits
    this.database = 0
    this.phase = 'main'
    this.at = 0
    this.large.length = 0
    this.part.begin()
  }

  /** True when so much was deleted since segments were chosen that another choice would free more. */
  private choiceIsStale(): boolean {
    return this.space.arena.usedBytes < this.before.usedBytes * CHOICE_HOLDS_MIN
  }

  private get wasteBytes(): number {
    const { segmentBytes, usedBytes } = this.space.arena
    return segmentBytes - usedBytes
  }

  private isWorthIt(wasteBytes: number): boolean {
    const { ignoreBytes, lowerPercent } = this.limits
    return wasteBytes > ignoreBytes && wasteBytes > (this.space.arena.usedBytes * lowerPercent) / 100
  }

  /** Its share of time: between the two cycles as waste is between the two thresholds. */
  private share(): number {
    const { lowerPercent, upperPercent, cycleMin, cycleMax } = this.limits
    const over = Math.max(0, (this.wasteBytes / this.space.arena.usedBytes) * 100 - lowerPercent)
    const at = upperPercent > lowerPercent ? Math.min(1, over / (upperPercent - lowerPercent)) : 1
    return (cycleMin + at * Math.max(0, cycleMax - cycleMin)) / 100
  }

  /** Works for at most about `limitUs`; true when the run, or the share of time for this tick, is over. */
  slice(limitUs: number): boolean {
    if (this.isStopped || !this.running) return true
    const { time } = this
    const begin = this.nowUs()
    const end = begin + Math.min(limitUs, time.leftUs, Math.max(SLICE_US, begin - time.slicedUs))
    let now = begin
    while (this.running && now < end) {
      this.step()
      now = this.nowUs()
    }
    this.usedUs += now - begin
    time.leftUs -= now - begin
    time.slicedUs = now
    return !this.running || time.leftUs <= 0
  }

  private step(): void {
    const { tables, databases } = this.space
    const db = databases[this.database]
    if (this.large.length > 0) return this.stepThroughLarge(db)
    if (this.phase === 'buckets') {
      const buckets = tables.buckets(db.mainTable)
      if (this.at >= buckets) return this.nextDatabase()
      const end = Math.min(buckets, this.at + BUCKETS_PER_STEP)
      for (; this.at < end; this.at++) tables.mapBucket(db.mainTable, this.at, this.move)
      return
    }
    if (this.at === 0) db.relocateTables()
    const table = this.phase === 'main' ? db.mainTable : db.expiryTable
    this.at = tables.relocateChunks(table, this.at, CHUNKS_PER_STEP)
    if (this.at >= 0) return
    this.at = 0
    this.phase = this.phase === 'main' ? 'expires' : 'buckets'
  }

  private isLarge(entry: Ref): boolean {
    const { entries, types } = this.space
    if (!entries.hasRef(entry)) return false
    const type = types.of(entries.typeOf(entry))
    return type.freeEffort(entries.encodingOf(entry), entries.valueOf(entry)) > WHOLE_EFFORT_MAX
  }

  /** Moves a part of the last large collection, which may have been changed or removed since the previous part. */
  private stepThroughLarge(db: Database): void {
    const { tables, hasher, entries, types } = this.space
    const key = this.large[this.large.length - 1]
    const entry = tables.find(db.mainTable, key, hasher.hashBytes(key.dv, key.off, key.len), this.slot)
    if (entry === 0 || !entries.hasRef(entry)) this.part.done = true
    else {
      const type = types.of(entries.typeOf(entry))
      const encoding = entries.encodingOf(entry)
      entries.setValue(entry, encoding, type.relocatePart(encoding, entries.valueOf(entry), this.part))
    }
    if (!this.part.done) return
    this.large.pop()
    this.part.begin()
  }

  private nextDatabase(): void {
    this.phase = 'main'
    this.at = 0
    if (++this.database < this.space.databases.length) return
    // Entries that tables moved behind the pass, as they shrank, hold their segments: another pass finds them.
    if (this.space.arena.isEvacuatingAny && this.hits > this.before.hits) return this.beginPass()
    if (this.finish() < this.before.segments) {
      this.pause.us = PAUSE_US
      return
    }
    this.pause.untilUs = this.nowUs() + this.pause.us
    this.pause.us = Math.min(this.pause.us * 2, PAUSE_US_MAX)
  }

  /** Returns how many of the chosen segments were not emptied. */
  private finish(): number {
    this.running = false
    const left = this.space.arena.endEvacuation()
    this.checked.leastWaste = this.wasteBytes
    return left
  }
}
