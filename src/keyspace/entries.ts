// Entries: what stands in an entry that is at hand, read and changed in place: access time, string, reference to a
// collection. Which key has which entry is for Database to know.
//
// Always: no entry is made or moved here, and no table is looked at.

import { parseBigInt64, parseInt64, writeBigInt, writeInt } from '../lib/number.ts'
import { Slice } from '../lib/slice.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from '../memory/arena.ts'
import { EXTERNAL, entryEncoding, entryExpiry, entryKey, entryType, payloadAt } from './entry.ts'
import type { Keyspace } from './keyspace.ts'
import { LFU_INIT, lfuDecayed, lfuIncremented } from './lfu.ts'
import { ENC_INT, ENC_RAW, TYPE_STRING } from './types.ts'

export class Entries {
  protected readonly space: Keyspace
  protected readonly arena: Arena
  protected readonly slice = new Slice()
  private readonly digits = new Slice(new Uint8Array(24), 0, 0)

  constructor(space: Keyspace) {
    this.space = space
    this.arena = space.arena
  }

  typeOf(entry: Ref): number {
    return entryType(this.arena, entry)
  }

  encodingOf(entry: Ref): number {
    return entryEncoding(this.arena, entry)
  }

  keyOf(entry: Ref, out: Slice): Slice {
    return entryKey(this.arena, entry, out)
  }

  /** Milliseconds since 1970, or -1 for a key without expiry. */
  expiryOf(entry: Ref): number {
    return entryExpiry(this.arena, entry)
  }

  /** True when the entry has an expiry that lies in the past. */
  isDue(entry: Ref): boolean {
    const when = entryExpiry(this.arena, entry)
    return when >= 0 && when <= this.space.nowMs && !this.space.expiryPaused
  }

  /** Bytes that a key, its value and its table slots take. */
  memoryOf(entry: Ref, samples: number): number {
    const arena = this.arena
    const seg = arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    let bytes = arena.sizeOf(entry) + 8
    const type = seg.u8[at] >>> 4
    const payload = payloadAt(seg.u8, seg.dv, at)
    if ((seg.u8[at + 1] & EXTERNAL) !== 0) bytes += arena.sizeOf(seg.dv.getUint32(payload, true))
    else if (type !== TYPE_STRING) {
      bytes += this.space.kinds[type]?.memory(seg.u8[at] & 15, seg.dv.getUint32(payload, true), samples) ?? 0
    }
    return bytes
  }

  // ---- access time ----

  /** The raw 24 bits of access time. */
  accessOf(entry: Ref): number {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    return seg.u8[at + 2] | (seg.u8[at + 3] << 8) | (seg.u8[at + 4] << 16)
  }

  setAccess(entry: Ref, bits: number): void {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    seg.u8[at + 2] = bits
    seg.u8[at + 3] = bits >>> 8
    seg.u8[at + 4] = bits >>> 16
  }

  /** Notes that the key was used. */
  touch(entry: Ref): void {
    const space = this.space
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    if (!space.lfu) {
      seg.dv.setUint16(at + 2, space.lruClock, true)
      seg.u8[at + 4] = space.lruClock >>> 16
      return
    }
    const minutes = Math.floor(space.nowMs / 60000) & 0xffff
    const counter = lfuDecayed(seg.u8[at + 2], seg.dv.getUint16(at + 3, true), minutes, space.lfuDecayMinutes)
    seg.u8[at + 2] = lfuIncremented(counter, space.lfuLogFactor, space.random())
    seg.dv.setUint16(at + 3, minutes, true)
  }

  /** The access bits that an entry leaves to the one that takes its place, when accesses are counted. */
  protected countedAccess(entry: Ref): number {
    if (!this.space.noTouch) this.touch(entry)
    return this.accessOf(entry)
  }

  /** Sets the access bits of a new entry at `at`. */
  protected stamp(u8: Uint8Array, dv: DataView, at: number): void {
    const space = this.space
    if (!space.lfu) {
      dv.setUint16(at + 2, space.lruClock, true)
      u8[at + 4] = space.lruClock >>> 16
      return
    }
    u8[at + 2] = LFU_INIT
    dv.setUint16(at + 3, Math.floor(space.nowMs / 60000) & 0xffff, true)
  }

  // ---- strings ----

  /** Points `out` at the bytes of a string value; an integer is written out, and stays until the next call. */
  stringOf(entry: Ref, out: Slice): Slice {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const u8 = seg.u8
    const dv = seg.dv
    const at = (entry & GRANULE_MASK) << 4
    const payload = payloadAt(u8, dv, at)
    if ((u8[at] & 15) === ENC_INT) {
      const d = this.digits
      const high = dv.getInt32(payload + 4, true)
      if (high >= -0x200000 && high < 0x200000) {
        d.len = writeInt(d.u8, 0, high * 0x100000000 + dv.getUint32(payload, true))
      } else d.len = writeBigInt(d.u8, 0, dv.getBigInt64(payload, true))
      return out.set(d.u8, d.dv, 0, d.len)
    }
    if ((u8[at + 1] & EXTERNAL) !== 0) {
      const ref = dv.getUint32(payload, true)
      const value = this.arena.segments[ref >>> SEGMENT_SHIFT]
      return out.set(value.u8, value.dv, (ref & GRANULE_MASK) << 4, dv.getUint32(payload + 4, true))
    }
    const len = u8[payload]
    if (len === 255) return out.set(u8, dv, payload + 5, dv.getUint32(payload + 1, true))
    return out.set(u8, dv, payload + 1, len)
  }

  /** Length of a string value in bytes. */
  stringLength(entry: Ref): number {
    return this.stringOf(entry, this.slice).len
  }

  /**
   * The integer that a string value spells: NaN when none, ±Infinity when it fits 64 bits but not 53 (then
   * bigIntOf() tells it).
   */
  integerOf(entry: Ref): number {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    if ((seg.u8[at] & 15) !== ENC_INT) return parseInt64(this.stringOf(entry, this.slice))
    const payload = payloadAt(seg.u8, seg.dv, at)
    const high = seg.dv.getInt32(payload + 4, true)
    if (high >= -0x200000 && high < 0x200000) return high * 0x100000000 + seg.dv.getUint32(payload, true)
    return high < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }

  bigIntOf(entry: Ref): bigint {
    return parseBigInt64(this.stringOf(entry, this.slice))
  }

  /** Overwrites the value of an entry that has the int encoding. */
  storeInteger(entry: Ref, n: number, text?: Slice): void {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    const payload = payloadAt(seg.u8, seg.dv, at)
    if (Number.isFinite(n)) {
      const high = Math.floor(n / 0x100000000)
      seg.dv.setUint32(payload, n - high * 0x100000000, true)
      seg.dv.setInt32(payload + 4, high, true)
    } else seg.dv.setBigInt64(payload, parseBigInt64(text!), true)
  }

  /** Makes the entry refer to a string of `len` bytes at `bytes`; those past `oldLen` become zero. */
  protected storeExternal(entry: Ref, bytes: Ref, oldLen: number, len: number): Ref {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
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

  // ---- collections ----

  /** The collection an entry holds. */
  valueOf(entry: Ref): Ref {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    return seg.dv.getUint32(payloadAt(seg.u8, seg.dv, (entry & GRANULE_MASK) << 4), true)
  }

  /** The collection has moved or changed its encoding. */
  setValue(entry: Ref, encoding: number, value: Ref): void {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    seg.u8[at] = (seg.u8[at] & 0xf0) | encoding
    seg.dv.setUint32(payloadAt(seg.u8, seg.dv, at), value, true)
  }

  // ---- payload ----

  /** Bytes of the payload that begins at `payload`. */
  protected payloadBytes(entry: Ref, payload: number): number {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    if (seg.u8[at] >>> 4 !== TYPE_STRING) return 4
    if ((seg.u8[at] & 15) === ENC_INT || (seg.u8[at + 1] & EXTERNAL) !== 0) return 8
    const len = seg.u8[payload]
    return len === 255 ? 5 + seg.dv.getUint32(payload + 1, true) : 1 + len
  }

  /** Frees an entry that is in no table, and its value. */
  freeEntry(entry: Ref): void {
    this.freePayload(entry)
    this.arena.free(entry)
  }

  /** Frees what the payload refers to. */
  protected freePayload(entry: Ref): void {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const at = (entry & GRANULE_MASK) << 4
    const type = seg.u8[at] >>> 4
    if (type === TYPE_STRING && (seg.u8[at + 1] & EXTERNAL) === 0) return
    this.space.freeValue(type, seg.u8[at] & 15, seg.dv.getUint32(payloadAt(seg.u8, seg.dv, at), true))
  }
}
