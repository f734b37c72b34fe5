// The hash commands.

import type { Command } from '../../engine/catalog/command.ts'
import { countingCommands } from './counter.ts'
import { gettingCommands } from './get.ts'
import { samplingCommands } from './random.ts'
import { removingCommands } from './remove.ts'
import { scanningCommands } from './scan.ts'
import { settingCommands } from './set.ts'

export const hashCommands: readonly Command[] = [
  ...settingCommands,
  ...gettingCommands,
  ...removingCommands,
  ...countingCommands,
  ...samplingCommands,
  ...scanningCommands,
]
