// The sorted-set commands.

import type { Command } from '../../engine/catalog/command.ts'
import { addingCommands } from './add.ts'
import { combiningCommands } from './combine.ts'
import { poppingCommands } from './pop.ts'
import { samplingCommands } from './random.ts'
import { rangeCommands } from './range.ts'
import { lookingCommands } from './read.ts'
import { removingCommands } from './remove.ts'
import { scanningCommands } from './scan.ts'

export const sortedSetCommands: readonly Command[] = [
  ...addingCommands,
  ...removingCommands,
  ...lookingCommands,
  ...rangeCommands,
  ...poppingCommands,
  ...combiningCommands,
  ...samplingCommands,
  ...scanningCommands,
]
