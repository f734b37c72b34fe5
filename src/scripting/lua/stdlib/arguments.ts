// Argument checks and conversions of host functions (Lua's luaL_check functions).
//
// `n` is the argument's number from 1, `count` the number of arguments: a missing one differs from nil.

import { formatNumber, parseNumber } from '../number.ts'
import type { LuaState } from '../state.ts'
import { LuaTable } from '../table.ts'
import { LuaFunction, type LuaValue } from '../value.ts'

const INT64_LIMIT = 2 ** 63

export function stringArgument(S: LuaState, value: LuaValue, n: number, count: number): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return formatNumber(value)
  throw S.typeError(n, 'string', value, count)
}

export function numberArgument(S: LuaState, value: LuaValue, n: number, count: number): number {
  if (typeof value === 'number') return value
  const number = typeof value === 'string' ? parseNumber(value) : undefined
  if (number === undefined) throw S.typeError(n, 'number', value, count)
  return number
}

/** C's cast of a double to a 64-bit integer on x86. */
export function toInteger(number: number): number {
  if (number >= -INT64_LIMIT && number < INT64_LIMIT) return Math.trunc(number)
  return -INT64_LIMIT
}

/** The low 32 bits of that, signed. */
export function toInt(number: number): number {
  return number >= -INT64_LIMIT && number < INT64_LIMIT ? number | 0 : 0
}

export function integerArgument(S: LuaState, value: LuaValue, n: number, count: number): number {
  if (typeof value === 'number' && (value | 0) === value) return value
  return toInteger(numberArgument(S, value, n, count))
}

export function intArgument(S: LuaState, value: LuaValue, n: number, count: number): number {
  if (typeof value === 'number' && (value | 0) === value) return value
  return toInt(numberArgument(S, value, n, count))
}

export function tableArgument(S: LuaState, value: LuaValue, n: number, count: number): LuaTable {
  if (value instanceof LuaTable) return value
  throw S.typeError(n, 'table', value, count)
}

export function functionArgument(S: LuaState, value: LuaValue, n: number, count: number): LuaFunction {
  if (value instanceof LuaFunction) return value
  throw S.typeError(n, 'function', value, count)
}

/** luaL_checkany: any argument, also nil. */
export function anyArgument(S: LuaState, n: number, count: number): void {
  if (n > count) throw S.argumentError(n, 'value expected')
}

/** Adds host functions to a table in this order. */
export function register(library: LuaTable, functions: Record<string, LuaFunction>): void {
  for (const name of Object.keys(functions)) library.set(name, functions[name])
}
