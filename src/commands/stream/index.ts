// The stream commands.

import type { Command } from '../../engine/catalog/command.ts'
import { addingCommands } from './add.ts'
import { claimingCommands } from './claim.ts'
import { groupCommands } from './group.ts'
import { infoCommands } from './info.ts'
import { pendingCommands } from './pending.ts'
import { rangeCommands } from './range.ts'
import { readingCommands } from './read.ts'
import { removingCommands } from './remove.ts'
import { setIdCommands } from './set-id.ts'
import { trimmingCommands } from './trim.ts'

export const streamCommands: readonly Command[] = [
  ...addingCommands,
  ...trimmingCommands,
  ...removingCommands,
  ...setIdCommands,
  ...rangeCommands,
  ...readingCommands,
  ...groupCommands,
  ...pendingCommands,
  ...claimingCommands,
  ...infoCommands,
]
