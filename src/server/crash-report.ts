// The crash report that is logged when an exception ends a server: error, command, stack, build.
//
//   === REDSTART CRASH REPORT START … version, command, stack, INFO server and memory … === REDSTART CRASH REPORT END

import { stackOf } from '../engine/boundary.ts'
import type { System } from '../system/system.ts'
import type { Logger } from './log.ts'
import { versionLine } from './version.ts'

/**
 * `during`: the work that failed, '' if not known. `info`: INFO's text by section; absent without a server.
 */
export function writeCrashReport(log: Logger, system: System, error: unknown, during = '', info?: () => string): void {
  const { process } = system
  log.raw('warning', '\n\n=== REDSTART CRASH REPORT START: Cut & paste starting from here ===\n')
  log.warning(versionLine(process.runtime))
  if (during !== '') log.warning(`During ${during}`)
  log.warning(`Redstart crashed by an uncaught error: ${stackOf(error)}`)
  log.warning(`os: ${process.os}, rss: ${process.rssBytes()} bytes`)
  // Reading the memory statistics may fail as well.
  try {
    if (info !== undefined) log.raw('warning', `\n${info().replaceAll('\r', '')}`)
  } catch (second) {
    log.warning(`INFO failed: ${String(second)}`)
  }
  log.raw('warning', '\n=== REDSTART CRASH REPORT END. Please open an issue with what stands above. ===\n\n')
}
