// Database: keys of one numbered database. Finds, adds, replaces, removes and moves entries; keeps expiries. What an
// entry holds is read and changed in place by Entries.
//
// Always: an entry with HAS_EXPIRY is in both tables, any other only in `main`; an entry may move when its key's
// value or expiry is set, so whoever holds a Ref takes the one that the call returns.

import { copyBytes } from '../lib/bytes.ts'
import { parseInt64 } from '../lib/number.ts'
import { Slice } from '../lib/slice.ts'
import { Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from '../memory/arena.ts'
import type { HashTable } from '../memory/table.ts'
import { Entries } from './entries.ts'
import {
  EPOCH,
  EXTERNAL,
  entryEncoding,
  entryExpiry,
  entryKey,
  entryType,
  HAS_EXPIRY,
  headBytes,
  INLINE_BYTES_MAX,
  KEY_AT,
  keyEnd,
  lengthBytes,
  payloadAt,
  writeLength,
} from './entry.ts'
import type { Keyspace } from './keyspace.ts'
import { ENC_EMBSTR, ENC_INT, ENC_RAW, TYPE_STREAM, TYPE_STRING } from './types.ts'

const EMBSTR_BYTES_MAX = 44
const INT_TEXT_BYTES_MAX = 20
const STRING_GROWTH_MAX = 1024 * 1024
const RANDOM_TRIES_MAX = 100

export class Database extends Entries {
  readonly index: number
  private readonly tables: HashTable
  private main: Ref
  private expires: Ref
  /** Hash of the key that the last lookup was given. */
  private hash = 0
  /** Milliseconds of life left, averaged over what active expiry sampled; for INFO. */
  averageTtlMs = 0
  /** Cursor of the active expiry cycle. */
  expiryCursor = 0

  constructor(space: Keyspace, index: number) {
    super(space)
    this.index = index
    this.tables = space.tables
    this.main = this.tables.create()
    this.expires = this.tables.create()
  }

  get size(): number {
    return this.tables.count(this.main)
  }
  get expiresSize(): number {
    return this.tables.count(this.expires)
  }

  /** Refs of the main and the expiry table, for scans, snapshots and statistics within keyspace/. */
  get mainTable(): Ref {
    return this.main
  }
  get expiryTable(): Ref {
    return this.expires
  }

  // ---- lookups ----

  /** The entry of a key that exists and has not run out, or 0. Leaves access time and statistics alone. */
  find(key: Slice): Ref {
    this.hash = this.space.hasher.hashBytes(key.dv, key.off, key.len)
    const entry = this.tables.find(this.main, key, this.hash)
    if (entry === 0) return 0
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    if ((seg.u8[at + 1] & HAS_EXPIRY) !== 0 && this.expireIfDue(entry, key)) return 0
    return entry
  }

  /** find(), and counts a hit or a miss, and notes the access. */
  lookupRead(key: Slice): Ref {
    const entry = this.find(key)
    if (entry === 0) {
      this.space.misses++
      return 0
    }
    this.space.hits++
    if (!this.space.noTouch) this.touch(entry)
    return entry
  }

  /** find(), notes the access, and announces to a running snapshot that the value is about to change. */
  lookupWrite(key: Slice): Ref {
    const entry = this.find(key)
    if (entry === 0) return 0
    this.space.mutations++
    if (!this.space.noTouch) this.touch(entry)
    if (this.space.snapshotting) this.space.walk!.beforeChange(this, entry)
    return entry
  }

  exists(key: Slice): boolean {
    return this.find(key) !== 0
  }

  // ---- strings ----

  /**
   * Sets a key to a string, in the encoding Redis would choose, whatever it held before. It gets the expiry `whenMs`
   * (-1: none), or keeps its own. The entry.
   */
  setString(key: Slice, value: Slice, keepExpiry = false, whenMs = -1): Ref {
    const n = value.len <= INT_TEXT_BYTES_MAX ? parseInt64(value) : Number.NaN
    if (Number.isNaN(n)) return this.setText(key, value, keepExpiry, whenMs)
    return this.setInteger(key, n, keepExpiry, value, whenMs)
  }

  /** As setString(), but an integer is kept as the text it is. */
  setText(key: Slice, value: Slice, keepExpiry = false, whenMs = -1): Ref {
    const old = this.findForReplace(key)
    const expiry = keepExpiry && old !== 0 ? entryExpiry(this.arena, old) : whenMs
    return this.writeString(key, old, value, value.len <= EMBSTR_BYTES_MAX ? ENC_EMBSTR : ENC_RAW, expiry)
  }

  /** Sets a key to an integer; outside ±2^53 `n` is infinite and `text` spells the integer. */
  setInteger(key: Slice, n: number, keepExpiry: boolean, text?: Slice, whenMs = -1): Ref {
    const old = this.findForReplace(key)
    const expiry = keepExpiry && old !== 0 ? entryExpiry(this.arena, old) : whenMs
    const entry = this.replaceEntry(key, old, TYPE_STRING, ENC_INT, 8, expiry)
    this.storeInteger(entry, n, text)
    return entry
  }

  /**
   * Makes the string of a key `len` bytes long for writing in place: raw encoding, bytes kept, new ones zero, room to
   * grow. A missing key (entry 0) is created. The entry; stringOf() then gives the bytes to write to.
   */
  resizeString(key: Slice, entry: Ref, len: number): Ref {
    this.space.mutations++
    if (entry === 0) {
      this.hash = this.space.hasher.hashBytes(key.dv, key.off, key.len)
      const fresh = this.replaceEntry(key, 0, TYPE_STRING, ENC_RAW, 8, -1)
      return this.storeExternal(fresh, this.arena.alloc(len), 0, len)
    }
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    if ((seg.u8[at + 1] & EXTERNAL) !== 0) {
      const payload = payloadAt(seg.u8, seg.dv, at)
      const old = seg.dv.getUint32(payload, true)
      const oldLen = seg.dv.getUint32(payload + 4, true)
      if (len <= this.arena.sizeOf(old)) return this.storeExternal(entry, old, oldLen, len)
      const room = len + Math.min(len, STRING_GROWTH_MAX)
      return this.storeExternal(entry, this.arena.realloc(old, room, oldLen), oldLen, len)
    }
    const value = this.stringOf(entry, this.slice)
    const oldLen = value.len
    const bytes = this.arena.alloc(oldLen === len ? len : len + Math.min(len, STRING_GROWTH_MAX))
    const to = this.arena.segments[bytes >>> SEGMENT_SHIFT]
    copyBytes(to.u8, to.dv, this.arena.at(bytes), value.u8, value.dv, value.off, Math.min(oldLen, len))
    const expiry = entryExpiry(this.arena, entry)
    this.hash = this.space.hasher.hashBytes(key.dv, key.off, key.len)
    this.tables.findRef(this.main, entry, this.hash)
    const fresh = this.replaceEntry(key, entry, TYPE_STRING, ENC_RAW, 8, expiry)
    return this.storeExternal(fresh, bytes, oldLen, len)
  }

  private writeString(key: Slice, old: Ref, value: Slice, encoding: number, expiry: number): Ref {
    const len = value.len
    if (len > INLINE_BYTES_MAX) {
      const bytes = this.arena.alloc(len)
      const to = this.arena.segments[bytes >>> SEGMENT_SHIFT]
      copyBytes(to.u8, to.dv, this.arena.at(bytes), value.u8, value.dv, value.off, len)
      const entry = this.replaceEntry(key, old, TYPE_STRING, encoding, 8, expiry)
      return this.storeExternal(entry, bytes, len, len)
    }
    const entry = this.replaceEntry(key, old, TYPE_STRING, encoding, lengthBytes(len) + len, expiry)
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const payload = payloadAt(seg.u8, seg.dv, (entry & GRANULE_MASK) << 4)
    copyBytes(seg.u8, seg.dv, writeLength(seg.u8, seg.dv, payload, len), value.u8, value.dv, value.off, len)
    return entry
  }

  // ---- collections ----

  /** Adds a key that does not exist, holding the collection `value`. The entry. */
  add(key: Slice, type: number, encoding: number, value: Ref): Ref {
    this.hash = this.space.hasher.hashBytes(key.dv, key.off, key.len)
    const entry = this.replaceEntry(key, 0, type, encoding, 4, -1)
    this.setValue(entry, encoding, value)
    this.space.events.created(this, key, type, true)
    return entry
  }

  /** Sets a key to a collection, whatever it held before; no expiry. The entry. */
  put(key: Slice, type: number, encoding: number, value: Ref): Ref {
    const old = this.findForReplace(key)
    const entry = this.replaceEntry(key, old, type, encoding, 4, -1)
    this.setValue(entry, encoding, value)
    this.space.events.created(this, key, type, old === 0)
    return entry
  }

  // ---- removal ----

  /** Removes a key that exists; its value is freed at once when small, in slices when large. False: no such key. */
  delete(key: Slice): boolean {
    const entry = this.find(key)
    if (entry === 0) return false
    this.remove(entry)
    return true
  }

  /** Removes a key whose collection is empty and freed already. */
  deleteEmptied(key: Slice): void {
    const entry = this.find(key)
    if (entry === 0) return
    this.unlink(entry)
    this.arena.free(entry)
  }

  /** Removes the entry that the last lookup gave. */
  private remove(entry: Ref): void {
    if (this.space.snapshotting) this.space.walk!.beforeRemoval(this, entry)
    this.unlink(entry)
    this.freeEntry(entry)
  }

  private unlink(entry: Ref): void {
    this.space.mutations++
    const hash = this.hash
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    const hadExpiry = (seg.u8[at + 1] & HAS_EXPIRY) !== 0
    if (seg.u8[at] >>> 4 === TYPE_STREAM) this.space.events.streamGone(this, entryKey(this.arena, entry, new Slice()))
    this.tables.removeFound(this.main, hash)
    if (hadExpiry && this.tables.findRef(this.expires, entry, hash)) this.tables.removeFound(this.expires, hash)
  }

  /** Removes all keys; how many there were. */
  clear(): number {
    const count = this.size
    if (count === 0) return 0
    while (!this.tables.drain(this.expires, 1 << 20, () => {}));
    if (!this.space.snapshotting || !this.space.walk!.adopts(this.main)) this.space.freeTable(this.main)
    this.main = this.tables.create()
    this.expires = this.tables.create()
    this.expiryCursor = 0
    this.averageTtlMs = 0
    return count
  }

  exchange(other: Database): void {
    const { main, expires, averageTtlMs, expiryCursor } = this
    this.main = other.main
    this.expires = other.expires
    this.averageTtlMs = other.averageTtlMs
    this.expiryCursor = other.expiryCursor
    other.main = main
    other.expires = expires
    other.averageTtlMs = averageTtlMs
    other.expiryCursor = expiryCursor
  }

  // ---- expiry ----

  /** Gives a key an expiry (milliseconds since 1970), or takes it away (-1). The entry, which may have moved. */
  setExpiry(key: Slice, entry: Ref, whenMs: number): Ref {
    this.space.mutations++
    const arena = this.arena
    const seg = arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    const had = (seg.u8[at + 1] & HAS_EXPIRY) !== 0
    const end = keyEnd(seg.u8, seg.dv, at)
    if (had && whenMs >= 0) {
      seg.dv.setFloat64(end, whenMs, true)
      return entry
    }
    if (!had && whenMs < 0) return entry
    const hash = this.space.hasher.hashBytes(key.dv, key.off, key.len)
    const payload = payloadAt(seg.u8, seg.dv, at)
    const payloadBytes = this.payloadBytes(entry, payload)
    const head = end - at
    const bytes = head + (had ? 0 : 8) + payloadBytes
    const fresh = arena.sizeOf(entry) === Arena.sizeFor(bytes) ? entry : arena.alloc(bytes)
    const to = arena.segments[fresh >>> SEGMENT_SHIFT]
    const toAt = (fresh & GRANULE_MASK) << 4
    arena.copy(fresh, head + (had ? 0 : 8), entry, payload - at, payloadBytes)
    if (fresh !== entry) arena.copy(fresh, 0, entry, 0, head)
    if (had) {
      to.u8[toAt + 1] &= ~HAS_EXPIRY
      if (this.tables.findRef(this.expires, entry, hash)) this.tables.removeFound(this.expires, hash)
    } else {
      to.u8[toAt + 1] |= HAS_EXPIRY
      to.dv.setFloat64(toAt + head, whenMs, true)
      this.tables.insert(this.expires, fresh, hash)
    }
    if (fresh !== entry) {
      if (this.tables.findRef(this.main, entry, hash)) this.tables.replaceFound(fresh)
      arena.free(entry)
    }
    return fresh
  }

  /** True when the entry has run out and must be taken for absent; it is removed unless this is a replica. */
  private expireIfDue(entry: Ref, key: Slice): boolean {
    const space = this.space
    if (space.expiryPaused || entryExpiry(this.arena, entry) > space.nowMs) return false
    if (space.replica || space.hideExpired) return true
    // The key may be a slice of the very entry that goes.
    const hash = this.hash
    space.events.expired(this, key)
    this.hash = hash
    if (!this.tables.findRef(this.main, entry, hash)) return true
    space.expiredKeys++
    this.remove(entry)
    return true
  }

  /** Removes a key whose time has come (active expiry). */
  expireNow(entry: Ref): void {
    const key = entryKey(this.arena, entry, new Slice())
    this.hash = this.space.hasher.hashBytes(key.dv, key.off, key.len)
    this.expireIfDue(entry, key)
  }

  // ---- whole database ----

  /** So many keys, and so many of them with an expiry, are about to be added to an empty database. */
  reserve(keys: number, expires: number): void {
    this.tables.reserve(this.main, keys)
    this.tables.reserve(this.expires, expires)
  }

  /** They have come, or not all of them. */
  trim(): void {
    this.tables.trim(this.main)
    this.tables.trim(this.expires)
  }

  /** Entries of the next bucket, run out or not; the cursor to go on with, 0 at the end. */
  scan(cursor: number, visit: (entry: Ref) => void): number {
    return this.tables.scan(this.main, cursor, visit)
  }

  scanExpires(cursor: number, visit: (entry: Ref) => void): number {
    return this.tables.scan(this.expires, cursor, visit)
  }

  /** A random key that has not run out, or 0. */
  randomEntry(): Ref {
    for (let tries = 0; tries < RANDOM_TRIES_MAX; tries++) {
      const entry = this.tables.random(this.main, this.space.random)
      if (entry === 0) return 0
      if (!this.isDue(entry)) return entry
      if (this.space.replica || this.space.hideExpired) {
        if (tries === RANDOM_TRIES_MAX - 1) return entry
      } else this.expireNow(entry)
    }
    return 0
  }

  /** A random entry, run out or not, of all keys or of those with an expiry; 0 when there is none. For eviction. */
  sample(volatileOnly: boolean): Ref {
    return this.tables.random(volatileOnly ? this.expires : this.main, this.space.random)
  }

  /** Moves a key with value and expiry under another name, which must not exist, possibly in another database. */
  rename(from: Slice, to: Slice, target: Database): Ref {
    this.space.mutations++
    const entry = this.find(from)
    if (this.space.snapshotting) this.space.walk!.beforeChange(this, entry)
    const hash = this.hash
    const arena = this.arena
    const seg = arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    const tail = keyEnd(seg.u8, seg.dv, at)
    const payload = payloadAt(seg.u8, seg.dv, at)
    const tailBytes = payload - tail + this.payloadBytes(entry, payload)
    const head = headBytes(to.len, false)
    const fresh = arena.alloc(head + tailBytes)
    const toSeg = arena.segments[fresh >>> SEGMENT_SHIFT]
    const toAt = (fresh & GRANULE_MASK) << 4
    arena.copy(fresh, 0, entry, 0, KEY_AT)
    copyBytes(toSeg.u8, toSeg.dv, writeLength(toSeg.u8, toSeg.dv, toAt + KEY_AT, to.len), to.u8, to.dv, to.off, to.len)
    arena.copy(fresh, head, entry, tail - at, tailBytes)
    toSeg.u8[toAt + 1] = (toSeg.u8[toAt + 1] & ~EPOCH) | this.space.epoch
    this.hash = hash
    this.unlink(entry)
    arena.free(entry)
    const toHash = this.space.hasher.hashBytes(to.dv, to.off, to.len)
    this.tables.insert(target.main, fresh, toHash)
    if ((toSeg.u8[toAt + 1] & HAS_EXPIRY) !== 0) this.tables.insert(target.expires, fresh, toHash)
    this.space.events.created(target, to, entryType(arena, fresh), true)
    return fresh
  }

  /** Adds a deep copy of an entry, expiry included, under a key that does not exist in `target`. The copy. */
  copyTo(entry: Ref, to: Slice, target: Database): Ref {
    const type = entryType(this.arena, entry)
    const encoding = entryEncoding(this.arena, entry)
    const expiry = entryExpiry(this.arena, entry)
    target.hash = this.space.hasher.hashBytes(to.dv, to.off, to.len)
    if (type !== TYPE_STRING) {
      const value = this.space.kinds[type]!.copy(encoding, this.valueOf(entry))
      const fresh = target.replaceEntry(to, 0, type, encoding, 4, expiry)
      target.setValue(fresh, encoding, value)
      this.space.events.created(target, to, type, true)
      return fresh
    }
    const value = this.stringOf(entry, this.slice)
    if (encoding !== ENC_INT) return target.writeString(to, 0, value, encoding, expiry)
    const fresh = target.replaceEntry(to, 0, type, encoding, 8, expiry)
    this.storeInteger(fresh, parseInt64(value), value)
    return fresh
  }

  // ---- snapshots and compaction ----

  /** Moves the heads of the tables out of sealed segments. */
  relocateTables(): void {
    this.main = this.arena.relocate(this.main)
    this.expires = this.arena.relocate(this.expires)
  }

  /**
   * Moves an entry and its value out of sealed segments; used with HashTable.mapBucket on the main table. Collections
   * of more than `effortMax` elements stay.
   */
  relocateEntry(entry: Ref, effortMax = Number.POSITIVE_INFINITY): Ref {
    const arena = this.arena
    const fresh = arena.relocate(entry)
    const seg = arena.segments[fresh >>> SEGMENT_SHIFT]
    const at = (fresh & GRANULE_MASK) << 4
    if (fresh !== entry && (seg.u8[at + 1] & HAS_EXPIRY) !== 0) {
      if (this.tables.findRef(this.expires, entry, this.tables.hashOf(fresh))) this.tables.replaceFound(fresh)
    }
    const type = seg.u8[at] >>> 4
    const payload = payloadAt(seg.u8, seg.dv, at)
    if ((seg.u8[at + 1] & EXTERNAL) !== 0)
      seg.dv.setUint32(payload, arena.relocate(seg.dv.getUint32(payload, true)), true)
    else if (type !== TYPE_STRING) {
      const kind = this.space.kinds[type]
      const value = seg.dv.getUint32(payload, true)
      if (kind !== undefined && kind.freeEffort(seg.u8[at] & 15, value) <= effortMax)
        seg.dv.setUint32(payload, kind.relocate(seg.u8[at] & 15, value), true)
    }
    return fresh
  }

  // ---- entries ----

  /** find() for a key that is about to be replaced: an expired entry counts as there, since it is overwritten anyway. */
  private findForReplace(key: Slice): Ref {
    const entry = this.find(key)
    if (entry !== 0 && this.space.snapshotting) this.space.walk!.beforeRemoval(this, entry)
    return entry
  }

  /**
   * An entry for `key` with room for `payloadBytes`, in the place of `old` (0: a new key). The value of `old` is freed;
   * type, encoding, access time and expiry (-1: none) are set, the payload is the caller's to write. `old` must be what
   * the last lookup of this database gave.
   */
  private replaceEntry(
    key: Slice,
    old: Ref,
    type: number,
    encoding: number,
    payloadBytes: number,
    expiry: number,
  ): Ref {
    const arena = this.arena
    const space = this.space
    space.mutations++
    const withExpiry = expiry >= 0
    const bytes = headBytes(key.len, withExpiry) + payloadBytes
    const hash = this.hash
    let entry = old
    const flags = space.epoch | (withExpiry ? HAS_EXPIRY : 0)
    let hadExpiry = false
    // Counted accesses outlive the value; a time of access is now either way.
    const access = old !== 0 && space.lfu ? this.countedAccess(old) : -1
    if (old !== 0) {
      const seg = arena.segments[old >>> SEGMENT_SHIFT]
      const at = (old & GRANULE_MASK) << 4
      hadExpiry = (seg.u8[at + 1] & HAS_EXPIRY) !== 0
      if (seg.u8[at] >>> 4 === TYPE_STREAM) space.events.streamGone(this, key)
      this.freePayload(old)
      if (arena.sizeOf(old) !== Arena.sizeFor(bytes)) {
        entry = arena.alloc(bytes)
        this.tables.replaceFound(entry)
      }
      if (hadExpiry && (!withExpiry || entry !== old) && this.tables.findRef(this.expires, old, hash)) {
        if (withExpiry) this.tables.replaceFound(entry)
        else this.tables.removeFound(this.expires, hash)
      }
      if (entry !== old) arena.free(old)
      else {
        seg.u8[at] = (type << 4) | encoding
        seg.u8[at + 1] = flags
        if (access < 0) this.stamp(seg.u8, seg.dv, at)
        if (withExpiry) seg.dv.setFloat64(keyEnd(seg.u8, seg.dv, at), expiry, true)
        if (withExpiry && !hadExpiry) this.tables.insert(this.expires, entry, hash)
        return entry
      }
    } else entry = arena.alloc(bytes)
    const seg = arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    seg.u8[at] = (type << 4) | encoding
    seg.u8[at + 1] = flags
    if (access < 0) this.stamp(seg.u8, seg.dv, at)
    else this.setAccess(entry, access)
    const keyTo = writeLength(seg.u8, seg.dv, at + KEY_AT, key.len)
    copyBytes(seg.u8, seg.dv, keyTo, key.u8, key.dv, key.off, key.len)
    if (withExpiry) seg.dv.setFloat64(keyTo + key.len, expiry, true)
    if (old === 0) this.tables.insert(this.main, entry, hash)
    if (withExpiry && !hadExpiry) this.tables.insert(this.expires, entry, hash)
    if (old === 0 && type === TYPE_STRING) space.events.created(this, key, type, true)
    return entry
  }
}
