// The hash commands.

import type { Command } from '../../engine/command.ts'
import { countingCommands } from './counter.ts'
import { gettingCommands } from './get.ts'
import { samplingCommands } from './random.ts'
import { settingCommands } from './set.ts'

export const hashCommands: readonly Command[] = [
  ...settingCommands,
  ...gettingCommands,
  ...countingCommands,
  ...samplingCommands,
]
