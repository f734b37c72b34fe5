// Numbers in text by the rules of C's strtod: decimal, hexadecimal, inf and nan.
//
//   ' \t' [+-] ( 12.5e-3 | 0x1.8p3 | inf | infinity | nan | nan(chars) )
//   the caller skips the blanks; numberEnd returns where the number ends, numberValue its value
//
// Always: reading takes time linear in the text: nothing is read twice, and of hexadecimal digits only as many are used
// as can matter.

import { MINUS, PLUS, POINT, ZERO } from './ascii.ts'
import { roundToBits } from './rational.ts'
import type { Slice } from './slice.ts'

/** 24 digits are 93 bits or more: with a sticky bit, enough to round to any precision in use. */
const HEX_DIGITS_MAX = 24
/** Longer text is shortened before it becomes a JavaScript string. */
const HEX_BYTES_SHORT = 1024
/** An exponent of more digits is limited to this, out of every range. */
const EXPONENT_MAX = 1e10

interface HexFloat {
  mantissa: bigint
  exponent: number
}

/** C's isspace. */
export function isSpace(c: number): boolean {
  return c === 32 || (c >= 9 && c <= 13)
}

export function isDigit(c: number): boolean {
  return c >= ZERO && c <= 0x39
}

export function isHexDigit(c: number): boolean {
  return (c >= ZERO && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66)
}

/** The end of the digits that begin at `at`. */
export function digitsEnd(text: string, at: number): number {
  while (isDigit(text.charCodeAt(at))) at++
  return at
}

/** The end of the blanks that begin at `at`. */
export function spacesEnd(text: string, at: number): number {
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

/** The end of the longest number that begins at `from`; `from` when there is none. */
export function numberEnd(text: string, from: number): number {
  const at = behindSign(text, from)
  const c = text.charCodeAt(at)
  if (c === ZERO && (text.charCodeAt(at + 1) | 0x20) === 0x78) {
    const end = hexEnd(text, at + 2)
    return end < 0 ? at + 1 : end
  }
  if (isDigit(c) || c === POINT) {
    const end = decimalEnd(text, at)
    return end < 0 ? from : end
  }
  const end = wordEnd(text, at)
  return end < 0 ? from : end
}

/** The value of text[from..end), found by numberEnd: infinite or zero when out of range. */
export function numberValue(text: string, from: number, end: number): number {
  const at = behindSign(text, from)
  const c = text.charCodeAt(at)
  const isNegative = text.charCodeAt(from) === MINUS
  if ((c | 0x20) === 0x6e) return Number.NaN
  if ((c | 0x20) === 0x69) return isNegative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (end < at + 3 || (text.charCodeAt(at + 1) | 0x20) !== 0x78) return Number(text.slice(from, end))
  const value = doubleOfHex(hexFloat(text, at + 2, end))
  return isNegative ? -value : value
}

/** The whole of `text` as an unsigned hexadecimal number; undefined when it is not one. */
export function parseHexFloat(text: string): HexFloat | undefined {
  const at = behindSign(text, 0)
  if (text.charCodeAt(at) !== ZERO || (text.charCodeAt(at + 1) | 0x20) !== 0x78) return undefined
  return hexEnd(text, at + 2) === text.length ? hexFloat(text, at + 2, text.length) : undefined
}

/** The hexadecimal double in `s`; NaN when it is not one; also when out of range, unless it `clamps`. */
export function parseHexDouble(s: Slice, clamps: boolean): number {
  const text = s.len > HEX_BYTES_SHORT ? shorterHex(s) : s.latin1()
  const parsed = parseHexFloat(text)
  if (parsed === undefined) return Number.NaN
  const value = doubleOfHex(parsed)
  if (!clamps && (value === Number.POSITIVE_INFINITY || (value === 0 && parsed.mantissa !== 0n))) return Number.NaN
  return text.charCodeAt(0) === MINUS ? -value : value
}

/** A text that spells the same double as the long hexadecimal number `s`; '' when that is none. */
function shorterHex(s: Slice): string {
  const { u8 } = s
  const end = s.off + s.len
  const digits = u8[s.off] === ZERO ? s.off + 2 : s.off + 3
  let kept = ''
  let isMore = false
  let exponent = 0
  let point = -1
  let at = digits
  for (; at < end; at++) {
    const c = u8[at]
    if (c === POINT && point < 0) point = at
    else if (!isHexDigit(c)) break
    else if (kept.length >= HEX_DIGITS_MAX) {
      exponent += 4
      if (c !== ZERO) isMore = true
    } else if (kept !== '' || c !== ZERO) kept += String.fromCharCode(c)
  }
  if (at - digits <= (point < 0 ? 0 : 1)) return ''
  if (point >= 0) exponent -= (at - point - 1) * 4
  if (at < end) {
    const written = hexExponent(u8, at, end)
    if (Number.isNaN(written)) return ''
    exponent += written
  }
  const sign = u8[s.off] === MINUS ? '-' : ''
  return `${sign}0x0${kept}${isMore ? '1' : '0'}p${exponent - 4}`
}

/** The exponent u8[at..end) from its letter p on, kept small enough to calculate with; NaN when malformed. */
function hexExponent(u8: Uint8Array, at: number, end: number): number {
  if ((u8[at] | 0x20) !== 0x70) return Number.NaN
  at++
  const isNegative = u8[at] === MINUS && at < end
  if (isNegative || (at < end && u8[at] === PLUS)) at++
  if (at >= end) return Number.NaN
  let value = 0
  for (; at < end; at++) {
    if (!isDigit(u8[at])) return Number.NaN
    if (value < EXPONENT_MAX) value = value * 10 + u8[at] - ZERO
  }
  return isNegative ? -value : value
}

/** The nearest double, half to even: infinite or zero when it is out of range. */
function doubleOfHex({ mantissa, exponent }: HexFloat): number {
  if (mantissa === 0n) return 0
  const rounded = roundToBits(mantissa, exponent, 53, -1074)
  if (rounded.exponent > 1024) return rounded.mantissa === 0n ? 0 : Number.POSITIVE_INFINITY
  // Two exact steps: 2^exponent alone may be outside the range of doubles.
  const half = Math.trunc(rounded.exponent / 2)
  return Number(rounded.mantissa) * 2 ** half * 2 ** (rounded.exponent - half)
}

function behindSign(text: string, at: number): number {
  const c = text.charCodeAt(at)
  return c === PLUS || c === MINUS ? at + 1 : at
}

function decimalEnd(text: string, from: number): number {
  let at = digitsEnd(text, from)
  let count = at - from
  if (text.charCodeAt(at) === POINT) {
    const end = digitsEnd(text, at + 1)
    count += end - at - 1
    if (count > 0) at = end
  }
  return count === 0 ? -1 : exponentEnd(text, at, 0x65)
}

/** The end of a hexadecimal number's digits and exponent; -1 without a digit. */
function hexEnd(text: string, from: number): number {
  let at = hexDigitsEnd(text, from)
  let count = at - from
  if (text.charCodeAt(at) === POINT) {
    const end = hexDigitsEnd(text, at + 1)
    count += end - at - 1
    if (count > 0) at = end
  }
  return count === 0 ? -1 : exponentEnd(text, at, 0x70)
}

function hexDigitsEnd(text: string, at: number): number {
  while (isHexDigit(text.charCodeAt(at))) at++
  return at
}

function exponentEnd(text: string, at: number, letter: number): number {
  if ((text.charCodeAt(at) | 0x20) !== letter) return at
  const digits = behindSign(text, at + 1)
  const end = digitsEnd(text, digits)
  return end > digits ? end : at
}

function wordEnd(text: string, at: number): number {
  const letter = text.charCodeAt(at) | 0x20
  if (letter !== 0x69 && letter !== 0x6e) return -1
  const word = text.slice(at, at + 8).toLowerCase()
  if (word === 'infinity') return at + 8
  if (word.startsWith('inf')) return at + 3
  if (!word.startsWith('nan')) return -1
  if (word[3] !== '(') return at + 3
  let end = at + 4
  while (isWordCharacter(text.charCodeAt(end))) end++
  return text[end] === ')' ? end + 1 : at + 3
}

/** A letter, a digit or an underscore. */
export function isWordCharacter(c: number): boolean {
  return isDigit(c) || c === 0x5f || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a)
}

/** The hexadecimal number text[at..end), which follows its 0x. */
function hexFloat(text: string, at: number, end: number): HexFloat {
  let kept = ''
  let isMore = false
  let exponent = 0
  let isFraction = false
  for (; at < end; at++) {
    const c = text.charCodeAt(at)
    if (c === POINT) isFraction = true
    else if ((c | 0x20) === 0x70) break
    else {
      if (isFraction) exponent -= 4
      if (kept.length < HEX_DIGITS_MAX) {
        if (kept !== '' || c !== ZERO) kept += text[at]
      } else {
        exponent += 4
        if (c !== ZERO) isMore = true
      }
    }
  }
  if (at < end) exponent += exponentValue(text, at + 1, end)
  const mantissa = BigInt(`0x0${kept}`)
  return isMore ? { mantissa: (mantissa << 1n) | 1n, exponent: exponent - 1 } : { mantissa, exponent }
}

function exponentValue(text: string, from: number, end: number): number {
  let value = 0
  for (let at = behindSign(text, from); at < end && value < EXPONENT_MAX; at++)
    value = value * 10 + text.charCodeAt(at) - ZERO
  return text.charCodeAt(from) === MINUS ? -value : value
}

/** `text` without the zeros at its end, from `from` on. */
export function withoutLastZeros(text: string, from = 0): string {
  let end = text.length
  while (end > from && text.charCodeAt(end - 1) === ZERO) end--
  return end === text.length ? text : text.slice(0, end)
}
