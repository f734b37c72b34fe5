// The cluster commands, without cluster mode.

import type { Command } from '../../engine/catalog/command.ts'
import { containerCommands } from './cluster.ts'
import { modeCommands } from './readonly.ts'
import { clusterScan } from './scan.ts'

export const clusterCommands: readonly Command[] = [...containerCommands, ...modeCommands, clusterScan]
