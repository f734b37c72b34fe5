// The struct library: packs and unpacks binary data by a format.
//
//   > <       big, little endian          i[n] I[n]   integer of n bytes, 4 without n
//   ![n]      align to n at most          f d         float, double
//   x         one byte of padding         cn          n characters; c0: all, or as many as the previous number says
//   b h l     1, 2, 8 bytes, signed       s           characters up to a NUL
//   B H L T   the same, unsigned
//
// Always: integers have 64 bits; further bytes of a longer one are zero.

import { parseNumber } from '../lua/number.ts'
import type { LuaState } from '../lua/state.ts'
import { C_STACK_MAX } from '../lua/state.ts'
import { integerArgument, numberArgument, register, stringArgument, toInteger } from '../lua/stdlib/arguments.ts'
import { LuaTable } from '../lua/table.ts'
import type { LuaValue } from '../lua/value.ts'
import { StructFormat } from './struct-format.ts'

const INTEGERS = 'bBhHlLTiI'
/** An integer of this many bytes is exact in a double. */
const EXACT_BYTES = 6
const view = new DataView(new ArrayBuffer(8))

export function openStruct(S: LuaState): void {
  const library = new LuaTable(S, [], 3)
  S.globals.set('struct', library)
  register(library, {
    pack: S.plain((...args: LuaValue[]) => pack(S, args)),
    unpack: S.plain((...args: LuaValue[]) => unpack(S, args)),
    size: S.plain((...args: LuaValue[]) => sizeOf(S, new StructFormat(S, stringArgument(S, args[0], 1, args.length)))),
  })
}

function pack(S: LuaState, args: LuaValue[]): string {
  const format = new StructFormat(S, stringArgument(S, args[0], 1, args.length))
  // After the arguments there is a nil.
  const count = args.length + 1
  let n = 1
  let out = ''
  while (format.next()) {
    out += '\0'.repeat(format.padding(out.length))
    const { option, size } = format
    if (INTEGERS.includes(option))
      out += ordered(integerBytes(numberArgument(S, args[n], ++n, count), size), format.isLittle)
    else if (option === 'f' || option === 'd')
      out += ordered(floatBytes(numberArgument(S, args[n], ++n, count), size), format.isLittle)
    else if (option === 'c' || option === 's') {
      const text = stringArgument(S, args[n], ++n, count)
      if (text.length < size) throw S.argumentError(n + 1, 'string too short')
      out += size === 0 ? text : text.slice(0, size)
      if (option === 's') out += '\0'
    } else if (option === 'x') out += '\0'
    else format.control()
  }
  return out
}

/** Little-endian bytes, reversed if need be. */
function ordered(bytes: string, isLittle: boolean): string {
  return isLittle ? bytes : bytes.split('').reverse().join('')
}

function integerBytes(n: number, size: number): string {
  let bytes = ''
  if (Number.isSafeInteger(n)) {
    for (let rest = n; bytes.length < size && bytes.length < 8; rest = Math.floor(rest / 256))
      bytes += String.fromCharCode(rest & 255)
  } else {
    // C's casts: a number out of range becomes 0 or INT64_MIN.
    const whole = n < 2 ** 63 || n !== n ? BigInt(toInteger(n)) : n < 2 ** 64 ? BigInt(n) : 0n
    view.setBigUint64(0, BigInt.asUintN(64, whole), true)
    for (; bytes.length < size && bytes.length < 8; ) bytes += String.fromCharCode(view.getUint8(bytes.length))
  }
  return bytes + '\0'.repeat(size - bytes.length)
}

function floatBytes(n: number, size: number): string {
  // A NaN has the bits that x86 gives it: those of JavaScript's are not defined.
  if (n !== n) return size === 4 ? '\0\0\xc0\xff' : '\0\0\0\0\0\0\xf8\xff'
  if (size === 4) view.setFloat32(0, n, true)
  else view.setFloat64(0, n, true)
  let bytes = ''
  for (let i = 0; i < size; i++) bytes += String.fromCharCode(view.getUint8(i))
  return bytes
}

function unpack(S: LuaState, args: LuaValue[]): LuaValue[] {
  const format = new StructFormat(S, stringArgument(S, args[0], 1, args.length))
  const data = stringArgument(S, args[1], 2, args.length)
  const from = args[2] === undefined ? 1 : integerArgument(S, args[2], 3, args.length)
  if (from === 0) throw S.argumentError(3, 'offset must be 1 or greater')
  const values: LuaValue[] = []
  const check = (at: number, size: number) => {
    if (at < 0 || size < 0 || at + size > data.length) throw S.argumentError(2, 'data string too short')
  }
  let at = from - 1
  while (format.next()) {
    const { option } = format
    let { size } = format
    at += format.padding(at)
    check(at, size)
    if (args.length + values.length + 2 > C_STACK_MAX) throw S.error('stack overflow (too many results)')
    if (INTEGERS.includes(option)) values.push(readInteger(ordered(data.slice(at, at + size), format.isLittle), option))
    else if (option === 'f' || option === 'd')
      values.push(readFloat(ordered(data.slice(at, at + size), format.isLittle)))
    else if (option === 'c') {
      if (size === 0) {
        size = previousSize(S, values)
        check(at, size)
      }
      values.push(data.slice(at, at + size))
    } else if (option === 's') {
      const end = data.indexOf('\0', at)
      if (end < 0) throw S.error('unfinished string in data')
      values.push(data.slice(at, end))
      size = end + 1 - at
    } else if (option !== 'x') format.control()
    at += size
  }
  values.push(at + 1)
  return values
}

/** Pops the previous number, a size. */
function previousSize(S: LuaState, values: LuaValue[]): number {
  const last = values.pop()
  const size = typeof last === 'string' ? parseNumber(last) : last
  if (typeof size !== 'number') throw S.error("format 'c0' needs a previous size")
  return toInteger(size)
}

/** An integer from little-endian bytes; lower-case options are signed. */
function readInteger(bytes: string, option: string): number {
  const isSigned = option >= 'a'
  const size = bytes.length
  if (size > 0 && size <= EXACT_BYTES) {
    let value = 0
    for (let i = size; i > 0; i--) value = value * 256 + bytes.charCodeAt(i - 1)
    return isSigned && value >= 2 ** (size * 8 - 1) ? value - 2 ** (size * 8) : value
  }
  for (let i = 0; i < 8; i++) view.setUint8(i, i < size ? bytes.charCodeAt(i) : 0)
  const value = view.getBigUint64(0, true)
  if (!isSigned) return Number(value)
  // x86 uses six bits of the shift count, which matters for more than 8 bytes.
  const mask = BigInt.asUintN(64, -1n << BigInt((size * 8 - 1) & 63))
  return Number(BigInt.asIntN(64, (value & mask) !== 0n ? value | mask : value))
}

function readFloat(bytes: string): number {
  for (let i = 0; i < bytes.length; i++) view.setUint8(i, bytes.charCodeAt(i))
  return bytes.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true)
}

function sizeOf(S: LuaState, format: StructFormat): number {
  let total = 0
  while (format.next()) {
    const { option, size } = format
    total += format.padding(total)
    if (option === 's') throw S.argumentError(1, "option 's' has no fixed size")
    if (option === 'c' && size === 0) throw S.argumentError(1, "option 'c0' has no fixed size")
    // Unknown letters and digits are ignored here, and only here.
    if (!/[0-9A-Za-z]/.test(option)) format.control()
    total += size
  }
  return total
}
