// Calls of Lua functions from compiled code, metamethods and host functions, and how they suspend.
//
// Always: a suspended call is pending in the state (S.pending, S.nested), and its caller finishes it.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import { type LuaState, typeName } from './state.ts'
import {
  DEEP,
  LuaFunction,
  type LuaResult,
  type LuaValue,
  NEST,
  PENDING,
  PUSH,
  type Running,
  SUSPEND,
  TAIL,
} from './value.ts'

type Steps<T> = Generator<number, T, unknown>

// Calls and suspension of compiled code. Compiled functions yield in few places only: each of them costs code that
// saves and restores all live variables.

/** The budget is used up: the value to yield. `resumed` must follow. */
export function suspend(S: LuaState, site = S.site): number {
  S.site = site
  return SUSPEND
}

export function resumed(S: LuaState): void {
  if (S.killed !== undefined) throw S.killed
}

/**
 * Runs a call that was just started: its result, or PENDING. Then the caller yields NEST, and takeResult() returns the
 * result.
 */
export function run(S: LuaState, running: Running): LuaResult | typeof PENDING {
  for (;;) {
    const step = running.next()
    if (!step.done) {
      if (step.value !== NEST) {
        S.request = step.value
        S.nested.length = 0
      }
      S.nested.push(running)
      return PENDING
    }
    if (step.value !== TAIL) return step.value
    running = S.tail!
  }
}

/** The result of a nested call, after the driver has run it; throws its error. */
export function takeResult(S: LuaState): LuaResult {
  if (!S.failed) return S.result
  S.failed = false
  throw S.failure
}

/** Suspends the script until the driver gives it more budget. */
export function* pause(S: LuaState, site = S.site): Steps<void> {
  S.site = site
  while (S.budget < 0) {
    yield SUSPEND
    if (S.killed !== undefined) throw S.killed
  }
}

/** Continues a call that has yielded once. */
export function* finish(S: LuaState, running: Running, step: { value: number }): Steps<LuaResult> {
  if (step.value === DEEP) {
    S.child = running
    yield PUSH
    if (!S.failed) return S.result
    S.failed = false
    throw S.failure
  }
  yield step.value
  return yield* running as Steps<LuaResult>
}

/** Makes the tail call that a function returned. */
export function* tail(S: LuaState): Steps<LuaResult> {
  for (;;) {
    const running = S.tail!
    const step = running.next()
    const result = step.done ? step.value : yield* finish(S, running, step)
    if (result !== TAIL) return result
  }
}

/** The state of a suspended call. */
interface PendingCall {
  running: Running
  step: { done?: boolean; value: any }
}

/** Calls f: its result, or PENDING when it suspends; then finishCall() continues it. */
export function tryCall(S: LuaState, f: LuaFunction, args: LuaValue[]): LuaResult | typeof PENDING {
  const running = args.length === 2 ? f.js(args[0], args[1]) : f.js(...args)
  if (f.plain) return running
  const step = running.next()
  if (step.done && step.value !== TAIL) return step.value
  S.pending = { running, step }
  return PENDING
}

/** Continues the call for which tryCall() returned PENDING. */
export function* finishCall(S: LuaState): Steps<LuaResult> {
  const { running, step } = S.pending as PendingCall
  S.pending = undefined
  const result = step.done ? step.value : yield* finish(S, running, step)
  return result === TAIL ? yield* tail(S) : result
}

/** tryCall() for a metamethod or a host function; continued by finishMetamethod(). */
export function startMetamethod(S: LuaState, f: LuaValue, args: LuaValue[]): LuaResult | typeof PENDING {
  S.enterC()
  const result = tryCall(S, f instanceof LuaFunction ? f : callable(S, f, S.site), args)
  if (result !== PENDING) S.cCalls--
  return result
}

export function* finishMetamethod(S: LuaState): Steps<LuaResult> {
  const result = yield* finishCall(S)
  S.cCalls--
  return result
}

/** Calls a metamethod, or any value for a host function. */
export function* callMetamethod(S: LuaState, f: LuaValue, args: LuaValue[]): Steps<LuaResult> {
  const result = startMetamethod(S, f, args)
  return result === PENDING ? yield* finishMetamethod(S) : result
}

/** `isNamed`: the value is the operand that the site describes, not one reached through metatables. */
export function attempt(S: LuaState, operation: string, value: LuaValue, site: number, isNamed = true): Error {
  S.site = site
  const place = S.siteAt(1)
  const type = typeName(value)
  const whom =
    !isNamed || place === undefined || place.what === ''
      ? `a ${type} value`
      : `${place.what} '${place.name}' (a ${type} value)`
  return S.error(`attempt to ${operation} ${whom}`) as unknown as Error
}

/** `value` as a function: itself, its __call, or an error once the arguments are evaluated. */
export function callable(S: LuaState, value: LuaValue, site: number): LuaFunction {
  if (value instanceof LuaFunction) return value
  const meta = S.metafield(value, '__call')
  if (meta instanceof LuaFunction) {
    return new LuaFunction((...args: LuaValue[]) => meta.js(value, ...args), meta.plain, meta.chunk, meta.env)
  }
  return S.plain(() => {
    throw attempt(S, 'call', value, site)
  })
}
