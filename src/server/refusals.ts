// Why an accepted connection gets no client: what is written to it before it is closed.

import type { Engine } from '../engine/engine.ts'
import { bytesOf } from '../lib/bytes.ts'
import type { Connection } from '../system/network.ts'

const MAX_CLIENTS = bytesOf('-ERR max number of clients reached\r\n')
const PROTECTED = bytesOf(
  "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.\r\n",
)

/** undefined: it is served. */
export function refusalOf({ clients, settings, acl }: Engine, connection: Connection): Uint8Array | undefined {
  if (clients.size >= settings.maxclients) return MAX_CLIENTS
  return settings.protectedMode && acl.default.isNopass && !isLoopback(connection) ? PROTECTED : undefined
}

/** A loopback address, as protected mode tests it; `local` of CONFIG is narrower. */
function isLoopback(connection: Connection): boolean {
  if (connection.kind === 'unix' || connection.kind === 'memory') return true
  return connection.peer.startsWith('127.') || connection.peer.startsWith('[::1]')
}
