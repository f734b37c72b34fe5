// Commands whose arguments are adjacent in the server's memory, unlike those parsed from requests: in a transaction, a
// script, a function. Some words are replaced by signs, digits or empty ones.
//
//   MULTI, SET k -, GET 0phone, EXEC        EVAL "…pcall(unpack(ARGV))…" 0 3 SET k - 2 GET 0phone        FCALL row 0 …

import type { Gen } from './gen.ts'
import { ADJACENT_NUMBERS, ADJACENT_WORDS } from './grammar/adjacent.ts'
import type { CommandGrammar, Comparison } from './grammar/grammar.ts'
import { grammars } from './grammar/index.ts'
import type { Step } from './step.ts'

export const WAYS = ['MULTI', 'EVAL', 'FCALL'] as const
export type Way = (typeof WAYS)[number]

const ROW = `
  local replies, at = {}, 1
  while at <= #ARGV do
    local words = tonumber(ARGV[at])
    replies[#replies + 1] = redis.pcall(unpack(ARGV, at + 1, at + words))
    at = at + words + 1
  end
  return replies`
const CALL = 'return redis.call(unpack(ARGV))'
const PCALL = 'return redis.pcall(unpack(ARGV))'
const SCRIPTS: { readonly [name: string]: string } = { call: CALL, pcall: PCALL, row: ROW }

/** The function library for FCALL. */
export const LIBRARY = [
  '#!lua name=adjacent',
  ...Object.entries(SCRIPTS).map(
    ([name, script]) => `redis.register_function("${name}", function(KEYS, ARGV) ${script} end)`,
  ),
].join('\n')

const WORD_SHARE = 0.2
const COMMANDS_MAX = 5
// Their results depend on elapsed time.
const OF_THE_MOMENT = /^X(AUTO)?CLAIM$|^XPENDING$/
const OWN_KEY = /^[yw]\d$/
const NOT_INSIDE = new Set(
  [grammars.transactions, grammars.scripting, grammars.connection, grammars.tracking].flatMap(group =>
    group.map(({ name }) => name),
  ),
)

/** Whether a command may be sent inside a transaction or script. */
export function mayBeInside(command: CommandGrammar, oracleIsOlder: boolean): boolean {
  return !NOT_INSIDE.has(command.name) && (!oracleIsOlder || !NEEDS_7_2.test(command.name))
}

/** Before 7.2 scripts could not call commands that may block. */
const NEEDS_7_2 = /^B[LRZ]/

/** Replaces some words by signs, digits or empty ones; not the keys reserved for other commands (see Gen.lexKey). */
export function withAdjacentWords(g: Gen, words: readonly string[]): string[] {
  const strange = OF_THE_MOMENT.test(words[0]) ? ADJACENT_WORDS : [...ADJACENT_WORDS, ...ADJACENT_NUMBERS]
  return words.map((word, i) => (i > 0 && !OWN_KEY.test(word) && g.chance(WORD_SHARE) ? g.pick(...strange) : word))
}

/**
 * The steps of one transaction, script or function call with commands from `make`, each of which may have follow-ups.
 */
export function sideBySide(g: Gen, connection: number, ways: readonly Way[], make: () => readonly Step[]): Step[] {
  const way = g.pick(...ways)
  const exact = (words: readonly string[]): Step => ({ connection, words, comparison: 'exact' })
  if (way !== 'MULTI' && g.chance(0.4)) {
    const [only, ...behind] = make()
    const words = [...head(way, g.pick('call', 'pcall')), ...only.words]
    return [{ connection, words, comparison: only.comparison }, ...behind]
  }
  const commands: Step[] = []
  for (let left = g.number(1, COMMANDS_MAX); left > 0; left--) commands.push(...make())
  if (way === 'MULTI') return [exact(['MULTI']), ...commands, exact(['EXEC'])]
  const row = commands.flatMap(({ words }) => [String(words.length), ...words])
  const inside: Comparison[] = commands.map(({ comparison }) => comparison)
  return [{ ...exact([...head(way, 'row'), ...row]), inside }]
}

function head(way: Way, name: string): string[] {
  return way === 'EVAL' ? ['EVAL', SCRIPTS[name], '0'] : ['FCALL', name, '0']
}

/** Whether the step runs such commands. */
export function runsSideBySide({ words }: Step): boolean {
  return words[0] === 'EXEC' || ((words[0] === 'EVAL' || words[0] === 'FCALL') && words[2] === '0')
}
