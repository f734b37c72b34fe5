// The transaction commands.

import type { Command } from '../../engine/catalog/command.ts'
import { multiCommands } from './multi.ts'
import { watchingCommands } from './watch.ts'

export const transactionCommands: readonly Command[] = [...multiCommands, ...watchingCommands]
