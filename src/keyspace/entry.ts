// Entry: one key with its value, access time and expiry, as one allocation of the arena.
//
//   0        type << 4 | encoding: four bits each (value-type.ts)
//   1        flags
//   2..4     access time u24 (LRU clock, or LFU minutes u16 and counter u8), little-endian
//   5        key, prefixed with its length (memory/prefixed.ts)
//            expiry, milliseconds since 1970 (lib/long-field.ts), if HAS_EXPIRY
//            payload:
//              int       i64 as low u32, high i32
//              string    the bytes, prefixed with their length; if EXTERNAL instead: ref u32, length u32
//              others    ref u32 of the value
//              COLD      a place: segment u32, offset u32, bytes u32 of the value's record in the value log (storage/)
//            place, if CLEAN
//
// Always: the keyspace's tables find keys at KEY_AT; EXTERNAL is set on strings only; COLD and CLEAN never both.

import { type Long, readLong, readRounded } from '../lib/long-field.ts'
import type { Slice } from '../lib/slice.ts'
import type { Arena, Ref } from '../memory/arena.ts'
import { prefixedBytes, prefixedEnd, readPrefixed } from '../memory/prefixed.ts'

export const KEY_AT = 5
export const HAS_EXPIRY = 1
export const EXTERNAL = 2
/** Equals the keyspace's snapshot epoch when the running (or last) snapshot has saved this entry. */
export const EPOCH = 4
/** The value is on disk: the payload says where. Type, encoding, expiry and access time are here. */
export const COLD = 8
/** The value is in memory, and on disk as it is in memory: the place follows the payload. Any change clears it. */
export const CLEAN = 16
/** The index of keys on disk has this entry as it is (storage/index-changes.ts). Any change clears it. */
export const INDEXED = 32

/** Longer strings have an allocation of their own. */
export const INLINE_BYTES_MAX = 512

export function entryType(arena: Arena, entry: Ref): number {
  return arena.u8(entry)[arena.at(entry)] >>> 4
}

export function entryEncoding(arena: Arena, entry: Ref): number {
  return arena.u8(entry)[arena.at(entry)] & 15
}

/** Byte offset, within the entry's segment, of the end of the key: where the expiry or the payload begins. */
export function keyEnd(u8: Uint8Array, dv: DataView, at: number): number {
  return prefixedEnd(u8, dv, at + KEY_AT)
}

/** Byte offset of the payload within the entry's segment. */
export function payloadAt(u8: Uint8Array, dv: DataView, at: number): number {
  const end = prefixedEnd(u8, dv, at + KEY_AT)
  return (u8[at + 1] & HAS_EXPIRY) !== 0 ? end + 8 : end
}

/** Bytes of an entry before its payload. */
export function headBytes(keyLen: number, withExpiry: boolean): number {
  return KEY_AT + prefixedBytes(keyLen) + (withExpiry ? 8 : 0)
}

/** Points `out` at the key. */
export function entryKey(arena: Arena, entry: Ref, out: Slice): Slice {
  const seg = arena.segment(entry)
  return readPrefixed(seg.u8, seg.dv, arena.at(entry) + KEY_AT, out)
}

/** Milliseconds since 1970 at which the entry expires, or -1; rounded beyond 2^53. */
export function entryExpiry(arena: Arena, entry: Ref): number {
  const seg = arena.segment(entry)
  const at = arena.at(entry)
  return (seg.u8[at + 1] & HAS_EXPIRY) === 0 ? -1 : readRounded(seg.dv, keyEnd(seg.u8, seg.dv, at))
}

/** entryExpiry(), exact. */
export function exactEntryExpiry(arena: Arena, entry: Ref): Long {
  const seg = arena.segment(entry)
  const at = arena.at(entry)
  return (seg.u8[at + 1] & HAS_EXPIRY) === 0 ? -1 : readLong(seg.dv, keyEnd(seg.u8, seg.dv, at))
}

/** Access times count seconds in 24 bits. */
export const LRU_CLOCK_MASK = 0xffffff
