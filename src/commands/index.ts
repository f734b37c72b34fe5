// Every command of the server, group by group.

import type { Command } from '../engine/command.ts'
import { bitmapCommands } from './bitmap/index.ts'
import { commandCommands } from './command.ts'
import { configCommands } from './config.ts'
import { genericCommands } from './generic/index.ts'
import { sortedSetCommands } from './sorted-set/index.ts'
import { stringCommands } from './string/index.ts'
import { transactionCommands } from './transactions.ts'

export const allCommands: readonly Command[] = [
  ...bitmapCommands,
  ...commandCommands,
  ...configCommands,
  ...genericCommands,
  ...sortedSetCommands,
  ...stringCommands,
  ...transactionCommands,
]
