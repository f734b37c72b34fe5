// Keyspace: the databases of one server and what they share: arena, hash seed, time, access clock, snapshot epoch,
// the queue of large values still to be freed. It never replies and knows no client.
//
// Always: nowMs and lruClock stand still while a command runs; `dirty` counts every change to the dataset.

import { Hasher } from '../lib/siphash.ts'
import type { Slice } from '../lib/slice.ts'
import { type Allocate, Arena, type Ref } from '../memory/arena.ts'
import { HashTable } from '../memory/table.ts'
import { Database } from './database.ts'
import { Entries } from './entries.ts'
import { KEY_AT } from './entry.ts'
import { type ValueType, ValueTypes } from './value-type.ts'
import { StringType } from './values/string/string-type.ts'

/** Called when the keyspace does something by itself or is about to change. Set by the engine. */
export interface KeyspaceEvents {
  /** A key has run out and is about to be removed; `key` is valid during the call only. */
  expired(db: Database, key: Slice): void
  /** A key came into being, or (not `fresh`) became a collection. Blocked clients may wait for it. */
  created(db: Database, key: Slice, type: number, fresh: boolean): void
  /** A key no longer holds a value of a type that announces that (ValueType.announcesRemoval). */
  removed(db: Database, key: Slice): void
  /** The snapshot is done with a value that it was busy with (RunningSnapshot.isBusyWith). */
  handedOver(): void
}

/** The snapshot under way (snapshot.ts). It is told of every change to what it has not taken yet. */
export interface RunningSnapshot {
  /** An entry is about to change. */
  beforeChange(db: Database, entry: Ref): void
  /** An entry is about to go, with its value or after that was replaced. */
  beforeRemoval(db: Database, entry: Ref): void
  /**
   * True when to change this entry now would take long, since it is large and the snapshot does not have it yet. The
   * snapshot takes it next; KeyspaceEvents.handedOver says when.
   */
  isBusyWith(db: Database, entry: Ref): boolean
  /** A database drops its main table; true: the snapshot frees it when it is done with it. */
  takesOverTable(table: Ref): boolean
}

interface KeyspaceOptions {
  databases: number
  /** Unsigned 32-bit integers. */
  random: () => number
  /** Where the arena's memory comes from; absent: plain buffers. */
  allocate?: Allocate | undefined
  /** Of values besides strings. */
  types?: readonly ((space: Keyspace) => ValueType)[]
}

interface LazyItem {
  kind: 'value' | 'table'
  type: number
  encoding: number
  ref: Ref
}

const LAZY_EFFORT_MIN = 64
const FREE_STEP = 256

export class Keyspace {
  readonly arena: Arena
  readonly hasher: Hasher
  /** Works on the main and the expiry table of every database. */
  readonly tables: HashTable
  /** Works on tables of hash fields and set members, whose keys stand at the start of their entries. */
  readonly fieldTables: HashTable
  /** Works on tables of sorted set members: the score stands before the key. */
  readonly scoreTables: HashTable
  readonly random: () => number
  readonly databases: Database[] = []
  readonly types = new ValueTypes()
  readonly entries: Entries
  readonly strings: StringType
  /** Milliseconds since 1970, as of the current command. */
  nowMs = 0
  /** Seconds, modulo 2^24. */
  lruClock = 0
  /** Access counters instead of access times: maxmemory-policy names LFU. */
  lfu = false
  lfuLogFactor = 10
  lfuDecayMinutes = 1
  /** Changes to the dataset since the last save. */
  dirty = 0
  /** Times that an entry was opened for writing, made, moved, given another expiry or removed. */
  mutations = 0
  hits = 0
  misses = 0
  expiredKeys = 0
  lazyFreedObjects = 0
  /** A replica must not remove keys by itself: an expired key is only hidden. */
  replica = false
  /** Clients are paused: expired keys are hidden but not removed. */
  hideExpired = false
  /** Expired keys are neither removed nor hidden (DEBUG, loading, a paused server). */
  expiryPaused = false
  /** The value of the EPOCH flag in entries that need not be looked at by a snapshot. */
  epoch = 0
  /** A snapshot is under way: `snapshot` is set. */
  snapshotting = false
  snapshot: RunningSnapshot | undefined
  /** CLIENT NO-TOUCH of the client whose command runs: look-ups leave the access time alone. */
  clientNoTouch = false
  events: KeyspaceEvents = { expired() {}, created() {}, removed() {}, handedOver() {} }

  private readonly lazy: LazyItem[] = []

  constructor(options: KeyspaceOptions) {
    this.arena = new Arena(options.allocate)
    this.random = options.random
    this.hasher = new Hasher(options.random(), options.random())
    this.tables = new HashTable(this.arena, this.hasher, KEY_AT)
    this.fieldTables = new HashTable(this.arena, this.hasher, 0)
    this.scoreTables = new HashTable(this.arena, this.hasher, 8)
    this.entries = new Entries(this)
    this.strings = new StringType(this)
    this.types.add(this.strings)
    for (const make of options.types ?? []) this.types.add(make(this))
    for (let i = 0; i < options.databases; i++) this.databases.push(new Database(this, i))
  }

  /** Frees a value that is no longer in the keyspace: at once when small, in slices when large. */
  freeValue(type: number, encoding: number, value: Ref): void {
    const valueType = this.types.of(type)
    if (valueType.freeEffort(encoding, value) > LAZY_EFFORT_MIN)
      this.lazy.push({ kind: 'value', type, encoding, ref: value })
    else while (!valueType.freeStep(encoding, value, LAZY_EFFORT_MIN * 2));
  }

  /** Takes over a whole main table; its entries and values go in slices. */
  freeTable(table: Ref): void {
    this.mutations++
    this.lazy.push({ kind: 'table', type: 0, encoding: 0, ref: table })
  }

  get hasLazy(): boolean {
    return this.lazy.length !== 0
  }

  /** Objects waiting to be freed. */
  get lazyPending(): number {
    let n = 0
    for (const item of this.lazy) n += item.kind === 'table' ? this.tables.count(item.ref) : 1
    return n
  }

  /** Frees about `limit` elements of what is waiting; true when nothing is left. */
  lazyFreeStep(limit: number): boolean {
    const item = this.lazy[this.lazy.length - 1]
    if (item === undefined) return true
    let done: boolean
    if (item.kind === 'table') {
      done = this.tables.drain(item.ref, limit, entry => {
        this.entries.freeEntry(entry)
        this.lazyFreedObjects++
      })
    } else {
      done = this.types.of(item.type).freeStep(item.encoding, item.ref, limit)
      if (done) this.lazyFreedObjects++
    }
    // Freeing a table's entries may have queued more behind this item.
    if (done) this.lazy.splice(this.lazy.indexOf(item), 1)
    return this.lazy.length === 0
  }

  /** Frees about `limit` elements of what is waiting at once, uncounted: nothing of it is left to be lazy about. */
  freeNow(limit: number): void {
    const counted = this.lazyFreedObjects
    for (let left = limit; left > 0 && !this.lazyFreeStep(FREE_STEP); left -= FREE_STEP);
    this.lazyFreedObjects = counted
  }

  /** Exchanges the contents of two databases. */
  swap(a: number, b: number): void {
    this.mutations++
    this.databases[a].exchange(this.databases[b])
  }
}
