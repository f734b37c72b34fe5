// The basic library, without the functions that access files.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every
// call would cost

import { spacesEnd } from '../../../lib/strtod.ts'
import { cText } from '../../../lib/text.ts'
import { formatNumber, parseNumber } from '../number.ts'
import { callMetamethod, toNumber } from '../operations.ts'
import { C_STACK_MAX, type LuaState, typeName } from '../state.ts'
import { LuaTable } from '../table.ts'
import { first, LuaError, LuaFunction, LuaUserdata, type LuaValue, NOTHING } from '../value.ts'
import { anyArgument, intArgument, register, stringArgument, tableArgument } from './arguments.ts'
import { loadFunctions } from './load.ts'
import { protectedFunctions } from './protected.ts'

const UINT64 = 1n << 64n
const UINT64_BITS = 64
/** The result of collectgarbage('count'): JavaScript's heap is not counted. */
const KILOBYTES = 64
const GARBAGE_OPTIONS = ['collect', 'stop', 'restart', 'count', 'step', 'setpause', 'setstepmul']

export function openBase(S: LuaState): void {
  const { globals } = S
  globals.set('_G', globals)
  globals.set('_VERSION', 'Lua 5.1')
  register(globals, {
    ...valueFunctions(S),
    ...memoryFunctions(S),
    ...tableFunctions(S),
    ...environmentFunctions(S),
    ...protectedFunctions(S),
    ...loadFunctions(S),
  })
  S.nextFunction = globals.getName('next') as LuaFunction
}

function valueFunctions(S: LuaState): Record<string, LuaFunction> {
  return {
    assert: S.plain((...args) => {
      anyArgument(S, 1, args.length)
      if (args[0] !== undefined && args[0] !== false) return args
      if (args[1] === undefined) throw S.error('assertion failed!')
      // Lua formats the message as a C string, which ends at a NUL.
      throw S.error(cText(stringArgument(S, args[1], 2, args.length)))
    }),
    type: S.plain(function (this: LuaFunction, value) {
      if (value === undefined) anyArgument(S, 1, arguments.length)
      return typeName(value)
    }),
    tostring: S.running(function (this: LuaFunction, value) {
      if (typeof value === 'string') return S.ready(value)
      if (value === undefined) anyArgument(S, 1, arguments.length)
      const handler = S.metafield(value, '__tostring')
      if (handler === undefined) return S.ready(toText(S, value))
      return callHandler(S, this, handler, [value])
    }),
    tonumber: S.plain(function (this: LuaFunction, value, base) {
      if (base === undefined || base === 10) {
        if (typeof value === 'number') return value
        if (typeof value === 'string') return parseNumber(value)
        anyArgument(S, 1, arguments.length)
        return undefined
      }
      const radix = intArgument(S, base, 2, arguments.length)
      if (radix === 10) return typeof value === 'string' ? parseNumber(value) : undefined
      const text = stringArgument(S, value, 1, arguments.length)
      if (radix < 2 || radix > 36) throw S.argumentError(2, 'base out of range')
      return parseUnsigned(text, radix)
    }),
    select: S.plain((...args) => {
      const [n] = args
      if (typeof n === 'string' && n[0] === '#') return args.length - 1
      let i = intArgument(S, n, 1, args.length)
      if (i < 0) i += args.length
      else if (i > args.length) i = args.length
      if (i < 1) throw S.argumentError(1, 'index out of range')
      return args.slice(i)
    }),
    unpack: S.plain(function (this: LuaFunction, list, from, to) {
      const table = tableArgument(S, list, 1, arguments.length)
      const i = from === undefined ? 1 : intArgument(S, from, 2, arguments.length)
      const e = to === undefined ? table.length() : intArgument(S, to, 3, arguments.length)
      if (i > e) return NOTHING
      const count = e - i + 1
      if (count + arguments.length > C_STACK_MAX) throw S.error('too many results to unpack')
      const values: LuaValue[] = []
      for (let k = i; k <= e; k++) values.push(table.getInt(k))
      return values
    }),
  }
}

function memoryFunctions(S: LuaState): Record<string, LuaFunction> {
  return {
    newproxy: S.plain(function (this: LuaFunction, value) {
      const proxy = new LuaUserdata(false)
      if (value === undefined || value === false) return proxy
      if (value === true) proxy.mt = new LuaTable(S)
      else if (value instanceof LuaUserdata && value.mt !== undefined) proxy.mt = value.mt
      else throw S.argumentError(1, 'boolean or proxy expected')
      return proxy
    }),
    gcinfo: S.plain(() => KILOBYTES),
    collectgarbage: S.plain(function (this: LuaFunction, option, value) {
      const word = option === undefined ? 'collect' : stringArgument(S, option, 1, arguments.length)
      if (!GARBAGE_OPTIONS.includes(word)) throw S.argumentError(1, `invalid option '${cText(word)}'`)
      if (value !== undefined) intArgument(S, value, 2, arguments.length)
      if (word === 'count') return KILOBYTES
      if (word === 'step') return true
      return word.startsWith('set') ? 200 : 0
    }),
  }
}

/** Calls a handler from within a frame of the host function. */
function* callHandler(S: LuaState, self: LuaFunction, handler: LuaValue, args: LuaValue[]) {
  S.enter(self)
  const result = first(yield* callMetamethod(S, handler, args))
  S.leave()
  return result
}

/** tostring without metamethods. */
export function toText(S: LuaState, value: LuaValue): string {
  if (typeof value === 'number') return formatNumber(value)
  if (typeof value === 'object') return `${typeName(value)}: ${S.address(value)}`
  return value === undefined ? 'nil' : String(value)
}

/** C's strtoul over the whole string, without surrounding spaces. */
function parseUnsigned(text: string, radix: number): number | undefined {
  text = cText(text)
  let i = spacesEnd(text, 0)
  const sign = text[i]
  if (sign === '-' || sign === '+') i++
  const isDigitAt = (at: number) => digitValue(text.charCodeAt(at)) < radix
  if (radix === 16 && text[i] === '0' && (text.charCodeAt(i + 1) | 32) === 120 && isDigitAt(i + 2)) i += 2
  if (!isDigitAt(i)) return undefined
  while (text[i] === '0') i++
  const from = i
  while (digitValue(text.charCodeAt(i)) < radix) i++
  if (spacesEnd(text, i) < text.length) return undefined
  // More digits than this overflow even in base 2.
  if (i - from > UINT64_BITS) return Number(UINT64 - 1n)
  let value = 0n
  for (let at = from; at < i; at++) value = value * BigInt(radix) + BigInt(digitValue(text.charCodeAt(at)))
  if (value >= UINT64) return Number(UINT64 - 1n)
  return Number(sign === '-' && value > 0n ? UINT64 - value : value)
}

function digitValue(c: number): number {
  if (c >= 48 && c <= 57) return c - 48
  const letter = c | 32
  return letter >= 97 && letter <= 122 ? letter - 87 : 99
}

function tableFunctions(S: LuaState): Record<string, LuaFunction> {
  const next = S.plain(function (this: LuaFunction, list, key) {
    const table = tableArgument(S, list, 1, arguments.length)
    const from = table.positionAfter(key)
    if (from < 0) throw new LuaError("invalid key to 'next'")
    const at = table.positionOfValue(from)
    return at < 0 ? undefined : [table.keyAt(at), table.valueAt(at)]
  })
  const ipairsStep = S.plain(function (this: LuaFunction, list, i) {
    const table = tableArgument(S, list, 1, arguments.length)
    const at = intArgument(S, i, 2, arguments.length) + 1
    const value = table.getInt(at)
    return value === undefined ? NOTHING : [at, value]
  })
  S.ipairsFunction = ipairsStep
  return {
    next,
    pairs: S.plain(function (this: LuaFunction, list) {
      return [next, tableArgument(S, list, 1, arguments.length), undefined]
    }),
    ipairs: S.plain(function (this: LuaFunction, list) {
      return [ipairsStep, tableArgument(S, list, 1, arguments.length), 0]
    }),
    rawequal: S.plain((...args) => {
      anyArgument(S, 1, args.length)
      anyArgument(S, 2, args.length)
      return args[0] === args[1]
    }),
    rawget: S.plain((...args) => {
      const table = tableArgument(S, args[0], 1, args.length)
      anyArgument(S, 2, args.length)
      return table.get(args[1])
    }),
    rawset: S.plain((...args) => {
      const table = tableArgument(S, args[0], 1, args.length)
      anyArgument(S, 2, args.length)
      anyArgument(S, 3, args.length)
      rawSet(table, args[1], args[2])
      return table
    }),
    getmetatable: S.plain(function (this: LuaFunction, value) {
      if (value === undefined) anyArgument(S, 1, arguments.length)
      const meta = S.metatable(value)
      return meta === undefined ? undefined : (meta.getName('__metatable') ?? meta)
    }),
    setmetatable: S.plain(function (this: LuaFunction, value, meta) {
      const table = tableArgument(S, value, 1, arguments.length)
      if (!(meta instanceof LuaTable) && (meta !== undefined || arguments.length < 2))
        throw S.argumentError(2, 'nil or table expected')
      if (table.mt?.getName('__metatable') !== undefined) throw S.error('cannot change a protected metatable')
      if (table.readonly) throw new LuaError('Attempt to modify a readonly table')
      table.mt = meta
      return table
    }),
  }
}

/** Assignment by a host function: its errors have no position. */
export function rawSet(table: LuaTable, key: LuaValue, value: LuaValue): void {
  if (table.readonly) throw new LuaError('Attempt to modify a readonly table')
  if (key === undefined) throw new LuaError('table index is nil')
  if (key !== key) throw new LuaError('table index is NaN')
  table.set(key, value)
}

function environmentFunctions(S: LuaState): Record<string, LuaFunction> {
  const functionAt = (self: LuaFunction, value: LuaValue, isOptional: boolean, count: number): LuaFunction => {
    if (value instanceof LuaFunction) return value
    const level = value === undefined && isOptional ? 1 : intArgument(S, value, 1, count)
    if (level < 0) throw S.argumentError(1, 'level must be non-negative')
    if (level === 0) return self
    const f = S.functionAt(level)
    if (f === undefined) throw S.argumentError(1, 'invalid level')
    if (S.isLost(level)) throw S.error(`no function environment for tail call at level ${level}`)
    return f
  }
  return {
    getfenv: S.plain(function (this: LuaFunction, value) {
      const f = functionAt(this, value, true, arguments.length)
      return f.chunk === undefined ? S.thread.env : f.env
    }),
    setfenv: S.plain(function (this: LuaFunction, value, env) {
      const table = tableArgument(S, env, 2, arguments.length)
      const f = functionAt(this, value, false, arguments.length)
      if (toNumber(value) === 0) {
        S.thread.env = table
        return NOTHING
      }
      if (f.chunk === undefined) throw S.error("'setfenv' cannot change environment of given object")
      f.env = table
      return f
    }),
  }
}
