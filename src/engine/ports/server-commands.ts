// ServerCommands: what commands may use of the server beyond keys and replies, by part. It is all that a handler sees
// of the engine (Context.server).

import type { Clock, LogLevel } from '../../system/system.ts'
import type { Acl } from '../acl/acl.ts'
import type { Auth } from '../auth.ts'
import type { CommandTable } from '../catalog/table.ts'
import type { Client } from '../client.ts'
import type { PubSub } from '../messaging/pubsub.ts'
import type { Tracking } from '../messaging/tracking.ts'
import type { Observers } from '../monitoring/observers.ts'
import type { Stats } from '../monitoring/stats.ts'
import type { Transactions } from '../transaction.ts'
import type { Acknowledgements } from '../waiting/acknowledgements.ts'
import type { ClientPause } from '../waiting/pause.ts'
import type { Watches } from '../watches.ts'
import type { ClusterCommands } from './cluster.ts'
import type { Configuration } from './configuration.ts'
import type { Host } from './host.ts'
import type { Migration } from './migration.ts'
import type { Payloads } from './payloads.ts'
import type { Replicas } from './replicas.ts'
import type { Saving } from './saving.ts'
import type { Scripting } from './scripting.ts'

export interface ServerCommands {
  readonly table: CommandTable
  readonly stats: Stats
  /** By id. */
  readonly clients: ReadonlyMap<number, Client>
  readonly auth: Auth
  readonly acl: Acl
  readonly transactions: Transactions
  readonly watches: Pick<Watches, 'watch' | 'unwatchAll' | 'anyExpired'>
  readonly pubsub: PubSub
  readonly tracking: Pick<Tracking, 'enable' | 'disable'>
  readonly observers: Observers
  readonly acknowledgements: Pick<Acknowledgements, 'wait' | 'isOnDisk'>
  readonly pause: Pick<ClientPause, 'begin' | 'end'>
  // Implemented by other modules.
  readonly configuration: Configuration | undefined
  /** Undefined: cluster mode is off. */
  readonly cluster: ClusterCommands | undefined
  readonly host: Host
  readonly machine: Pick<Clock, 'monotonicUs'>
  readonly migration: Migration
  readonly payloads: Payloads
  readonly replicas: Replicas
  readonly saving: Saving
  readonly scripting: Scripting
  /** An unsigned 32-bit integer. */
  random(): number
  /** Closes a client's connection; with `afterReply` what is already written to it is sent first. */
  closeClient(client: Client, afterReply?: boolean): void
  /** RESET: ends subscriptions, tracking, monitoring and the like. */
  resetClient(client: Client): void
  /** CLIENT UNBLOCK. */
  unblockClient(client: Client, withError: boolean): void
  log: ((level: LogLevel, text: string) => void) | undefined
}
