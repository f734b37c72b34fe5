// Clients that are part of the server, and their connection: what is written to it is taken and dropped.

import type { Connection } from '../system/network.ts'
import { CLIENT_SCRIPT, Client } from './client.ts'
import type { Engine } from './engine.ts'

export const NOWHERE: Connection = {
  write: (_u8, start, end) => end - start,
  close: () => {},
  pause: () => {},
  resume: () => {},
  kind: 'memory',
  peer: '',
  local: '',
  fd: -1,
}

/** A client for commands that scripts or modules call. */
export function callingClient({ keyspace }: Engine): Client {
  const client = new Client(0, NOWHERE, keyspace.databases[0], keyspace.nowMs)
  client.flags = CLIENT_SCRIPT
  client.authenticated = true
  return client
}
