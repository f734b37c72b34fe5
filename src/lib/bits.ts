// Bit operations on byte strings in Redis's numbering: bit 0 is the highest of the first byte.
//
//   byte   |    0    |    1    |
//   bit     0 1 … 7   8 9 … 15
//
// Always: ranges are [from, to); a DataView passed with a Uint8Array covers the same bytes.

/** From so many bytes on a view of their words is worth making. */
const VIEW_BYTES_MIN = 256
const BLOCK_WORDS = 16
/** So many equal bytes are skipped at a time, by the runtime. */
const SKIP_BYTES = 8 * 1024
/** Buffer's compare accepts any Uint8Array. Other runtimes have none. */
const native = (globalThis as { Buffer?: { prototype: CompareMethod } }).Buffer?.prototype
interface CompareMethod {
  compare(this: Uint8Array, other: Uint8Array, otherFrom: number, otherTo: number, from: number, to: number): number
}

/** Ones in the bytes [from, to). */
export function countBytes(u8: Uint8Array, dv: DataView, from: number, to: number): number {
  let count = 0
  let at = from
  if (to - from >= VIEW_BYTES_MIN) {
    for (; ((u8.byteOffset + at) & 3) !== 0; at++) count += onesOf(u8[at])
    const words = ((to - at) >>> 2) & -BLOCK_WORDS
    count += countBlocks(new Int32Array(u8.buffer, u8.byteOffset + at, words))
    at += words * 4
  }
  for (; at + 4 <= to; at += 4) count += onesOf(dv.getInt32(at, true))
  for (; at < to; at++) count += onesOf(u8[at])
  return count
}

/**
 * Ones in whole blocks of words. Carry-save adders (Harley and Seal): the words of a block are added bit by bit to sums
 * of ones, twos, fours and eights, and only what carries out of them, the sixteens, is counted.
 */
function countBlocks(words: Int32Array): number {
  let sixteens = 0
  let s1 = 0
  let s2 = 0
  let s4 = 0
  let s8 = 0
  for (let i = 0; i < words.length; i += BLOCK_WORDS) {
    let eights = 0
    // The two halves of a block; what carries out of the first is kept for the second.
    for (let half = i; half < i + BLOCK_WORDS; half += 8) {
      let x = words[half]
      let y = words[half + 1]
      let u = s1 ^ x
      const twosA = (s1 & x) | (u & y)
      s1 = u ^ y
      x = words[half + 2]
      y = words[half + 3]
      u = s1 ^ x
      const twosB = (s1 & x) | (u & y)
      s1 = u ^ y
      u = s2 ^ twosA
      const foursA = (s2 & twosA) | (u & twosB)
      s2 = u ^ twosB
      x = words[half + 4]
      y = words[half + 5]
      u = s1 ^ x
      const twosC = (s1 & x) | (u & y)
      s1 = u ^ y
      x = words[half + 6]
      y = words[half + 7]
      u = s1 ^ x
      const twosD = (s1 & x) | (u & y)
      s1 = u ^ y
      u = s2 ^ twosC
      const foursB = (s2 & twosC) | (u & twosD)
      s2 = u ^ twosD
      u = s4 ^ foursA
      const carried = (s4 & foursA) | (u & foursB)
      s4 = u ^ foursB
      if (half === i) eights = carried
      else {
        u = s8 ^ eights
        sixteens += onesOf((s8 & eights) | (u & carried))
        s8 = u ^ carried
      }
    }
  }
  return sixteens * 16 + onesOf(s8) * 8 + onesOf(s4) * 4 + onesOf(s2) * 2 + onesOf(s1)
}

/** The number of ones in a word. */
function onesOf(word: number): number {
  return Math.imul(ones(word), 0x01010101) >>> 24
}

/** The number of ones in each byte of a word. */
function ones(word: number): number {
  word -= (word >>> 1) & 0x55555555
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
  return (word + (word >>> 4)) & 0x0f0f0f0f
}

/** Ones in the bits [from, to). */
export function countBits(u8: Uint8Array, dv: DataView, base: number, from: number, to: number): number {
  if (from >= to) return 0
  const first = base + Math.floor(from / 8)
  const last = base + Math.floor((to - 1) / 8)
  const outside = u8[first] & ~(0xff >>> (from & 7))
  const behind = u8[last] & (0x7f >>> ((to - 1) & 7))
  return countBytes(u8, dv, first, last + 1) - onesOf(outside) - onesOf(behind)
}

/** The first bit in [from, to) that equals `bit`, counted from byte `base`; -1: there is none. */
export function findBit(u8: Uint8Array, dv: DataView, base: number, from: number, to: number, bit: number): number {
  const flip = bit === 1 ? 0 : 0xff
  let at = base + Math.floor(from / 8)
  const end = base + Math.ceil(to / 8)
  if (at >= end || from >= to) return -1
  // Bits before the range are set to the value that is not searched for.
  let byte = (u8[at] ^ flip) & (0xff >>> (from & 7))
  if (byte === 0) {
    at++
    const skipped = bit === 1 ? 0 : -1
    if (native !== undefined && end - at >= SKIP_BYTES) at = skipLong(native.compare, u8, dv, at, end, skipped)
    at = skipBlocks(dv, at, end, skipped)
    while (at + 4 <= end && dv.getInt32(at, true) === skipped) at += 4
    while (at < end && (byte = u8[at] ^ flip) === 0) at++
    if (at === end) return -1
  }
  const found = (at - base) * 8 + Math.clz32(byte) - 24
  return found < to ? found : -1
}

/** The first of the blocks of SKIP_BYTES from `at` on with a byte other than `skipped`, or what is left behind them. */
function skipLong(
  compare: CompareMethod['compare'],
  u8: Uint8Array,
  dv: DataView,
  at: number,
  end: number,
  skipped: number,
): number {
  // The others are compared with the first one.
  const first = skipBlocks(dv, at, at + SKIP_BYTES, skipped)
  if (first < at + SKIP_BYTES) return first
  let next = first
  while (next + SKIP_BYTES <= end && compare.call(u8, u8, at, first, next, next + SKIP_BYTES) === 0) next += SKIP_BYTES
  return next
}

/** The first of the 32-byte blocks from `at` on with a word other than `skipped`, or what is left behind them. */
function skipBlocks(dv: DataView, at: number, end: number, skipped: number): number {
  for (; at + 32 <= end; at += 32) {
    const differ =
      (dv.getInt32(at, true) ^ skipped) |
      (dv.getInt32(at + 4, true) ^ skipped) |
      (dv.getInt32(at + 8, true) ^ skipped) |
      (dv.getInt32(at + 12, true) ^ skipped) |
      (dv.getInt32(at + 16, true) ^ skipped) |
      (dv.getInt32(at + 20, true) ^ skipped) |
      (dv.getInt32(at + 24, true) ^ skipped) |
      (dv.getInt32(at + 28, true) ^ skipped)
    if (differ !== 0) return at
  }
  return at
}

/** The unsigned number in `count` (at most 52) bits from bit `from` on; bytes from `end` on read as zero. */
export function readBits(u8: Uint8Array, base: number, end: number, from: number, count: number): number {
  let at = base + Math.floor(from / 8)
  let have = 8 - (from & 7)
  let value = 0
  while (count > 0) {
    const take = Math.min(have, count)
    const byte = at < end ? u8[at] : 0
    value = value * (1 << take) + ((byte >>> (have - take)) & ((1 << take) - 1))
    count -= take
    have = 8
    at++
  }
  return value
}

/** Writes the low `count` (at most 52) bits of an unsigned number from bit `from` on. */
export function writeBits(u8: Uint8Array, base: number, from: number, count: number, value: number): void {
  const last = from + count
  let at = base + Math.floor((last - 1) / 8)
  let shift = 7 - ((last - 1) & 7)
  while (count > 0) {
    const take = Math.min(8 - shift, count)
    const span = 1 << take
    const rest = Math.floor(value / span)
    const mask = (span - 1) << shift
    u8[at] = (u8[at] & ~mask) | ((value - rest * span) << shift)
    value = rest
    count -= take
    shift = 0
    at--
  }
}

/** The bits of an unsigned 32-bit integer in reverse order, as an unsigned integer. */
export function reverseBits(v: number): number {
  v = ((v >>> 1) & 0x55555555) | ((v & 0x55555555) << 1)
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2)
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4)
  v = ((v >>> 8) & 0x00ff00ff) | ((v & 0x00ff00ff) << 8)
  return ((v >>> 16) | (v << 16)) >>> 0
}

/** 2^32. */
export const TWO_32 = 0x100000000
/** The largest signed 32-bit integer. */
export const INT_MAX = 0x7fffffff
