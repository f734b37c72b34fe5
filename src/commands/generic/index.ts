// The commands about keys, whatever they hold.

import type { Command } from '../../engine/command.ts'
import { removingCommands } from './delete.ts'
import { expiryCommands } from './expire.ts'
import { browsingCommands } from './keys.ts'
import { movingCommands } from './move.ts'
import { objectCommands } from './object.ts'
import { waitingCommands } from './wait.ts'

export const genericCommands: readonly Command[] = [
  ...removingCommands,
  ...expiryCommands,
  ...browsingCommands,
  ...movingCommands,
  ...objectCommands,
  ...waitingCommands,
]
