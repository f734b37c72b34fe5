// Makes the engine of a server: its commands, types and ports to the machine, and the settings that mirror the
// configuration.

import { allCommands } from '../../commands/index.ts'
import type { Config } from '../../config/config.ts'
import { Engine } from '../../engine/engine.ts'
import { SETTING_NAMES } from '../../engine/settings.ts'
import { builtInTypes } from '../../keyspace/values/index.ts'
import { Modules } from '../../modules/modules.ts'
import { DumpPayloads } from '../../persistence/rdb/payload.ts'
import { builtInCodecs } from '../../persistence/values/index.ts'
import { ValueCodecs } from '../../persistence/values/value-codecs.ts'
import type { System } from '../../system/system.ts'
import { applyConfigStatements } from '../config-statements.ts'
import type { StartServerOptions } from '../launch.ts'
import type { Logger } from '../log.ts'
import { eventSourcesOf, parametersOf } from './modules.ts'

interface EngineParts {
  engine: Engine
  codecs: ValueCodecs
  modules: Modules
}

export function engineOf(config: Config, system: System, log: Logger, options: StartServerOptions): EngineParts {
  const { clock, random, timers, process } = system
  const { commands = allCommands } = options
  const extensions = options.extensions ?? []
  const engine = new Engine(
    {
      nowMs: () => clock.nowMs(),
      monotonicUs: () => clock.monotonicUs(),
      random: () => random.u32(),
      soon: fn => timers.soon(fn),
      allocate: options.allocate ?? (bytes => process.allocate(bytes)),
      arenaStartBytes: options.arenaStartBytes,
    },
    // Without extensions the very list: what a table derives from a list is derived once.
    extensions.length === 0 ? commands : [...commands, ...extensions.flatMap(one => one.commands)],
    config.databases,
    [...builtInTypes, ...extensions.flatMap(({ types }) => types)],
    extensions.flatMap(({ aclCategories = [] }) => aclCategories),
    config.clusterEnabled,
  )
  const { keyspace, settings } = engine
  const codecs = new ValueCodecs([...builtInCodecs, ...extensions.flatMap(one => one.codecs)]).mustCover(keyspace.types)
  engine.log = (level, text) => log.line(level, text)
  config.mirrorInto(settings, SETTING_NAMES)
  const keepsUnknown = () => config.moduleUnknownTypes === 'keep'
  const modules = new Modules(engine, system, parametersOf(config), eventSourcesOf(config, engine), keepsUnknown)
  for (const one of options.modules ?? []) modules.add(one)
  applyConfigStatements(config, engine.table, engine.acl)
  engine.payloads = new DumpPayloads(keyspace, settings, codecs, () => config.rdbcompression)
  return { engine, codecs, modules }
}
