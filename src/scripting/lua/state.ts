// LuaState: one Lua world. It holds the globals, what is running, and where it is.
//
// Always, while Lua code runs: `depth` is the frame slot of the running function in `frames`, `site` the place in its
// chunk that called or failed last, `budget` how many loop rounds and calls are left before it suspends itself.
// Host functions have no frame of their own unless they call back; then they use `enter` and `leave`.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import type { LuaTable } from './table.ts'
import { LuaTable as Table } from './table.ts'
import { LuaThread } from './thread.ts'
import {
  DEEP,
  LuaError,
  LuaFunction,
  LuaHandlerError,
  LuaKilled,
  type LuaResult,
  LuaUserdata,
  type LuaValue,
  type Running,
  type Site,
} from './value.ts'

/** Lua's own limits: nested calls, and nested calls through host functions. */
const CALLS_MAX = 19999
const C_CALLS_MAX = 200
/** Lua calls on one native stack; more continue on the next segment. Each takes up to three native frames. */
const NATIVE_CALLS_MAX = 150
/** What V8 can hold in a string. */
const STRING_BYTES_MAX = 2 ** 29 - 24
const POSITION_UNKNOWN = -1

/** What xpcall was given, function or not. */
export interface ErrorHandler {
  value: LuaValue
  /** The function xpcall, or what else took the handler. */
  taker: LuaFunction
}

/** A running call that has already ended: what a host function returns that could have been a generator. */
class Finished implements Running {
  readonly step = { done: true, value: undefined as any }
  next(): { done: boolean; value: any } {
    return this.step
  }
}

export class LuaState {
  depth = 0
  limit = 0
  frames: any[]
  site = POSITION_UNKNOWN
  budget = 0
  cCalls = 0
  serial = 0
  /** The call that a function which returned TAIL leaves to its caller. */
  tail: Running | undefined = undefined
  thread: LuaThread
  mainThread: LuaThread
  readonly globals: LuaTable
  stringMeta: LuaTable | undefined = undefined
  /** The functions `next` and the iterator of ipairs, which loops recognise. */
  nextFunction: LuaFunction | undefined = undefined
  ipairsFunction: LuaFunction | undefined = undefined
  /** Calls through host functions that are on the stack when a script starts; 1 in redis-server, 2 in lua5.1. */
  cCallsAtStart = 1
  stringBytesMax = STRING_BYTES_MAX
  /** What the innermost protected call of the running thread hands its errors to first. */
  handler: ErrorHandler | undefined = undefined
  /** The deepest frame; more while the handler of a stack overflow runs. */
  depthMax = CALLS_MAX * 2
  /** Set: the script ends at the next budget check. */
  killed: LuaKilled | undefined = undefined

  // What passes between generators and the driver, see execution.ts.
  child: Running | undefined = undefined
  /** Calls that wait for one another, innermost first, and what the innermost wants. */
  readonly nested: Running[] = []
  request = 0
  target: LuaThread | undefined = undefined
  transfer: LuaValue[] = []
  result: LuaResult = undefined
  failure: unknown = undefined
  /** See tryCall in operations.ts. */
  pending: unknown = undefined
  failed = false

  private readonly finished = new Finished()

  constructor() {
    this.globals = new Table(this)
    this.mainThread = new LuaThread(undefined, this.globals)
    this.thread = this.mainThread
    this.frames = this.mainThread.frames
  }

  /** A result as a running call that has ended; valid until the next one. */
  ready(value: LuaResult): Running {
    this.finished.step.value = value
    return this.finished
  }

  /** A host function whose js returns the result. */
  plain(js: (this: LuaFunction, ...args: any[]) => LuaResult): LuaFunction {
    return new LuaFunction(js, true, undefined, this.globals)
  }

  /** A host function whose js returns a Running: a generator, or `ready(result)`. */
  running(js: (this: LuaFunction, ...args: any[]) => Running): LuaFunction {
    return new LuaFunction(js, false, undefined, this.globals)
  }

  limitFrom(depth: number): number {
    return Math.min(depth + NATIVE_CALLS_MAX * 2, this.depthMax)
  }

  /** A function was entered beyond the limit: a new segment, or the end. */
  deepen(depth: number): typeof DEEP {
    if (depth > this.depthMax) {
      this.depth = depth - 2
      throw this.tooDeep()
    }
    return DEEP
  }

  private tooDeep(): LuaError {
    return this.depthMax > CALLS_MAX * 2 ? new LuaHandlerError() : this.error('stack overflow')
  }

  /** Makes room for an error handler to run in where a stack overflowed. */
  raiseDepthLimit(): void {
    if (this.depth >= (CALLS_MAX - 1) * 2) this.depthMax = CALLS_MAX * 4
  }

  /** Gives a host function a frame, so that what it calls sees a host function above it. */
  enter(f: LuaFunction): void {
    const d = this.depth + 2
    if (d > this.depthMax) throw this.tooDeep()
    this.depth = d
    this.frames[d] = this.site
    this.frames[d + 1] = f
  }

  leave(): void {
    this.site = this.frames[this.depth]
    this.depth -= 2
  }

  /** Counts a call that goes through a host function or metamethod. */
  enterC(): void {
    if (++this.cCalls >= C_CALLS_MAX) {
      if (this.cCalls === C_CALLS_MAX) throw this.error('C stack overflow')
      if (this.cCalls >= C_CALLS_MAX + (C_CALLS_MAX >> 3)) throw new LuaHandlerError()
    }
  }

  // Positions and errors.

  /** The function `level` frames up, 1 the one that runs; undefined when there is none. */
  functionAt(level: number): LuaFunction | undefined {
    const d = this.depth - 2 * (level - 1)
    return d > 0 ? this.frames[d + 1] : undefined
  }

  /** The place in that function that is running or calling. */
  siteAt(level: number): Site | undefined {
    const f = this.functionAt(level)
    if (f?.chunk === undefined) return undefined
    const index = level === 1 ? this.site : this.frames[this.depth - 2 * (level - 2)]
    return f.chunk.sites[index]
  }

  /**
   * True when the function there has made a tail call: one of a Lua function takes its frame, one of a host function
   * does not.
   */
  isLost(level: number): boolean {
    return level > 1 && this.siteAt(level)?.kind === 'tail' && this.functionAt(level - 1)!.chunk !== undefined
  }

  /** `chunk:line: ` of the function `level` frames up, or nothing when it has no lines. */
  where(level: number): string {
    const site = this.siteAt(level)
    if (site === undefined || this.isLost(level)) return ''
    return `${this.functionAt(level)!.chunk!.name}:${site.line}: `
  }

  /** An error that tells where it happened. */
  error(message: string, level = 1): LuaError {
    return new LuaError(this.where(level) + message)
  }

  /** What the running host function was called as. */
  private calledAs(): { what: string; name: string } {
    const site = this.siteAt(1)
    return site === undefined || site.kind === 'operation' || site.what === '' ? { what: '', name: '?' } : site
  }

  argumentError(n: number, message: string): LuaError {
    const { what, name } = this.calledAs()
    if (what === 'method' && --n === 0) return this.error(`calling '${name}' on bad self (${message})`)
    return this.error(`bad argument #${n} to '${name}' (${message})`)
  }

  /** `value` is argument `n` of `count`, and should have been of another type. */
  typeError(n: number, expected: string, value: LuaValue, count: number): LuaError {
    return this.argumentError(n, `${expected} expected, got ${n > count ? 'no value' : typeName(value)}`)
  }

  /** The Lua error that a caught JavaScript exception stands for; throws on what nobody may catch. */
  caught(e: unknown): LuaError {
    if (e instanceof LuaError) return e
    if (e instanceof RangeError) return this.error(/stack/.test(e.message) ? 'stack overflow' : 'not enough memory')
    throw e
  }

  kill(message: string): void {
    this.killed = new LuaKilled(message)
  }

  /** The metatable of any value. */
  metatable(value: LuaValue): LuaTable | undefined {
    if (value instanceof Table) return value.mt
    if (typeof value === 'string') return this.stringMeta
    if (value instanceof LuaUserdata) return value.mt
    return undefined
  }

  metafield(value: LuaValue, event: string): LuaValue {
    return this.metatable(value)?.getName(event)
  }

  /** What stands in for an address in tostring. */
  address(value: any): string {
    if (value instanceof LuaUserdata && value.light) return '(nil)'
    if (value.id === 0) value.id = ++this.serial
    return `0x${(0x55d0c0000000 + value.id * 32).toString(16)}`
  }
}

export function typeName(value: LuaValue): string {
  switch (typeof value) {
    case 'undefined':
      return 'nil'
    case 'object':
      if (value instanceof Table) return 'table'
      if (value instanceof LuaFunction) return 'function'
      return value instanceof LuaThread ? 'thread' : 'userdata'
    default:
      return typeof value
  }
}

/** Values on a host function's stack, at most. */
export const C_STACK_MAX = 8000
