// The string commands.

import type { Command } from '../../engine/catalog/command.ts'
import { countingCommands } from './counter.ts'
import { readingCommands } from './get.ts'
import { comparingCommands } from './lcs.ts'
import { multiCommands } from './mset.ts'
import { rangeCommands } from './range.ts'
import { settingCommands } from './set.ts'

export const stringCommands: readonly Command[] = [
  ...readingCommands,
  ...settingCommands,
  ...multiCommands,
  ...rangeCommands,
  ...countingCommands,
  ...comparingCommands,
]
