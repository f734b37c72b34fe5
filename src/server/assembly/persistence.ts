// Connects persistence to the server: its dependencies, and its fields of INFO.

import { CLIENT_IN_EXEC } from '../../engine/client.ts'
import type { Engine } from '../../engine/engine.ts'
import { Slice } from '../../lib/slice.ts'
import type { Checkpoints } from '../../persistence/checkpoint.ts'
import { persistenceInfo } from '../../persistence/info.ts'
import type { Libraries } from '../../persistence/parts.ts'
import { Persistence } from '../../persistence/persistence.ts'
import type { Log, LogLevel } from '../../system/system.ts'
import type { Logger } from '../log.ts'
import { REDIS_VERSION } from '../version.ts'
import type { ServerParts } from './parts.ts'

interface PersistenceServer extends ServerParts {
  checkpoints: Checkpoints | undefined
  /** Locks the files that the configuration names; an error message when another server has them. */
  lockFiles(): string | undefined
}

export function persistenceOf(server: PersistenceServer): Persistence {
  const { engine, config, system, log, maintenance, codecs } = server
  const { disk, clock, timers, process } = system
  const persistence = new Persistence({
    engine,
    config,
    disk,
    clock,
    log,
    childLog: childLog(log),
    pid: process.pid,
    cwd: () => disk.cwd(),
    background: maintenance.cron.background,
    after: (ms, fn) => void timers.after(ms, fn),
    soon: fn => timers.soon(fn),
    redisVersion: REDIS_VERSION,
    usedMemoryBytes: () => maintenance.memoryStats.usedBytes(),
    libraries: librariesOf(engine),
    codecs,
    checkpoints: server.checkpoints,
    die: () => process.exit(1),
    spike: (event, us) => engine.observers.spike(event, us),
  })
  maintenance.addInfo(() => persistenceInfo(persistence))
  maintenance.memoryStats.memorySources.push({
    kind: 'aofBuffer',
    bytes: () => persistence.aof.bufferBytes,
    countedBytes: () => 0,
  })
  maintenance.onFlushAll.push(() => persistence.afterFlushAll())
  maintenance.cron.hooks.push(() => persistence.cron())
  config.onChange(
    'appendonly',
    now =>
      server.lockFiles() ?? persistence.setAppendOnly(now.appendonly, engine.current?.has(CLIENT_IN_EXEC) === true),
  )
  config.onChange('aof-disable-auto-gc', now => {
    if (!now.aofDisableAutoGc) persistence.rewriter.deleteHistory()
    return undefined
  })
  return persistence
}

/** Log lines that Redis writes in a child process, with the role C. */
function childLog(log: Logger): Log {
  const line = (level: LogLevel) => (text: string) => {
    const { role } = log
    log.role = 'C'
    log.line(level, text)
    log.role = role
  }
  return { debug: line('debug'), verbose: line('verbose'), notice: line('notice'), warning: line('warning') }
}

function librariesOf(engine: Engine): Libraries {
  return {
    all: () => {
      if (engine.scripting === undefined) return []
      return [...engine.scripting.functions.libraries()].map(library => Slice.of(library.code))
    },
    load: (code, replace) => engine.scripting.functions.load(code, replace, false).error,
    clear: () => engine.scripting?.functions.flush(),
  }
}
