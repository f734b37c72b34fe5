// The listpack format: the encoding of elements in a listpack. Pure functions over a buffer.
//
//   listpack   total bytes u32 | elements u16 (65535: count them) | element … | 0xff
//   element    [encoding and data][its length, readable backwards: 7 bits a byte, low bits last]
//
//     0xxxxxxx                    integer 0 … 127
//     10llllll bytes              string of up to 63 bytes
//     110xxxxx xxxxxxxx           integer of 13 bits
//     1110llll llllllll bytes     string of up to 4095 bytes
//     11110000 u32 bytes          longer string
//     11110001 i16, …0010 i24, …0011 i32, …0100 i64
//
// Everything is little-endian, except that a 12-bit length and a 13-bit integer have their high bits first.
// Source: Redis's listpack.c; RDB files and DUMP contain these bytes unchanged.

export const HEADER_BYTES = 6
export const COUNT_AT = 4
export const EOF = 0xff
/** In the header: more elements than u16 can count. */
export const COUNT_UNKNOWN = 0xffff

export const ENC_6BIT_STR = 0x80
export const ENC_13BIT_INT = 0xc0
export const ENC_12BIT_STR = 0xe0
export const ENC_32BIT_STR = 0xf0
export const ENC_16BIT_INT = 0xf1
export const ENC_24BIT_INT = 0xf2
export const ENC_32BIT_INT = 0xf3
export const ENC_64BIT_INT = 0xf4

/** Bytes of the element at `at` without its trailing length; 0 for an invalid encoding. */
export function encodedBytes(u8: Uint8Array, at: number): number {
  const b = u8[at]
  if (b < ENC_6BIT_STR) return 1
  if (b < ENC_13BIT_INT) return 1 + (b & 0x3f)
  if (b < ENC_12BIT_STR) return 2
  if (b < ENC_32BIT_STR) return 2 + (((b & 15) << 8) | u8[at + 1])
  if (b === ENC_32BIT_STR) return 5 + longLength(u8, at)
  if (b === ENC_16BIT_INT) return 3
  if (b === ENC_24BIT_INT) return 4
  if (b === ENC_32BIT_INT) return 5
  if (b === ENC_64BIT_INT) return 9
  return b === EOF ? 1 : 0
}

function longLength(u8: Uint8Array, at: number): number {
  return (u8[at + 1] | (u8[at + 2] << 8) | (u8[at + 3] << 16) | (u8[at + 4] << 24)) >>> 0
}

/** Bytes that the trailing length takes for an element of `len` encoded bytes. The bounds are Redis's, to the byte. */
export function backlenBytes(len: number): number {
  if (len <= 127) return 1
  if (len < 16383) return 2
  if (len < 2097151) return 3
  return len < 268435455 ? 4 : 5
}

/** Writes the trailing length; returns the offset after it. */
export function writeBacklen(u8: Uint8Array, at: number, len: number): number {
  if (len <= 127) {
    u8[at] = len
    return at + 1
  }
  const bytes = backlenBytes(len)
  for (let i = at + bytes - 1; i > at; i--) {
    u8[i] = (len & 127) | 128
    len = Math.floor(len / 128)
  }
  u8[at] = len
  return at + bytes
}

/** The trailing length whose last byte is at `last`, or -1 when it takes more than five bytes. */
function readBacklen(u8: Uint8Array, last: number): number {
  const b = u8[last]
  if (b < 128) return b
  let value = b & 127
  for (let i = 1, unit = 128; i < 5; i++, unit *= 128) {
    const c = u8[last - i]
    value += (c & 127) * unit
    if (c < 128) return value
  }
  return -1
}

/** Offset of the element after the one at `at`, or of the end byte. */
export function skip(u8: Uint8Array, at: number): number {
  const len = encodedBytes(u8, at)
  return at + len + (len <= 127 ? 1 : backlenBytes(len))
}

/** Offset of the element `count` after the one at `at`. */
export function skipElements(u8: Uint8Array, at: number, count: number): number {
  for (; count > 0; count--) {
    const first = u8[at] // of a short string, mostly
    at = first >= ENC_6BIT_STR && first < ENC_13BIT_INT ? at + (first & 0x3f) + 2 : skip(u8, at)
  }
  return at
}

/** Offset of the element before the one (or the end byte) at `at`, which is not the first. */
export function skipBack(u8: Uint8Array, at: number): number {
  const len = readBacklen(u8, at - 1)
  return at - len - (len <= 127 ? 1 : backlenBytes(len))
}

export function isString(u8: Uint8Array, at: number): boolean {
  const b = u8[at]
  return b >= ENC_6BIT_STR && (b < ENC_13BIT_INT || (b >= ENC_12BIT_STR && b <= ENC_32BIT_STR))
}

/** Bytes before the characters of a string element. */
export function stringHead(u8: Uint8Array, at: number): number {
  const b = u8[at]
  if (b < ENC_13BIT_INT) return 1
  return b < ENC_32BIT_STR ? 2 : 5
}

/** The integer at `at`; one of 64 bits that is beyond 2^53 is rounded. */
export function readInteger(u8: Uint8Array, dv: DataView, at: number): number {
  const b = u8[at]
  if (b < ENC_6BIT_STR) return b
  if (b < ENC_12BIT_STR) return ((((b & 31) << 8) | u8[at + 1]) << 19) >> 19
  if (b === ENC_16BIT_INT) return dv.getInt16(at + 1, true)
  if (b === ENC_24BIT_INT) return ((u8[at + 1] | (u8[at + 2] << 8) | (u8[at + 3] << 16)) << 8) >> 8
  if (b === ENC_32BIT_INT) return dv.getInt32(at + 1, true)
  return dv.getInt32(at + 5, true) * 0x100000000 + dv.getUint32(at + 1, true)
}

/**
 * Offset from `base`, where a listpack of `count` elements starts, of element `index` (negative: from the end), or
 * -1.
 */
export function seekIn(u8: Uint8Array, dv: DataView, base: number, index: number, count: number): number {
  if (index < 0) index += count
  if (index < 0 || index >= count) return -1
  let at: number
  if (index <= count >> 1) {
    at = skipElements(u8, base + HEADER_BYTES, index)
  } else {
    at = base + dv.getUint32(base, true) - 1
    for (let i = count - index; i > 0; i--) {
      const last = u8[at - 1]
      at = last < 128 ? at - last - 1 : skipBack(u8, at)
    }
  }
  return at - base
}

/** True when the bytes [off, off + len) are a listpack that every function here can traverse safely. */
export function isListpack(u8: Uint8Array, dv: DataView, off: number, len: number, deep = true): boolean {
  if (len < HEADER_BYTES + 1 || dv.getUint32(off, true) !== len || u8[off + len - 1] !== EOF) return false
  if (!deep) return true
  const last = off + len - 1
  let count = 0
  let at = off + HEADER_BYTES
  while (u8[at] !== EOF) {
    const lengthBytes = u8[at] === ENC_32BIT_STR ? 5 : u8[at] >= ENC_12BIT_STR && u8[at] < ENC_32BIT_STR ? 2 : 1
    if (at + lengthBytes > last) return false
    const encoded = encodedBytes(u8, at)
    if (encoded === 0) return false
    const next = at + encoded + backlenBytes(encoded)
    if (next > last || readBacklen(u8, next - 1) !== encoded) return false
    at = next
    count++
  }
  if (at !== last) return false
  const told = dv.getUint16(off + COUNT_AT, true)
  return told === COUNT_UNKNOWN || told === count
}
