// string.format: C's printf over Lua values, with Lua 5.1's limits on flags, width and precision.
//
//   %[flags][width][.precision]conversion     flags "-+ #0", width and precision two digits at most

import { cText } from '../../../lib/text.ts'
import { formatExponent, formatFixed, formatGeneral, isNegativeText } from '../number.ts'
import { limited } from '../operations.ts'
import type { LuaState } from '../state.ts'
import type { LuaFunction, LuaValue } from '../value.ts'
import { numberArgument, stringArgument, toInt, toInteger } from './arguments.ts'

const FLAGS = '-+ #0'
const FLAGS_MAX = 6
/** Longer strings are copied unformatted, unless there is a precision. */
const LONG_STRING = 100
const NUL_AT_END = '\0'

interface Spec {
  flags: string
  width: number
  /** -1: not given. */
  precision: number
  conversion: string
}

export function formatFunction(S: LuaState): LuaFunction {
  return S.plain((...args: LuaValue[]) => {
    const format = stringArgument(S, args[0], 1, args.length)
    let out = ''
    let argument = 0
    let at = 0
    for (;;) {
      const percent = format.indexOf('%', at)
      if (percent < 0) return limited(S, out + format.slice(at))
      if (format[percent + 1] === '%') {
        out += format.slice(at, percent + 1)
        at = percent + 2
        continue
      }
      out += format.slice(at, percent)
      argument++
      if (argument >= args.length) throw S.argumentError(argument + 1, 'no value')
      const spec = parseSpec(S, format, percent + 1)
      at = percent + 1 + spec.length
      out = limited(S, out + formatOne(S, spec, args, argument))
    }
  })
}

function parseSpec(S: LuaState, format: string, begin: number): Spec & { length: number } {
  let at = begin
  while (at < format.length && FLAGS.includes(format[at])) at++
  const flags = format.slice(begin, at)
  if (flags.length >= FLAGS_MAX) throw S.error('invalid format (repeated flags)')
  const digits = (): string => {
    const from = at
    while (at < from + 2 && isDigit(format.charCodeAt(at))) at++
    return format.slice(from, at)
  }
  const width = Number(digits())
  let precision = -1
  if (format[at] === '.') {
    at++
    precision = Number(digits())
  }
  if (isDigit(format.charCodeAt(at))) throw S.error('invalid format (width or precision too long)')
  const conversion = at < format.length ? format[at] : NUL_AT_END
  return { flags, width, precision, conversion, length: at + 1 - begin }
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57
}

/** The text of argument `n`, counted from 0. */
function formatOne(S: LuaState, spec: Spec, args: LuaValue[], n: number): string {
  const number = () => numberArgument(S, args[n], n + 1, args.length)
  switch (spec.conversion) {
    case 'c':
      // A C string ends at a NUL.
      return cText(pad(spec, String.fromCharCode(toInt(number()) & 255)))
    case 'd':
    case 'i':
      return formatSigned(spec, BigInt(toInteger(number())))
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      return formatUnsigned(spec, toUnsigned(number()))
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return formatDouble(spec, number(), args[n])
    case 'q':
      return quote(stringArgument(S, args[n], n + 1, args.length))
    case 's':
      return formatString(spec, stringArgument(S, args[n], n + 1, args.length))
    default:
      throw S.error(`invalid option '%${spec.conversion === NUL_AT_END ? '' : spec.conversion}' to 'format'`)
  }
}

function formatString(spec: Spec, text: string): string {
  if (spec.precision < 0 && text.length >= LONG_STRING) return text
  const cString = cText(text)
  return pad(spec, spec.precision < 0 ? cString : cString.slice(0, spec.precision))
}

function pad(spec: Spec, text: string): string {
  if (text.length >= spec.width) return text
  return spec.flags.includes('-') ? text.padEnd(spec.width) : text.padStart(spec.width)
}

/** Pads a number: zeros go between its sign or prefix and its digits. */
function padNumber(spec: Spec, prefix: string, digits: string, canZero: boolean): string {
  const missing = spec.width - prefix.length - digits.length
  if (missing <= 0 || spec.flags.includes('-') || !spec.flags.includes('0') || !canZero)
    return pad(spec, prefix + digits)
  return prefix + '0'.repeat(missing) + digits
}

function signOf(spec: Spec, isNegative: boolean): string {
  if (isNegative) return '-'
  return spec.flags.includes('+') ? '+' : spec.flags.includes(' ') ? ' ' : ''
}

function withPrecision(spec: Spec, value: bigint, digits: string): string {
  if (value === 0n && spec.precision === 0) return ''
  return digits.padStart(spec.precision, '0')
}

function formatSigned(spec: Spec, value: bigint): string {
  const size = value < 0n ? -value : value
  return padNumber(spec, signOf(spec, value < 0n), withPrecision(spec, size, size.toString()), spec.precision < 0)
}

/** C's cast to an unsigned 64-bit integer on x86: negative numbers wrap. */
function toUnsigned(n: number): bigint {
  if (n >= 2 ** 63 && n < 2 ** 64) return BigInt(Math.trunc(n))
  if (n >= 2 ** 64) return 0n
  return BigInt.asUintN(64, BigInt(toInteger(n)))
}

function formatUnsigned(spec: Spec, value: bigint): string {
  const alternate = spec.flags.includes('#')
  if (spec.conversion === 'u')
    return padNumber(spec, '', withPrecision(spec, value, value.toString()), spec.precision < 0)
  if (spec.conversion === 'o') {
    let digits = withPrecision(spec, value, value.toString(8))
    if (alternate && digits[0] !== '0') digits = `0${digits}`
    return padNumber(spec, '', digits, spec.precision < 0)
  }
  const digits = withPrecision(spec, value, value.toString(16))
  const text = padNumber(spec, alternate && value !== 0n ? '0x' : '', digits, spec.precision < 0)
  return spec.conversion === 'X' ? text.toUpperCase() : text
}

/** `source`: the argument, whose text decides the sign of a NaN. */
function formatDouble(spec: Spec, value: number, source: LuaValue): string {
  const isNegative =
    value !== value ? typeof source !== 'string' || isNegativeText(source) : value < 0 || (value === 0 && 1 / value < 0)
  const size = Math.abs(value)
  const isUpper = spec.conversion < 'a'
  let text: string
  if (!Number.isFinite(size)) text = size !== size ? 'nan' : 'inf'
  else {
    const precision = spec.precision < 0 ? 6 : spec.precision
    const alternate = spec.flags.includes('#')
    const kind = spec.conversion.toLowerCase()
    if (kind === 'f') text = formatFixed(size, precision, alternate)
    else if (kind === 'e') text = formatExponent(size, precision, alternate)
    else text = formatGeneral(size, precision, alternate)
  }
  const padded = padNumber(spec, signOf(spec, isNegative), text, Number.isFinite(size))
  return isUpper ? padded.toUpperCase() : padded
}

/** %q: a string as a Lua literal. */
function quote(text: string): string {
  return `"${text
    .replace(/["\\\n]/g, '\\$&')
    .replace(/\r/g, '\\r')
    .replaceAll('\0', '\\000')}"`
}
