// LuaThread: the stack of one coroutine, or of the main program, while another one runs.
//
//   suspended --[resume]--> running --[resumes another]--> normal --[that yields or ends]--> running
//   running --[yield]--> suspended        running --[returns or fails]--> dead
//
// `segments` are generators that each run on a native stack of their own: segments[n + 1] was started because
// segments[n] got too deep, and its result goes back there.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import { type LuaFunction, LuaObject, type Running } from './value.ts'

export class LuaThread extends LuaObject {
  status: 'suspended' | 'running' | 'normal' | 'dead' = 'suspended'
  /** Runs at the first resume. */
  body: LuaFunction | undefined
  segments: Running[] = []
  /** S.limit of each segment. */
  limits: number[] = []
  resumer: LuaThread | undefined = undefined
  /** Call frames, see compile-function.ts. */
  frames: any[] = [-1, undefined]
  depth = 0
  cCalls = 0
  /** S.cCalls when it was resumed; above it, a yield would have to cross a host function. */
  cCallsBase = 0
  /** S.handler while another thread runs. */
  handler: any = undefined
  env: any
  constructor(body: LuaFunction | undefined, env: any) {
    super()
    this.body = body
    this.env = env
  }
}
