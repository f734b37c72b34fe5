// Listening on each of some addresses; why a socket could not be opened, as redis-server logs it: a name that is not
// found, or the call that failed.

import { isAddress } from '../lib/address.ts'
import type { NetworkError } from '../system/network.ts'
import type { BindAddress } from './addresses.ts'
import type { Logger } from './log.ts'
import { StartFailure } from './start-failure.ts'

export const NO_PORT = 'Unable to listen on this port. Check server logs.'

type Kind = 'tcp' | 'tls' | 'cluster' | 'metrics' | 'rest'

/** The codes of bind(). */
const BINDING = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'])
/** Bun says no more of a name that does not resolve. */
const UNNAMED = 'Failed to listen at '
const UNRESOLVED = 'Name or service not known'

/**
 * Calls `listen`, which rejects with a NetworkError, for each address. Rejects with a StartFailure, but only logs why
 * for optional ones, unless it is a name that does not resolve.
 */
export async function listenOnEach(
  log: Pick<Logger, 'warning'>,
  addresses: readonly BindAddress[],
  port: number,
  kind: Kind,
  listen: (host: string) => Promise<void>,
): Promise<void> {
  for (const { host, optional } of addresses)
    try {
      await listen(host)
    } catch (error) {
      const problem = error as NetworkError
      const lines = listenProblem(host, port, kind, problem)
      if (!optional || (!isAddress(host) && reasonOf(problem) === UNRESOLVED)) throw new StartFailure(...lines)
      log.warning(lines[0])
    }
}

/** Listens anew, for CONFIG SET; undefined, or `refusal` when that is impossible, which is logged. */
export async function listenAnew(
  log: Pick<Logger, 'warning'>,
  refusal: string,
  listen: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await listen()
    return undefined
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error
    log.warning(error.lines[0])
    return refusal
  }
}

/** The log lines. */
export function listenProblem(host: string, port: number, kind: Kind, error: NetworkError): string[] {
  return [
    `Warning: Could not create server TCP listening socket ${host}:${port}: ${reasonOf(error)}`,
    `Failed listening on port ${port} (${kind}), aborting.`,
  ]
}

function reasonOf({ code, message }: NetworkError): string {
  if (BINDING.has(code)) return `bind: ${message}`
  return message.startsWith(UNNAMED) ? UNRESOLVED : message
}
