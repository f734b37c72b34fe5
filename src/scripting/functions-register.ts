// The arguments of redis.register_function: (name, callback), or one table of named arguments.

import { LuaTable } from './lua/table.ts'
import { LuaFunction, type LuaValue } from './lua/value.ts'
import { textOf } from './redis-library-api.ts'
import { type FunctionDraft, SCRIPT_FLAGS } from './script-engine.ts'

/** The function that the arguments describe, or an error message. */
export function registration(args: LuaValue[]): FunctionDraft | string {
  if (args.length < 1 || args.length > 2) return 'wrong number of arguments to redis.register_function'
  return args.length === 1 ? named(args[0]) : positional(args[0], args[1])
}

function positional(first: LuaValue, callback: LuaValue): FunctionDraft | string {
  const name = textOf(first)
  if (name === undefined) return 'first argument to redis.register_function must be a string'
  if (!(callback instanceof LuaFunction)) return 'second argument to redis.register_function must be a function'
  return { name, description: undefined, flags: 0, program: callback }
}

function named(table: LuaValue): FunctionDraft | string {
  if (!(table instanceof LuaTable)) {
    return 'calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).'
  }
  let name: string | undefined
  let description: string | undefined
  let program: LuaFunction | undefined
  let flags = 0
  for (let at = table.positionOfValue(0); at >= 0; at = table.positionOfValue(at + 1)) {
    const key = textOf(table.keyAt(at))
    const value = table.valueAt(at)
    if (key === undefined) return 'named argument key given to redis.register_function is not a string'
    switch (key.toLowerCase()) {
      case 'function_name':
        name = textOf(value)
        if (name === undefined) return 'function_name argument given to redis.register_function must be a string'
        break
      case 'description':
        description = textOf(value)
        if (description === undefined) return 'description argument given to redis.register_function must be a string'
        break
      case 'callback':
        if (!(value instanceof LuaFunction))
          return 'callback argument given to redis.register_function must be a function'
        program = value
        break
      case 'flags': {
        if (!(value instanceof LuaTable))
          return 'flags argument to redis.register_function must be a table representing function flags'
        const bits = flagsOf(value)
        if (bits === undefined) return 'unknown flag given'
        flags = bits
        break
      }
      default:
        return 'unknown argument given to redis.register_function'
    }
  }
  if (name === undefined) return 'redis.register_function must get a function name argument'
  if (program === undefined) return 'redis.register_function must get a callback argument'
  return { name, description, flags, program }
}

function flagsOf(table: LuaTable): number | undefined {
  let flags = 0
  for (let i = 1; ; i++) {
    const value = table.getInt(i)
    if (value === undefined) return flags
    const bit = SCRIPT_FLAGS.get(textOf(value)?.toLowerCase() ?? '')
    if (bit === undefined) return undefined
    flags |= bit
  }
}
