// error, pcall and xpcall.
//
// Always: whoever catches an error puts S.depth, S.site and S.cCalls back to what they were at its call.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every call would cost

import { formatNumber } from '../number.ts'
import { call, callable, callMeta } from '../operations.ts'
import type { LuaState } from '../state.ts'
import { first, LuaError, LuaFunction, LuaKilled, type LuaValue } from '../value.ts'
import { anyArgument, intArgument } from './arguments.ts'

const HANDLER_FAILED = 'error in error handling'

export function protectedFunctions(S: LuaState): Record<string, LuaFunction> {
  return {
    error: S.plain(function (this: LuaFunction, value, levelValue) {
      const level = levelValue === undefined ? 1 : intArgument(S, levelValue, 2, arguments.length)
      if (level > 0 && typeof value === 'string') throw new LuaError(S.where(level) + value)
      if (level > 0 && typeof value === 'number') throw new LuaError(S.where(level) + formatNumber(value))
      throw new LuaError(value)
    }),
    pcall: S.running(function (this: LuaFunction, ...args) {
      anyArgument(S, 1, args.length)
      return protect(S, this, args[0], args.slice(1), false, undefined)
    }),
    xpcall: S.running(function (this: LuaFunction, ...args) {
      anyArgument(S, 2, args.length)
      return protect(S, this, args[0], [], true, args[1])
    }),
  }
}

/** Calls f; true and its results, or false and the error. */
export function* protect(
  S: LuaState,
  self: LuaFunction,
  f: LuaValue,
  args: LuaValue[],
  hasHandler: boolean,
  handler: LuaValue,
): Generator<number, LuaValue[], unknown> {
  const { depth, site, cCalls } = S
  S.enter(self)
  let results: LuaValue[]
  try {
    S.enterC()
    const result = yield* call(S, callable(S, f, S.site), args)
    results = Array.isArray(result) ? [true, ...result] : [true, result]
  } catch (e) {
    if (e instanceof LuaKilled) throw e
    let { value } = S.caught(e)
    if (hasHandler) value = yield* handle(S, handler, value)
    results = [false, value]
  }
  S.depth = depth
  S.site = site
  S.cCalls = cCalls
  return results
}

/** Runs an error handler on top of the frames that failed. */
function* handle(S: LuaState, handler: LuaValue, value: LuaValue): Generator<number, LuaValue, unknown> {
  if (!(handler instanceof LuaFunction)) return HANDLER_FAILED
  try {
    return first(yield* callMeta(S, handler, [value]))
  } catch (e) {
    if (e instanceof LuaKilled) throw e
    S.caught(e)
    return HANDLER_FAILED
  }
}
