// LuaThread: a coroutine or the main thread: its saved stack while another one runs.
//
//   suspended --[resume]--> running --[resumes another]--> normal --[that yields or ends]--> running
//   running --[yield]--> suspended        running --[returns or fails]--> dead
//
// `segments` are generators that each run on their own native stack: segments[n + 1] was started because segments[n]
// got too deep, and returns its result there.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import { type LuaFunction, LuaObject, type Running } from './value.ts'

export class LuaThread extends LuaObject {
  status: 'suspended' | 'running' | 'normal' | 'dead' = 'suspended'
  /** The function to run at the first resume. */
  body: LuaFunction | undefined
  segments: Running[] = []
  /** S.limit of each segment. */
  limits: number[] = []
  resumer: LuaThread | undefined = undefined
  /** Call frames, see compile-function.ts. */
  frames: any[] = [-1, undefined]
  depth = 0
  cCalls = 0
  /** S.cCalls at its resume; above that, a yield would cross a host function. */
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
