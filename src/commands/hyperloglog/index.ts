// The HyperLogLog commands.

import type { Command } from '../../engine/catalog/command.ts'
import { countingCommands } from './count.ts'
import { debuggingCommands } from './debug.ts'

export const hyperloglogCommands: readonly Command[] = [...countingCommands, ...debuggingCommands]
