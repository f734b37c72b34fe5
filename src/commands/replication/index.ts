// The replication commands.

import type { Command } from '../../engine/catalog/command.ts'
import { failoverCommands } from './failover.ts'
import { psyncCommands } from './psync.ts'
import { roleCommands } from './replicaof.ts'

export const replicationCommands: readonly Command[] = [...failoverCommands, ...psyncCommands, ...roleCommands]
