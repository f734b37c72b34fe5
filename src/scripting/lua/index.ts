// Lua 5.1, compiled to JavaScript generators.
//
//   const lua = new LuaState()
//   openLibraries(lua)
//   const f = load(lua, compile('return ...', '@user_script'))
//   const execution = start(lua, f, ["x"])
//   while (execution.resume(1e5) === "suspended") ...   then execution.result or execution.error

import { instantiate, type Prototype } from './compile.ts'
import { Execution } from './execution.ts'
import type { LuaState } from './state.ts'
import { openBase } from './stdlib/base.ts'
import { openCoroutine } from './stdlib/coroutine.ts'
import { OPERATIONS } from './stdlib/load.ts'
import { openMath } from './stdlib/math.ts'
import { openString } from './stdlib/string.ts'
import { openTable } from './stdlib/table.ts'
import type { LuaFunction, LuaValue } from './value.ts'

export { compile, type Prototype, type World } from './compile.ts'
export { Execution, type ExecutionState } from './execution.ts'
export { formatNumber, parseNumber } from './number.ts'
export { LuaState, typeName } from './state.ts'
export { openOs } from './stdlib/os.ts'
export { LuaTable } from './table.ts'
export { LuaThread } from './thread.ts'
export * from './value.ts'

/** The libraries of Lua that redis-server opens, except os.clock; see openOs. */
export function openLibraries(S: LuaState): void {
  openBase(S)
  openTable(S)
  openString(S)
  openMath(S)
  openCoroutine(S)
}

/** A compiled chunk as a function of this state, with `env` or the state's globals as environment. */
export function load(S: LuaState, prototype: Prototype, env = S.globals): LuaFunction {
  return instantiate(prototype, S, OPERATIONS, env)
}

/** Starts a call; nothing runs before the first resume. */
export function start(S: LuaState, f: LuaFunction, args: LuaValue[] = []): Execution {
  return new Execution(S, f, args)
}
