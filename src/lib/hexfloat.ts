// Hexadecimal floating point (0x1.8p3), which strtod and strtold take and therefore every float argument of Redis.

import { roundToBits } from './rational.ts'
import type { Slice } from './slice.ts'

const HEX_FLOAT = /^[+-]?0x(?=\.?[0-9a-f])([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([+-]?[0-9]+))?$/i

export type HexFloat = { mantissa: bigint; exponent: number }

/** The value as mantissa x 2^exponent, without its sign; undefined when `text` is not such a number. */
export function parseHexFloat(text: string): HexFloat | undefined {
  const parts = HEX_FLOAT.exec(text)
  if (!parts) return undefined
  const fraction = parts[2] ?? ''
  const written = Number(parts[3] ?? 0)
  return { mantissa: BigInt(`0x0${parts[1]}${fraction}`), exponent: written - 4 * fraction.length }
}

/** The double that `s` spells in hexadecimal; NaN when it is none, overflows, or underflows to zero. */
export function parseHexDouble(s: Slice): number {
  const text = s.latin1()
  const parsed = parseHexFloat(text)
  if (!parsed) return Number.NaN
  const sign = text[0] === '-' ? -1 : 1
  if (parsed.mantissa === 0n) return sign * 0
  const rounded = roundToBits(parsed.mantissa, parsed.exponent, 53, -1074)
  const top = rounded.mantissa.toString(2).length + rounded.exponent
  if (rounded.mantissa === 0n || top > 1024) return Number.NaN
  // Two exact steps: 2^exponent alone may be outside the range of doubles.
  const half = Math.trunc(rounded.exponent / 2)
  return sign * Number(rounded.mantissa) * 2 ** half * 2 ** (rounded.exponent - half)
}
