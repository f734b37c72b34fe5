// Doubles as text: the shortest digits in the layout of Redis's replies, and printf's %.17g and %.14g.

import { grisu } from './grisu.ts'
import { withoutLastZeros } from './strtod.ts'

// Integers up to here are written without an exponent.
const PLAIN_INTEGER_MAX = 2 ** 62

/** The format of scores and RESP3 doubles: 3, 0.1, 1e+20, 1.5e-7, inf, -inf, nan, -0. */
export function formatDouble(n: number): string {
  if (Number.isSafeInteger(n)) return n === 0 && 1 / n < 0 ? '-0' : String(n)
  if (!Number.isFinite(n)) return Number.isNaN(n) ? 'nan' : n < 0 ? '-inf' : 'inf'
  if (Number.isInteger(n) && Math.abs(n) <= PLAIN_INTEGER_MAX) return BigInt(n).toString()
  const { digits, power } = grisu(Math.abs(n))
  return (n < 0 ? '-' : '') + layOut(digits, power)
}

/** The format of numbers in redis.call's arguments: the same, but 100000000 is 1e+8 like any other double. */
export function formatAnyDouble(n: number): string {
  if (n === 0) return 1 / n < 0 ? '-0' : '0'
  if (!Number.isFinite(n)) return Number.isNaN(n) ? '-nan' : n < 0 ? '-inf' : 'inf'
  const { digits, power } = grisu(Math.abs(n))
  return (n < 0 ? '-' : '') + layOut(digits, power)
}

/** digits x 10^lastPower, without an exponent where that stays short. */
function layOut(digits: string, lastPower: number): string {
  const count = digits.length
  const power = lastPower + count - 1 // of ten, of the first digit
  const size = Math.abs(power)
  if (lastPower >= 0 && size < count + 7) return digits + '0'.repeat(lastPower)
  if (lastPower < 0 && (lastPower > -7 || size < 4)) {
    if (power < 0) return `0.${'0'.repeat(-power - 1)}${digits}`
    return `${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`
  }
  const fraction = count > 1 ? `.${digits.slice(1)}` : ''
  return `${digits[0]}${fraction}e${power < 0 ? '-' : '+'}${size}`
}

/** printf's %.17g. */
export function formatG17(n: number): string {
  return formatG(n, 17)
}

/** printf's %.14g, which is Lua's tostring of a number. */
export function formatG14(n: number): string {
  return formatG(n, 14)
}

/** printf's %.<precision>g, exact and with ties to even. */
function formatG(n: number, precision: number): string {
  if (Number.isSafeInteger(n) && Math.abs(n) < 10 ** Math.min(precision, 15))
    return n === 0 && 1 / n < 0 ? '-0' : String(n)
  if (!Number.isFinite(n)) return Number.isNaN(n) ? 'nan' : n < 0 ? '-inf' : 'inf'
  const text = roundedExponential(n, precision)
  const negative = text[0] === '-'
  const e = text.indexOf('e')
  const digits = withoutLastZeros(text.slice(negative ? 1 : 0, e).replace('.', ''))
  const power = Number(text.slice(e + 1))
  const sign = negative ? '-' : ''
  if (power < -4 || power >= precision) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    return `${sign}${digits[0]}${fraction}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  }
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0')
  const fraction = digits.slice(power + 1)
  return fraction ? `${sign}${whole}.${fraction}` : `${sign}${whole}`
}

// toExponential rounds an exact tie away from zero, C rounds it to even. Ties are detected with more digits than a tie
// can have: a double with a 5 right after the wanted digits ends there.
function roundedExponential(n: number, precision: number): string {
  const rounded = n.toExponential(precision - 1)
  const longer = n.toExponential(Math.min(100, precision + 40))
  const e = longer.indexOf('e')
  const start = longer[0] === '-' ? 1 : 0
  const cut = start + precision + 1
  if (longer[cut] !== '5' || withoutLastZeros(longer.slice(cut, e)) !== '5') return rounded
  const lastKept = longer.charCodeAt(cut - 1)
  return lastKept % 2 === 0 ? longer.slice(0, cut) + longer.slice(e) : rounded
}
