// Puts scripts and functions into a server: the room, what it costs, and its fields of INFO.

import type { Engine } from '../engine/engine.ts'
import { LuaEngine } from '../scripting/lua-engine.ts'
import type { EngineHost } from '../scripting/script-engine.ts'
import { ScriptRoom } from '../scripting/scripting.ts'
import { humanBytes } from './info.ts'
import type { ServerMaintenance } from './maintenance.ts'
import { REDIS_VERSION } from './version.ts'

export function addScripting(engine: Engine): ScriptRoom {
  const host: EngineHost = {
    log: (level, text) => engine.log?.(level, text),
    version: REDIS_VERSION,
    monotonicUs: () => engine.machine.monotonicUs(),
  }
  return new ScriptRoom(engine, use => new LuaEngine(host, use))
}

/** What scripts and functions cost, and how many there are, where INFO shows it. */
export function showScripting({ scripts, functions }: ScriptRoom, { memoryStats, info }: ServerMaintenance): void {
  memoryStats.memorySources.push({ kind: 'scripts', bytes: () => scripts.memoryBytes })
  memoryStats.memorySources.push({ kind: 'functions', bytes: () => functions.memoryBytes })
  const total = () => scripts.interpreterBytes + functions.interpreterBytes
  info.provide('used_memory_lua', () => scripts.interpreterBytes)
  info.provide('used_memory_vm_eval', () => scripts.interpreterBytes)
  info.provide('used_memory_lua_human', () => humanBytes(scripts.interpreterBytes))
  info.provide('used_memory_vm_functions', () => functions.interpreterBytes)
  info.provide('used_memory_vm_total', total)
  info.provide('used_memory_vm_total_human', () => humanBytes(total()))
  info.provide('number_of_cached_scripts', () => scripts.size)
  info.provide('number_of_functions', () => functions.functionCount)
  info.provide('number_of_libraries', () => functions.libraryCount)
}
