// The list commands.

import type { Command } from '../../engine/command.ts'
import { editingCommands } from './edit.ts'
import { movingCommands } from './move.ts'
import { poppingCommands } from './pop.ts'
import { pushingCommands } from './push.ts'
import { lookingCommands } from './read.ts'

export const listCommands: readonly Command[] = [
  ...pushingCommands,
  ...poppingCommands,
  ...movingCommands,
  ...lookingCommands,
  ...editingCommands,
]
