// Every command of the server, group by group.

import type { Command } from '../engine/command.ts'
import { commandCommands } from './command.ts'

export const allCommands: readonly Command[] = [...commandCommands]
