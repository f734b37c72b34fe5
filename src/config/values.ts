// Directives as the values of a program: { maxmemory: '100mb', databases: 4, appendonly: true, save: [3600, 1] }.
//
// Always: a value is one word, or a list of words, whatever bytes it contains; it is never read as a line of a file.
// Errors name the directive and the value, and where the name is unknown the nearest known one.

import { nearestWord } from '../lib/nearest.ts'
import { type Config, runtimeWords } from './config.ts'
import { DIRECTIVES, directiveNamed, type NamedDirective } from './directives.ts'
import { Refusal } from './kinds.ts'
import { ConfigError, checkWhole } from './parser.ts'
import { bytesOfText } from './words.ts'

/** Statements of a configuration file that are no directives. */
const STATEMENTS = ['rename-command', 'user']

/** Applies the values; throws ConfigError. */
export function applyValues(config: Config, values: Readonly<Record<string, unknown>>): void {
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    if (name === 'rename-command') addRenames(config, value)
    else if (name === 'user') addUsers(config, value)
    else setDirective(config, name, value, seen)
  }
  checkWhole(config)
}

function setDirective(config: Config, name: string, value: unknown, seen: Set<string>): void {
  const directive = directiveNamed(name) ?? DIRECTIVES.find(one => one.field === name)
  // Of a module.
  if (!directive && name.includes('.')) return addStatement(config, [name, wordOf(value)])
  if (!directive) throw new ConfigError(`config: there is no directive '${name}'${suggestion(name)}`)
  try {
    config.setFromFile(directive, wordsOf(directive, value), seen)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const shown = directive.kind.sensitive ? '' : `, not ${shownValue(value)}`
    throw new ConfigError(`config: ${directive.name}: ${error.message}${shown}`)
  }
}

function suggestion(name: string): string {
  const names = [...DIRECTIVES.flatMap(one => [one.name, one.field]), ...STATEMENTS]
  const near = nearestWord(name, names)
  return near === undefined ? '' : `; the nearest is '${near}'`
}

function shownValue(value: unknown): string {
  return typeof value === 'string' || Array.isArray(value) ? JSON.stringify(value) : String(value)
}

function wordsOf(directive: NamedDirective, value: unknown): string[] {
  const { manyWords } = directive.kind
  if (!Array.isArray(value)) return runtimeWords(directive, wordOf(value))
  if (!manyWords) throw new Refusal('argument must be a single value')
  return value.flat().map(wordOf)
}

function wordOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return bytesOfText(value)
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return String(value)
  throw new Refusal('argument must be a string, a number, a boolean or a list of them')
}

/** { FLUSHALL: '' } */
function addRenames(config: Config, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    throw new ConfigError(`config: rename-command: argument must be an object, not ${shownValue(value)}`)
  for (const [from, to] of Object.entries(value)) addStatement(config, ['rename-command', from, wordOf(to)])
}

/** ['alice on >secret ~* +@all', ['bob', 'on', '>two words']] */
function addUsers(config: Config, value: unknown): void {
  if (!Array.isArray(value)) throw new ConfigError(`config: user: argument must be a list, not ${shownValue(value)}`)
  for (const one of value)
    addStatement(config, ['user', ...(Array.isArray(one) ? one.map(wordOf) : wordOf(one).split(' '))])
}

function addStatement(config: Config, words: string[]): void {
  config.statements.push({ words, line: 0, text: words.join(' ') })
}
