// Keyspace: the databases of one server and what they share: arena, hash seed, time, LRU clock, snapshot epoch, the
// lazy free queue. It knows neither clients nor replies.
//
// Always: nowMs and lruClock stand still while a command runs; `dirty` counts every change to the dataset.

import { Hasher } from '../lib/siphash.ts'
import type { Slice } from '../lib/slice.ts'
import { type Allocate, Arena, type Ref } from '../memory/arena.ts'
import { type KeyTables, SlotTables } from '../memory/slot-tables.ts'
import { HashTable } from '../memory/table.ts'
import { Database } from './database.ts'
import { Entries } from './entries.ts'
import { KEY_AT } from './entry.ts'
import { type ValueType, ValueTypes } from './value-type.ts'
import { StringType } from './values/string/string-type.ts'

/** Events of the keyspace. Set by the engine. */
export interface KeyspaceEvents {
  /** A key has expired and is about to be removed; `key` is valid during the call only. */
  expired(db: Database, key: Slice): void
  /** A key was created, or (not `fresh`) became a collection. Clients may be blocked on it. */
  created(db: Database, key: Slice, type: number, fresh: boolean): void
  /** A key no longer has a value of a type that announces removals (ValueType.announcesRemoval). */
  removed(db: Database, key: Slice): void
  /** On a writable replica a client has given a key an expiry. `key` is valid during the call only. */
  ownExpiry(db: Database, key: Slice): void
  /** A key that has an expiry is looked up to be written; set while somebody listens. `key`: during the call only. */
  expiryMayChange?: (db: Database, key: Slice, entry: Ref) => void
  /** The snapshot has saved a value that it was busy with (RunningSnapshot.isBusyWith). */
  valueSaved(): void
}

/** The running snapshot (snapshot.ts). It is notified before any entry that it has not saved yet changes. */
export interface RunningSnapshot {
  /** An entry is about to change. */
  beforeChange(db: Database, entry: Ref): void
  /** An entry is about to be removed, with its value or after that was replaced. */
  beforeRemoval(db: Database, entry: Ref): void
  /**
   * True when changing this entry now would take long, since it is large and not saved yet. The snapshot saves it next;
   * then comes KeyspaceEvents.valueSaved.
   */
  isBusyWith(db: Database, entry: Ref): boolean
  /** A database drops its main table; true: the snapshot frees it when it has iterated over it. */
  takesOverTable(table: Ref): boolean
}

interface KeyspaceOptions {
  databases: number
  /** Cluster mode: keys are found by hash slot. */
  bySlot?: boolean
  /** Unsigned 32-bit integers. */
  random: () => number
  /** Allocates the arena's memory; absent: plain buffers. */
  allocate?: Allocate | undefined
  /** Size of the arena's first segment; absent: that of the others. */
  arenaStartBytes?: number
  /** The types besides strings. */
  types?: readonly ((space: Keyspace) => ValueType)[]
}

export interface LazyItem {
  kind: 'value' | 'table'
  type: number
  encoding: number
  ref: Ref
  /** It was to be freed at once, and took too long: INFO does not count it as freed lazily. */
  uncounted?: boolean
}

// Keyspace.replica
export const NO_REPLICA = 0
export const READ_ONLY_REPLICA = 1
export const WRITABLE_REPLICA = 2

const LAZY_EFFORT_MIN = 64
const FREE_STEP = 64

export class Keyspace {
  readonly arena: Arena
  readonly hasher: Hasher
  /** For the main and the expiry table of every database. */
  readonly tables: KeyTables
  /** For tables of hash fields and set members, whose keys are at the start of their entries. */
  readonly fieldTables: HashTable
  /** For tables of sorted set members: the score comes before the key. */
  readonly scoreTables: HashTable
  readonly random: () => number
  readonly databases: Database[] = []
  readonly types = new ValueTypes()
  readonly entries: Entries
  readonly strings: StringType
  /** Milliseconds since 1970, as of the current command. */
  nowMs = 0
  /** The LRU clock: seconds, modulo 2^24. */
  lruClock = 0
  /** maxmemory-policy is an LFU one: entries have access counters instead of times. */
  lfu = false
  /** maxmemory-policy is an LRM one: only modifications set the access time, not reads. */
  lrm = false
  lfuLogFactor = 10
  lfuDecayMinutes = 1
  /** Changes to the dataset since the last save. */
  dirty = 0
  /** Counts whenever an entry is opened for writing, created, moved, given another expiry or removed. */
  mutations = 0
  hits = 0
  misses = 0
  expiredKeys = 0
  lazyFreedObjects = 0
  /**
   * NO_REPLICA, or the kind of replica: one does not remove expired keys, it only hides them; a writable one removes
   * those that are about to be written.
   */
  replica: number = NO_REPLICA
  /** Clients are paused: expired keys are hidden but not removed. */
  hideExpired = false
  /** Expired keys are neither removed nor hidden (while files are loaded). */
  expiryPaused = false
  /** The value of the EPOCH flag in entries that a snapshot need not save. */
  epoch = 0
  /** A snapshot is running: `snapshot` is set. */
  snapshotting = false
  snapshot: RunningSnapshot | undefined
  /** CLIENT NO-TOUCH of the current client: lookups do not touch the access time. */
  clientNoTouch = false
  events: KeyspaceEvents = { expired() {}, created() {}, removed() {}, ownExpiry() {}, valueSaved() {} }

  /** Queued to be freed; for KeyspaceImage. */
  readonly lazy: LazyItem[] = []

  constructor(options: KeyspaceOptions) {
    this.arena = new Arena(options.allocate, options.arenaStartBytes)
    this.random = options.random
    this.hasher = new Hasher(options.random(), options.random())
    const tables = new HashTable(this.arena, this.hasher, KEY_AT)
    this.tables = options.bySlot ? new SlotTables(tables) : tables
    this.fieldTables = new HashTable(this.arena, this.hasher, 0)
    this.scoreTables = new HashTable(this.arena, this.hasher, 8)
    this.entries = new Entries(this)
    this.strings = new StringType(this)
    this.types.add(this.strings)
    for (const make of options.types ?? []) this.types.add(make(this))
    for (let i = 0; i < options.databases; i++) this.databases.push(new Database(this, i))
  }

  /** On a writable replica a key gets an expiry: from the primary, while expiry is paused, or from a client. */
  rememberOwn(db: Database, key: Slice): void {
    if (!this.expiryPaused) this.events.ownExpiry(db, key)
  }

  /** Whether an expired key stays, unseen. `writes`: the lookup is one of a write. */
  hidesExpired(writes: boolean): boolean {
    return this.hideExpired || (this.replica !== NO_REPLICA && !(writes && this.replica === WRITABLE_REPLICA))
  }

  /** The tables in cluster mode, where there is one for each hash slot. */
  get slotTables(): SlotTables | undefined {
    return this.tables instanceof SlotTables ? this.tables : undefined
  }

  /** Nothing that was hashed is there, so that another seed may be taken. */
  get isEmpty(): boolean {
    return this.lazy.length === 0 && !this.snapshotting && this.databases.every(({ size }) => size === 0)
  }

  /** Frees an unlinked value: at once when small, in slices when large. */
  freeValue(type: number, encoding: number, value: Ref): void {
    const valueType = this.types.of(type)
    if (valueType.freeEffort(encoding, value) > LAZY_EFFORT_MIN)
      this.lazy.push({ kind: 'value', type, encoding, ref: value })
    else while (!valueType.freeStep(encoding, value, LAZY_EFFORT_MIN * 2));
  }

  /** Frees a whole main table with its entries and values, in slices. */
  freeTable(table: Ref): void {
    this.mutations++
    this.lazy.push({ kind: 'table', type: 0, encoding: 0, ref: table })
  }

  get hasLazy(): boolean {
    return this.lazy.length !== 0
  }

  /** lazyfree_pending_objects: objects waiting to be freed. */
  get lazyPending(): number {
    let n = 0
    for (const item of this.lazy) if (!item.uncounted) n += item.kind === 'table' ? this.tables.count(item.ref) : 1
    return n
  }

  /** Frees about `limit` queued elements; true when nothing is left. */
  lazyFreeStep(limit: number): boolean {
    const { lazy } = this
    const at = lazy.length - 1
    const item = lazy[at]
    if (item === undefined) return true
    let freed = 0
    let done: boolean
    if (item.kind === 'table') {
      done = this.tables.drain(item.ref, limit, entry => {
        this.entries.freeEntry(entry)
        freed++
      })
    } else {
      done = this.types.of(item.type).freeStep(item.encoding, item.ref, limit)
      if (done) freed = 1
    }
    if (!item.uncounted) this.lazyFreedObjects += freed
    // Freeing a table's entries may have queued more behind this item.
    else for (let i = at + 1; i < lazy.length; i++) lazy[i].uncounted = true
    if (done) lazy.splice(at, 1)
    return lazy.length === 0
  }

  /**
   * Frees about `limit` elements of what was queued behind the first `earlier` items, until `isOver`. The rest is freed
   * in slices; none of it counts as lazily freed.
   */
  freeNow(earlier: number, limit: number, isOver = () => false): void {
    const { lazy } = this
    for (let i = earlier; i < lazy.length; i++) lazy[i].uncounted = true
    for (let left = limit; left > 0 && lazy.length > earlier && !isOver(); left -= FREE_STEP)
      this.lazyFreeStep(FREE_STEP)
  }

  /** Exchanges the contents of two databases. */
  swap(a: number, b: number): void {
    this.mutations++
    this.databases[a].exchange(this.databases[b])
  }
}
