// The connection commands.

import type { Command } from '../../engine/catalog/command.ts'
import { authCommands } from './auth.ts'
import { clientCommand } from './client/index.ts'
import { pingCommands } from './ping.ts'
import { resetCommands } from './reset.ts'

export const connectionCommands: readonly Command[] = [
  ...authCommands,
  ...pingCommands,
  ...resetCommands,
  clientCommand,
]
