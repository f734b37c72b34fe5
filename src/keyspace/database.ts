// Database: the keys of one numbered database. Looks up, adds, replaces, removes and renames entries, and maintains
// expiries. The contents of a given entry are read and changed by Entries, and strings are set by StringType.
//
//   mainTable     all entries                 a lookup ends at a slot (TableSlot): write, replace and remove
//   expiryTable   those with an expiry        use that slot instead of looking the key up again
//
// Always: an entry with HAS_EXPIRY is in both tables, any other only in `mainTable`; an entry may move when its key's
// value or expiry is set, so the caller uses the Ref that the call returns.

import { type Long, writeLong } from '../lib/long-field.ts'
import { Slice } from '../lib/slice.ts'
import { Arena, type Ref } from '../memory/arena.ts'
import { writePrefixed } from '../memory/prefixed.ts'
import type { KeyTables } from '../memory/slot-tables.ts'
import { TableSlot } from '../memory/table-slot.ts'
import type { Entries } from './entries.ts'
import {
  COLD,
  EPOCH,
  entryEncoding,
  entryExpiry,
  entryKey,
  entryType,
  exactEntryExpiry,
  HAS_EXPIRY,
  headBytes,
  KEY_AT,
  keyEnd,
  payloadAt,
} from './entry.ts'
import { type Keyspace, NO_REPLICA, WRITABLE_REPLICA } from './keyspace.ts'
import { type RelocationCursor, relocateWhole } from './values/shared/relocation.ts'
import type { StringType } from './values/string/string-type.ts'

const RANDOM_TRIES_MAX = 100
const COLLECTION_BYTES = 4

// Flags of a lookup.
export const LOOKUP_READ = 0
/** The value is about to change: no hit or miss is counted, and a running snapshot is notified. */
export const LOOKUP_WRITE = 1
/** Not an access to the value: a command about keys. */
export const LOOKUP_NO_TOUCH = 2
/** An access even under CLIENT NO-TOUCH. */
export const LOOKUP_TOUCH = 4
/** An expired key is absent, but is not removed. */
export const LOOKUP_NO_EXPIRE = 8
/** An expired key is found as well. */
export const LOOKUP_EXPIRED = 16
/** The value is not needed: one that is on disk stays there. */
export const LOOKUP_KEY = 32

export class Database {
  readonly index: number
  readonly entries: Entries
  readonly strings: StringType
  /** Where the last lookup ended. */
  readonly slot: TableSlot
  private readonly space: Keyspace
  private readonly arena: Arena
  private readonly tables: KeyTables
  private readonly expirySlot: TableSlot
  /** Both tables, for scans, snapshots, images and statistics within keyspace/. */
  mainTable: Ref
  expiryTable: Ref
  /** Average TTL in milliseconds of the keys sampled by active expiry; for INFO. */
  averageTtlMs = 0
  /** Cursor of the active expiry cycle. */
  expiryCursor = 0

  constructor(space: Keyspace, index: number) {
    this.space = space
    this.index = index
    this.entries = space.entries
    this.strings = space.strings
    this.arena = space.arena
    this.tables = space.tables
    this.slot = new TableSlot(space.arena)
    this.expirySlot = new TableSlot(space.arena)
    this.mainTable = this.tables.create()
    this.expiryTable = this.tables.create()
  }

  get size(): number {
    return this.tables.count(this.mainTable)
  }
  get expiresSize(): number {
    return this.tables.count(this.expiryTable)
  }

  // ---- lookups ----

  /** The entry of a key that exists and has not expired, or 0. Does not touch access time and statistics. */
  find(key: Slice, flags = LOOKUP_READ): Ref {
    return this.findAt(key, this.slot, flags)
  }

  private findAt(key: Slice, slot: TableSlot, flags: number): Ref {
    const entry = this.tables.find(this.mainTable, key, this.space.hasher.hashBytes(key.dv, key.off, key.len), slot)
    if (entry === 0) return 0
    const marks = this.arena.u8(entry)[this.arena.at(entry) + 1]
    if ((marks & (HAS_EXPIRY | COLD)) === 0) return entry
    if ((marks & HAS_EXPIRY) !== 0 && this.expireIfDue(entry, key, slot, flags)) return 0
    return (marks & COLD) === 0 || (flags & LOOKUP_KEY) !== 0 ? entry : this.entries.cold!.load(this, entry, slot)
  }

  /** A command's lookup: expires, touches and counts as the LOOKUP_ flags say. */
  lookup(key: Slice, flags: number): Ref {
    const { space, entries } = this
    const entry = entries.ahead.key === key ? entries.ahead.take(this, flags) : this.findAt(key, this.slot, flags)
    if ((flags & LOOKUP_WRITE) === 0) {
      if (entry === 0) space.misses++
      else space.hits++
    }
    if (entry === 0) return 0
    if ((flags & LOOKUP_NO_TOUCH) === 0 && (!space.clientNoTouch || (flags & LOOKUP_TOUCH) !== 0))
      this.entries.touch(entry)
    if ((flags & LOOKUP_WRITE) !== 0) this.beforeChange(entry, (flags & LOOKUP_KEY) !== 0)
    return entry
  }

  /** The entry is about to change in place, its value too unless that stays: notifies a running snapshot. */
  beforeChange(entry: Ref, valueStays = false): void {
    this.space.mutations++
    if (this.space.snapshotting) this.space.snapshot!.beforeChange(this, entry)
    this.entries.cold?.changes(this, entry, valueStays)
  }

  /** As find(), but an entry that is due stays, and a value on disk there: for a look from outside of commands. */
  peek(key: Slice): Ref {
    return this.find(key, LOOKUP_KEY | LOOKUP_NO_EXPIRE)
  }

  exists(key: Slice): boolean {
    return this.find(key, LOOKUP_KEY) !== 0
  }

  /** find() for a key that is about to be set. */
  findToReplace(key: Slice, slot: TableSlot): Ref {
    const entry = this.findAt(key, slot, LOOKUP_WRITE | LOOKUP_KEY)
    if (entry !== 0) this.beforeRemoval(entry)
    return entry
  }

  // ---- collections ----

  /** Adds a key that does not exist, with the collection `value`. Returns the entry. */
  add(key: Slice, type: number, encoding: number, value: Ref): Ref {
    const entry = this.addEntry(key, type, encoding, COLLECTION_BYTES, -1)
    this.entries.setValue(entry, encoding, value)
    return entry
  }

  /** Sets a key to a collection, whatever its old value; no expiry. Returns the entry. */
  put(key: Slice, type: number, encoding: number, value: Ref): Ref {
    const { slot } = this
    const isNew = this.findToReplace(key, slot) === 0
    const entry = this.writeEntry(slot, key, type, encoding, COLLECTION_BYTES, -1)
    this.entries.setValue(entry, encoding, value)
    if (!isNew) this.space.events.created(this, key, type, false)
    return entry
  }

  // ---- removal ----

  /** Removes a key; its value is freed at once when small, in slices when large. False: no such key. */
  delete(key: Slice): boolean {
    const { slot } = this
    if (this.size === 0 || this.findAt(key, slot, LOOKUP_WRITE | LOOKUP_KEY) === 0) return false
    this.remove(slot)
    return true
  }

  /** Removes a key whose collection is empty and freed already. */
  deleteEmptied(key: Slice): void {
    const { slot } = this
    const entry = this.findAt(key, slot, LOOKUP_WRITE)
    if (entry === 0) return
    this.unlink(slot)
    this.arena.free(entry)
  }

  private remove(slot: TableSlot): void {
    const { entry } = slot
    this.beforeRemoval(entry)
    this.unlink(slot)
    this.entries.freeEntry(entry)
  }

  private beforeRemoval(entry: Ref): void {
    if (this.space.snapshotting) this.space.snapshot!.beforeRemoval(this, entry)
    this.entries.cold?.changes(this, entry, true)
  }

  /** Removes an entry from the tables. */
  private unlink(slot: TableSlot): void {
    this.space.mutations++
    const { entry, hash } = slot
    const u8 = this.arena.u8(entry)
    const at = this.arena.at(entry)
    const hadExpiry = (u8[at + 1] & HAS_EXPIRY) !== 0
    if (this.space.types.announcesRemoval(u8[at] >>> 4))
      this.space.events.removed(this, entryKey(this.arena, entry, new Slice()))
    this.tables.removeAt(this.mainTable, slot)
    if (hadExpiry) this.indexExpiry(entry, true, entry, false, hash)
  }

  /** Removes all keys; returns their number. */
  clear(): number {
    const count = this.size
    if (count === 0) return 0
    this.space.mutations++
    this.entries.cold?.changesAll()
    while (!this.tables.drain(this.expiryTable, 1 << 20, () => {}));
    if (!this.space.snapshotting || !this.space.snapshot!.takesOverTable(this.mainTable))
      this.space.freeTable(this.mainTable)
    ;[this.mainTable, this.expiryTable] = [this.tables.create(), this.tables.create()]
    this.expiryCursor = this.averageTtlMs = 0
    return count
  }

  exchange(other: Database): void {
    this.entries.cold?.changesAll()
    ;[this.mainTable, other.mainTable] = [other.mainTable, this.mainTable]
    ;[this.expiryTable, other.expiryTable] = [other.expiryTable, this.expiryTable]
    ;[this.averageTtlMs, other.averageTtlMs] = [other.averageTtlMs, this.averageTtlMs]
    ;[this.expiryCursor, other.expiryCursor] = [other.expiryCursor, this.expiryCursor]
  }

  // ---- expiry ----

  /** Sets a key's expiry (milliseconds since 1970), or removes it (-1). Returns the entry, which may have moved. */
  setExpiry(key: Slice, entry: Ref, whenMs: Long): Ref {
    this.space.mutations++
    if (whenMs >= 0 && this.space.replica === WRITABLE_REPLICA) this.space.rememberOwn(this, key)
    const arena = this.arena
    const seg = arena.segment(entry)
    const at = arena.at(entry)
    const had = (seg.u8[at + 1] & HAS_EXPIRY) !== 0
    const end = keyEnd(seg.u8, seg.dv, at)
    if (had && whenMs >= 0) {
      writeLong(seg.dv, end, whenMs)
      return entry
    }
    if (!had && whenMs < 0) return entry
    const hash = this.space.hasher.hashBytes(key.dv, key.off, key.len)
    const payload = payloadAt(seg.u8, seg.dv, at)
    const payloadBytes = this.entries.tailBytes(entry)
    const head = end - at
    const bytes = head + (had ? 0 : 8) + payloadBytes
    const fresh = arena.sizeOf(entry) === Arena.sizeFor(bytes) ? entry : arena.alloc(bytes)
    const to = arena.segment(fresh)
    const toAt = arena.at(fresh)
    arena.copy(fresh, head + (had ? 0 : 8), entry, payload - at, payloadBytes)
    if (fresh !== entry) arena.copy(fresh, 0, entry, 0, head)
    if (had) to.u8[toAt + 1] &= ~HAS_EXPIRY
    else {
      to.u8[toAt + 1] |= HAS_EXPIRY
      writeLong(to.dv, toAt + head, whenMs)
    }
    this.indexExpiry(entry, had, fresh, !had, hash)
    if (fresh !== entry) {
      if (this.tables.findRef(this.mainTable, entry, hash, this.slot)) this.tables.replaceAt(this.slot, fresh)
      arena.free(entry)
    }
    return fresh
  }

  /** Updates the table of expiries: `entry` replaces `old`, or is it. */
  private indexExpiry(old: Ref, hadExpiry: boolean, entry: Ref, hasExpiry: boolean, hash: number): void {
    const { tables, expiryTable, expirySlot } = this
    if (!hadExpiry) {
      if (hasExpiry) tables.insert(expiryTable, entry, hash)
      return
    }
    if ((hasExpiry && entry === old) || !tables.findRef(expiryTable, old, hash, expirySlot)) return
    if (hasExpiry) tables.replaceAt(expirySlot, entry)
    else tables.removeAt(expiryTable, expirySlot)
  }

  /** True when the entry has expired and counts as absent; it is removed, except on a replica. */
  private expireIfDue(entry: Ref, key: Slice, slot: TableSlot, flags: number): boolean {
    const { space } = this
    if ((flags & LOOKUP_WRITE) !== 0) space.events.expiryMayChange?.(this, key, entry)
    if (space.expiryPaused || entryExpiry(this.arena, entry) > space.nowMs) return false
    if ((flags & LOOKUP_EXPIRED) !== 0) return false
    if ((flags & LOOKUP_NO_EXPIRE) !== 0 || space.hidesExpired((flags & LOOKUP_WRITE) !== 0)) return true
    // A listener may look keys up, and `key` may be a slice of the very entry that is removed.
    const { hash } = slot
    space.events.expired(this, key)
    if (!this.tables.findRef(this.mainTable, entry, hash, slot)) return true
    space.expiredKeys++
    this.remove(slot)
    return true
  }

  /** Removes an expired key (active expiry). */
  expireNow(entry: Ref): void {
    const key = entryKey(this.arena, entry, new Slice())
    this.slot.hash = this.space.hasher.hashBytes(key.dv, key.off, key.len)
    this.expireIfDue(entry, key, this.slot, LOOKUP_READ)
  }

  // ---- whole database ----

  /** Prepares an empty database for adding so many keys, and so many of them with an expiry. */
  reserve(keys: number, expires: number): void {
    this.tables.reserve(this.mainTable, keys)
    this.tables.reserve(this.expiryTable, expires)
  }

  /** Ends reserve(), also when fewer keys were added. */
  trim(): void {
    this.tables.trim(this.mainTable)
    this.tables.trim(this.expiryTable)
  }

  /** Entries of the next bucket, expired or not; the cursor to continue with, 0 at the end. */
  scan(cursor: number, visit: (entry: Ref) => void): number {
    return this.tables.scan(this.mainTable, cursor, visit)
  }

  scanExpires(cursor: number, visit: (entry: Ref) => void): number {
    return this.tables.scan(this.expiryTable, cursor, visit)
  }

  /** A random key that has not expired, or 0. */
  randomEntry(): Ref {
    for (let tries = 0; tries < RANDOM_TRIES_MAX; tries++) {
      const entry = this.tables.random(this.mainTable, this.space.random)
      if (entry === 0) return 0
      if (!this.entries.isDue(entry)) return entry
      if (this.space.replica !== NO_REPLICA || this.space.hideExpired) {
        if (tries === RANDOM_TRIES_MAX - 1) return entry
      } else this.expireNow(entry)
    }
    return 0
  }

  /** Random entries, expired or not, of all keys or of those with an expiry: up to `limit` to `out`; their number. */
  sample(volatileOnly: boolean, limit: number, out: Uint32Array): number {
    return this.tables.sample(volatileOnly ? this.expiryTable : this.mainTable, this.space.random, limit, out)
  }

  hashOf(entry: Ref): number {
    return this.tables.hashOf(entry)
  }

  /** Whether this entry, whose key has this hash, is still here: `slot` is at it. */
  findEntry(entry: Ref, hash: number): boolean {
    return this.tables.findRef(this.mainTable, entry, hash, this.slot) && this.tables.hashOf(entry) === hash
  }

  /** Removes the entry of findEntry(), with nothing between. */
  removeFound(): void {
    this.remove(this.slot)
  }

  /** A key was modified, under an LRM policy: its access time is now. */
  stampModified(key: Slice): void {
    const { space } = this
    const hash = space.hasher.hashBytes(key.dv, key.off, key.len)
    const entry = this.tables.find(this.mainTable, key, hash, this.expirySlot)
    if (entry !== 0) this.entries.setAccess(entry, space.lruClock)
  }

  /** Renames a key with its value and expiry to one that must not exist, possibly in another database. */
  rename(from: Slice, to: Slice, target: Database): Ref {
    const { arena, slot, space } = this
    const entry = this.findAt(from, slot, LOOKUP_WRITE | LOOKUP_KEY)
    this.beforeChange(entry, true)
    const seg = arena.segment(entry)
    const at = arena.at(entry)
    const tail = keyEnd(seg.u8, seg.dv, at)
    const tailBytes = payloadAt(seg.u8, seg.dv, at) - tail + this.entries.tailBytes(entry)
    const head = headBytes(to.len, false)
    const fresh = arena.alloc(head + tailBytes)
    const toSeg = arena.segment(fresh)
    const toAt = arena.at(fresh)
    arena.copy(fresh, 0, entry, 0, KEY_AT)
    writePrefixed(toSeg.u8, toSeg.dv, toAt + KEY_AT, to)
    arena.copy(fresh, head, entry, tail - at, tailBytes)
    toSeg.u8[toAt + 1] = (toSeg.u8[toAt + 1] & ~EPOCH) | space.epoch
    this.unlink(slot)
    arena.free(entry)
    const toHash = space.hasher.hashBytes(to.dv, to.off, to.len)
    this.tables.insert(target.mainTable, fresh, toHash)
    if ((toSeg.u8[toAt + 1] & HAS_EXPIRY) !== 0) this.tables.insert(target.expiryTable, fresh, toHash)
    space.events.created(target, to, entryType(arena, fresh), true)
    return fresh
  }

  /** Adds a deep copy of an entry, expiry included, under a key that does not exist in `target`. Returns the copy. */
  copyTo(entry: Ref, to: Slice, target: Database): Ref {
    const { arena, entries } = this
    const expiry = exactEntryExpiry(arena, entry)
    const type = entryType(arena, entry)
    const fresh = target.addEntry(to, type, entryEncoding(arena, entry), entries.payloadBytes(entry), expiry)
    entries.copyPayload(entry, fresh)
    return fresh
  }

  // ---- compaction ----

  /** Moves the tables' headers out of evacuating segments. */
  relocateTables(): void {
    this.mainTable = this.tables.relocate(this.mainTable)
    this.expiryTable = this.tables.relocate(this.expiryTable)
  }

  /**
   * Moves an entry and its value out of evacuating segments; used with HashTable.mapBucket on the main table. Values of
   * more than `effortMax` elements stay. `cursor` is overwritten.
   */
  relocateEntry(entry: Ref, effortMax: number, cursor: RelocationCursor): Ref {
    const { arena, entries } = this
    const fresh = arena.relocate(entry)
    const hasExpiry = (arena.u8(fresh)[arena.at(fresh) + 1] & HAS_EXPIRY) !== 0
    if (fresh !== entry && hasExpiry) this.indexExpiry(entry, true, fresh, true, this.tables.hashOf(fresh))
    if (!entries.hasRef(fresh)) return fresh
    const type = this.space.types.of(entries.typeOf(fresh))
    const encoding = entries.encodingOf(fresh)
    const value = entries.valueOf(fresh)
    if (type.freeEffort(encoding, value) <= effortMax)
      entries.setValue(fresh, encoding, relocateWhole(type, cursor, encoding, value))
    return fresh
  }

  // ---- entries, for ValueTypes ----

  /**
   * Adds an entry for a key that does not exist, with `payloadBytes` for the caller to fill; type, encoding, access
   * time and expiry (-1: none) are set.
   */
  addEntry(key: Slice, type: number, encoding: number, payloadBytes: number, expiry: Long): Ref {
    const { slot } = this
    slot.entry = 0
    slot.hash = this.space.hasher.hashBytes(key.dv, key.off, key.len)
    return this.writeEntry(slot, key, type, encoding, payloadBytes, expiry)
  }

  /** As addEntry(), replacing an entry whose value and expiry are dropped. */
  rewriteEntry(key: Slice, old: Ref, type: number, encoding: number, payloadBytes: number, expiry: Long): Ref {
    const { slot } = this
    this.tables.findRef(this.mainTable, old, this.space.hasher.hashBytes(key.dv, key.off, key.len), slot)
    return this.writeEntry(slot, key, type, encoding, payloadBytes, expiry)
  }

  /** As addEntry(), at the slot of findToReplace(): a new key, or replacing an entry, whose value is freed. */
  writeEntry(slot: TableSlot, key: Slice, type: number, encoding: number, payloadBytes: number, expiry: Long): Ref {
    this.space.mutations++
    if (expiry >= 0 && this.space.replica === WRITABLE_REPLICA) this.space.rememberOwn(this, key)
    const bytes = headBytes(key.len, expiry >= 0) + payloadBytes
    if (slot.entry !== 0) return this.replaceEntry(slot, key, (type << 4) | encoding, bytes, expiry)
    const entry = this.arena.alloc(bytes)
    this.writeHead(entry, key, (type << 4) | encoding, -1, expiry)
    this.tables.insert(this.mainTable, entry, slot.hash)
    if (expiry >= 0) this.tables.insert(this.expiryTable, entry, slot.hash)
    this.space.events.created(this, key, type, true)
    return entry
  }

  private replaceEntry(slot: TableSlot, key: Slice, typeAndEncoding: number, bytes: number, expiry: Long): Ref {
    const { arena, entries, space } = this
    const old = slot.entry
    const seg = arena.segment(old)
    const at = arena.at(old)
    const hadExpiry = (seg.u8[at + 1] & HAS_EXPIRY) !== 0
    // LFU counters outlive the value; an LRU time becomes now either way.
    const access = space.lfu ? entries.countedAccess(old) : -1
    if (space.types.announcesRemoval(seg.u8[at] >>> 4)) space.events.removed(this, key)
    entries.freePayload(old)
    let entry = old
    if (arena.sizeOf(old) === Arena.sizeFor(bytes)) {
      seg.u8[at] = typeAndEncoding
      seg.u8[at + 1] = space.epoch | (expiry >= 0 ? HAS_EXPIRY : 0)
      if (access < 0) entries.stamp(seg.u8, seg.dv, at)
      if (expiry >= 0) writeLong(seg.dv, keyEnd(seg.u8, seg.dv, at), expiry)
    } else {
      entry = arena.alloc(bytes)
      this.tables.replaceAt(slot, entry)
      this.writeHead(entry, key, typeAndEncoding, access, expiry)
    }
    if (hadExpiry || expiry >= 0) this.indexExpiry(old, hadExpiry, entry, expiry >= 0, slot.hash)
    if (entry !== old) arena.free(old)
    return entry
  }

  /** Writes all of an entry but its payload. `access`: its access bits, or -1 for those of a new key. */
  private writeHead(entry: Ref, key: Slice, typeAndEncoding: number, access: number, expiry: Long): void {
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    seg.u8[at] = typeAndEncoding
    seg.u8[at + 1] = this.space.epoch | (expiry >= 0 ? HAS_EXPIRY : 0)
    if (access < 0) this.entries.stamp(seg.u8, seg.dv, at)
    else this.entries.setAccess(entry, access)
    const end = writePrefixed(seg.u8, seg.dv, at + KEY_AT, key)
    if (expiry >= 0) writeLong(seg.dv, end, expiry)
  }
}
