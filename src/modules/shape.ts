// Checks the shape of a module's definition, which nothing has checked when it is JavaScript: a field of the wrong
// type would be found by whoever asks for COMMAND DOCS or CONFIG GET much later.
//
// Always: what passes has in each field what definition.ts says. Throws a TypeError that names the field.

import type { ModuleDefinition } from './definition.ts'

type Fields = { readonly [name: string]: unknown }

const KINDS = ['yes-no', 'integer', 'memory', 'text', 'enum']
const NAME_CHARS_MAX = 128
const QUOTES = '"\'|'
const TEXTS = ['flags', 'keys', 'since', 'summary', 'complexity', 'args', 'tips', 'acl']

export function checkShape(definition: ModuleDefinition): void {
  const { commands, types, aclCategories, config, info } = definition
  for (const [i, one] of listOf(commands, 'commands').entries()) checkCommand(one, `command ${i + 1}`)
  listOf(types, 'types')
  for (const name of listOf(aclCategories, 'aclCategories')) mustBe(isName(name), 'an ACL category is a name')
  for (const [name, parameter] of Object.entries(fieldsOf(config, 'config'))) {
    mustBe(isName(name), `parameter '${name}': it needs a name of ASCII characters without blanks and quotes`)
    checkParameter(fieldsOf(parameter, `parameter '${name}'`), `parameter '${name}'`)
  }
  for (const [section, read] of Object.entries(fieldsOf(info, 'info')))
    mustBe(typeof read === 'function', `the section '${section}' of info is a function`)
  const { auth, setup, teardown } = definition
  for (const [name, part] of Object.entries({ auth, setup, teardown }))
    mustBe(part === undefined || typeof part === 'function', `'${name}' is a function`)
}

function checkCommand(command: unknown, place: string): void {
  mustBe(typeof command === 'object' && command !== null, `${place} is an object`)
  const { name, arity, history, subcommands, channels, propagation, timeoutMs, run, ...facts } = command as Fields
  mustBe(isName(name), `${place}: its name is one of ASCII characters without blanks and quotes`)
  const what = `command '${name}'`
  mustBe(name === (name as string).toLowerCase(), `${what}: its name is in lower case`)
  mustBe(Number.isSafeInteger(arity) && arity !== 0, `${what}: its arity is an integer, and not 0`)
  mustBe(facts.flags !== undefined, `${what}: flags is a text`)
  for (const text of TEXTS) mustBe(isOptional(facts[text], 'string'), `${what}: ${text} is a text`)
  for (const change of listOf(history, `${what}: history`))
    mustBe(Array.isArray(change) && change.length === 2 && change.every(isText), `${what}: history is pairs of texts`)
  mustBe(isOptional(channels, 'function'), `${what}: channels is a function`)
  mustBe(isOptional(timeoutMs, 'number'), `${what}: timeoutMs is a number`)
  mustBe(
    propagation === undefined || propagation === 'effects' || propagation === 'verbatim',
    `${what}: propagation is 'effects' or 'verbatim'`,
  )
  const parts = listOf(subcommands, `${what}: subcommands`)
  mustBe(isOptional(run, 'function') && (run !== undefined || parts.length > 0), `${what}: run is a function`)
  for (const [i, part] of parts.entries()) {
    checkCommand(part, `${what}: subcommand ${i + 1}`)
    mustBe((part as Fields).subcommands === undefined, `${what}: its subcommands have none`)
  }
  const names = new Set(parts.map(part => (part as Fields).name))
  mustBe(names.size === parts.length, `${what}: two of its subcommands have one name`)
}

function checkParameter({ kind, initial, min, max, values, ...facts }: Fields, what: string): void {
  mustBe(KINDS.includes(kind as string), `${what}: its kind is one of ${KINDS.join(', ')}`)
  for (const flag of ['immutable', 'hidden', 'sensitive'])
    mustBe(isOptional(facts[flag], 'boolean'), `${what}: ${flag} is true or absent`)
  mustBe(isOptional(facts.changed, 'function'), `${what}: changed is a function`)
  if (kind === 'yes-no') return mustBe(typeof initial === 'boolean', `${what}: initial is true or false`)
  if (kind === 'text') return mustBe(typeof initial === 'string', `${what}: initial is a text`)
  if (kind === 'enum') {
    const all = Array.isArray(values) ? values : []
    mustBe(all.every(isName) && all.length > 0, `${what}: values are names`)
    return mustBe(all.includes(initial), `${what}: initial is one of its values`)
  }
  for (const [name, bound] of Object.entries({ min, max }))
    mustBe(bound === undefined || Number.isSafeInteger(bound), `${what}: ${name} is a whole number`)
  mustBe(Number.isSafeInteger(initial), `${what}: initial is a whole number`)
  const lowest = (min as number | undefined) ?? (kind === 'memory' ? 0 : Number.MIN_SAFE_INTEGER)
  const highest = (max as number | undefined) ?? Number.MAX_SAFE_INTEGER
  mustBe((initial as number) >= lowest && (initial as number) <= highest, `${what}: initial is from min to max`)
}

/** A word that clients can write, and that lists of words and key patterns do not read otherwise. */
function isName(name: unknown): boolean {
  if (typeof name !== 'string' || name === '' || name.length > NAME_CHARS_MAX) return false
  for (const char of name) if (char <= ' ' || char > '~' || QUOTES.includes(char)) return false
  return true
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isOptional(value: unknown, type: 'string' | 'number' | 'boolean' | 'function'): boolean {
  return value === undefined || typeof value === type
}

function listOf(value: unknown, what: string): readonly unknown[] {
  mustBe(value === undefined || Array.isArray(value), `${what} is a list`)
  return (value as readonly unknown[] | undefined) ?? []
}

function fieldsOf(value: unknown, what: string): Fields {
  mustBe(value === undefined || (typeof value === 'object' && value !== null), `${what} is an object`)
  return (value as Fields | undefined) ?? {}
}

function mustBe(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(what)
}
