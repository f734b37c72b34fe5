// What a module is told of the client that sent a command.

import type { Client } from '../engine/client.ts'
import type { ModuleClient } from './definition.ts'

/** As the client is now. */
export function clientFacts(client: Client): ModuleClient {
  return {
    id: client.id,
    user: client.user?.name ?? '',
    database: client.db.index,
    protocol: client.resp === 3 ? 3 : 2,
  }
}
