// src/embed/arguments.ts: what each command takes, as types, so that an editor completes and checks the calls of a
// client in a program. Made from the syntax lines of the commands by `npm run docs`; a test keeps it up to date.
//
//   key#0 value [condition:(NX|XX)]    ─▶    [key: Word, value: Word, ...more: More<'NX' | 'XX'>[]]
//
// What always stands first has its name; behind the first argument that may be absent, or is given several times,
// words, lists of words and tokens come in any order, at least one if the command's arity wants more.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allCommands } from '../../src/commands/index.ts'
import type { Command } from '../../src/engine/catalog/command.ts'
import { type Argument, parseArguments } from '../../src/engine/catalog/syntax-line.ts'
import { projectRoot } from '../tidy/source.ts'

export const ARGUMENTS_PATH = join(projectRoot, 'src/embed/arguments.ts')

/** They change what a connection is; the client does it with methods of its own. */
const NOT_CALLED = new Set(
  (
    'HELLO RESET QUIT SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE SYNC PSYNC MONITOR ' +
    'MULTI EXEC DISCARD'
  ).split(' '),
)

const HEAD = `// What each command takes after its name. \`npm run docs\` makes this file from the commands themselves.

/** An argument: text is sent as UTF-8, a number in decimal. */
export type Word = string | number | bigint | Uint8Array

/** A word of the command's own, in capitals or not. */
type Token<Name extends string> = Name | Lowercase<Name>

/** One or more arguments: a list is given one after the other, an object as its fields and values. */
export type Words = Word | readonly Word[] | { readonly [field: string]: Word }

/** Arguments and words of the command's own, which an editor completes. */
type More<Name extends string> = Token<Name> | (string & {}) | Exclude<Words, string>

// biome-ignore format: a line for each command
export interface CommandArguments {
`

/** Commands and subcommands by their names in capitals. */
export function calledCommands(): Map<string, Command> {
  const named = new Map<string, Command>()
  for (const command of allCommands) {
    const name = command.name.toUpperCase()
    // A container that is a command too, with no more words: COMMAND.
    if (command.subcommands === undefined || command.arity === -1) named.set(name, command)
    for (const sub of command.subcommands ?? []) named.set(`${name} ${sub.name.toUpperCase()}`, sub)
  }
  return new Map([...named].filter(([name]) => !NOT_CALLED.has(name)).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function argumentTypes(): string {
  const rows = [...calledCommands()].map(([name, command]) => `  ${quoted(name)}: [${elements(name, command)}]\n`)
  return `${HEAD}${rows.join('')}}\n`
}

function quoted(name: string): string {
  return /^\w+$/.test(name) ? name : `'${name}'`
}

function elements(name: string, command: Command): string {
  const args = command.args === undefined ? [] : parseArguments(command.args)
  let wanted = Math.abs(command.arity) - name.split(' ').length
  const out: string[] = []
  let at = 0
  while (at < args.length && isPlain(args[at])) {
    const arg = args[at++]
    out.push(`${label(arg.name, out)}: ${arg.type === 'oneof' ? `Token<${tokensOf([arg]).join(' | ')}>` : 'Word'}`)
    wanted--
  }
  const rest = args.slice(at)
  const tokens = tokensOf(rest)
  const type = tokens.length === 0 ? 'Words' : `More<${[...new Set(tokens)].join(' | ')}>`
  const first = rest[0]?.optional ? 'word' : (rest[0]?.name ?? 'word')
  if (command.arity < 0) {
    if (wanted > 0) out.push(`${label(first, out)}: ${type}`)
    out.push(`...more: ${type}[]`)
  } else for (; wanted > 0; wanted--) out.push(`${label(first, out)}: Word`)
  return out.join(', ')
}

/** Always there, and one word. */
function isPlain(arg: Argument): boolean {
  if (arg.optional || arg.multiple || arg.token !== undefined) return false
  if (arg.type === 'oneof') return arg.args.every(one => one.type === 'pure-token')
  return arg.type !== 'block'
}

function tokensOf(args: readonly Argument[]): string[] {
  return args.flatMap(arg => [
    ...(arg.token === undefined || arg.token === '' ? [] : [`'${arg.token}'`]),
    ...tokensOf(arg.args),
  ])
}

/** A name in camelCase that the tuple does not have yet. */
function label(name: string, taken: readonly string[]): string {
  const plain = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  let label = plain
  for (let n = 2; taken.some(one => one.startsWith(`${label}: `)); n++) label = `${plain}${n}`
  return label
}

if (import.meta.main) writeFileSync(ARGUMENTS_PATH, argumentTypes())
