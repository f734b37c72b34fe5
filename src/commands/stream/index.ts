// The stream commands.

import type { Command } from '../../engine/command.ts'
import { addingCommands } from './add.ts'
import { groupCommands } from './group.ts'
import { infoCommands } from './info.ts'
import { pendingCommands } from './pending.ts'
import { readingCommands } from './read.ts'

export const streamCommands: readonly Command[] = [
  ...addingCommands,
  ...readingCommands,
  ...groupCommands,
  ...pendingCommands,
  ...infoCommands,
]
