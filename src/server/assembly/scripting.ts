// Connects scripting to the server: its memory, and its fields of INFO.

import type { Config } from '../../config/config.ts'
import type { Engine } from '../../engine/engine.ts'
import { scriptingInfo } from '../../scripting/info.ts'
import { JsEngine } from '../../scripting/js/js-engine.ts'
import { LuaEngine } from '../../scripting/lua-engine.ts'
import type { EngineHost, ScriptEngine } from '../../scripting/script-engine.ts'
import { ScriptManager } from '../../scripting/scripting.ts'
import type { System } from '../../system/system.ts'
import { humanBytes } from '../info.ts'
import type { ServerMaintenance } from '../maintenance.ts'
import { REDIS_VERSION } from '../version.ts'

export function addScripting(engine: Engine, config: Config, { process }: System): ScriptManager {
  const host: EngineHost = {
    log: (level, text) => engine.log?.(level, text),
    version: REDIS_VERSION,
    monotonicUs: () => engine.machine.monotonicUs(),
    wallMs: () => engine.keyspace.nowMs,
  }
  const ofFunctions = new Map<string, () => ScriptEngine>([['lua', () => new LuaEngine(host, 'functions')]])
  const { startThread } = process
  if (config.enableJsFunctions && startThread !== undefined)
    ofFunctions.set('js', () => new JsEngine(host, startThread))
  return new ScriptManager(engine, () => new LuaEngine(host, 'scripts'), ofFunctions)
}

/** Adds scripting's memory and INFO fields. */
export function showScripting(manager: ScriptManager, maintenance: ServerMaintenance): void {
  const { scripts, functions } = manager
  const { memorySources } = maintenance.memoryStats
  memorySources.push({ kind: 'scripts', bytes: () => scripts.memoryBytes })
  memorySources.push({ kind: 'functions', bytes: () => functions.memoryBytes })
  memorySources.push({ kind: 'other', bytes: () => scripts.interpreterBytes + functions.interpreterBytes })
  maintenance.droppedSources.push(() => scripts.droppedBytes)
  maintenance.addInfo(() => [scriptingInfo(manager, humanBytes)])
}
