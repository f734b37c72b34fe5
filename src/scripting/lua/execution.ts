// Execution: runs a Lua function to its end, optionally in slices.
//
//   suspended --[resume]--> suspended | done | failed
//
// The driver controls the native stack: generators call each other natively up to a limit, and yield to the driver to
// go deeper (PUSH), to switch coroutines (RESUME, YIELD) and to suspend the script (SUSPEND).

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import type { LuaState } from './state.ts'
import type { LuaThread } from './thread.ts'
import {
  DEEP,
  type LuaError,
  type LuaFunction,
  LuaKilled,
  type LuaResult,
  type LuaValue,
  multi,
  NEST,
  PUSH,
  RESUME,
  type Running,
  SUSPEND,
  TAIL,
  YIELD,
} from './value.ts'

export type ExecutionState = 'suspended' | 'done' | 'failed'

export class Execution {
  state: ExecutionState = 'suspended'
  /** When done. */
  result: LuaResult = undefined
  /** When failed: the Lua error, or the kill. */
  error: LuaError | LuaKilled | undefined = undefined
  private readonly S: LuaState

  /** Only one execution of a state may be suspended at a time. Nothing runs before the first resume(). */
  constructor(S: LuaState, f: LuaFunction, args: LuaValue[]) {
    this.S = S
    const main = S.mainThread
    main.status = 'running'
    main.segments.length = 0
    main.limits.length = 0
    main.cCallsBase = 0
    S.thread = main
    S.frames = main.frames
    S.depth = 0
    S.site = -1
    S.cCalls = S.cCallsAtStart
    S.handler = undefined
    S.killed = undefined
    S.failed = false
    this.pushSegment(main, begin(S, f, args))
  }

  /** Runs about `budget` loop rounds and calls. */
  resume(budget: number): ExecutionState {
    const S = this.S
    S.budget = budget
    while (this.state === 'suspended') {
      const thread = S.thread
      let step: { done?: boolean; value: any }
      try {
        step = thread.segments[thread.segments.length - 1].next()
      } catch (error) {
        this.failSegment(thread, error)
        continue
      }
      if (step.done) this.endSegment(thread, step.value)
      else if (this.serve(thread, step.value)) return this.state
    }
    return this.state
  }

  /** Ends the script at its next resume; pcall does not catch it. */
  kill(message: string): void {
    this.S.kill(message)
  }

  /** True when the script is suspended. */
  private serve(thread: LuaThread, request: number): boolean {
    const S = this.S
    switch (request) {
      case SUSPEND:
        return true
      case DEEP:
        S.limit = S.limitFrom(S.depth)
        break
      case PUSH:
        this.pushSegment(thread, S.child!)
        break
      case NEST:
        return this.pushNested(thread)
      case RESUME:
        this.enterThread(S.target!)
        break
      case YIELD:
        thread.status = 'suspended'
        this.leaveThread(thread, [true, ...S.transfer])
        break
    }
    return false
  }

  /** Starts a new stack segment for each nested call; the innermost runs first. */
  private pushNested(thread: LuaThread): boolean {
    const S = this.S
    const { nested } = S
    for (let above = nested.length - 1; above >= 0; above--) {
      S.limit = S.limitFrom(S.depth - 2 * above)
      thread.segments.push(nested[above])
      thread.limits.push(S.limit)
    }
    nested.length = 0
    return this.serve(thread, S.request)
  }

  private pushSegment(thread: LuaThread, running: Running): void {
    this.S.limit = this.S.limitFrom(this.S.depth)
    thread.segments.push(running)
    thread.limits.push(this.S.limit)
  }

  private popSegment(thread: LuaThread): boolean {
    thread.segments.pop()
    thread.limits.pop()
    if (thread.segments.length === 0) return false
    this.S.limit = thread.limits[thread.limits.length - 1]
    return true
  }

  private endSegment(thread: LuaThread, value: LuaResult): void {
    const S = this.S
    if (value === TAIL) {
      thread.segments[thread.segments.length - 1] = S.tail!
      return
    }
    if (this.popSegment(thread)) {
      S.result = value
      return
    }
    thread.status = 'dead'
    if (thread !== S.mainThread) this.leaveThread(thread, [true, ...multi(value)])
    else {
      this.state = 'done'
      this.result = value
    }
  }

  private failSegment(thread: LuaThread, error: unknown): void {
    const S = this.S
    if (!(error instanceof LuaKilled)) error = S.caught(error)
    if (this.popSegment(thread)) {
      S.failed = true
      S.failure = error
      return
    }
    thread.status = 'dead'
    if (error instanceof LuaKilled || thread === S.mainThread) {
      this.state = 'failed'
      this.error = error as LuaError | LuaKilled
    } else this.leaveThread(thread, [false, (error as LuaError).value])
  }

  /** Switches to a suspended coroutine. */
  private enterThread(thread: LuaThread): void {
    const S = this.S
    const from = S.thread
    from.status = 'normal'
    from.depth = S.depth
    from.cCalls = S.cCalls
    from.handler = S.handler
    from.frames[from.depth + 2] = S.site
    thread.resumer = from
    thread.status = 'running'
    thread.cCallsBase = from.cCalls + 1
    S.thread = thread
    S.frames = thread.frames
    S.depth = thread.depth
    S.cCalls = thread.cCallsBase
    S.handler = thread.handler
    S.site = -1
    const { body } = thread
    if (body === undefined) S.limit = thread.limits[thread.limits.length - 1]
    else {
      thread.body = undefined
      this.pushSegment(thread, begin(S, body, S.transfer))
    }
  }

  /** Switches back to the thread that resumed this coroutine. */
  private leaveThread(thread: LuaThread, values: LuaValue[]): void {
    const S = this.S
    const to = thread.resumer!
    thread.resumer = undefined
    thread.depth = S.depth
    thread.handler = S.handler
    to.status = 'running'
    S.thread = to
    S.frames = to.frames
    S.depth = to.depth
    S.cCalls = to.cCalls
    S.handler = to.handler
    S.site = to.frames[to.depth + 2]
    S.limit = to.limits[to.limits.length - 1]
    S.transfer = values
  }
}

/** The outermost call of a thread. */
function begin(_S: LuaState, f: LuaFunction, args: LuaValue[]): Running {
  if (!f.plain) return f.js(...args)
  return beginPlain(f, args)
}

// biome-ignore lint/correctness/useYield: a host function as a generator that never yields
function* beginPlain(f: LuaFunction, args: LuaValue[]): Generator<number, LuaResult, unknown> {
  return f.js(...args)
}
