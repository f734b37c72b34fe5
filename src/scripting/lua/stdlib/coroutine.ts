// The coroutine library. The driver switches coroutines, see execution.ts.

import { formatNumber } from '../number.ts'
import type { LuaState } from '../state.ts'
import { LuaTable } from '../table.ts'
import { LuaThread } from '../thread.ts'
import { LuaError, LuaFunction, type LuaValue, RESUME, YIELD } from '../value.ts'
import { register } from './arguments.ts'

const C_CALLS_MAX = 200

export function openCoroutine(S: LuaState): void {
  const library = new LuaTable(S)
  S.globals.set('coroutine', library)
  register(library, {
    create: S.plain(function (this: LuaFunction, f) {
      return create(S, f)
    }),
    resume: S.running(function (this: LuaFunction, co, ...args) {
      return resume(S, thread(S, co), args)
    }),
    running: S.plain(() => (S.thread === S.mainThread ? undefined : S.thread)),
    status: S.plain(function (this: LuaFunction, co) {
      return thread(S, co).status
    }),
    wrap: S.plain(function (this: LuaFunction, f) {
      const co = create(S, f)
      return S.running((...args) => resumeWrapped(S, co, args))
    }),
    yield: S.running((...args) => leave(S, args)),
  })
}

function thread(S: LuaState, value: LuaValue): LuaThread {
  if (value instanceof LuaThread) return value
  throw S.argumentError(1, 'coroutine expected')
}

function create(S: LuaState, f: LuaValue): LuaThread {
  if (!(f instanceof LuaFunction) || f.chunk === undefined) throw S.argumentError(1, 'Lua function expected')
  return new LuaThread(f, S.thread.env)
}

/** true and the yielded or returned values, or false and the error. */
function* resume(S: LuaState, co: LuaThread, args: LuaValue[]): Generator<number, LuaValue[], unknown> {
  if (co.status !== 'suspended') return [false, `cannot resume ${co.status} coroutine`]
  if (S.cCalls >= C_CALLS_MAX) return [false, 'C stack overflow']
  S.target = co
  S.transfer = args
  yield RESUME
  return S.transfer
}

function* resumeWrapped(S: LuaState, co: LuaThread, args: LuaValue[]): Generator<number, LuaValue[], unknown> {
  const results = yield* resume(S, co, args)
  if (results[0] === true) return results.slice(1)
  const error = results[1]
  if (typeof error === 'string') throw new LuaError(S.where(1) + error)
  if (typeof error === 'number') throw new LuaError(S.where(1) + formatNumber(error))
  throw new LuaError(error)
}

function* leave(S: LuaState, args: LuaValue[]): Generator<number, LuaValue[], unknown> {
  if (S.cCalls > S.thread.cCallsBase) throw new LuaError('attempt to yield across metamethod/C-call boundary')
  S.transfer = args
  yield YIELD
  return S.transfer
}
