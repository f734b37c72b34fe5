// The scripting commands.

import type { Command } from '../../engine/catalog/command.ts'
import { evaluatingCommands } from './eval.ts'
import { callingCommands } from './fcall.ts'
import { functionCommand } from './function.ts'
import { scriptCommand } from './script.ts'

export const scriptingCommands: readonly Command[] = [
  ...evaluatingCommands,
  ...callingCommands,
  functionCommand,
  scriptCommand,
]
