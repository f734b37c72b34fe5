// Migration: MIGRATE as commands use it; implemented by server/migration.ts.

import type { Database } from '../../keyspace/database.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Client } from '../client.ts'

export interface MigrationOrder {
  host: string
  port: string
  /** The database of the target. */
  index: number
  /** Timeout of each reply of the target. */
  timeoutMs: number
  copy: boolean
  replace: boolean
  /** The arguments of AUTH; none: no authentication. */
  credentials: readonly Slice[]
  from: Database
  /** Existing keys of `from`; copies. */
  keys: readonly Slice[]
}

export interface Migration {
  /** Moves the keys; the client, which is blocked already, gets the reply. */
  start(client: Client, order: MigrationOrder): void
}
