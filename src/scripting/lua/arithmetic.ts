// Arithmetic where JavaScript's differs from C's.

/** Lua 5.1's a % b: the sign is the divisor's. */
export function modulo(a: number, b: number): number {
  return a - Math.floor(a / b) * b
}

/** C's pow: it returns 1 where JavaScript returns NaN. */
export function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && (b === Number.POSITIVE_INFINITY || b === Number.NEGATIVE_INFINITY))) return 1
  return a ** b
}
