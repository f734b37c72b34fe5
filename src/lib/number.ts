// Decimal numbers as Redis parses and formats them.
//
// Always: integers within ±(2^53 - 1) are JavaScript numbers; others of 64 bits are reported as ±Infinity and read as a
// bigint by the few commands that need them.

import { MINUS, PLUS, POINT, ZERO } from './ascii.ts'
import { writeLatin1 } from './bytes.ts'
import { Slice } from './slice.ts'
import { digitsEnd, isSpace, numberEnd, numberValue, parseHexDouble } from './strtod.ts'
import { cText } from './text.ts'

const INT64_MAX_DIGITS = [9, 2, 2, 3, 3, 7, 2, 0, 3, 6, 8, 5, 4, 7, 7, 5, 8, 0, 7]

export const INT64_MAX = 9223372036854775807n
export const INT64_MIN = -9223372036854775808n

/** So many digits always fit 32 bits. */
const SHORT_DIGITS = 9

/**
 * string2ll of all of `s`: no plus sign, leading zero or space. NaN when it is not an integer or exceeds 64 bits;
 * ±Infinity when it exceeds 53: parseBigInt64 reads it.
 */
export function parseInt64(s: Slice): number {
  const u8 = s.u8
  let at = s.off
  const end = at + s.len
  if (s.len === 0 || s.len > 20) return Number.NaN
  const negative = u8[at] === MINUS
  // A sign alone is not a number, whatever byte follows the slice.
  if (negative && ++at === end) return Number.NaN
  const first = u8[at] - ZERO
  if (first > 9 || first < 1) return first === 0 && s.len === 1 ? 0 : Number.NaN
  const digitCount = end - at
  if (digitCount <= SHORT_DIGITS) return parseShortInt(u8, at, end, negative)
  let value = first
  for (let i = at + 1; i < end; i++) {
    const digit = u8[i] - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  if (value <= Number.MAX_SAFE_INTEGER) return negative ? -value : value
  if (digitCount > 19 || (digitCount === 19 && exceedsInt64(u8, at, negative))) return Number.NaN
  return negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

/** The same for digits that fit 32 bits: an integer for the compilers too, as an index or an offset must be. */
function parseShortInt(u8: Uint8Array, at: number, end: number, negative: boolean): number {
  let value = 0
  for (; at < end; at++) {
    const digit = u8[at] - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = (value * 10 + digit) | 0
  }
  return negative ? -value : value
}

function exceedsInt64(u8: Uint8Array, at: number, negative: boolean): boolean {
  for (let i = 0; i < 19; i++) {
    const difference = u8[at + i] - ZERO - INT64_MAX_DIGITS[i]
    if (difference !== 0) return difference > (negative && i === 18 ? 1 : 0)
  }
  return false
}

/** The value of an integer for which parseInt64 did not return NaN. Allocates. */
export function parseBigInt64(s: Slice): bigint {
  return BigInt(s.latin1())
}

/** The length of writeInt(n). `n` is a safe integer. */
export function digits(n: number): number {
  let count = 1
  if (n < 0) {
    n = -n
    count = 2
  }
  for (let bound = 10; n >= bound; bound *= 10) count++
  return count
}

/** Writes the safe integer `n` in decimal at u8[off]; returns the number of bytes written. */
export function writeInt(u8: Uint8Array, off: number, n: number): number {
  const length = digits(n)
  let at = off + length
  if (n < 0) {
    u8[off] = MINUS
    n = -n
  }
  while (n > 0x7fffffff) {
    const rest = Math.floor(n / 10)
    u8[--at] = ZERO + (n - rest * 10)
    n = rest
  }
  let small = n | 0
  do {
    const rest = (small / 10) | 0
    u8[--at] = ZERO + (small - rest * 10)
    small = rest
  } while (small > 0)
  return length
}

/** Writes `n` in decimal at u8[off]; returns the number of bytes written. Allocates. */
export function writeBigInt(u8: Uint8Array, off: number, n: bigint): number {
  return writeText(u8, off, n.toString())
}

/** Writes the latin1 `text` at u8[off]; returns the number of bytes written. */
export function writeText(u8: Uint8Array, off: number, text: string): number {
  writeLatin1(u8, off, text)
  return text.length
}

// Powers of ten that are exact in a double: one multiplication or division by them rounds once.
const EXACT_POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

/**
 * strtod of all of `s`, as Redis uses it: "inf", "-Infinity" and hex are numbers; a leading space, "nan", overflow and
 * underflow to zero are not. NaN when it is not a number.
 */
export function parseDouble(s: Slice): number {
  return parseNumber(s, false)
}

/**
 * parseDouble where Redis reads a long double, whose exponents reach further: beyond those of a double the number is
 * infinite, or the least above zero.
 */
export function parseLongDouble(s: Slice): number {
  const n = parseNumber(s, false)
  if (!Number.isNaN(n)) return n
  const clamped = parseNumber(s, true)
  if (clamped === 0) return Object.is(clamped, -0) ? -Number.MIN_VALUE : Number.MIN_VALUE
  return clamped
}

/** Longer text is read without a JavaScript string of it. */
const SHORT_BYTES = 1024

/**
 * C's strtod of `s` for callers that check only the text after the number: leading blanks are skipped, a NUL byte ends
 * the text, an empty one is zero, and a number out of range is infinite or zero.
 */
export function parseLooseDouble(s: Slice): number {
  if (s.len > 0 && s.len <= SHORT_BYTES) {
    const n = parseNumber(s, false)
    if (!Number.isNaN(n)) return n
  }
  const nul = s.view().indexOf(0)
  const end = s.off + (nul < 0 ? s.len : nul)
  if (end === s.off) return 0
  let from = s.off
  while (from < end && isSpace(s.u8[from])) from++
  const number = new Slice(s.u8, from, end - from, s.dv)
  if (number.len > SHORT_BYTES) return parseNumber(number, true)
  const text = number.latin1()
  const textEnd = numberEnd(text, 0)
  return textEnd > 0 && textEnd === text.length ? numberValue(text, 0, textEnd) : Number.NaN
}

/** Out of range is NaN, or with `clamps` infinite or zero. */
function parseNumber(s: Slice, clamps: boolean): number {
  const u8 = s.u8
  let at = s.off
  const end = at + s.len
  const negative = at < end && u8[at] === MINUS
  if (negative || (at < end && u8[at] === PLUS)) at++
  if (at === end) return Number.NaN
  if ((u8[at] | 0x20) === 0x69) return parseInfinity(u8, at, end, negative)
  if (at + 1 < end && u8[at] === ZERO && (u8[at + 1] | 0x20) === 0x78) return parseHexDouble(s, clamps)
  return parseDecimal(s, at, negative, clamps)
}

function parseDecimal(s: Slice, at: number, negative: boolean, clamps: boolean): number {
  const u8 = s.u8
  const end = s.off + s.len
  let mantissa = 0
  let significant = 0
  let digitsSeen = 0
  let exponent = 0
  let fraction = false
  for (; at < end; at++) {
    const digit = u8[at] - ZERO
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit
      if (mantissa !== 0) significant++
      digitsSeen++
      if (fraction) exponent--
    } else if (u8[at] === POINT && !fraction) fraction = true
    else break
  }
  if (digitsSeen === 0) return Number.NaN
  if (at < end) {
    const written = parseExponent(u8, at, end)
    if (Number.isNaN(written)) return Number.NaN
    exponent += written
  }
  if (mantissa === 0) return negative ? -0 : 0
  if (significant <= 15 && exponent >= -22 && exponent <= 22) {
    const value = exponent < 0 ? mantissa / EXACT_POWERS[-exponent] : mantissa * EXACT_POWERS[exponent]
    return negative ? -value : value
  }
  const value = s.len <= DIGITS_KEPT ? Number(s.latin1()) : longDecimal(s, negative, significant, exponent)
  return !clamps && (value === 0 || !Number.isFinite(value)) ? Number.NaN : value
}

/** Digits of a double that can matter: of the rest only whether it is zero. */
const DIGITS_KEPT = 800

/** The number with `significant` digits in `s`, the last of them worth 10^exponent. */
function longDecimal(s: Slice, negative: boolean, significant: number, exponent: number): number {
  let digits = ''
  let isMore = false
  for (let i = 0; i < s.len && !isMore; i++) {
    const digit = s.byte(i) - ZERO
    if ((s.byte(i) | 0x20) === 0x65) break
    if (digit < 0 || digit > 9 || (digit === 0 && digits === '')) continue
    if (digits.length < DIGITS_KEPT) digits += digit
    else isMore = digit !== 0
  }
  const value = Number(`${digits}${isMore ? 1 : 0}e${exponent + significant - digits.length - 1}`)
  return negative ? -value : value
}

/** The exponent in u8[at..end), including its letter e, limited to a range safe to compute with; NaN when malformed. */
function parseExponent(u8: Uint8Array, at: number, end: number): number {
  if ((u8[at] | 0x20) !== 0x65) return Number.NaN
  at++
  const negative = at < end && u8[at] === MINUS
  if (negative || (at < end && u8[at] === PLUS)) at++
  if (at === end) return Number.NaN
  let value = 0
  for (; at < end; at++) {
    const digit = u8[at] - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    if (value < 1e8) value = value * 10 + digit
  }
  return negative ? -value : value
}

const INFINITY_LETTERS = [0x69, 0x6e, 0x66, 0x69, 0x6e, 0x69, 0x74, 0x79]

function parseInfinity(u8: Uint8Array, at: number, end: number, negative: boolean): number {
  const length = end - at
  if (length !== 3 && length !== 8) return Number.NaN
  for (let i = 0; i < length; i++) if ((u8[at + i] | 0x20) !== INFINITY_LETTERS[i]) return Number.NaN
  return negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

const UNIT_DIGITS_MAX = 127
const MEMORY_UNITS = new Map([
  ['', 1],
  ['b', 1],
  ['k', 1000],
  ['kb', 1024],
  ['m', 1000 * 1000],
  ['mb', 1024 * 1024],
  ['g', 1000 * 1000 * 1000],
  ['gb', 1024 * 1024 * 1024],
])

/** Bytes of a memory value such as `100mb` or `1gb`; NaN when it is invalid. */
export function memoryUnits(given: string): number {
  const text = cText(given)
  if (text.length > UNIT_DIGITS_MAX + 2) return Number.NaN
  const end = digitsEnd(text, 0)
  if (end > UNIT_DIGITS_MAX || text.length > end + 2) return Number.NaN
  const unit = MEMORY_UNITS.get(text.slice(end).toLowerCase())
  return unit === undefined ? Number.NaN : Number(text.slice(0, end)) * unit
}
