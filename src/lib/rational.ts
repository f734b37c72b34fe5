// Exact rounding with bigints, half to even, as in IEEE 754.

export type Binary = { mantissa: bigint; exponent: number }

/** value / divisor to the nearest integer, ties to even. Both are non-negative, divisor is not 0. */
export function divideRounded(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  const twiceRest = 2n * (value - quotient * divisor)
  const up = twiceRest > divisor || (twiceRest === divisor && (quotient & 1n) === 1n)
  return up ? quotient + 1n : quotient
}

/** Bit length of the non-negative `n`. */
export function bitLength(n: bigint): number {
  const rounded = Number(n)
  if (rounded === 0) return 0
  if (rounded === Number.POSITIVE_INFINITY) {
    const hex = n.toString(16)
    return hex.length * 4 - Math.clz32(Number.parseInt(hex[0], 16)) + 28
  }
  double.setFloat64(0, rounded)
  const length = (double.getUint32(0) >>> 20) - 1022
  // Rounded up to a power of two.
  return rounded > Number.MAX_SAFE_INTEGER && n < BigInt(rounded) && isPowerOfTwo(rounded) ? length - 1 : length
}

function isPowerOfTwo(n: number): boolean {
  double.setFloat64(0, n)
  return (double.getUint32(0) & 0xfffff) === 0 && double.getUint32(4) === 0
}

const double = new DataView(new ArrayBuffer(8)) // holds a value only inside these functions

/**
 * mantissa x 2^exponent with the mantissa rounded to at most `bits` bits and an exponent of at least `exponentMin`
 * (denormal numbers have fewer bits). The mantissa is not negative.
 */
export function roundToBits(mantissa: bigint, exponent: number, bits: number, exponentMin: number): Binary {
  const surplus = Math.max(bitLength(mantissa) - bits, exponentMin - exponent)
  if (surplus <= 0) return { mantissa, exponent }
  if (surplus > bitLength(mantissa) + 1) return { mantissa: 0n, exponent: exponentMin }
  const rounded = divideRounded(mantissa, 1n << BigInt(surplus))
  return { mantissa: rounded, exponent: exponent + surplus }
}

/** numerator / denominator (both positive), rounded the same way. */
export function roundQuotient(numerator: bigint, denominator: bigint, bits: number, exponentMin: number): Binary {
  // Shifted so that the quotient has extra bits; the remainder then only matters as "not exact".
  const shift = bits + 2 - (bitLength(numerator) - bitLength(denominator))
  const scaled = shift > 0 ? numerator << BigInt(shift) : numerator
  const divisor = shift > 0 ? denominator : denominator << BigInt(-shift)
  const quotient = scaled / divisor
  const sticky = quotient * divisor === scaled ? 0n : 1n
  return roundToBits((quotient << 1n) | sticky, -shift - 1, bits, exponentMin)
}
