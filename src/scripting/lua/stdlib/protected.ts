// error, pcall and xpcall.
//
// Always: a protected call restores S.depth, S.site, S.cCalls and S.handler after an error.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every
// call would cost

import { formatNumber } from '../number.ts'
import { callable, callMetamethod, finishCall, PENDING, tryCall } from '../operations.ts'
import type { ErrorHandler, LuaState } from '../state.ts'
import {
  first,
  LuaError,
  LuaFunction,
  LuaHandlerError,
  LuaKilled,
  type LuaResult,
  type LuaValue,
  type Running,
} from '../value.ts'
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

/** Calls f: true and its results, or false and the error. Returns at once unless f suspends or fails with a handler. */
export function protect(
  S: LuaState,
  self: LuaFunction,
  f: LuaValue,
  args: LuaValue[],
  hasHandler: boolean,
  handler: LuaValue,
  mapError: (value: LuaValue) => LuaValue = asItIs,
): Running {
  const mark: Mark = { depth: S.depth, site: S.site, cCalls: S.cCalls, handler: S.handler, mapError }
  S.enter(self)
  S.handler = hasHandler ? { value: handler, taker: self } : undefined
  try {
    S.enterC()
    const result = tryCall(S, callable(S, f, S.site), args)
    if (result === PENDING) return protectLater(S, mark)
    return S.ready(succeeded(S, mark, result))
  } catch (e) {
    if (hasHandler) return failLater(S, mark, e)
    return S.ready(failed(S, mark, valueOf(S, e)))
  }
}

/** State restored after an error. */
interface Mark {
  depth: number
  site: number
  cCalls: number
  handler: ErrorHandler | undefined
  /** Converts the error for the caller. */
  mapError: (value: LuaValue) => LuaValue
}

function asItIs(value: LuaValue): LuaValue {
  return value
}

function restore(S: LuaState, mark: Mark): void {
  S.depth = mark.depth
  S.site = mark.site
  S.cCalls = mark.cCalls
  S.handler = mark.handler
}

function succeeded(S: LuaState, mark: Mark, result: LuaResult): LuaValue[] {
  restore(S, mark)
  return Array.isArray(result) ? [true, ...result] : [true, result]
}

function failed(S: LuaState, mark: Mark, value: LuaValue): LuaValue[] {
  restore(S, mark)
  return [false, mark.mapError(value)]
}

/** The Lua value of an exception; rethrows what pcall must not catch. */
function valueOf(S: LuaState, e: unknown): LuaValue {
  if (e instanceof LuaKilled) throw e
  return S.caught(e).value
}

function* protectLater(S: LuaState, mark: Mark): Steps<LuaValue[]> {
  try {
    return succeeded(S, mark, yield* finishCall(S))
  } catch (e) {
    return failed(S, mark, yield* handled(S, e))
  }
}

function* failLater(S: LuaState, mark: Mark, e: unknown): Steps<LuaValue[]> {
  return failed(S, mark, yield* handled(S, e))
}

/**
 * The error after the handler, if any, which runs on top of the failed frames and also gets its own errors, up to a
 * limit.
 */
export function* handled(S: LuaState, e: unknown): Steps<LuaValue> {
  const { handler, depthMax } = S
  if (handler === undefined) return valueOf(S, e)
  try {
    for (;;) {
      const value = valueOf(S, e)
      if (e instanceof LuaHandlerError || !(handler.value instanceof LuaFunction)) return HANDLER_FAILED
      S.raiseDepthLimit()
      try {
        // A host function has no frame yet, and its error must show it below the handler, without a line.
        if ((S.siteAt(1)?.kind ?? 'operation') !== 'operation') S.enter(handler.taker)
        return first(yield* callMetamethod(S, handler.value, [value]))
      } catch (again) {
        e = again
      }
    }
  } finally {
    S.depthMax = depthMax
  }
}
