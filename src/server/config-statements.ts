// Applies the statements of the configuration file that are no directives: rename-command, user, loadmodule.
// The only user is 'default', with all permissions; statements that need another one make the start fail, since
// ignoring them would leave the server open.

import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/parser.ts'
import { defaultUserLine } from '../engine/auth.ts'
import type { CommandTable } from '../engine/catalog/table.ts'
import { Slice } from '../lib/slice.ts'
import { StartFailure } from './launch.ts'

const ONE_USER = "Redstart has only the user 'default' yet, who may do everything; requirepass is the password."

/** Applies them. Throws ConfigError; StartFailure for what is not supported. */
export function applyConfigStatements(config: Config, table: CommandTable): void {
  if (config.aclfile !== '')
    throw new StartFailure(ONE_USER, `Can't load users from ${config.aclfile}: server aborting`)
  const known = defaultUserLine(config.requirepass)
  for (const { words, line, text } of config.statements) {
    if (words[0] === 'user' && words.join(' ') !== known)
      throw new StartFailure(ONE_USER, `Can't load user '${words[1]}': server aborting`)
    if (words[0] === 'loadmodule')
      throw new StartFailure(
        'Redstart cannot load modules, which are native code for redis-server.',
        `Can't load module from ${words[1]}: server aborting`,
      )
    if (words[0] !== 'rename-command') continue
    const outcome = table.rename(Slice.of(words[1]), Slice.of(words[2]))
    if (outcome === 'unknown') throw new ConfigError('No such command in rename-command', line, text)
    if (outcome === 'taken') throw new ConfigError('Target command name already exists', line, text)
  }
}
