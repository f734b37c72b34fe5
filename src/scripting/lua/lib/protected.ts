// error, pcall and xpcall.
//
// Always: whoever catches an error puts S.depth, S.site and S.cCalls back to what they were at its call.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every call would cost

import { formatNumber } from '../number.ts'
import { callable, callMeta, finishCall, PENDING, tryCall } from '../operations.ts'
import type { LuaState } from '../state.ts'
import { first, LuaError, LuaFunction, LuaKilled, type LuaResult, type LuaValue, type Running } from '../value.ts'
import { anyArgument, intArgument } from './arguments.ts'

type Steps<T> = Generator<number, T, unknown>

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

/** Calls f: true and its results, or false and the error. Ends at once unless f suspends or fails with a handler. */
export function protect(
  S: LuaState,
  self: LuaFunction,
  f: LuaValue,
  args: LuaValue[],
  hasHandler: boolean,
  handler: LuaValue,
  mapError: (value: LuaValue) => LuaValue = asItIs,
): Running {
  const mark: Mark = { depth: S.depth, site: S.site, cCalls: S.cCalls, mapError }
  S.enter(self)
  try {
    S.enterC()
    const result = tryCall(S, callable(S, f, S.site), args)
    if (result === PENDING) return protectLater(S, mark, hasHandler, handler)
    return S.ready(succeeded(S, mark, result))
  } catch (e) {
    if (hasHandler) return failLater(S, mark, e, handler)
    return S.ready(failed(S, mark, valueOf(S, e)))
  }
}

/** What a protected call restores. */
interface Mark {
  depth: number
  site: number
  cCalls: number
  /** Makes what the caller gets of the error. */
  mapError: (value: LuaValue) => LuaValue
}

function asItIs(value: LuaValue): LuaValue {
  return value
}

function restore(S: LuaState, mark: Mark): void {
  S.depth = mark.depth
  S.site = mark.site
  S.cCalls = mark.cCalls
}

function succeeded(S: LuaState, mark: Mark, result: LuaResult): LuaValue[] {
  restore(S, mark)
  return Array.isArray(result) ? [true, ...result] : [true, result]
}

function failed(S: LuaState, mark: Mark, value: LuaValue): LuaValue[] {
  restore(S, mark)
  return [false, mark.mapError(value)]
}

/** The Lua value of what was thrown; throws on what nobody may catch. */
function valueOf(S: LuaState, e: unknown): LuaValue {
  if (e instanceof LuaKilled) throw e
  return S.caught(e).value
}

function* protectLater(S: LuaState, mark: Mark, hasHandler: boolean, handler: LuaValue): Steps<LuaValue[]> {
  try {
    return succeeded(S, mark, yield* finishCall(S))
  } catch (e) {
    let value = valueOf(S, e)
    if (hasHandler) value = yield* handle(S, handler, value)
    return failed(S, mark, value)
  }
}

function* failLater(S: LuaState, mark: Mark, e: unknown, handler: LuaValue): Steps<LuaValue[]> {
  return failed(S, mark, yield* handle(S, handler, valueOf(S, e)))
}

/** Runs an error handler on top of the frames that failed. */
function* handle(S: LuaState, handler: LuaValue, value: LuaValue): Steps<LuaValue> {
  if (!(handler instanceof LuaFunction)) return HANDLER_FAILED
  try {
    return first(yield* callMeta(S, handler, [value]))
  } catch (e) {
    valueOf(S, e)
    return HANDLER_FAILED
  }
}
