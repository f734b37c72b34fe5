// The report that stands in the log when a fault ends a server: what happened, where, to which build.
//
//   === REDSTART CRASH REPORT START … version, what ran, stack, INFO server and memory … === REDSTART CRASH REPORT END

import { stackOf } from '../engine/boundary.ts'
import type { System } from '../system/system.ts'
import type { Logger } from './log.ts'
import { versionLine } from './version.ts'

/**
 * `during`: what ran, '' where that is not known. `info`: the sections of INFO that a server has; absent without one.
 */
export function writeCrashReport(log: Logger, system: System, error: unknown, during = '', info?: () => string): void {
  const { process } = system
  log.raw('warning', '\n\n=== REDSTART CRASH REPORT START: Cut & paste starting from here ===\n')
  log.warning(versionLine(process.runtime))
  if (during !== '') log.warning(`During ${during}`)
  log.warning(`Redstart crashed by an uncaught error: ${stackOf(error)}`)
  log.warning(`os: ${process.os}, rss: ${process.rssBytes()} bytes`)
  // What memory looks like may itself be beyond telling.
  try {
    if (info !== undefined) log.raw('warning', `\n${info().replaceAll('\r', '')}`)
  } catch (second) {
    log.warning(`INFO cannot be made: ${String(second)}`)
  }
  log.raw('warning', '\n=== REDSTART CRASH REPORT END. Please open an issue with what stands above. ===\n\n')
}
