// Connects modules in TypeScript to the configuration and to INFO.

import type { Config } from '../../config/config.ts'
import { type AnyDirective, choice, type Flags, integer, memory, Refusal, text, yesNo } from '../../config/kinds.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ModuleParameter, ParameterValue } from '../../modules/definition.ts'
import type { EventSources } from '../../modules/events.ts'
import type { ModuleParameters, Modules } from '../../modules/modules.ts'
import type { ServerMaintenance } from '../maintenance.ts'

export function parametersOf(config: Config): ModuleParameters {
  return {
    add: (name, parameter, changed) => config.addDirective(name, kindOf(parameter), changed),
    remove: name => config.removeDirective(name),
    value: name => config.addedValue(name) as ParameterValue,
    set(name, value) {
      try {
        config.setFromFile(config.added(name)!, [value], new Set())
        return undefined
      } catch (error) {
        if (error instanceof Refusal) return error.message
        throw error
      }
    },
  }
}

function kindOf(parameter: ModuleParameter): AnyDirective {
  const { immutable, hidden, sensitive } = parameter
  const flags: Flags = { ...(immutable && { immutable }), ...(hidden && { hidden }), ...(sensitive && { sensitive }) }
  switch (parameter.kind) {
    case 'yes-no':
      return yesNo(parameter.initial, flags)
    case 'text':
      return text(parameter.initial, flags)
    case 'enum':
      return choice(parameter.values, parameter.initial, flags)
    case 'integer':
    case 'memory': {
      const { kind, initial, min, max } = parameter
      return (kind === 'integer' ? integer : memory)(initial, { ...flags, min, max })
    }
  }
}

/** Keyspace events for listeners: commands announce what is configured and what is listened to. */
export function eventSourcesOf(config: Config, engine: Engine): EventSources {
  return {
    configuredClasses: () => config.notifyKeyspaceEvents,
    announce: classes => {
      engine.settings.notifyKeyspaceEvents = classes
    },
  }
}

/** The section Modules, and those of the modules. */
export function showModules(modules: Modules, config: Config, maintenance: ServerMaintenance): void {
  const { events } = modules
  config.onChange('notify-keyspace-events', () => {
    events.classesChanged()
    return undefined
  })
  maintenance.memoryStats.memorySources.push({ kind: 'values', bytes: () => modules.types.outsideBytes })
  maintenance.cron.hooks.push(() => events.tell('cron', {}))
  maintenance.info.moduleSections = () => modules.sections()
  maintenance.addInfo(() => [
    {
      section: 'modules',
      rows: {
        'module*': put => {
          for (const { name, version, apiVersion } of modules.list)
            put('module', `name=${name},ver=${version},api=${apiVersion},filters=0,usedby=[],using=[],options=[]`)
        },
      },
    },
  ])
}
