// Every command of the server, group by group.

import type { Command } from '../engine/command.ts'
import { aclCommands } from './acl.ts'
import { bitmapCommands } from './bitmap/index.ts'
import { clusterCommands } from './cluster.ts'
import { commandCommands } from './command.ts'
import { configCommands } from './config.ts'
import { connectionCommands } from './connection.ts'
import { debugCommands } from './debug.ts'
import { dumpCommands } from './dump.ts'
import { genericCommands } from './generic/index.ts'
import { geoCommands } from './geo.ts'
import { hashCommands } from './hash/index.ts'
import { hyperloglogCommands } from './hyperloglog.ts'
import { latencyCommands } from './latency.ts'
import { listCommands } from './list/index.ts'
import { memoryCommands } from './memory.ts'
import { migrateCommands } from './migrate.ts'
import { moduleCommands } from './module.ts'
import { pubsubCommands } from './pubsub.ts'
import { replicationCommands } from './replication.ts'
import { savingCommands } from './saving.ts'
import { scriptingCommands } from './scripting.ts'
import { serverCommands } from './server.ts'
import { setCommands } from './set/index.ts'
import { slowlogCommands } from './slowlog.ts'
import { sortCommands } from './sort/index.ts'
import { sortedSetCommands } from './sorted-set/index.ts'
import { streamCommands } from './stream/index.ts'
import { stringCommands } from './string/index.ts'
import { transactionCommands } from './transactions.ts'

export const allCommands: readonly Command[] = [
  ...slowlogCommands,
  ...serverCommands,
  ...memoryCommands,
  ...latencyCommands,
  ...debugCommands,
  ...aclCommands,
  ...bitmapCommands,
  ...clusterCommands,
  ...commandCommands,
  ...configCommands,
  ...connectionCommands,
  ...dumpCommands,
  ...genericCommands,
  ...geoCommands,
  ...hashCommands,
  ...listCommands,
  ...migrateCommands,
  ...moduleCommands,
  ...setCommands,
  ...replicationCommands,
  ...savingCommands,
  ...scriptingCommands,
  ...sortedSetCommands,
  ...pubsubCommands,
  ...hyperloglogCommands,
  ...sortCommands,
  ...streamCommands,
  ...stringCommands,
  ...transactionCommands,
]
