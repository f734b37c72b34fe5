// The bitmap commands.

import type { Command } from '../../engine/catalog/command.ts'
import { bitCommands } from './bit.ts'
import { countingCommands } from './count.ts'
import { fieldCommands } from './field.ts'
import { operatingCommands } from './op.ts'

export const bitmapCommands: readonly Command[] = [
  ...bitCommands,
  ...countingCommands,
  ...operatingCommands,
  ...fieldCommands,
]
