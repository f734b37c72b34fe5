// The crash report that is logged when an exception ends a server: error, command, stack, build, INFO, clients.
//
//   === REDSTART CRASH REPORT START … version, command, stack, INFO, clients … === REDSTART CRASH REPORT END

import { stackOf } from '../engine/boundary.ts'
import type { Engine } from '../engine/engine.ts'
import { clientLine } from '../engine/monitoring/client-line.ts'
import type { System } from '../system/system.ts'
import type { Logger } from './log.ts'
import { versionLine } from './version.ts'

const CLIENTS_MAX = 100

interface ReportParts {
  log: Logger
  system: System
  config: { readonly crashLogEnabled: boolean }
}

/** `during`: the work that failed, '' if not known. `state`: see crashState; absent without a server. */
export function writeCrashReport(parts: ReportParts, error: unknown, during = '', state?: () => string): void {
  const { log, system, config } = parts
  const { process } = system
  const crashed = `Redstart crashed by an uncaught error: ${stackOf(error)}`
  if (!config.crashLogEnabled) return log.warning(crashed)
  log.raw('warning', '\n\n=== REDSTART CRASH REPORT START: Cut & paste starting from here ===\n')
  log.warning(versionLine(process.runtime))
  if (during !== '') log.warning(`During ${during}`)
  log.warning(crashed)
  log.warning(`os: ${process.os}, rss: ${process.rssBytes()} bytes`)
  // Reading the statistics may fail as well.
  try {
    if (state !== undefined) log.raw('warning', state())
  } catch (second) {
    log.warning(`The state could not be read: ${stackOf(second)}`)
  }
  log.raw('warning', '\n=== REDSTART CRASH REPORT END. Please open an issue with what stands above. ===\n\n')
}

/** INFO and the first clients, as text. */
export function crashState(engine: Engine): string {
  const info = engine.host.infoText(['everything', 'debug']).replaceAll('\r', '')
  const clients: string[] = []
  for (const client of engine.clients.values()) {
    if (clients.length === CLIENTS_MAX) break
    clients.push(clientLine(client, engine.keyspace.nowMs, undefined))
  }
  const more = engine.clients.size - clients.length
  const last = more > 0 ? `... and ${more} more\n` : ''
  return `\n------ INFO OUTPUT ------\n${info}\n------ CLIENT LIST OUTPUT ------\n${clients.join('\n')}\n${last}`
}
