// Snapshot: walks all keys of all databases in small steps while commands go on, and hands every entry over as it was
// when the walk began.
//
//   begin: the epoch flips, so every entry is unseen; new entries are born seen
//     step ─▶ the next bucket's entries ─▶ consumer.begin, step … in parts if it is large; its value stays as it is:
//     a command is about to change or remove an unseen entry ─▶ consumer.take first, or the rest of the large one
//     … to change a large one ─▶ its client waits where the keys are known beforehand (defers)
//     … remove a large one ─▶ its value is cut off and kept until the walk has come to it
//     … empty or exchange a database ─▶ tables, not databases, are walked: an emptied table is kept until its end
//
// Always: an entry is handed over once, before it changes; when the walk has ended every entry's EPOCH bit equals the
// keyspace's. Nothing else moves entries (compaction rests).

import type { Ref } from '../memory/arena.ts'
import type { Database } from './database.ts'
import { EPOCH, EXTERNAL, payloadAt } from './entry.ts'
import type { Keyspace, RunningSnapshot } from './keyspace.ts'
import { ENC_RAW, TYPE_STRING } from './types.ts'

/** Who gets the entries. `database`: the number of the database the key was in when the walk began. */
export interface SnapshotConsumer {
  /** True for a value that takes too long to be handed over in one go. */
  isLarge(entry: Ref): boolean
  /** Takes an entry that is about to change, whole. */
  take(entry: Ref, database: number): void
  /** Begins with the next one of the walk. */
  begin(entry: Ref, database: number): void
  /** Goes on with it; true at its end. take() may come between the steps. */
  step(): boolean
}

interface WalkedTable {
  table: Ref
  database: number
  cursor: number
  /** The database has let go of it: it is freed behind the walk. */
  takenOver: boolean
}

interface Waiting {
  entry: Ref
  database: number
  /** In no table: freed once it was handed over. */
  detached: boolean
}

export class Snapshot implements RunningSnapshot {
  /** Entries handed over so far, and how many there were when the walk began. */
  done = 0
  total = 0
  private readonly space: Keyspace
  private consumer: SnapshotConsumer
  private readonly onEnd: () => void
  private tables: WalkedTable[] = []
  /** Entries of the bucket that was looked at last, and large values whose keys have gone. */
  private waiting: Waiting[] = []
  /** The large entry that is being handed over. */
  private current: Waiting | undefined
  private wanted = false
  private readonly spare: Waiting[] = []
  private scanned: WalkedTable | undefined
  private readonly collect = (entry: Ref): void => {
    if (this.isUnseen(entry)) this.waiting.push(this.newWaiting(entry, this.scanned!.database, false))
  }

  /** Begins. `onEnd` is called when every entry was handed over. */
  constructor(space: Keyspace, consumer: SnapshotConsumer, onEnd: () => void) {
    if (space.snapshotting) throw new Error('two snapshots at once')
    this.space = space
    this.consumer = consumer
    this.onEnd = onEnd
    for (const db of space.databases) {
      this.total += db.size
      if (db.size > 0) this.tables.push({ table: db.mainTable, database: db.index, cursor: 0, takenOver: false })
    }
    space.epoch ^= EPOCH
    space.snapshot = this
    space.snapshotting = true
  }

  get running(): boolean {
    return this.space.snapshot === this
  }

  /** Somebody waits for a large entry. */
  get isWanted(): boolean {
    return this.wanted
  }

  /** A large entry is in hand: the next step is a long one. */
  get isInLarge(): boolean {
    return this.current !== undefined
  }

  /** Nobody wants the entries any more; the walk still has to come to its end. */
  abandon(): void {
    this.consumer = DISCARD_CONSUMER
    if (this.current !== undefined) this.closeCurrent()
    this.release()
  }

  /** A little work: one bucket, or one entry, or one step of a large entry. */
  step(): void {
    if (this.current !== undefined) {
      if (this.consumer.step()) this.closeCurrent()
      return
    }
    const next = this.waiting.pop()
    if (next !== undefined) return this.handOver(next)
    const table = this.tables[this.tables.length - 1]
    if (table === undefined) return this.end()
    this.scanned = table
    table.cursor = this.space.tables.scan(table.table, table.cursor, this.collect)
    if (table.cursor !== 0) return
    this.tables.pop()
    if (table.takenOver) this.whenEmpty.push(table.table)
    this.freeTakenOver()
  }

  private readonly whenEmpty: Ref[] = []

  /** Frees walked tables that no database has any more, once none of their entries is to be handed over. */
  private freeTakenOver(): void {
    if (this.whenEmpty.length === 0 || this.waiting.length > 0 || this.current !== undefined) return
    for (const table of this.whenEmpty.splice(0)) this.space.freeTable(table)
  }

  private handOver(next: Waiting): void {
    this.consumer.begin(next.entry, next.database)
    if (this.consumer.step()) this.handedOver(next)
    else this.current = next
  }

  private closeCurrent(): void {
    const current = this.current!
    this.current = undefined
    this.handedOver(current)
    this.release()
  }

  private release(): void {
    if (!this.wanted) return
    this.wanted = false
    this.space.events.handedOver()
  }

  private handedOver(one: Waiting): void {
    this.done++
    this.markSeen(one.entry)
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

  // ---- what the keyspace tells ----

  beforeChange(db: Database, entry: Ref): void {
    if (!this.isUnseen(entry)) return
    if (this.current?.entry === entry) {
      while (!this.consumer.step());
      return this.closeCurrent()
    }
    const waiting = this.takeWaiting(entry)
    this.consumer.take(entry, waiting === undefined ? this.databaseOf(db) : waiting.database)
    if (waiting !== undefined) return this.handedOver(waiting)
    this.done++
    this.markSeen(entry)
  }

  isBusyWith(db: Database, entry: Ref): boolean {
    if (!this.isUnseen(entry)) return false
    if (this.current?.entry !== entry) {
      if (!this.consumer.isLarge(entry)) return false
      // Last in line is first to come.
      this.waiting.push(this.takeWaiting(entry) ?? this.newWaiting(entry, this.databaseOf(db), false))
    }
    this.wanted = true
    return true
  }

  beforeRemoval(db: Database, entry: Ref): void {
    if (!this.isUnseen(entry)) return
    const inHand = this.current?.entry === entry
    if (!inHand && !this.consumer.isLarge(entry)) return this.beforeChange(db, entry)
    const copy = this.detachValue(entry)
    this.markSeen(entry)
    if (inHand) {
      this.current!.entry = copy
      this.current!.detached = true
      return
    }
    const waiting = this.takeWaiting(entry)
    const database = waiting === undefined ? this.databaseOf(db) : waiting.database
    // First in line is last to come: what waits for it is only memory.
    this.waiting.unshift(this.newWaiting(copy, database, true))
  }

  takesOverTable(table: Ref): boolean {
    const walked = this.tables.find(one => one.table === table)
    if (walked !== undefined) walked.takenOver = true
    else if (this.waiting.some(one => !one.detached) || (this.current !== undefined && !this.current.detached)) {
      // Walked to its end, but its last entries are still to be handed over.
      this.whenEmpty.push(table)
      return true
    }
    return walked !== undefined
  }

  /** A copy of an entry that takes over its value; the entry is left with an empty string. */
  private detachValue(entry: Ref): Ref {
    const { arena } = this.space
    const copy = arena.duplicate(entry)
    const seg = arena.segment(entry)
    const at = arena.at(entry)
    const payload = payloadAt(seg.u8, seg.dv, at)
    seg.u8[at] = (TYPE_STRING << 4) | ENC_RAW
    seg.u8[at + 1] &= ~EXTERNAL
    seg.u8[payload] = 0
    return copy
  }

  /** The number that the database's table had when the walk began. */
  private databaseOf(db: Database): number {
    const table = this.tables.find(one => one.table === db.mainTable)
    // A table that is not in the list was walked to its end; only entries that wait are unseen there, and they know.
    return table?.database ?? db.index
  }

  private takeWaiting(entry: Ref): Waiting | undefined {
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

  private isUnseen(entry: Ref): boolean {
    const seg = this.space.arena.segment(entry)
    return (seg.u8[this.space.arena.at(entry) + 1] & EPOCH) !== this.space.epoch
  }

  private markSeen(entry: Ref): void {
    const seg = this.space.arena.segment(entry)
    const at = this.space.arena.at(entry) + 1
    seg.u8[at] = (seg.u8[at] & ~EPOCH) | this.space.epoch
  }
}

const DISCARD_CONSUMER: SnapshotConsumer = {
  isLarge: () => false,
  take() {},
  begin() {},
  step: () => true,
}
