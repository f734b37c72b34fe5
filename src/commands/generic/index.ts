// The generic commands: keys of any type.

import type { Command } from '../../engine/catalog/command.ts'
import { copyingCommands } from './copy.ts'
import { removingCommands } from './delete.ts'
import { dumpCommands } from './dump.ts'
import { existenceCommands } from './exists.ts'
import { expiryCommands } from './expire.ts'
import { browsingCommands } from './keys.ts'
import { migrateCommands } from './migrate.ts'
import { movingCommands } from './move.ts'
import { objectCommands } from './object.ts'
import { renamingCommands } from './rename.ts'
import { scanningCommands } from './scan.ts'
import { sortCommands } from './sort/index.ts'
import { waitingCommands } from './wait.ts'

export const genericCommands: readonly Command[] = [
  ...existenceCommands,
  ...removingCommands,
  ...expiryCommands,
  ...browsingCommands,
  ...scanningCommands,
  ...movingCommands,
  ...renamingCommands,
  ...copyingCommands,
  ...dumpCommands,
  ...migrateCommands,
  ...objectCommands,
  ...sortCommands,
  ...waitingCommands,
]
