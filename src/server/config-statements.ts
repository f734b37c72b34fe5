// Applies the statements of the configuration file that are no directives: rename-command, user, settings of
// modules (loadmodule: module-files.ts); and makes the users of the start, from `user` lines or from the ACL file.

import type { Config } from '../config/config.ts'
import { ConfigError, setByLine } from '../config/parser.ts'
import { type Acl, DEFAULT_USER } from '../engine/acl/acl.ts'
import { declarationError, mergedRules } from '../engine/acl/lines.ts'
import { hasBlanks } from '../engine/acl/selector.ts'
import type { CommandTable } from '../engine/catalog/table.ts'
import { Slice } from '../lib/slice.ts'
import type { Logger } from './log.ts'
import { StartFailure } from './start-failure.ts'

const BOTH =
  'Users are defined by user directives and by an ACL file (aclfile) at once: it is not clear which of them count. ' +
  'Use one or the other.'
const DUPLICATE = 'Duplicate user found. A user can only be defined once in config files'

/** Applies them. Throws ConfigError; StartFailure for what is not supported. */
export function applyConfigStatements(config: Config, table: CommandTable, acl: Acl): void {
  const declared = new Set<string>()
  for (const { words, line, text } of config.statements) {
    if (words[0] === 'user') {
      const wrong = declared.has(words[1])
        ? ([words[1], DUPLICATE] as const)
        : declarationError(words, acl.newUser(words[1]))
      if (wrong !== undefined) throw new ConfigError(`Error in user declaration '${wrong[0]}': ${wrong[1]}`, line, text)
      declared.add(words[1])
    }
    if (words[0].includes('.')) applyModuleParameter(config, words, line, text)
    if (words[0] !== 'rename-command') continue
    const outcome = table.rename(Slice.of(words[1]), Slice.of(words[2]))
    if (outcome === 'unknown') throw new ConfigError('No such command in rename-command', line, text)
    if (outcome === 'taken') throw new ConfigError('Target command name already exists', line, text)
  }
}

function applyModuleParameter(config: Config, words: readonly string[], line: number, text: string): void {
  const directive = config.added(words[0])
  if (directive === undefined)
    throw new StartFailure(
      `No module that is loaded has the parameter '${words[0]}'.`,
      'Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting',
    )
  setByLine(config, directive, [words.slice(1).join(' ')], new Set(), line, text)
}

/** Makes the users of the start. Throws StartFailure. */
export function loadUsers(config: Config, acl: Acl, log: Pick<Logger, 'notice'>): void {
  acl.setDefaultPassword(config.requirepass)
  const declared = config.statements.filter(({ words }) => words[0] === 'user')
  if (config.aclfile !== '' && declared.length > 0) throw new StartFailure(BOTH)
  for (const { words } of declared) {
    const refusal = loadUser(acl, words, log)
    if (refusal !== undefined) throw new StartFailure(refusal, 'Critical error while loading ACLs. Exiting.')
  }
  const errors = acl.file?.load()
  if (errors !== undefined) throw new StartFailure(`Aborting Redis startup because of ACL errors: ${errors}`)
}

function loadUser(acl: Acl, [, name, ...words]: readonly string[], log: Pick<Logger, 'notice'>): string | undefined {
  if (hasBlanks(name)) return 'Spaces not allowed in ACL usernames'
  const user = acl.newUser(name)
  for (const rule of mergedRules(words) as string[]) {
    const refusal = user.apply(rule)
    if (refusal !== undefined) return `Error loading ACL rule '${rule}' for the user named '${name}': ${refusal}`
  }
  user.compile()
  if (!user.isOn)
    log.notice(
      `The user '${name}' is disabled (there is no 'on' modifier in the user description). Make sure this is not a ` +
        'configuration error.',
    )
  if (name === DEFAULT_USER) acl.replaceDefault(user)
  else acl.add(user)
  return undefined
}
