// Entry: one key with its value, its access time and its expiry, as one allocation of the arena.
//
//   0        type << 4 | encoding
//   1        flags
//   2..4     access time u24 (LRU clock, or LFU minutes u16 and counter u8), little-endian
//   5        key length u8, or 255 and u32
//            key
//            expiry f64, milliseconds since 1970, if HAS_EXPIRY
//            payload:
//              int       i64 as low u32, high i32
//              string    length u8, or 255 and u32, then the bytes; if EXTERNAL instead: ref u32, length u32
//              others    ref u32 of the collection
//
// Always: the keyspace's tables find keys at KEY_AT; EXTERNAL is set on strings only.

import type { Slice } from '../lib/slice.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from '../memory/arena.ts'

export const KEY_AT = 5
export const HAS_EXPIRY = 1
export const EXTERNAL = 2
/** Equals the keyspace's snapshot epoch when the running (or last) snapshot is done with this entry. */
export const EPOCH = 4

/** Strings longer than this live in an allocation of their own. */
export const INLINE_BYTES_MAX = 512

export function entryType(arena: Arena, entry: Ref): number {
  return arena.segments[entry >>> SEGMENT_SHIFT].u8[(entry & GRANULE_MASK) << 4] >>> 4
}

export function entryEncoding(arena: Arena, entry: Ref): number {
  return arena.segments[entry >>> SEGMENT_SHIFT].u8[(entry & GRANULE_MASK) << 4] & 15
}

/** Byte offset, within the entry's segment, of the end of the key: where the expiry or the payload begins. */
export function keyEnd(u8: Uint8Array, dv: DataView, at: number): number {
  const len = u8[at + KEY_AT]
  return len === 255 ? at + KEY_AT + 5 + dv.getUint32(at + KEY_AT + 1, true) : at + KEY_AT + 1 + len
}

/** Byte offset of the payload within the entry's segment. */
export function payloadAt(u8: Uint8Array, dv: DataView, at: number): number {
  const end = keyEnd(u8, dv, at)
  return (u8[at + 1] & HAS_EXPIRY) !== 0 ? end + 8 : end
}

/** Bytes of an entry before its payload. */
export function headBytes(keyLen: number, withExpiry: boolean): number {
  return KEY_AT + (keyLen < 255 ? 1 : 5) + keyLen + (withExpiry ? 8 : 0)
}

/** Bytes that the length of an inline string takes. */
export function lengthBytes(len: number): number {
  return len < 255 ? 1 : 5
}

/** Writes a length as u8, or 255 and u32; returns the offset behind it. */
export function writeLength(u8: Uint8Array, dv: DataView, at: number, len: number): number {
  if (len < 255) {
    u8[at] = len
    return at + 1
  }
  u8[at] = 255
  dv.setUint32(at + 1, len, true)
  return at + 5
}

/** Points `out` at the key. */
export function entryKey(arena: Arena, entry: Ref, out: Slice): Slice {
  const seg = arena.segments[entry >>> SEGMENT_SHIFT]
  const at = (entry & GRANULE_MASK) << 4
  const len = seg.u8[at + KEY_AT]
  if (len === 255) return out.set(seg.u8, seg.dv, at + KEY_AT + 5, seg.dv.getUint32(at + KEY_AT + 1, true))
  return out.set(seg.u8, seg.dv, at + KEY_AT + 1, len)
}

/** Milliseconds since 1970 at which the entry expires, or -1. */
export function entryExpiry(arena: Arena, entry: Ref): number {
  const seg = arena.segments[entry >>> SEGMENT_SHIFT]
  const at = (entry & GRANULE_MASK) << 4
  return (seg.u8[at + 1] & HAS_EXPIRY) === 0 ? -1 : seg.dv.getFloat64(keyEnd(seg.u8, seg.dv, at), true)
}
