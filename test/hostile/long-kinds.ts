// Hostile bytes of any length, and the commands that carry them.

import { splitWords } from '../harness/words.ts'
import { COMMANDS, SCRIPTS } from './long-commands.ts'

/** A text of exactly `length` characters of one kind. */
export const KINDS: { readonly [kind: string]: (length: number) => string } = {
  digits: n => '1'.repeat(n),
  'digits and a letter': n => `${'1'.repeat(n - 1)}x`,
  'a fraction and a letter': n => `1.${'1'.repeat(n - 3)}x`,
  'an exponent': n => `1e${'1'.repeat(n - 2)}`,
  'hex digits': n => `0x${'f'.repeat(n - 2)}`,
  'hex digits and a letter': n => `0x${'f'.repeat(n - 3)}x`,
  newlines: n => '\n'.repeat(n),
  'newlines between letters': n => `x${'\n'.repeat(n - 2)}x`,
  dots: n => '.'.repeat(n),
  minuses: n => '-'.repeat(n),
  pluses: n => '+'.repeat(n),
  spaces: n => ' '.repeat(n),
  'spaces and a letter': n => `${' '.repeat(n - 1)}x`,
  quotes: n => '"'.repeat(n),
  apostrophes: n => "'".repeat(n),
  backslashes: n => '\\'.repeat(n),
  stars: n => '*'.repeat(n),
  'stars between letters': n => 'a*'.repeat(n / 2),
  brackets: n => '['.repeat(n),
  parentheses: n => '('.repeat(n),
  braces: n => '{'.repeat(n),
  percents: n => '%'.repeat(n),
  commas: n => '1,'.repeat(n / 2),
  NULs: n => '\0'.repeat(n),
  'high bytes': n => '\xff'.repeat(n),
}

/** A command with one variable word. */
export interface Probe {
  name: string
  group: string
  /** The words, `undefined` for the variable one. */
  words: readonly (string | undefined)[]
}

/** Every example with a hostile word in place of each of its words, and with one appended. */
export function probesOfCommands(examples: { readonly [group: string]: readonly string[] } = COMMANDS): Probe[] {
  const probes: Probe[] = []
  for (const [group, lines] of Object.entries(examples))
    for (const line of lines) {
      const words = splitWords(line)
      for (let at = 1; at <= words.length; at++) {
        const grown: (string | undefined)[] = [...words]
        grown[at] = undefined
        probes.push({ name: show(grown), group, words: grown })
      }
    }
  probes.push({ name: '<hostile>', group: 'unknown', words: [undefined] })
  return probes
}

export function probesOfScripts(): Probe[] {
  return SCRIPTS.map(expression => ({
    name: expression,
    group: 'scripts',
    words: ['EVAL', `local a = ARGV[1] return ${expression}`, '0', undefined],
  }))
}

function show(words: readonly (string | undefined)[]): string {
  return words.map(word => word ?? '<hostile>').join(' ')
}

/** An example with its last word, and with its last two, repeated with different names. */
export function lists(line: string, count: number): string[][] {
  const words = splitWords(line)
  const many = (kept: number) => {
    const list = words.slice(0, kept)
    for (let i = 0; i < count; i++) for (const word of words.slice(kept)) list.push(`${word}${i}`)
    return list
  }
  return words.length < 2 ? [] : [many(words.length - 1), ...(words.length > 2 ? [many(words.length - 2)] : [])]
}
