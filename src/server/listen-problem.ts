// Why a socket could not be opened, as redis-server logs it: a name that is not found, or the call that failed.

import type { NetworkError } from '../system/network.ts'

/** The codes of bind(). */
const BINDING = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'])
/** Bun says no more of a name that does not resolve. */
const UNNAMED = 'Failed to listen at '

/** The log lines. */
export function listenProblem(
  host: string,
  port: number,
  kind: 'tcp' | 'tls' | 'cluster',
  error: NetworkError,
): string[] {
  return [
    `Warning: Could not create server TCP listening socket ${host}:${port}: ${reasonOf(error)}`,
    `Failed listening on port ${port} (${kind}), aborting.`,
  ]
}

function reasonOf({ code, message }: NetworkError): string {
  if (BINDING.has(code)) return `bind: ${message}`
  return message.startsWith(UNNAMED) ? 'Name or service not known' : message
}
