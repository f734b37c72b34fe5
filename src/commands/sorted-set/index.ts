// The sorted-set commands.

import type { Command } from '../../engine/command.ts'
import { addingCommands } from './add.ts'
import { combiningCommands } from './combine.ts'
import { poppingCommands } from './pop.ts'
import { samplingCommands } from './random.ts'
import { rangeCommands } from './range.ts'
import { lookingCommands } from './read.ts'

export const sortedSetCommands: readonly Command[] = [
  ...addingCommands,
  ...lookingCommands,
  ...rangeCommands,
  ...poppingCommands,
  ...combiningCommands,
  ...samplingCommands,
]
