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

import { GRANULE_MASK, type Ref, SEGMENT_SHIFT } from '../memory/arena.ts'
import type { Database } from './database.ts'
import { EPOCH, EXTERNAL, payloadAt } from './entry.ts'
import type { Keyspace, SnapshotWalk } from './keyspace.ts'
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
  adopted: boolean
}

interface Waiting {
  entry: Ref
  database: number
  /** In no table: freed once it was handed over. */
  orphan: boolean
}

export class Snapshot implements SnapshotWalk {
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
      if (db.size > 0) this.tables.push({ table: db.mainTable, database: db.index, cursor: 0, adopted: false })
    }
    space.epoch ^= EPOCH
    space.walk = this
    space.snapshotting = true
  }

  get running(): boolean {
    return this.space.walk === this
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
    this.consumer = NOBODY
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
    if (table.adopted) this.whenEmpty.push(table.table)
    this.freeAdopted()
  }

  private readonly whenEmpty: Ref[] = []

  /** Frees walked tables that no database has any more, once none of their entries is to be handed over. */
  private freeAdopted(): void {
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
    if (one.orphan) this.space.databases[0].freeEntry(one.entry)
    this.spare.push(one)
    this.freeAdopted()
  }

  private end(): void {
    this.space.walk = undefined
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

  defers(db: Database, entry: Ref): boolean {
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
    const twin = this.cutOff(entry)
    this.markSeen(entry)
    if (inHand) {
      this.current!.entry = twin
      this.current!.orphan = true
      return
    }
    const waiting = this.takeWaiting(entry)
    const database = waiting === undefined ? this.databaseOf(db) : waiting.database
    // First in line is last to come: what waits for it is only memory.
    this.waiting.unshift(this.newWaiting(twin, database, true))
  }

  adopts(table: Ref): boolean {
    const walked = this.tables.find(one => one.table === table)
    if (walked !== undefined) walked.adopted = true
    else if (this.waiting.some(one => !one.orphan) || (this.current !== undefined && !this.current.orphan)) {
      // Walked to its end, but its last entries are still to be handed over.
      this.whenEmpty.push(table)
      return true
    }
    return walked !== undefined
  }

  /** A copy of an entry that takes over its value; the entry is left with an empty string. */
  private cutOff(entry: Ref): Ref {
    const { arena } = this.space
    const bytes = arena.sizeOf(entry)
    const twin = arena.alloc(bytes)
    arena.copy(twin, 0, entry, 0, bytes)
    const seg = arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    const payload = payloadAt(seg.u8, seg.dv, at)
    seg.u8[at] = (TYPE_STRING << 4) | ENC_RAW
    seg.u8[at + 1] &= ~EXTERNAL
    seg.u8[payload] = 0
    return twin
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

  private newWaiting(entry: Ref, database: number, orphan: boolean): Waiting {
    const one = this.spare.pop()
    if (one === undefined) return { entry, database, orphan }
    one.entry = entry
    one.database = database
    one.orphan = orphan
    return one
  }

  private isUnseen(entry: Ref): boolean {
    const seg = this.space.arena.segments[entry >>> SEGMENT_SHIFT]
    return (seg.u8[((entry & GRANULE_MASK) << 4) + 1] & EPOCH) !== this.space.epoch
  }

  private markSeen(entry: Ref): void {
    const seg = this.space.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = ((entry & GRANULE_MASK) << 4) + 1
    seg.u8[at] = (seg.u8[at] & ~EPOCH) | this.space.epoch
  }
}

const NOBODY: SnapshotConsumer = {
  isLarge: () => false,
  take() {},
  begin() {},
  step: () => true,
}
