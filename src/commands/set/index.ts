// The set commands.

import type { Command } from '../../engine/command.ts'
import { changingCommands } from './add.ts'
import { combiningCommands } from './combine.ts'
import { samplingCommands } from './random.ts'
import { lookingCommands } from './read.ts'

export const setCommands: readonly Command[] = [
  ...changingCommands,
  ...lookingCommands,
  ...samplingCommands,
  ...combiningCommands,
]
