// The string commands.

import type { Command } from '../../engine/command.ts'
import { countingCommands } from './counter.ts'
import { readingCommands } from './get.ts'
import { comparingCommands } from './lcs.ts'
import { partCommands } from './part.ts'
import { settingCommands } from './set.ts'

export const stringCommands: readonly Command[] = [
  ...readingCommands,
  ...settingCommands,
  ...countingCommands,
  ...partCommands,
  ...comparingCommands,
]
