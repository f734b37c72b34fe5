// LuaState: a Lua state: globals, the running thread and its position.
//
// Always, while Lua code runs: `depth` is the running function's slot in `frames`, `site` the position in its chunk
// that last called or failed, `budget` the loop rounds and calls left before it suspends. Host functions have no
// frame unless they call back; those use `enter` and `leave`.

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

/** Lua's limits on nested calls, and on nested calls through host functions. */
const CALLS_MAX = 19999
const C_CALLS_MAX = 200
/** Lua calls on one native stack; more run on the next segment. Each takes up to three native frames. */
const NATIVE_CALLS_MAX = 150
/** V8's maximal string length. */
const STRING_BYTES_MAX = 2 ** 29 - 24
const POSITION_UNKNOWN = -1

/** The handler given to xpcall. */
export interface ErrorHandler {
  value: LuaValue
  /** The function xpcall, or another that installed the handler. */
  taker: LuaFunction
}

/** A Running that has already ended, for host functions that could have returned a generator. */
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
  /** The call to make for a function that returned TAIL. */
  tail: Running | undefined = undefined
  thread: LuaThread
  mainThread: LuaThread
  readonly globals: LuaTable
  stringMeta: LuaTable | undefined = undefined
  /** The functions `next` and the iterator of ipairs, which loops optimise. */
  nextFunction: LuaFunction | undefined = undefined
  ipairsFunction: LuaFunction | undefined = undefined
  /** C calls on the stack when a script starts; 1 in redis-server, 2 in lua5.1. */
  cCallsAtStart = 1
  stringBytesMax = STRING_BYTES_MAX
  /** The error handler of the innermost protected call of the running thread. */
  handler: ErrorHandler | undefined = undefined
  /** The deepest frame; higher while the handler of a stack overflow runs. */
  depthMax = CALLS_MAX * 2
  /** When set, the script ends at the next budget check. */
  killed: LuaKilled | undefined = undefined

  // Communication between generators and the driver, see execution.ts.
  child: Running | undefined = undefined
  /** Nested calls, innermost first, and the request of the innermost. */
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

  /** A Running that has ended with this result; reused by the next call. */
  ready(value: LuaResult): Running {
    this.finished.step.value = value
    return this.finished
  }

  /** A host function whose js returns the result directly. */
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

  /** Called beyond the depth limit: a new segment, or a stack overflow. */
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

  /** After a stack overflow: a higher limit while the error handler runs. */
  raiseDepthLimit(): void {
    if (this.depth >= (CALLS_MAX - 1) * 2) this.depthMax = CALLS_MAX * 4
  }

  /** Pushes a frame for a host function that calls back. */
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

  /** Counts a nested call through a host function or metamethod. */
  enterC(): void {
    if (++this.cCalls >= C_CALLS_MAX) {
      if (this.cCalls === C_CALLS_MAX) throw this.error('C stack overflow')
      if (this.cCalls >= C_CALLS_MAX + (C_CALLS_MAX >> 3)) throw new LuaHandlerError()
    }
  }

  // Positions and errors.

  /** The function at stack level `level`, 1 the running one; undefined when there is none. */
  functionAt(level: number): LuaFunction | undefined {
    const d = this.depth - 2 * (level - 1)
    return d > 0 ? this.frames[d + 1] : undefined
  }

  /** The current position in that function. */
  siteAt(level: number): Site | undefined {
    const f = this.functionAt(level)
    if (f?.chunk === undefined) return undefined
    const index = level === 1 ? this.site : this.frames[this.depth - 2 * (level - 2)]
    return f.chunk.sites[index]
  }

  /**
   * That function has made a tail call, so its frame is lost: a Lua callee takes it over, a host function does not.
   */
  isLost(level: number): boolean {
    return level > 1 && this.siteAt(level)?.kind === 'tail' && this.functionAt(level - 1)!.chunk !== undefined
  }

  /** `chunk:line: ` at stack level `level`, or '' without line information. */
  where(level: number): string {
    const site = this.siteAt(level)
    if (site === undefined || this.isLost(level)) return ''
    return `${this.functionAt(level)!.chunk!.name}:${site.line}: `
  }

  /** An error with the position of stack level `level`. */
  error(message: string, level = 1): LuaError {
    return new LuaError(this.where(level) + message)
  }

  /** The name under which the running host function was called. */
  private calledAs(): { what: string; name: string } {
    const site = this.siteAt(1)
    return site === undefined || site.kind === 'operation' || site.what === '' ? { what: '', name: '?' } : site
  }

  argumentError(n: number, message: string): LuaError {
    const { what, name } = this.calledAs()
    if (what === 'method' && --n === 0) return this.error(`calling '${name}' on bad self (${message})`)
    return this.error(`bad argument #${n} to '${name}' (${message})`)
  }

  /** `bad argument` error: argument `n` of `count` has the wrong type. */
  typeError(n: number, expected: string, value: LuaValue, count: number): LuaError {
    return this.argumentError(n, `${expected} expected, got ${n > count ? 'no value' : typeName(value)}`)
  }

  /** Converts a caught JavaScript exception to a Lua error; rethrows what pcall must not catch. */
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

  /** The number that tostring prints as an address. */
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

/** Lua's limit of values on a host function's stack. */
export const C_STACK_MAX = 8000
