// Every command of the server, group by group.

import type { Command } from '../engine/command.ts'

export const allCommands: readonly Command[] = []
