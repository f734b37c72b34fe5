// The 80-bit long double of INCRBYFLOAT and HINCRBYFLOAT: 64 bits of mantissa, exponents from 2^-16445 to 2^16384.
// Formatted as in Redis's replies: 17 decimals without trailing zeros.
//
// Always: a value is mantissa x 2^exponent with |mantissa| < 2^64, or an infinity; results are rounded half to even, so
// that every reply equals that of a redis-server on x86-64.

import { type Binary, bitLength, divideRounded, roundQuotient, roundToBits } from './rational.ts'
import type { Slice } from './slice.ts'
import { digitsEnd, numberEnd, parseHexFloat, withoutLastZeros } from './strtod.ts'

type LongDouble = { readonly mantissa: bigint; readonly exponent: number; readonly infinite: -1 | 0 | 1 }

const MANTISSA_BITS = 64
const EXPONENT_MIN = -16445
const EXPONENT_TOP = 16384
const TEXT_BYTES_MAX = 5 * 1024 - 1
const DECIMALS = 17
const DECIMAL_SCALE = 10n ** BigInt(DECIMALS)
// Decimal exponents beyond these overflow or underflow with any digits; computing them would take very long.
const DECIMAL_EXPONENT_MAX = 5000
const DECIMAL_EXPONENT_MIN = -5100

/** strtold of all of `s`; undefined when it is not a number or out of range. */
export function parseLongDouble(s: Slice): LongDouble | undefined {
  if (s.len === 0 || s.len > TEXT_BYTES_MAX) return undefined
  const text = s.latin1()
  if (numberEnd(text, 0) < text.length) return undefined
  const from = text[0] === '-' || text[0] === '+' ? 1 : 0
  const letter = text.charCodeAt(from) | 0x20
  if (letter === 0x6e) return undefined
  if (letter === 0x69) return { mantissa: 0n, exponent: 0, infinite: text[0] === '-' ? -1 : 1 }
  const hex = (text.charCodeAt(from + 1) | 0x20) === 0x78 ? parseHexFloat(text) : undefined
  if (hex) {
    if (hex.mantissa === 0n) return { mantissa: 0n, exponent: 0, infinite: 0 }
    return checked(text[0] === '-', roundToBits(hex.mantissa, hex.exponent, MANTISSA_BITS, EXPONENT_MIN))
  }
  const wholeEnd = digitsEnd(text, from)
  const fractionEnd = text[wholeEnd] === '.' ? digitsEnd(text, wholeEnd + 1) : wholeEnd
  const fraction = text.slice(wholeEnd + 1, fractionEnd)
  const exponent = fractionEnd < text.length ? Number(text.slice(fractionEnd + 1)) : 0
  return fromDecimal(text[0] === '-', text.slice(from, wholeEnd) + fraction, exponent - fraction.length)
}

function fromDecimal(negative: boolean, digits: string, exponent: number): LongDouble | undefined {
  const value = BigInt(digits)
  if (value === 0n) return { mantissa: 0n, exponent: 0, infinite: 0 }
  const magnitude = value.toString().length + exponent
  if (magnitude > DECIMAL_EXPONENT_MAX || magnitude < DECIMAL_EXPONENT_MIN) return undefined
  const rounded =
    exponent >= 0
      ? roundToBits(value * 10n ** BigInt(exponent), 0, MANTISSA_BITS, EXPONENT_MIN)
      : roundQuotient(value, 10n ** BigInt(-exponent), MANTISSA_BITS, EXPONENT_MIN)
  return checked(negative, rounded)
}

/** The long double, or undefined when it overflowed or underflowed to zero. */
function checked(negative: boolean, value: Binary): LongDouble | undefined {
  if (value.mantissa === 0n || bitLength(value.mantissa) + value.exponent > EXPONENT_TOP) return undefined
  return { mantissa: negative ? -value.mantissa : value.mantissa, exponent: value.exponent, infinite: 0 }
}

/** a + b; undefined when the sum is not a finite number. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | undefined {
  if (a.infinite || b.infinite) return undefined
  const exponent = Math.min(a.exponent, b.exponent)
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent))
  const negative = sum < 0n
  if (sum === 0n) return { mantissa: 0n, exponent: 0, infinite: 0 }
  return checked(negative, roundToBits(negative ? -sum : sum, exponent, MANTISSA_BITS, EXPONENT_MIN))
}

/** The human form: at most 17 decimals, no exponent, no trailing zeros, and never "-0". */
export function formatLongDouble(x: LongDouble): string {
  if (x.infinite) return x.infinite < 0 ? '-inf' : 'inf'
  const negative = x.mantissa < 0n
  const magnitude = negative ? -x.mantissa : x.mantissa
  const scaled =
    x.exponent >= 0
      ? (magnitude << BigInt(x.exponent)) * DECIMAL_SCALE
      : divideRounded(magnitude * DECIMAL_SCALE, 1n << BigInt(-x.exponent))
  const padded = scaled.toString().padStart(DECIMALS + 1, '0')
  const whole = padded.slice(0, -DECIMALS)
  const decimals = withoutLastZeros(padded.slice(-DECIMALS))
  const text = decimals ? `${whole}.${decimals}` : whole
  return negative && text !== '0' ? `-${text}` : text
}
