// Following: this server as a replica, as commands use it; implemented by replication/following.ts.

import type { Client } from '../client.ts'

/** As ROLE names the states. */
export type FollowState = 'none' | 'connect' | 'connecting' | 'handshake' | 'sync' | 'connected'

export interface Following {
  /** The primary; undefined: this server is one. */
  readonly primary: { readonly host: string; readonly port: number } | undefined
  readonly state: FollowState
  /** REPLICAOF host port. */
  follow(host: string, port: number): void
  /** REPLICAOF NO ONE. */
  lead(): void
  /** REPLCONF GETACK from the primary: the offset is acknowledged after the current commands. */
  ackWanted(client: Client): void
}
