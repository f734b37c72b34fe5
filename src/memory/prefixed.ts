// Length-prefixed bytes: keys, fields, members and short strings in entries.
//
//   [ length u8 ][ bytes ]           up to 254 bytes
//   [ 255 ][ length u32 ][ bytes ]   longer ones
//
// Offsets are in the segment of `u8` and `dv`. HashTable.find compares keys in this form with its own, faster code.

import { copyBytes } from '../lib/bytes.ts'
import type { Slice } from '../lib/slice.ts'

/** The first byte of a long prefix. */
const LONG = 255
const LONG_PREFIX_BYTES = 5

/** Size of `len` bytes with their prefix. */
export function prefixedBytes(len: number): number {
  return (len < LONG ? 1 : LONG_PREFIX_BYTES) + len
}

/** Writes the prefix alone; returns the offset after it. */
function writePrefix(u8: Uint8Array, dv: DataView, at: number, len: number): number {
  if (len < LONG) {
    u8[at] = len
    return at + 1
  }
  u8[at] = LONG
  dv.setUint32(at + 1, len, true)
  return at + LONG_PREFIX_BYTES
}

/** Writes the bytes of `s` with their prefix; returns the offset after them. */
export function writePrefixed(u8: Uint8Array, dv: DataView, at: number, s: Slice): number {
  const bytesAt = writePrefix(u8, dv, at, s.len)
  copyBytes(u8, dv, bytesAt, s.u8, s.dv, s.off, s.len)
  return bytesAt + s.len
}

/** Length of the bytes whose prefix is at `at`. */
export function prefixedLength(u8: Uint8Array, dv: DataView, at: number): number {
  const len = u8[at]
  return len === LONG ? dv.getUint32(at + 1, true) : len
}

/** Offset after the bytes whose prefix is at `at`. */
export function prefixedEnd(u8: Uint8Array, dv: DataView, at: number): number {
  const len = u8[at]
  return len === LONG ? at + LONG_PREFIX_BYTES + dv.getUint32(at + 1, true) : at + 1 + len
}

/** Points `out` at the bytes whose prefix is at `at`. */
export function readPrefixed(u8: Uint8Array, dv: DataView, at: number, out: Slice): Slice {
  const len = u8[at]
  if (len === LONG) return out.set(u8, dv, at + LONG_PREFIX_BYTES, dv.getUint32(at + 1, true))
  return out.set(u8, dv, at + 1, len)
}
