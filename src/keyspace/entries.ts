// Entries: reads and changes fields of a given entry in place: access time, expiry, reference to the value. One object
// serves all databases; the key space itself is Database's, strings are StringType's.
//
// Always: no entry is allocated or moved here, and no table is accessed.

import type { Long } from '../lib/long-field.ts'
import type { Slice } from '../lib/slice.ts'
import type { Arena, Ref } from '../memory/arena.ts'
import { prefixedBytes, prefixedLength } from '../memory/prefixed.ts'
import type { ColdValues } from './cold.ts'
import {
  CLEAN,
  COLD,
  EXTERNAL,
  entryEncoding,
  entryExpiry,
  entryKey,
  entryType,
  exactEntryExpiry,
  LRU_CLOCK_MASK,
  payloadAt,
} from './entry.ts'
import { FoundAhead } from './found-ahead.ts'
import type { Keyspace } from './keyspace.ts'
import { LFU_INIT, lfuDecayed, lfuIncremented } from './lfu.ts'
import { ENC_INT, TYPE_STRING } from './types.ts'

/** Table memory of an entry, on average. */
const SLOT_BYTES = 8
const REF_BYTES = 4
const INT_OR_EXTERNAL_BYTES = 8
/** Where a record is in the value log. */
export const PLACE_BYTES = 12
/** Elements that an estimate of a value's memory looks at. */
export const MEMORY_SAMPLES = 5

export class Entries {
  private readonly space: Keyspace
  private readonly arena: Arena
  /** Values on disk; undefined: there are none. */
  cold: ColdValues | undefined
  readonly ahead: FoundAhead

  constructor(space: Keyspace) {
    this.space = space
    this.arena = space.arena
    this.ahead = new FoundAhead(space)
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

  /** Milliseconds since 1970, or -1 for a key without expiry; rounded beyond 2^53. */
  expiryOf(entry: Ref): number {
    return entryExpiry(this.arena, entry)
  }

  /** expiryOf(), exact. */
  exactExpiryOf(entry: Ref): Long {
    return exactEntryExpiry(this.arena, entry)
  }

  /** True when the entry has an expiry that lies in the past. */
  isDue(entry: Ref): boolean {
    const when = entryExpiry(this.arena, entry)
    return when >= 0 && when <= this.space.nowMs && !this.space.expiryPaused
  }

  /** Bytes of a key, its value and its table slots. */
  memoryOf(entry: Ref, samples = MEMORY_SAMPLES): number {
    const bytes = this.arena.sizeOf(entry) + SLOT_BYTES
    if (!this.hasRef(entry)) return bytes
    const type = this.space.types.of(this.typeOf(entry))
    return bytes + type.memory(this.encodingOf(entry), this.valueOf(entry), samples)
  }

  // ---- access time ----

  /** The raw 24 bits of access time. */
  accessOf(entry: Ref): number {
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    return seg.dv.getUint32(at + 1, true) >>> 8
  }

  setAccess(entry: Ref, bits: number): void {
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    seg.u8[at + 2] = bits
    seg.u8[at + 3] = bits >>> 8
    seg.u8[at + 4] = bits >>> 16
  }

  /** Updates the access time (LRU) or the counter (LFU). */
  touch(entry: Ref): void {
    const space = this.space
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    if (!space.lfu) {
      if (space.lrm) return
      seg.dv.setUint16(at + 2, space.lruClock, true)
      seg.u8[at + 4] = space.lruClock >>> 16
      return
    }
    const minutes = Math.floor(space.nowMs / 60000) & 0xffff
    const counter = lfuDecayed(seg.u8[at + 2], seg.dv.getUint16(at + 3, true), minutes, space.lfuDecayMinutes)
    seg.u8[at + 2] = lfuIncremented(counter, space.lfuLogFactor, space.random())
    seg.dv.setUint16(at + 3, minutes, true)
  }

  /** Seconds since the last access, under LRU. */
  idleSecondsOf(entry: Ref): number {
    return (this.space.lruClock - this.accessOf(entry)) & LRU_CLOCK_MASK
  }

  /** The counter as it has decayed by now, under LFU. */
  frequencyOf(entry: Ref): number {
    const { space } = this
    const access = this.accessOf(entry)
    return lfuDecayed(access & 0xff, access >>> 8, Math.floor(space.nowMs / 60000) & 0xffff, space.lfuDecayMinutes)
  }

  /** The access bits that an entry passes on to its replacement, under LFU. */
  countedAccess(entry: Ref): number {
    if (!this.space.clientNoTouch) this.touch(entry)
    return this.accessOf(entry)
  }

  /** Sets the access bits of a new entry at `at`. */
  stamp(u8: Uint8Array, dv: DataView, at: number): void {
    const space = this.space
    if (!space.lfu) {
      dv.setUint16(at + 2, space.lruClock, true)
      u8[at + 4] = space.lruClock >>> 16
      return
    }
    u8[at + 2] = LFU_INIT
    dv.setUint16(at + 3, Math.floor(space.nowMs / 60000) & 0xffff, true)
  }

  // ---- values ----

  /** The value that an entry refers to. */
  valueOf(entry: Ref): Ref {
    const seg = this.arena.segment(entry)
    return seg.dv.getUint32(payloadAt(seg.u8, seg.dv, this.arena.at(entry)), true)
  }

  /** Sets a value that has moved or changed its encoding. */
  setValue(entry: Ref, encoding: number, value: Ref): void {
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    seg.u8[at] = (seg.u8[at] & 0xf0) | encoding
    seg.dv.setUint32(payloadAt(seg.u8, seg.dv, at), value, true)
  }

  // ---- payload ----

  /** Whether the payload refers to another allocation, as all but short strings do. */
  hasRef(entry: Ref): boolean {
    const u8 = this.arena.u8(entry)
    const at = this.arena.at(entry)
    if ((u8[at + 1] & COLD) !== 0) return false
    return u8[at] >>> 4 !== TYPE_STRING || (u8[at + 1] & EXTERNAL) !== 0
  }

  /** Whether the value is on disk. */
  isCold(entry: Ref): boolean {
    return (this.arena.u8(entry)[this.arena.at(entry) + 1] & COLD) !== 0
  }

  /** Whether the value is on disk, and perhaps in memory as well. */
  hasPlace(entry: Ref): boolean {
    return (this.arena.u8(entry)[this.arena.at(entry) + 1] & (COLD | CLEAN)) !== 0
  }

  /** Bytes of the payload. */
  payloadBytes(entry: Ref): number {
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    if ((seg.u8[at + 1] & COLD) !== 0) return PLACE_BYTES
    if (seg.u8[at] >>> 4 !== TYPE_STRING) return REF_BYTES
    if ((seg.u8[at] & 15) === ENC_INT || (seg.u8[at + 1] & EXTERNAL) !== 0) return INT_OR_EXTERNAL_BYTES
    return prefixedBytes(prefixedLength(seg.u8, seg.dv, payloadAt(seg.u8, seg.dv, at)))
  }

  /** Bytes of the payload and of what follows it. */
  tailBytes(entry: Ref): number {
    const isClean = (this.arena.u8(entry)[this.arena.at(entry) + 1] & CLEAN) !== 0
    return this.payloadBytes(entry) + (isClean ? PLACE_BYTES : 0)
  }

  /** The value is about to change: what is on disk is no longer it. */
  soil(entry: Ref): void {
    const u8 = this.arena.u8(entry)
    const at = this.arena.at(entry) + 1
    if ((u8[at] & CLEAN) === 0) return
    this.cold!.release(entry)
    u8[at] &= ~CLEAN
  }

  /** Why an entry cannot be copied; asked right before it is. */
  refusesCopy(entry: Ref): string | undefined {
    return this.space.types.of(this.typeOf(entry)).refusesCopy?.(this.encodingOf(entry), this.valueOf(entry))
  }

  /** Copies the payload of `from` to `to`, which is large enough, and deeply what it refers to. */
  copyPayload(from: Ref, to: Ref): void {
    const source = this.arena.segment(from)
    const target = this.arena.segment(to)
    const at = this.arena.at(from)
    const toAt = this.arena.at(to)
    const payload = payloadAt(source.u8, source.dv, at)
    const toPayload = payloadAt(target.u8, target.dv, toAt)
    this.arena.copy(to, toPayload - toAt, from, payload - at, this.payloadBytes(from))
    if (!this.hasRef(from)) return
    const type = this.space.types.of(source.u8[at] >>> 4)
    const value = type.copy(source.u8[at] & 15, source.dv.getUint32(payload, true))
    target.u8[toAt + 1] |= source.u8[at + 1] & EXTERNAL
    target.dv.setUint32(toPayload, value, true)
  }

  /** Frees an entry that is in no table, and its value. */
  freeEntry(entry: Ref): void {
    this.freePayload(entry)
    this.arena.free(entry)
  }

  /** Frees the allocation that the payload refers to. */
  freePayload(entry: Ref): void {
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    const marks = seg.u8[at + 1]
    if ((marks & (COLD | CLEAN)) !== 0) this.cold!.release(entry)
    if ((marks & COLD) !== 0) return
    const type = seg.u8[at] >>> 4
    if (type === TYPE_STRING && (seg.u8[at + 1] & EXTERNAL) === 0) return
    this.space.freeValue(type, seg.u8[at] & 15, seg.dv.getUint32(payloadAt(seg.u8, seg.dv, at), true))
  }
}
