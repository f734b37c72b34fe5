// Snapshot: iterates over all keys of all databases in small steps while commands run, and hands every entry to its
// consumer as it was when the snapshot began.
//
//   begin: the epoch flips, so every entry is unsaved; new entries have the new epoch
//     step ─▶ the next bucket's entries ─▶ consumer.begin, step … in parts if it is large; meanwhile
//     a command is about to change or remove an unsaved entry ─▶ consumer.take first, or the rest of the large one
//     … to change a large one ─▶ its client is postponed where the keys are known beforehand (isBusyWith)
//     … to remove a large one ─▶ its value is detached and freed when it is saved
//     … to flush or swap a database ─▶ iterates over tables, not databases: a flushed table is freed at its end
//   values on disk: those of the next buckets are read together, in the background, before their entries' turn
//
// Always: an entry is handed over once, before it changes; when the snapshot has ended every entry's EPOCH bit equals
// the keyspace's. Nothing else moves entries (compaction is stopped).

import type { Ref } from '../memory/arena.ts'
import type { Database } from './database.ts'
import { CLEAN, COLD, EPOCH, EXTERNAL, payloadAt } from './entry.ts'
import type { Keyspace, RunningSnapshot } from './keyspace.ts'
import { ENC_RAW, TYPE_STRING } from './types.ts'

/** Receives the entries. `database`: the key's database number when the snapshot began. */
export interface SnapshotConsumer {
  /** True: it receives none, and the snapshot ends with its first step. */
  readonly withoutKeys?: boolean
  /** True: values that are on disk are not needed. */
  readonly withoutValues?: boolean
  /** True for a value that takes too long for one step. */
  isLarge(entry: Ref): boolean
  /** Saves an entry that is about to change, whole. */
  take(entry: Ref, database: number): void
  /** Begins to save the next entry. */
  begin(entry: Ref, database: number): void
  /** Continues with it; true at its end. take() may come between the steps. */
  step(): boolean
  /** True: the next step would wait for the disk; `then` is called when it would not. */
  awaits?(then: () => void): boolean
  /** Nothing of it is wanted any more. */
  abandoned?(): void
  /** What comes before all entries that are handed over by begin(); true at its end. take() may come between. */
  open?(): boolean
  /** True: this entry is not needed. */
  skips?(entry: Ref): boolean
  /** The entry of begin() was handed over, is in a table, and may be moved. */
  settled?(entry: Ref, database: number): void
  /** The entry of begin() was handed over, and is about to change or was removed. */
  unsettled?(entry: Ref, database: number): void
}

/** With values on disk: so many buckets are collected at once, and their values read together. */
const BUCKETS_AHEAD = 16

interface IteratedTable {
  table: Ref
  database: number
  cursor: number
  /** The database has dropped it: it is freed after the iteration. */
  takenOver: boolean
}

interface Waiting {
  entry: Ref
  database: number
  /** In no table: freed once it was handed over. */
  detached: boolean
}

export class Snapshot implements RunningSnapshot {
  /** Entries handed over so far, and the number of entries when the snapshot began. */
  done = 0
  total = 0
  /** Values of the next entries are being read from disk; a step before onRead() would wait for them. */
  isReading = false
  onRead: () => void = () => {}
  private readonly space: Keyspace
  private consumer: SnapshotConsumer
  private readonly onEnd: () => void
  private tables: IteratedTable[] = []
  /** Entries of the current bucket, and detached large values. */
  private waiting: Waiting[] = []
  /** The large entry that is being handed over. */
  private current: Waiting | undefined
  private wanted = false
  private readonly spare: Waiting[] = []
  private scanned: IteratedTable | undefined
  private isOpen: boolean
  private readonly collect = (entry: Ref): void => {
    if (!this.isUnsaved(entry)) return
    if (this.consumer.skips?.(entry) === true) {
      this.done++
      this.markSaved(entry)
    } else this.waiting.push(this.newWaiting(entry, this.scanned!.database, false))
  }

  /** Begins. `onEnd` is called when every entry was handed over. */
  constructor(space: Keyspace, consumer: SnapshotConsumer, onEnd: () => void) {
    if (space.snapshotting) throw new Error('two snapshots at once')
    this.space = space
    this.consumer = consumer
    this.onEnd = onEnd
    this.isOpen = consumer.open === undefined
    space.snapshot = this
    space.snapshotting = true
    // With the epoch as it is, all entries count as handed over.
    if (consumer.withoutKeys === true) return
    for (const db of space.databases) {
      this.total += db.size
      if (db.size > 0) this.tables.push({ table: db.mainTable, database: db.index, cursor: 0, takenOver: false })
    }
    space.epoch ^= EPOCH
  }

  get running(): boolean {
    return this.space.snapshot === this
  }

  /** A client is postponed for a large entry. */
  get isWanted(): boolean {
    return this.wanted
  }

  /** The next step is a part of a large entry, a long one. */
  get isInLarge(): boolean {
    return this.current !== undefined
  }

  /** Discards the consumer; the iteration still has to reach its end. */
  abandon(): void {
    this.consumer.abandoned?.()
    if (this.isReading) this.hasRead()
    this.consumer = DISCARD_CONSUMER
    if (this.current !== undefined) this.closeCurrent()
    this.release()
  }

  /** A step: one bucket, or one entry, or one step of a large entry. */
  step(): void {
    if (!this.isOpen) {
      this.isOpen = this.consumer.open?.() !== false
      return
    }
    if (this.current !== undefined) {
      const { entry, database, detached } = this.current
      this.isReading = this.consumer.awaits?.(this.hasRead) === true
      if (this.isReading || !this.consumer.step()) return
      if (detached) this.consumer.unsettled?.(entry, database)
      this.closeCurrent()
      if (!detached) this.consumer.settled?.(entry, database)
      return
    }
    const next = this.waiting.pop()
    if (next !== undefined) return this.handOver(next)
    const table = this.tables[this.tables.length - 1]
    if (table === undefined) return this.end()
    this.scanned = table
    const { cold } = this.space.entries
    const readsAhead = cold !== undefined && this.consumer.withoutValues !== true
    let bucketsLeft = readsAhead ? BUCKETS_AHEAD : 1
    do table.cursor = this.space.tables.scan(table.table, table.cursor, this.collect)
    while (table.cursor !== 0 && --bucketsLeft > 0)
    if (readsAhead && this.waiting.length > 0) this.isReading = cold.readAhead(this.entriesAhead(), this.hasRead)
    if (table.cursor !== 0) return
    this.tables.pop()
    if (table.takenOver) this.whenEmpty.push(table.table)
    this.freeTakenOver()
  }

  /** In the order in which they are handed over. */
  private *entriesAhead(): Generator<Ref> {
    for (let i = this.waiting.length - 1; i >= 0; i--) yield this.waiting[i].entry
  }

  private readonly hasRead = (): void => {
    this.isReading = false
    this.onRead()
  }

  private readonly whenEmpty: Ref[] = []

  /** Frees dropped tables once all of their entries were handed over. */
  private freeTakenOver(): void {
    if (this.whenEmpty.length === 0 || this.waiting.length > 0 || this.current !== undefined) return
    for (const table of this.whenEmpty.splice(0)) this.space.freeTable(table)
  }

  private handOver(next: Waiting): void {
    this.consumer.begin(next.entry, next.database)
    const { entry, database, detached } = next
    if (!this.consumer.step()) {
      this.current = next
      return
    }
    if (detached) this.consumer.unsettled?.(entry, database)
    this.saved(next)
    if (!detached) this.consumer.settled?.(entry, database)
  }

  private closeCurrent(): void {
    const current = this.current!
    this.current = undefined
    this.saved(current)
    this.release()
  }

  private release(): void {
    if (!this.wanted) return
    this.wanted = false
    this.space.events.valueSaved()
  }

  private saved(one: Waiting): void {
    this.done++
    this.markSaved(one.entry)
    if (one.detached) this.space.entries.freeEntry(one.entry)
    this.spare.push(one)
    this.freeTakenOver()
  }

  private end(): void {
    this.space.snapshot = undefined
    this.space.snapshotting = false
    this.release()
    this.onEnd()
  }

  // ---- RunningSnapshot ----

  beforeChange(db: Database, entry: Ref): void {
    if (!this.isUnsaved(entry)) return
    if (this.current?.entry === entry) {
      while (!this.consumer.step());
      this.consumer.unsettled?.(entry, this.current.database)
      return this.closeCurrent()
    }
    const waiting = this.removeWaiting(entry)
    this.consumer.take(entry, waiting === undefined ? this.databaseOf(db) : waiting.database)
    if (waiting !== undefined) return this.saved(waiting)
    this.done++
    this.markSaved(entry)
  }

  isBusyWith(db: Database, entry: Ref): boolean {
    if (!this.isUnsaved(entry)) return false
    if (this.current?.entry !== entry) {
      if (!this.consumer.isLarge(entry)) return false
      // Last in the list is handed over next.
      this.waiting.push(this.removeWaiting(entry) ?? this.newWaiting(entry, this.databaseOf(db), false))
    }
    this.wanted = true
    return true
  }

  beforeRemoval(db: Database, entry: Ref): void {
    if (!this.isUnsaved(entry)) return
    const inHand = this.current?.entry === entry
    if (!inHand && !this.consumer.isLarge(entry)) return this.beforeChange(db, entry)
    const copy = this.detachValue(entry)
    this.markSaved(entry)
    if (inHand) {
      this.current!.entry = copy
      this.current!.detached = true
      return
    }
    const waiting = this.removeWaiting(entry)
    const database = waiting === undefined ? this.databaseOf(db) : waiting.database
    // First in the list is handed over last: only memory waits for it.
    this.waiting.unshift(this.newWaiting(copy, database, true))
  }

  takesOverTable(table: Ref): boolean {
    const iterated = this.tables.find(one => one.table === table)
    if (iterated !== undefined) iterated.takenOver = true
    else if (this.waiting.some(one => !one.detached) || (this.current !== undefined && !this.current.detached)) {
      // Iterated to its end, but its last entries are still to be handed over.
      this.whenEmpty.push(table)
      return true
    }
    return iterated !== undefined
  }

  /** A copy of an entry that takes its value over; the entry is left with an empty string. */
  private detachValue(entry: Ref): Ref {
    const { arena } = this.space
    const copy = arena.duplicate(entry)
    const seg = arena.segment(entry)
    const at = arena.at(entry)
    const payload = payloadAt(seg.u8, seg.dv, at)
    seg.u8[at] = (TYPE_STRING << 4) | ENC_RAW
    seg.u8[at + 1] &= ~(EXTERNAL | COLD | CLEAN)
    seg.u8[payload] = 0
    return copy
  }

  /** The number that the database's table had when the snapshot began. */
  private databaseOf(db: Database): number {
    const table = this.tables.find(one => one.table === db.mainTable)
    // A table that is not in the list was iterated to its end; its unsaved entries, in `waiting`, know their database.
    return table?.database ?? db.index
  }

  private removeWaiting(entry: Ref): Waiting | undefined {
    for (let i = 0; i < this.waiting.length; i++) {
      if (this.waiting[i].entry !== entry) continue
      const [one] = this.waiting.splice(i, 1)
      return one
    }
    return undefined
  }

  private newWaiting(entry: Ref, database: number, detached: boolean): Waiting {
    const one = this.spare.pop()
    if (one === undefined) return { entry, database, detached }
    one.entry = entry
    one.database = database
    one.detached = detached
    return one
  }

  private isUnsaved(entry: Ref): boolean {
    const seg = this.space.arena.segment(entry)
    return (seg.u8[this.space.arena.at(entry) + 1] & EPOCH) !== this.space.epoch
  }

  private markSaved(entry: Ref): void {
    const seg = this.space.arena.segment(entry)
    const at = this.space.arena.at(entry) + 1
    seg.u8[at] = (seg.u8[at] & ~EPOCH) | this.space.epoch
  }
}

const DISCARD_CONSUMER: SnapshotConsumer = {
  withoutValues: true,
  isLarge: () => false,
  take() {},
  begin() {},
  step: () => true,
}
