// Random rules of ACL users and commands that they try. Left out is what makes redis-server 7.2.4 crash (docs/acl.md).

import { randomFrom } from '../harness/random.ts'
import { splitWords } from '../harness/words.ts'
import { COMMANDS_OF_7_2 } from '../hostile/long-commands.ts'

const EXAMPLES = Object.values(COMMANDS_OF_7_2).flat().map(splitWords)
const NAMES = [...new Set(EXAMPLES.map(words => words[0].toLowerCase()))]
const PARTS = EXAMPLES.filter(words => words.length > 1).map(words => `${words[0]}|${words[1]}`.toLowerCase())
const CATEGORIES =
  `keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow
  blocking dangerous connection transaction scripting all nosuch`.split(/\s+/)
const KEYS = ['a', 'b', 'ab', 'abc', 'a:1', 'a:2', 'b:1', 'key', 'x', '', 'A']
const PATTERNS = ['*', 'a', 'b', 'a*', 'a:*', '?', '[ab]*', '[^a]', 'a?c', '*:1', 'key', '', '\\*', 'nosuch']
/** Commands that a client may really run: they neither block, nor end the connection, nor have random replies. */
const REAL = [
  'GET',
  'SET',
  'DEL',
  'MGET',
  'MSET',
  'APPEND',
  'STRLEN',
  'EXISTS',
  'RENAME',
  'COPY',
  'PUBLISH',
  'SPUBLISH',
  'LPUSH',
  'LLEN',
  'SADD',
  'SCARD',
  'PING',
  'ECHO',
  'SELECT',
  'SORT',
  'BITOP',
  'GETEX',
  'PFCOUNT',
  'SINTERSTORE',
  'TYPE',
]

export class AclGenerator {
  readonly random: (n: number) => number

  constructor(seed: number) {
    this.random = randomFrom(seed * 2654435761)
  }

  one<T>(list: readonly T[]): T {
    return list[this.random(list.length)]
  }

  rules(): string[] {
    return Array.from({ length: 1 + this.random(6) }, () => this.rule(true))
  }

  private rule(mayNest: boolean): string {
    const { random } = this
    switch (random(mayNest ? 16 : 9)) {
      case 0:
      case 1:
        return `${this.one(['+', '-'])}@${this.cased(this.one(CATEGORIES))}`
      case 2:
        return `${this.one(['+', '-'])}${this.cased(this.one(NAMES))}`
      case 3:
        return `${this.one(['+', '+', '-'])}${this.cased(this.one(PARTS))}`
      case 4:
        return this.one([
          'allkeys',
          'resetkeys',
          '~*',
          'allchannels',
          'resetchannels',
          '&*',
          'allcommands',
          'nocommands',
        ])
      case 5:
        return `~${this.one(PATTERNS)}`
      case 6:
        return `%${this.one(['R', 'W', 'RW', 'r', 'w', 'WR', 'RR', 'X'])}~${this.one(PATTERNS)}`
      case 7:
        return `&${this.one(PATTERNS)}`
      case 8:
        return this.one(['+nosuch', 'what', '+config|nosuch', '+get|', '+config|get|x', '~a b', '+', '-', '&a\tb'])
      case 9:
      case 10:
      case 11: {
        const inside = Array.from({ length: random(4) }, () => this.rule(false)).filter(rule => !rule.includes('\\'))
        return `(${inside.join(' ')})`
      }
      case 12:
        return this.one(['on', 'off', 'nopass', 'resetpass', 'sanitize-payload', 'skip-sanitize-payload', 'ON'])
      case 13:
        return this.one(['>one', '>two', '<one', '<two', `#${'0'.repeat(64)}`, `!${'0'.repeat(64)}`, '#12', '>'])
      case 14:
        return this.one(['reset', 'clearselectors', '', '(+get', '+set)'])
      default:
        return `+@${this.one(['all', 'read', 'write'])}`
    }
  }

  private cased(word: string): string {
    return this.random(8) === 0 ? word.toUpperCase() : word
  }

  /** A command: an example with some of its words replaced, removed or added. */
  command(): string[] {
    const { random } = this
    const words = [...this.one(EXAMPLES)]
    for (let i = 1; i < words.length; i++) if (random(3) === 0) words[i] = this.one(KEYS)
    if (random(10) === 0) words.push(this.one(KEYS))
    if (random(20) === 0) words.pop()
    return words.length === 0 ? ['GET'] : words
  }

  realCommand(): string[] {
    const words = [this.one(REAL), ...Array.from({ length: 1 + this.random(3) }, () => this.one(KEYS))]
    return this.random(6) === 0 ? ['EVAL', 'return redis.pcall(unpack(ARGV))', '0', ...words] : words
  }
}
