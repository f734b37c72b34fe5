// The cluster commands, as a server without cluster mode answers them.

import type { Command } from '../../engine/catalog/command.ts'
import { containerCommands } from './cluster.ts'
import { modeCommands } from './readonly.ts'

export const clusterCommands: readonly Command[] = [...containerCommands, ...modeCommands]
