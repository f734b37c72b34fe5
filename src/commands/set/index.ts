// The set commands.

import type { Command } from '../../engine/catalog/command.ts'
import { changingCommands } from './add.ts'
import { combiningCommands } from './combine.ts'
import { movingCommands } from './move.ts'
import { poppingCommands } from './pop.ts'
import { samplingCommands } from './random.ts'
import { lookingCommands } from './read.ts'
import { removingCommands } from './remove.ts'
import { scanningCommands } from './scan.ts'

export const setCommands: readonly Command[] = [
  ...changingCommands,
  ...removingCommands,
  ...movingCommands,
  ...lookingCommands,
  ...samplingCommands,
  ...poppingCommands,
  ...scanningCommands,
  ...combiningCommands,
]
