// The string library except patterns. Strings are immutable, with one char per byte.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every
// call would cost

import { isAscii } from '../../../lib/text.ts'
import type { LuaState } from '../state.ts'
import { C_STACK_MAX } from '../state.ts'
import { LuaTable } from '../table.ts'
import { type LuaFunction, type LuaValue, NOTHING } from '../value.ts'
import { functionArgument, intArgument, integerArgument, register, stringArgument } from './arguments.ts'
import { formatFunction } from './format.ts'
import { searchFunctions } from './search.ts'

export function openString(S: LuaState): void {
  const library = new LuaTable(S)
  S.globals.set('string', library)
  register(library, { ...textFunctions(S), ...searchFunctions(S), format: formatFunction(S) })
  S.stringMeta = new LuaTable(S, [], 1)
  S.stringMeta.set('__index', library)
}

/** A position counted from 1, or from the end when negative. */
export function fromEnd(position: number, length: number): number {
  if (position < 0) position += length + 1
  return Math.max(position, 0)
}

function textFunctions(S: LuaState): Record<string, LuaFunction> {
  return {
    len: S.plain(function (this: LuaFunction, s) {
      return (typeof s === 'string' ? s : stringArgument(S, s, 1, arguments.length)).length
    }),
    sub: S.plain(function (this: LuaFunction, s, i, j) {
      const text = stringArgument(S, s, 1, arguments.length)
      let start = fromEnd(integerArgument(S, i, 2, arguments.length), text.length)
      const end = j === undefined ? text.length : fromEnd(integerArgument(S, j, 3, arguments.length), text.length)
      if (start < 1) start = 1
      return start <= end ? text.slice(start - 1, end) : ''
    }),
    byte: S.plain(function (this: LuaFunction, s, i, j) {
      const text = stringArgument(S, s, 1, arguments.length)
      let start = i === undefined ? 1 : fromEnd(integerArgument(S, i, 2, arguments.length), text.length)
      let end = j === undefined ? start : fromEnd(integerArgument(S, j, 3, arguments.length), text.length)
      if (start <= 0) start = 1
      if (end > text.length) end = text.length
      if (start === end) return text.charCodeAt(start - 1)
      if (start > end) return NOTHING
      if (end - start + 1 + arguments.length > C_STACK_MAX) throw S.error('stack overflow (string slice too long)')
      const codes: number[] = []
      for (let at = start; at <= end; at++) codes.push(text.charCodeAt(at - 1))
      return codes
    }),
    char: S.plain((...args: LuaValue[]) => {
      let text = ''
      for (let i = 0; i < args.length; i++) {
        const code = intArgument(S, args[i], i + 1, args.length)
        if (code < 0 || code > 255) throw S.argumentError(i + 1, 'invalid value')
        text += String.fromCharCode(code)
      }
      return text
    }),
    lower: S.plain(function (this: LuaFunction, s) {
      return changeCase(stringArgument(S, s, 1, arguments.length), 65)
    }),
    upper: S.plain(function (this: LuaFunction, s) {
      return changeCase(stringArgument(S, s, 1, arguments.length), 97)
    }),
    rep: S.plain(function (this: LuaFunction, s, n) {
      const text = stringArgument(S, s, 1, arguments.length)
      const count = Math.max(0, intArgument(S, n, 2, arguments.length))
      if (text.length * count > S.stringBytesMax) throw S.error('not enough memory')
      S.budget -= (text.length * count) >>> 10
      return text.repeat(count)
    }),
    reverse: S.plain(function (this: LuaFunction, s) {
      const text = stringArgument(S, s, 1, arguments.length)
      S.budget -= text.length >> 6
      return reversed(text)
    }),
    dump: S.plain(function (this: LuaFunction, f) {
      functionArgument(S, f, 1, arguments.length)
      throw S.error('unable to dump given function')
    }),
  }
}

const CHUNK_CHARS = 4096

/** Built from the end in chunks. */
function reversed(text: string): string {
  let out = ''
  const codes = new Uint8Array(Math.min(text.length, CHUNK_CHARS))
  for (let end = text.length; end > 0; end -= CHUNK_CHARS) {
    const count = Math.min(end, CHUNK_CHARS)
    for (let i = 0; i < count; i++) codes[i] = text.charCodeAt(end - 1 - i)
    out += String.fromCharCode.apply(null, codes.subarray(0, count) as unknown as number[])
  }
  return out
}

/** Changes ASCII letters only: those from `first` on. */
function changeCase(text: string, first: number): string {
  // JavaScript would change Latin-1 letters too.
  if (isAscii(text)) return first === 65 ? text.toLowerCase() : text.toUpperCase()
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    out += c >= first && c < first + 26 ? String.fromCharCode(c ^ 32) : text[i]
  }
  return out
}
