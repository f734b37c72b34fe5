// Connects scripting to the server: its memory, and its fields of INFO.

import type { Engine } from '../../engine/engine.ts'
import { scriptingInfo } from '../../scripting/info.ts'
import { LuaEngine } from '../../scripting/lua-engine.ts'
import type { EngineHost } from '../../scripting/script-engine.ts'
import { ScriptManager } from '../../scripting/scripting.ts'
import { humanBytes } from '../info.ts'
import type { ServerMaintenance } from '../maintenance.ts'
import { REDIS_VERSION } from '../version.ts'

export function addScripting(engine: Engine): ScriptManager {
  const host: EngineHost = {
    log: (level, text) => engine.log?.(level, text),
    version: REDIS_VERSION,
    monotonicUs: () => engine.machine.monotonicUs(),
  }
  return new ScriptManager(engine, use => new LuaEngine(host, use))
}

/** Adds scripting's memory and INFO fields. */
export function showScripting(manager: ScriptManager, maintenance: ServerMaintenance): void {
  const { scripts, functions } = manager
  const { memorySources } = maintenance.memoryStats
  memorySources.push({ kind: 'scripts', bytes: () => scripts.memoryBytes })
  memorySources.push({ kind: 'functions', bytes: () => functions.memoryBytes })
  memorySources.push({ kind: 'other', bytes: () => scripts.interpreterBytes + functions.interpreterBytes })
  maintenance.droppedSources.push(() => scripts.droppedBytes)
  maintenance.addInfo([scriptingInfo(manager, humanBytes)])
}
