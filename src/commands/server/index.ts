// The server commands.

import type { Command } from '../../engine/catalog/command.ts'
import { aclCommands } from './acl.ts'
import { commandCommands } from './command/index.ts'
import { configCommands } from './config.ts'
import { debugCommands } from './debug/index.ts'
import { databaseCommands } from './flush.ts'
import { infoCommands } from './info.ts'
import { latencyCommands } from './latency/index.ts'
import { lolwutCommands } from './lolwut.ts'
import { memoryCommands } from './memory/index.ts'
import { moduleCommands } from './module.ts'
import { monitorCommands } from './monitor.ts'
import { savingCommands } from './save.ts'
import { shutdownCommands } from './shutdown.ts'
import { slowlogCommands } from './slowlog.ts'

export const serverCommands: readonly Command[] = [
  ...aclCommands,
  ...commandCommands,
  ...configCommands,
  ...debugCommands,
  ...databaseCommands,
  ...infoCommands,
  ...latencyCommands,
  ...lolwutCommands,
  ...memoryCommands,
  ...moduleCommands,
  ...monitorCommands,
  ...savingCommands,
  ...shutdownCommands,
  ...slowlogCommands,
]
