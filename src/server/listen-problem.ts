// Listening on each of some addresses; why a socket could not be opened, as redis-server logs it: a name that is not
// found, or the call that failed.

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

/**
 * Calls `listen`, which rejects with a NetworkError, for each address. Rejects with a StartFailure, but not for
 * optional ones.
 */
export async function listenOnEach(
  addresses: readonly BindAddress[],
  port: number,
  kind: Kind,
  listen: (host: string) => Promise<void>,
): Promise<void> {
  for (const { host, optional } of addresses)
    try {
      await listen(host)
    } catch (error) {
      if (!optional) throw new StartFailure(...listenProblem(host, port, kind, error as NetworkError))
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
  return message.startsWith(UNNAMED) ? 'Name or service not known' : message
}
