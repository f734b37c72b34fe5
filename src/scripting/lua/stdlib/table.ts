// The table library. It uses raw access throughout.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every
// call would cost

import { formatNumber } from '../number.ts'
import { callMetamethod } from '../operations.ts'
import { type LuaState, typeName } from '../state.ts'
import { LuaTable } from '../table.ts'
import { first, LuaError, type LuaFunction, type LuaValue, NOTHING } from '../value.ts'
import { functionArgument, intArgument, register, stringArgument, tableArgument } from './arguments.ts'
import { sort } from './sort.ts'

/** Limit of elements moved by insert, against scripts that would hang the server. */
const MOVES_MAX = 1 << 26

export function openTable(S: LuaState): void {
  const library = new LuaTable(S)
  S.globals.set('table', library)
  register(library, { ...listFunctions(S), ...sizeFunctions(S), ...walkFunctions(S) })
}

function setInt(table: LuaTable, i: number, value: LuaValue): void {
  if (table.readonly) throw new LuaError('Attempt to modify a readonly table')
  if (i > 0 && i <= table.arr.length) table.arr[i - 1] = value
  else table.set(i, value)
}

function listFunctions(S: LuaState): Record<string, LuaFunction> {
  return {
    concat: S.plain(function (this: LuaFunction, list, separator, from, to) {
      const count = arguments.length
      const text = separator === undefined ? '' : stringArgument(S, separator, 2, count)
      const table = tableArgument(S, list, 1, count)
      let i = from === undefined ? 1 : intArgument(S, from, 3, count)
      const last = to === undefined ? table.length() : intArgument(S, to, 4, count)
      const parts: string[] = []
      let length = 0
      for (; i <= last; i++) {
        const value = table.getInt(i)
        const part = typeof value === 'number' ? formatNumber(value) : value
        if (typeof part === 'string') {
          length += part.length + text.length
          if (length - text.length > S.stringBytesMax) throw S.error('not enough memory')
          parts.push(part)
        } else throw S.error(`invalid value (${typeName(value)}) at index ${i} in table for 'concat'`)
      }
      S.budget -= parts.length >> 2
      return parts.join(text)
    }),
    insert: S.plain((...args: LuaValue[]) => {
      const table = tableArgument(S, args[0], 1, args.length)
      let end = table.length() + 1
      if (args.length === 2) {
        setInt(table, end, args[1])
        return NOTHING
      }
      if (args.length !== 3) throw S.error("wrong number of arguments to 'insert'")
      const position = intArgument(S, args[1], 2, 3)
      if (position > end) end = position
      if (end - position > MOVES_MAX) throw S.error('not enough memory')
      S.budget -= (end - position) >> 4
      for (let i = end; i > position; i--) setInt(table, i, table.getInt(i - 1))
      setInt(table, position, args[2])
      return NOTHING
    }),
    remove: S.plain(function (this: LuaFunction, list, at) {
      const table = tableArgument(S, list, 1, arguments.length)
      const end = table.length()
      let position = at === undefined ? end : intArgument(S, at, 2, arguments.length)
      if (position < 1 || position > end) return NOTHING
      const removed = table.getInt(position)
      S.budget -= (end - position) >> 4
      for (; position < end; position++) setInt(table, position, table.getInt(position + 1))
      setInt(table, end, undefined)
      return removed
    }),
    sort: S.running(function (this: LuaFunction, list, order) {
      const table = tableArgument(S, list, 1, arguments.length)
      const size = table.length()
      if (order !== undefined) functionArgument(S, order, 2, arguments.length)
      return sort(S, this, table, size, order as LuaFunction | undefined)
    }),
  }
}

function sizeFunctions(S: LuaState): Record<string, LuaFunction> {
  return {
    getn: S.plain(function (this: LuaFunction, list) {
      return tableArgument(S, list, 1, arguments.length).length()
    }),
    setn: S.plain(function (this: LuaFunction, list) {
      tableArgument(S, list, 1, arguments.length)
      throw S.error("'setn' is obsolete")
    }),
    maxn: S.plain(function (this: LuaFunction, list) {
      const table = tableArgument(S, list, 1, arguments.length)
      let max = 0
      for (let at = table.positionOfValue(0); at >= 0; at = table.positionOfValue(at + 1)) {
        const key = table.keyAt(at)
        if (typeof key === 'number' && key > max) max = key
      }
      return max
    }),
  }
}

function walkFunctions(S: LuaState): Record<string, LuaFunction> {
  return {
    foreach: S.running(function (this: LuaFunction, list, f) {
      const table = tableArgument(S, list, 1, arguments.length)
      return forEach(S, this, table, functionArgument(S, f, 2, arguments.length))
    }),
    foreachi: S.running(function (this: LuaFunction, list, f) {
      const table = tableArgument(S, list, 1, arguments.length)
      return forEachIndex(S, this, table, table.length(), functionArgument(S, f, 2, arguments.length))
    }),
  }
}

function* forEach(S: LuaState, self: LuaFunction, table: LuaTable, f: LuaFunction) {
  S.enter(self)
  let key: LuaValue
  for (;;) {
    const from = table.positionAfter(key)
    if (from < 0) throw new LuaError("invalid key to 'next'")
    const at = table.positionOfValue(from)
    if (at < 0) break
    key = table.keyAt(at)
    const result = first(yield* callMetamethod(S, f, [key, table.valueAt(at)]))
    if (result !== undefined) {
      S.leave()
      return result
    }
  }
  S.leave()
  return NOTHING
}

function* forEachIndex(S: LuaState, self: LuaFunction, table: LuaTable, size: number, f: LuaFunction) {
  S.enter(self)
  for (let i = 1; i <= size; i++) {
    const result = first(yield* callMetamethod(S, f, [i, table.getInt(i)]))
    if (result !== undefined) {
      S.leave()
      return result
    }
  }
  S.leave()
  return NOTHING
}
