// Migration: keys on their way to another server: MIGRATE. The server fills this in (server/migration.ts).

import type { Database } from '../../keyspace/database.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Client } from '../client.ts'

export interface MigrationOrder {
  host: string
  port: string
  /** The database of the target. */
  index: number
  /** How long the target may be silent. */
  timeoutMs: number
  copy: boolean
  replace: boolean
  /** The words behind AUTH; none: no authentication. */
  credentials: readonly Slice[]
  from: Database
  /** Keys of `from` that exist; copies. */
  keys: readonly Slice[]
}

export interface Migration {
  /** Moves the keys; the client, which is blocked already, gets the answer. */
  start(client: Client, order: MigrationOrder): void
}
