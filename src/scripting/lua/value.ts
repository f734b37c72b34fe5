// Lua values as JavaScript values.
//
//   nil        undefined                 function   LuaFunction
//   boolean    boolean                   table      LuaTable (table.ts)
//   number     number                    thread     LuaThread (thread.ts)
//   string     string, one char a byte   userdata   LuaUserdata
//
// Always: no Lua value is a JavaScript array, so a call's result is either one plain value or an array of values. Such
// an array is not modified after it was returned.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

export type LuaValue = undefined | boolean | number | string | LuaObject

/** A call's result: one value as itself, or any number in an array. */
export type LuaResult = LuaValue | LuaValue[]

/** Values with identity. `id` is 0 until the object is used as a key or printed. */
export class LuaObject {
  id = 0
}

/** A position in a chunk that can fail or call. */
export interface Site {
  line: number
  /** The kind of name of the callee or operand: 'global', 'local', 'field', 'upvalue', 'method', or ''. */
  what: string
  name: string
  /** 'tail': the caller's frame is lost while the callee runs. */
  kind: 'operation' | 'call' | 'tail'
}

/** Shared by all functions of one source text. */
export interface Chunk {
  /** In the form of error positions: `user_script`, `[string "return 1"]`. */
  name: string
  /** As given to load, with its '@' or '='. */
  source: string
  sites: Site[]
  /** Of a chunk that is compiled for a debugger. */
  hook?: LineHook
}

/** A debugger, as compiled code calls it before it runs a line. */
export interface LineHook {
  /**
   * `depth` and `f`: the frame. `locals`: names and values, innermost last. True: the script is suspended first, and
   * calls resumed() before it goes on.
   */
  line(line: number, depth: number, f: LuaFunction, locals: () => [string, LuaValue][]): boolean
  /** May throw a LuaError. */
  resumed(): void
}

/** A started Lua function: a generator, or an object of the same interface that has ended. */
export interface Running {
  next(): { done?: boolean; value: any }
}

/** `plain`: js returns the result. Otherwise js returns a Running that ends with the result. */
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

/** A thrown Lua error. Not a JavaScript Error, which would record a stack. */
export class LuaError {
  value: LuaValue
  constructor(value: LuaValue) {
    this.value = value
  }
}

/** An error in error handling, which gets no handler: there were too many nested ones. */
export class LuaHandlerError extends LuaError {
  constructor() {
    super('error in error handling')
  }
}

/** Kills a script: pcall does not catch it. */
export class LuaKilled {
  message: string
  constructor(message: string) {
    this.message = message
  }
}

/** Result of a function that leaves its tail call to its caller; the call is in LuaState.tail. */
export const TAIL: LuaValue[] = []
/** The result of a function that returns nothing. */
export const NOTHING: LuaValue[] = []

// Yielded by a running generator:
/** The budget is used up. */
export const SUSPEND = 1
/** The native stack is too deep: run LuaState.child on a fresh stack, then continue here. */
export const PUSH = 2
/** The same from a function that was just entered; its caller turns it into PUSH. */
export const DEEP = 3
/** Switch to the coroutine LuaState.target and pass it LuaState.transfer. */
export const RESUME = 4
/** Leave the current coroutine with LuaState.transfer. */
export const YIELD = 5
/**
 * Run each call of LuaState.nested on a fresh stack, innermost first, then serve LuaState.request.
 */
export const NEST = 6

/** In place of a result: the call is not finished, and its caller must yield. */
export const PENDING = Symbol('pending')

/** Results as an array, read-only. */
export function multi(result: LuaResult): LuaValue[] {
  return Array.isArray(result) ? result : [result]
}

/** Adjusts a result to one value. */
export function first(result: LuaResult): LuaValue {
  return Array.isArray(result) ? result[0] : result
}
