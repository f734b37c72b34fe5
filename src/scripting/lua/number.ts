// Conversion of numbers: Lua's strtod, printf's %.14g, and printf's %e, %f, %g with all digits.

import { numberEnd, numberValue, spacesEnd, withoutLastZeros } from '../../lib/strtod.ts'
import { cText } from '../../lib/text.ts'

const G_DIGITS = 14
const f64 = new Float64Array(1)
const u64 = new BigUint64Array(f64.buffer)

/** The number in a string, or undefined when Lua does not convert it. */
export function parseNumber(text: string): number | undefined {
  const plain = plainDecimal(text)
  if (plain === plain) return plain
  text = cText(text)
  const from = spacesEnd(text, 0)
  const end = numberEnd(text, from)
  return end > from && spacesEnd(text, end) === text.length ? numberValue(text, from, end) : undefined
}

const EXACT_DIGITS_MAX = 15
const EXACT_POWERS = Array.from({ length: EXACT_DIGITS_MAX + 1 }, (_, i) => 10 ** i)

/** The common case: digits with a sign or point, exact in a double. Otherwise NaN. */
function plainDecimal(text: string): number {
  const { length } = text
  const isNegative = length > 0 && text.charCodeAt(0) === 45
  let at = isNegative ? 1 : 0
  if (length - at > EXACT_DIGITS_MAX || length === at) return Number.NaN
  let value = 0
  let pointAt = -1
  for (; at < length; at++) {
    const c = text.charCodeAt(at)
    if (c >= 48 && c <= 57) value = value * 10 + (c - 48)
    else if (c === 46 && pointAt < 0) pointAt = at
    else return Number.NaN
  }
  if (pointAt >= 0) {
    if (length === 1 || (isNegative && length === 2)) return Number.NaN
    value /= EXACT_POWERS[length - pointAt - 1]
  }
  return isNegative ? -value : value
}

/** Whether the text of a number begins with a minus: the sign of a NaN. */
export function isNegativeText(text: string): boolean {
  return text.charCodeAt(spacesEnd(text, 0)) === 45
}

/** tostring of a number: %.14g. JavaScript hides the sign of a NaN; on x86 it is mostly set: see nan.ts. */
export function formatNumber(n: number): string {
  if ((n | 0) === n) return n === 0 && 1 / n < 0 ? '-0' : String(n)
  if (!Number.isFinite(n)) return n !== n ? '-nan' : n > 0 ? 'inf' : '-inf'
  if (Number.isInteger(n) && Math.abs(n) < 1e14) return String(n)
  return formatGeneral(n, G_DIGITS, false)
}

/** |n| rounded half to even to `count` significant digits, and the decimal exponent of the first. */
function significant(n: number, count: number): { digits: string; power: number } {
  if (n === 0) return { digits: '0'.repeat(count), power: 0 }
  const size = Math.abs(n)
  if (count <= 60) {
    // JavaScript rounds correctly except halves, which go up. Halves are rare, and end with the next digit.
    const rounded = size.toExponential(count - 1)
    const longer = size.toExponential(Math.min(count, 100))
    const e = rounded.indexOf('e')
    const tie = longer[longer.indexOf('e') - 1] === '5' && withoutLastZeros(tailDigits(size, count + 1)) === ''
    if (!tie) return { digits: rounded.slice(0, e).replace('.', ''), power: Number(rounded.slice(e + 1)) }
  }
  const { digits, power } = exactDigits(size)
  return roundDigits(digits, power, count)
}

function tailDigits(size: number, from: number): string {
  const all = size.toExponential(100)
  return all.slice(0, all.indexOf('e')).replace('.', '').slice(from)
}

function roundDigits(digits: string, power: number, count: number): { digits: string; power: number } {
  if (digits.length <= count) return { digits: digits.padEnd(count, '0'), power }
  if (count < 0) return { digits: '', power }
  const next = digits[count]
  const odd = count > 0 && (digits.charCodeAt(count - 1) & 1) === 1
  const up = next > '5' || (next === '5' && (withoutLastZeros(digits.slice(count + 1)) !== '' || odd))
  if (!up) return { digits: digits.slice(0, count), power }
  const sum = (BigInt(digits.slice(0, count) || '0') + 1n).toString().padStart(count, '0')
  if (sum.length > count) return { digits: count === 0 ? sum : sum.slice(0, count), power: power + 1 }
  return { digits: sum, power }
}

/** All decimal digits of a positive double, and the decimal exponent of the first. */
function exactDigits(size: number): { digits: string; power: number } {
  f64[0] = size
  const bits = u64[0]
  const exponentBits = Number(bits >> 52n)
  const mantissa = exponentBits === 0 ? bits : (bits & 0xfffffffffffffn) | (1n << 52n)
  const exponent = Math.max(exponentBits, 1) - 1075
  const digits =
    exponent >= 0 ? (mantissa << BigInt(exponent)).toString() : (mantissa * 5n ** BigInt(-exponent)).toString()
  const power = digits.length - 1 + Math.min(exponent, 0)
  return { digits: withoutLastZeros(digits), power }
}

function signOf(n: number): string {
  return n < 0 || (n === 0 && 1 / n < 0) ? '-' : ''
}

function exponentText(power: number, mark: string): string {
  const size = Math.abs(power)
  return `${mark}${power < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`
}

/** printf's %.*g of a finite number; `alternate` keeps the zeros at the end. */
export function formatGeneral(n: number, precision: number, alternate: boolean): string {
  const count = Math.max(precision, 1)
  let { digits, power } = significant(n, count)
  if (power < -4 || power >= count) {
    if (!alternate) digits = withoutLastZeros(digits)
    const point = digits.length > 1 || alternate ? '.' : ''
    return `${signOf(n)}${digits[0] ?? '0'}${point}${digits.slice(1)}${exponentText(power, 'e')}`
  }
  let text: string
  if (power < 0) text = `0.${'0'.repeat(-power - 1)}${digits}`
  else text = `${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`
  if (!alternate) text = withoutLastZeros(text)
  if (!alternate && text.endsWith('.')) text = text.slice(0, -1)
  return signOf(n) + text
}

/** printf's %.*e of a finite number. */
export function formatExponent(n: number, precision: number, alternate: boolean): string {
  const { digits, power } = significant(n, precision + 1)
  const point = precision > 0 || alternate ? '.' : ''
  return `${signOf(n)}${digits[0]}${point}${digits.slice(1)}${exponentText(power, 'e')}`
}

/** printf's %.*f of a finite number. */
export function formatFixed(n: number, precision: number, alternate: boolean): string {
  const size = Math.abs(n)
  const dot = alternate && precision === 0 ? '.' : ''
  // Without a half to round, JavaScript's digits equal C's.
  if (size < 1e21 && precision <= 100 && (size * 2 ** (precision + 1)) % 1 !== 0)
    return signOf(n) + size.toFixed(precision) + dot
  if (size === 0) return signOf(n) + (precision > 0 ? `0.${'0'.repeat(precision)}` : `0${dot}`)
  const exact = exactDigits(size)
  const { digits, power } = roundDigits(exact.digits, exact.power, exact.power + 1 + precision)
  const places = digits.padStart(digits.length + Math.max(0, -power), '0')
  const whole = power >= 0 ? digits.slice(0, power + 1).padEnd(power + 1, '0') : '0'
  const fraction = power >= 0 ? digits.slice(power + 1) : places.slice(1)
  if (precision === 0) return signOf(n) + (whole || '0') + dot
  return `${signOf(n)}${whole || '0'}.${fraction.padEnd(precision, '0').slice(0, precision)}`
}
