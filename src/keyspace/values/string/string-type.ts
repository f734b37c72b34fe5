// StringType: strings, in the encodings Redis would choose. The only type whose values are in the entry itself:
//
//   int        payload: i64 as low u32, high i32
//   embstr     payload: the bytes, prefixed with their length (memory/prefixed.ts)
//   raw        the same up to INLINE_BYTES_MAX; else an allocation that the payload refers to: ref u32, length u32
//              (the entry's flag EXTERNAL), possibly with spare capacity
//
// Always: a string that was changed in place is raw, and EXTERNAL.

import { TWO_32 } from '../../../lib/bits.ts'
import { copyBytes } from '../../../lib/bytes.ts'
import { DecimalSum } from '../../../lib/decimal-sum.ts'
import type { Long } from '../../../lib/long-field.ts'
import { parseBigInt64, parseInt64, writeBigInt, writeInt } from '../../../lib/number.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { LentAllocations } from '../../../memory/lent.ts'
import { prefixedBytes, readPrefixed, writePrefixed } from '../../../memory/prefixed.ts'
import type { TableSlot } from '../../../memory/table-slot.ts'
import type { Database } from '../../database.ts'
import type { Digest } from '../../digest.ts'
import type { Entries } from '../../entries.ts'
import { EXTERNAL, INLINE_BYTES_MAX, payloadAt } from '../../entry.ts'
import type { Keyspace } from '../../keyspace.ts'
import { ENC_EMBSTR, ENC_INT, ENC_RAW, encodingNames, TYPE_STRING } from '../../types.ts'
import type { ValueType } from '../../value-type.ts'
import type { RelocationCursor } from '../shared/relocation.ts'

const EMBSTR_BYTES_MAX = 44
const INT_TEXT_BYTES_MAX = 20
const GROWTH_BYTES_MAX = 1024 * 1024
const INT_BYTES = 8
const EXTERNAL_BYTES = 8
/** High halves of integers that a double holds exactly are in ±SAFE_HIGH. */
const SAFE_HIGH = 0x200000

export class StringType implements ValueType {
  readonly id = TYPE_STRING
  readonly name = 'string'
  readonly encodingNames = encodingNames(ENC_RAW, ENC_INT, ENC_EMBSTR)
  readonly announcesRemoval = false
  /** Received arguments that can become strings without a copy. */
  readonly lent: LentAllocations
  /** Of INCRBYFLOAT and HINCRBYFLOAT. */
  readonly sum = new DecimalSum()
  private readonly space: Keyspace
  private readonly arena: Arena
  private readonly entries: Entries
  private readonly slice = new Slice()
  private readonly digits = new Slice(new Uint8Array(24), 0, 0)

  constructor(space: Keyspace) {
    this.space = space
    this.arena = space.arena
    this.entries = space.entries
    this.lent = new LentAllocations(space.arena)
  }

  // ---- reading ----

  /** Points `out` at the bytes of a string; an integer is formatted, valid until the next call. */
  textOf(entry: Ref, out: Slice): Slice {
    const seg = this.arena.segment(entry)
    const u8 = seg.u8
    const dv = seg.dv
    const at = this.arena.at(entry)
    const payload = payloadAt(u8, dv, at)
    if ((u8[at] & 15) === ENC_INT) {
      const d = this.digits
      const high = dv.getInt32(payload + 4, true)
      if (high >= -SAFE_HIGH && high < SAFE_HIGH) {
        d.len = writeInt(d.u8, 0, high * TWO_32 + dv.getUint32(payload, true))
      } else d.len = writeBigInt(d.u8, 0, dv.getBigInt64(payload, true))
      return out.set(d.u8, d.dv, 0, d.len)
    }
    if ((u8[at + 1] & EXTERNAL) !== 0) {
      const ref = dv.getUint32(payload, true)
      const value = this.arena.segment(ref)
      return out.set(value.u8, value.dv, this.arena.at(ref), dv.getUint32(payload + 4, true))
    }
    return readPrefixed(u8, dv, payload, out)
  }

  /** Length in bytes. */
  lengthOf(entry: Ref): number {
    return this.textOf(entry, this.slice).len
  }

  /** The integer that a string spells: NaN when none, ±Infinity when it fits 64 bits but not 53 (see bigIntOf()). */
  integerOf(entry: Ref): number {
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    if ((seg.u8[at] & 15) !== ENC_INT) return parseInt64(this.textOf(entry, this.slice))
    const payload = payloadAt(seg.u8, seg.dv, at)
    const high = seg.dv.getInt32(payload + 4, true)
    if (high >= -SAFE_HIGH && high < SAFE_HIGH) return high * TWO_32 + seg.dv.getUint32(payload, true)
    return high < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }

  bigIntOf(entry: Ref): bigint {
    return parseBigInt64(this.textOf(entry, this.slice))
  }

  /** Keeps no buffer of a value that was read. */
  forgetBuffers(): void {
    this.slice.clear()
  }

  // ---- setting ----

  /**
   * Sets a key to a string, in the encoding Redis would choose, whatever its old value. Its expiry becomes `whenMs`
   * (-1: none), or stays. Returns the entry.
   */
  set(db: Database, key: Slice, value: Slice, keepExpiry = false, whenMs: Long = -1): Ref {
    const n = value.len <= INT_TEXT_BYTES_MAX ? parseInt64(value) : Number.NaN
    if (Number.isNaN(n)) return this.setText(db, key, value, keepExpiry, whenMs)
    return this.setInteger(db, key, n, keepExpiry, value, whenMs)
  }

  /** As set(), but an integer is stored as text. */
  setText(db: Database, key: Slice, value: Slice, keepExpiry = false, whenMs: Long = -1): Ref {
    const { slot } = db
    const old = db.findToReplace(key, slot)
    const expiry = keepExpiry && old !== 0 ? this.entries.exactExpiryOf(old) : whenMs
    const encoding = value.len <= EMBSTR_BYTES_MAX ? ENC_EMBSTR : ENC_RAW
    if (value.len > INLINE_BYTES_MAX) return this.setExternal(db, slot, key, value, expiry)
    const entry = db.writeEntry(slot, key, TYPE_STRING, encoding, prefixedBytes(value.len), expiry)
    const seg = this.arena.segment(entry)
    writePrefixed(seg.u8, seg.dv, payloadAt(seg.u8, seg.dv, this.arena.at(entry)), value)
    return entry
  }

  private setExternal(db: Database, slot: TableSlot, key: Slice, value: Slice, expiry: Long): Ref {
    const bytes = this.lent.take(value) || this.allocate(value)
    const entry = db.writeEntry(slot, key, TYPE_STRING, ENC_RAW, EXTERNAL_BYTES, expiry)
    return this.refer(entry, bytes, value.len, value.len)
  }

  private allocate(value: Slice): Ref {
    const bytes = this.arena.alloc(value.len)
    const to = this.arena.segment(bytes)
    copyBytes(to.u8, to.dv, this.arena.at(bytes), value.u8, value.dv, value.off, value.len)
    return bytes
  }

  /** Bytes of the payload of a text of this length. */
  textPayload(len: number): number {
    return len > INLINE_BYTES_MAX ? EXTERNAL_BYTES : prefixedBytes(len)
  }

  /** Writes a text to an entry that has room for it (textPayload) and no value. */
  writeText(entry: Ref, value: Slice): void {
    if (value.len > INLINE_BYTES_MAX) this.refer(entry, this.allocate(value), value.len, value.len)
    else {
      const seg = this.arena.segment(entry)
      writePrefixed(seg.u8, seg.dv, payloadAt(seg.u8, seg.dv, this.arena.at(entry)), value)
    }
  }

  /** Makes an entry that has room for it (textPayload), and no value, refer to a long text of its own. */
  takeText(entry: Ref, text: Ref, len: number): void {
    this.refer(entry, text, len, len)
  }

  /** Sets a key to an integer; outside ±2^53 `n` is infinite and `text` spells the integer. */
  setInteger(db: Database, key: Slice, n: number, keepExpiry: boolean, text?: Slice, whenMs: Long = -1): Ref {
    const { slot } = db
    const old = db.findToReplace(key, slot)
    const expiry = keepExpiry && old !== 0 ? this.entries.exactExpiryOf(old) : whenMs
    const entry = db.writeEntry(slot, key, TYPE_STRING, ENC_INT, INT_BYTES, expiry)
    this.storeInteger(entry, n, text)
    return entry
  }

  // ---- changing in place ----

  /** Overwrites the value of an entry with the int encoding. */
  storeInteger(entry: Ref, n: number, text?: Slice): void {
    const seg = this.arena.segment(entry)
    const payload = payloadAt(seg.u8, seg.dv, this.arena.at(entry))
    if (Number.isFinite(n)) {
      const high = Math.floor(n / TWO_32)
      seg.dv.setUint32(payload, n - high * TWO_32, true)
      seg.dv.setInt32(payload + 4, high, true)
    } else seg.dv.setBigInt64(payload, parseBigInt64(text!), true)
  }

  /**
   * Resizes the string of a key to `len` bytes for writing in place: raw encoding, old bytes preserved, new ones zero,
   * spare capacity. A missing key (entry 0) is created. Returns the entry; textOf() then points at the bytes.
   */
  resize(db: Database, key: Slice, entry: Ref, len: number): Ref {
    const { arena } = this
    this.space.mutations++
    if (entry === 0) {
      const fresh = db.addEntry(key, TYPE_STRING, ENC_RAW, EXTERNAL_BYTES, -1)
      return this.refer(fresh, arena.alloc(len), 0, len)
    }
    const seg = arena.segment(entry)
    const at = arena.at(entry)
    if ((seg.u8[at + 1] & EXTERNAL) !== 0) {
      const payload = payloadAt(seg.u8, seg.dv, at)
      const old = seg.dv.getUint32(payload, true)
      const oldLen = seg.dv.getUint32(payload + 4, true)
      if (len === oldLen) return entry
      if (len <= arena.sizeOf(old)) return this.refer(entry, old, oldLen, len)
      return this.refer(entry, arena.realloc(old, growthCapacity(len), oldLen), oldLen, len)
    }
    const value = this.textOf(entry, this.slice)
    const oldLen = value.len
    const bytes = arena.alloc(oldLen === len ? len : growthCapacity(len))
    const to = arena.segment(bytes)
    copyBytes(to.u8, to.dv, arena.at(bytes), value.u8, value.dv, value.off, Math.min(oldLen, len))
    const expiry = this.entries.exactExpiryOf(entry)
    const fresh = db.rewriteEntry(key, entry, TYPE_STRING, ENC_RAW, EXTERNAL_BYTES, expiry)
    return this.refer(fresh, bytes, oldLen, len)
  }

  /** Makes the entry refer to a string of `len` bytes at `bytes`; those past `oldLen` become zero. */
  private refer(entry: Ref, bytes: Ref, oldLen: number, len: number): Ref {
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    seg.u8[at] = (TYPE_STRING << 4) | ENC_RAW
    seg.u8[at + 1] |= EXTERNAL
    const payload = payloadAt(seg.u8, seg.dv, at)
    seg.dv.setUint32(payload, bytes, true)
    seg.dv.setUint32(payload + 4, len, true)
    if (len > oldLen) {
      const from = this.arena.at(bytes)
      this.arena.u8(bytes).fill(0, from + oldLen, from + len)
    }
    return entry
  }

  // ---- the allocation of an EXTERNAL string ----

  freeEffort(): number {
    return 1
  }

  freeStep(_encoding: number, value: Ref): boolean {
    this.arena.free(value)
    return true
  }

  copy(_encoding: number, value: Ref): Ref {
    return this.arena.duplicate(value)
  }

  memory(_encoding: number, value: Ref): number {
    return this.arena.sizeOf(value)
  }

  relocatePart(_encoding: number, value: Ref, cursor: RelocationCursor): Ref {
    cursor.done = true
    return this.arena.relocate(value)
  }

  digest(_entries: Entries, entry: Ref, into: Digest): void {
    into.mixSlice(this.textOf(entry, new Slice()))
  }
}

/** Capacity for a string that grows to `len` bytes. */
function growthCapacity(len: number): number {
  return len + Math.min(len, GROWTH_BYTES_MAX)
}
