// The list commands.

import type { Command } from '../../engine/catalog/command.ts'
import { insertingCommands } from './insert.ts'
import { movingCommands } from './move.ts'
import { poppingCommands } from './pop.ts'
import { pushingCommands } from './push.ts'
import { lookingCommands } from './read.ts'
import { removingCommands } from './remove.ts'
import { settingCommands } from './set.ts'

export const listCommands: readonly Command[] = [
  ...pushingCommands,
  ...poppingCommands,
  ...insertingCommands,
  ...settingCommands,
  ...removingCommands,
  ...movingCommands,
  ...lookingCommands,
]
