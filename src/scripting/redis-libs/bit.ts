// The bit library: operations on 32-bit integers with signed results.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every
// call would cost

import type { LuaState } from '../lua/state.ts'
import { numberArgument, register } from '../lua/stdlib/arguments.ts'
import { LuaTable } from '../lua/table.ts'
import type { LuaFunction, LuaValue } from '../lua/value.ts'

/** 2^52 + 2^51: adding it to a double leaves the nearest integer in the low bits of the sum. */
const ROUNDER = 6755399441055744
const HEX_DIGITS_MAX = 8
const view = new DataView(new ArrayBuffer(8))

export function openBit(S: LuaState): void {
  const functions = { ...foldFunctions(S), ...shiftFunctions(S), tohex: hexFunction(S) }
  const library = new LuaTable(S, [], Object.keys(functions).length)
  S.globals.set('bit', library)
  register(library, functions)
}

/** The low 32 bits of a number rounded half to even. */
function toBits(n: number): number {
  if ((n | 0) === n) return n | 0
  view.setFloat64(0, n + ROUNDER)
  return view.getInt32(4)
}

function bitsArgument(S: LuaState, value: LuaValue, n: number, count: number): number {
  return toBits(typeof value === 'number' ? value : numberArgument(S, value, n, count))
}

function foldFunctions(S: LuaState): Record<string, LuaFunction> {
  const one = (f: (bits: number) => number) =>
    S.plain(function (this: LuaFunction, x) {
      return f(bitsArgument(S, x, 1, arguments.length))
    })
  const fold = (f: (a: number, b: number) => number) =>
    S.plain((...args: LuaValue[]) => {
      let bits = bitsArgument(S, args[0], 1, args.length)
      // From the last one, so that the error names the first invalid argument.
      for (let i = args.length; i > 1; i--) bits = f(bits, bitsArgument(S, args[i - 1], i, args.length))
      return bits
    })
  return {
    tobit: one(x => x),
    bnot: one(x => ~x),
    band: fold((a, b) => a & b),
    bor: fold((a, b) => a | b),
    bxor: fold((a, b) => a ^ b),
  }
}

function shiftFunctions(S: LuaState): Record<string, LuaFunction> {
  const shift = (f: (bits: number, by: number) => number) =>
    S.plain(function (this: LuaFunction, x, by) {
      const bits = bitsArgument(S, x, 1, arguments.length)
      return f(bits, bitsArgument(S, by, 2, arguments.length) & 31) | 0
    })
  return {
    lshift: shift((b, n) => b << n),
    rshift: shift((b, n) => b >>> n),
    arshift: shift((b, n) => b >> n),
    rol: shift((b, n) => (b << n) | (b >>> (32 - n))),
    ror: shift((b, n) => (b << (32 - n)) | (b >>> n)),
    bswap: S.plain(function (this: LuaFunction, x) {
      const b = bitsArgument(S, x, 1, arguments.length)
      return (b >>> 24) | ((b >> 8) & 0xff00) | ((b & 0xff00) << 8) | (b << 24)
    }),
  }
}

/** The last `count` hexadecimal digits; upper case when `count` is negative. */
function hexFunction(S: LuaState): LuaFunction {
  return S.plain(function (this: LuaFunction, x, digits) {
    const bits = bitsArgument(S, x, 1, arguments.length)
    const wanted = arguments.length < 2 ? HEX_DIGITS_MAX : bitsArgument(S, digits, 2, arguments.length)
    const hex = (bits >>> 0).toString(16).padStart(HEX_DIGITS_MAX, '0')
    const text = hex.slice(HEX_DIGITS_MAX - Math.min(Math.abs(wanted), HEX_DIGITS_MAX))
    return wanted < 0 ? text.toUpperCase() : text
  })
}
