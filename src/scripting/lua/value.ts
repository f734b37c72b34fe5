// Lua values as JavaScript values.
//
//   nil        undefined                 function   LuaFunction
//   boolean    boolean                   table      LuaTable (table.ts)
//   number     number                    thread     LuaThread (thread.ts)
//   string     string, one char a byte   userdata   LuaUserdata
//
// Always: no Lua value is a JavaScript array, so a call's result is either one plain value or an array of the
// values, however many. Nobody writes to such an array after it was returned.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

export type LuaValue = undefined | boolean | number | string | LuaObject

/** What a call gives: one value as itself, or any number in an array. */
export type LuaResult = LuaValue | LuaValue[]

/** Whatever has an identity. `id` is 0 until the object was used as a key or printed. */
export class LuaObject {
  id = 0
}

/** One place in a chunk that can fail or call. */
export interface Site {
  line: number
  /** What the callee, or the operand at fault, is called: 'global', 'local', 'field', 'upvalue', 'method', or ''. */
  what: string
  name: string
  /** 'tail': the caller's frame is gone while the callee runs. */
  kind: 'operation' | 'call' | 'tail'
}

/** What all functions of one source text share. */
export interface Chunk {
  /** As positions print it: `user_script`, `[string "return 1"]`. */
  name: string
  /** As given to load, with its leading '@' or '='. */
  source: string
  sites: Site[]
}

/** What a started Lua function looks like to its caller; a generator, or something finished that poses as one. */
export interface Running {
  next(): { done?: boolean; value: any }
}

/** `plain`: js returns the result itself. Otherwise js returns a Running that ends with the result. */
export class LuaFunction extends LuaObject {
  js: (this: LuaFunction, ...args: any[]) => any
  plain: boolean
  /** Undefined for host functions. */
  chunk: Chunk | undefined
  env: any
  constructor(js: (this: LuaFunction, ...args: any[]) => any, plain: boolean, chunk: Chunk | undefined, env: any) {
    super()
    this.js = js
    this.plain = plain
    this.chunk = chunk
    this.env = env
  }
}

/** An opaque host value; `light` ones (cjson.null) have no metatable of their own. */
export class LuaUserdata extends LuaObject {
  mt: any = undefined
  env: any = undefined
  light: boolean
  payload: unknown
  constructor(light: boolean, payload?: unknown) {
    super()
    this.light = light
    this.payload = payload
  }
}

/** A Lua error on its way to a pcall. Not an Error: making one would record a JavaScript stack. */
export class LuaError {
  value: LuaValue
  constructor(value: LuaValue) {
    this.value = value
  }
}

/** An error that no handler gets to see: there were too many on top of one another. */
export class LuaHandlerError extends LuaError {
  constructor() {
    super('error in error handling')
  }
}

/** Ends a script whatever it does: pcall does not catch it. */
export class LuaKilled {
  message: string
  constructor(message: string) {
    this.message = message
  }
}

/** A function that returned its tail call instead of making it; the call stands in LuaState.tail. */
export const TAIL: LuaValue[] = []
/** The result of a function that returns nothing. */
export const NOTHING: LuaValue[] = []

// What a running generator can yield.
/** The budget is used up. */
export const SUSPEND = 1
/** Native frames are too deep: run LuaState.child from the bottom of a fresh stack, then go on here. */
export const PUSH = 2
/** A function that has just been entered says the same; its caller turns it into PUSH. */
export const DEEP = 3
/** Switch to the coroutine LuaState.target, with LuaState.transfer. */
export const RESUME = 4
/** Leave the current coroutine with LuaState.transfer. */
export const YIELD = 5
/**
 * Run the calls of LuaState.nested from the bottom of a fresh stack each, innermost first, and serve
 * LuaState.request.
 */
export const NEST = 6

/** In place of a result: the call has not ended, and its caller has to yield. */
export const PENDING = Symbol('pending')

/** Results as an array, to read only. */
export function multi(result: LuaResult): LuaValue[] {
  return Array.isArray(result) ? result : [result]
}

/** Adjusts a result to one value. */
export function first(result: LuaResult): LuaValue {
  return Array.isArray(result) ? result[0] : result
}
