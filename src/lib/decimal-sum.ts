// DecimalSum: the sum of two short decimal numbers as INCRBYFLOAT replies it, without bigints and strings.
//
//   10.50 + 0.1  ─▶  1050 + 10 hundredths  ─▶  10.6
//
// Always: the text is that of the 80-bit sum (longdouble.ts). Reading both numbers and adding them are three roundings
// of at most 2^-64 of a value each; while both together are below 40 these are less than half of the 17th decimal, so
// that the rounded text is the exact sum's. Whole numbers are exact in any case.

import { MINUS, PLUS, POINT, ZERO } from './ascii.ts'
import { writeInt } from './number.ts'
import { Slice } from './slice.ts'

const BYTES_MAX = 17
const DECIMALS_MAX = 13
const EXACT_MAX = 40
const POWERS = Array.from({ length: DECIMALS_MAX + 1 }, (_, i) => 10 ** i)

export class DecimalSum {
  /** The sum, until the next add(). */
  readonly text = new Slice(new Uint8Array(24), 0, 0)

  /** False, without a sum, when a text is not a short decimal number or the sum may not be exact. */
  add(a: Slice, b: Slice): boolean {
    const decimals = Math.max(decimalsOf(a), decimalsOf(b))
    if (decimals > DECIMALS_MAX) return false
    const x = unitsOf(a, decimals)
    const y = unitsOf(b, decimals)
    const max = decimals === 0 ? Number.MAX_SAFE_INTEGER : EXACT_MAX * POWERS[decimals]
    if (Math.abs(x) + Math.abs(y) > max) return false
    this.write(x + y, decimals)
    return true
  }

  private write(sum: number, decimals: number): void {
    const { text } = this
    const { u8 } = text
    let at = 0
    if (sum < 0) {
      u8[at++] = MINUS
      sum = -sum
    }
    const whole = Math.floor(sum / POWERS[decimals])
    let rest = sum - whole * POWERS[decimals]
    at += writeInt(u8, at, whole)
    if (rest > 0) {
      for (; rest % 10 === 0; decimals--) rest /= 10
      u8[at] = POINT
      at += decimals
      for (let i = at; decimals > 0; decimals--) {
        const tens = Math.floor(rest / 10)
        u8[i--] = ZERO + (rest - tens * 10)
        rest = tens
      }
      at++
    }
    text.len = at
  }
}

/** Digits after the point of a short decimal number; more than DECIMALS_MAX when `s` is anything else. */
function decimalsOf(s: Slice): number {
  const { u8 } = s
  const end = s.off + s.len
  if (s.len === 0 || s.len > BYTES_MAX) return Number.POSITIVE_INFINITY
  let digits = 0
  let point = -1
  for (let at = behindSign(s); at < end; at++) {
    const digit = u8[at] - ZERO
    if (digit >= 0 && digit <= 9) digits++
    else if (u8[at] === POINT && point < 0) point = at
    else return Number.POSITIVE_INFINITY
  }
  if (digits === 0) return Number.POSITIVE_INFINITY
  return point < 0 ? 0 : end - point - 1
}

/** The number in units of its last decimal, which has at most `decimals`. */
function unitsOf(s: Slice, decimals: number): number {
  const { u8 } = s
  const end = s.off + s.len
  let units = 0
  let missing = decimals
  let isFraction = false
  for (let at = behindSign(s); at < end; at++) {
    if (u8[at] === POINT) {
      isFraction = true
      continue
    }
    units = units * 10 + u8[at] - ZERO
    if (isFraction) missing--
  }
  units *= POWERS[missing]
  return u8[s.off] === MINUS ? -units : units
}

function behindSign(s: Slice): number {
  const first = s.u8[s.off]
  return first === MINUS || first === PLUS ? s.off + 1 : s.off
}
