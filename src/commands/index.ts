// Every command of the server, group by group.

import type { Command } from '../engine/command.ts'
import { bitmapCommands } from './bitmap/index.ts'
import { clusterCommands } from './cluster/index.ts'
import { connectionCommands } from './connection/index.ts'
import { dumpCommands } from './generic/dump.ts'
import { genericCommands } from './generic/index.ts'
import { migrateCommands } from './generic/migrate.ts'
import { sortCommands } from './generic/sort/index.ts'
import { geoCommands } from './geo/index.ts'
import { hashCommands } from './hash/index.ts'
import { hyperloglogCommands } from './hyperloglog/index.ts'
import { listCommands } from './list/index.ts'
import { pubsubCommands } from './pubsub/index.ts'
import { replicationCommands } from './replication/psync.ts'
import { scriptingCommands } from './scripting/index.ts'
import { aclCommands } from './server/acl.ts'
import { commandCommands } from './server/command/index.ts'
import { configCommands } from './server/config.ts'
import { debugCommands } from './server/debug/index.ts'
import { latencyCommands } from './server/latency/index.ts'
import { memoryCommands } from './server/memory/index.ts'
import { moduleCommands } from './server/module.ts'
import { savingCommands } from './server/save.ts'
import { serverCommands } from './server/server.ts'
import { slowlogCommands } from './server/slowlog.ts'
import { setCommands } from './set/index.ts'
import { sortedSetCommands } from './sorted-set/index.ts'
import { streamCommands } from './stream/index.ts'
import { stringCommands } from './string/index.ts'
import { transactionCommands } from './transactions/index.ts'

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
