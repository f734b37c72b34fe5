// Random users, rules and commands on ours and on redis-server 7.2: the replies of ACL SETUSER, DRYRUN, GETUSER and
// LIST are compared, and those of real commands of a restricted client with the ACL LOG that they leave.
//
//   REDIS_SERVER=/path/to/redis-7.2.4/src/redis-server npx bun test/fuzz/acl.ts [--seed 1] [--checks 100000]
//       [--server bin/redstart]
//
// A check is one DRYRUN or one command of a client. Exits with 1 at the first difference, with what led to it. Left
// out is what makes 7.2.4 crash (docs/acl.md).

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { oraclePath } from '../harness/oracle.ts'
import { randomFrom } from '../harness/random.ts'
import { type PlainValue, RespError } from '../harness/resp.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { splitWords } from '../harness/words.ts'
import { COMMANDS } from '../hostile/long-commands.ts'
import { projectRoot } from '../tidy/source.ts'

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    checks: { type: 'string', default: '100000' },
    server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
  },
})

const EXAMPLES = Object.values(COMMANDS).flat().map(splitWords)
const NAMES = [...new Set(EXAMPLES.map(words => words[0].toLowerCase()))]
const PARTS = EXAMPLES.filter(words => words.length > 1).map(words => `${words[0]}|${words[1]}`.toLowerCase())
const CATEGORIES =
  `keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow
  blocking dangerous connection transaction scripting all nosuch`.split(/\s+/)
const KEYS = ['a', 'b', 'ab', 'abc', 'a:1', 'a:2', 'b:1', 'key', 'x', '', 'A']
const PATTERNS = ['*', 'a', 'b', 'a*', 'a:*', '?', '[ab]*', '[^a]', 'a?c', '*:1', 'key', '', '\\*', 'nosuch']
const USERS = ['u', 'v', 'w']
const CHECKS_PER_RULES = 12
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

class Generator {
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

interface Side {
  readonly admin: PlainConnection
  readonly client: PlainConnection
}

/** What is said on both, in order; the replies are compared at the end of a batch. */
class Duel {
  private readonly sides: readonly Side[]
  private said: { words: string[]; by: 'admin' | 'client'; replies: Promise<PlainValue>[] }[] = []

  constructor(sides: readonly Side[]) {
    this.sides = sides
  }

  say(by: 'admin' | 'client', ...words: string[]): void {
    this.said.push({ words, by, replies: this.sides.map(side => side[by].call(...words)) })
  }

  /** Waits for all replies; what differs, with what was said before it. */
  async settle(): Promise<string | undefined> {
    const { said } = this
    this.said = []
    for (const [i, { words, replies }] of said.entries()) {
      const [ours, theirs] = (await Promise.all(replies)).map(reply => shown(words, reply))
      if (ours === theirs) continue
      const before = said.slice(0, i + 1).map(one => `${one.by}: ${JSON.stringify(one.words)}`)
      return `${before.join('\n')}\n  ours:   ${ours}\n  theirs: ${theirs}`
    }
    return undefined
  }
}

/** The fields of ACL LOG that do not tell of time and addresses. */
function shown(words: readonly string[], reply: PlainValue): string {
  if (words[1] === 'LOG' && Array.isArray(reply)) reply = reply.map(entry => (entry as PlainValue[]).slice(0, 10))
  return JSON.stringify(reply instanceof RespError ? `-${reply.message}` : reply)
}

async function fuzz(duel: Duel, seed: number, checks: number): Promise<string | undefined> {
  const make = new Generator(seed)
  for (let done = 0; done < checks; ) {
    const user = make.one(USERS)
    if (make.random(12) === 0) duel.say('admin', 'ACL', 'DELUSER', user)
    duel.say('admin', 'ACL', 'SETUSER', user, ...make.rules())
    if (make.random(3) === 0) duel.say('admin', 'ACL', 'SETUSER', user, ...make.rules())
    duel.say('admin', 'ACL', 'GETUSER', user)
    duel.say('admin', 'ACL', 'LIST')
    for (let i = 0; i < CHECKS_PER_RULES; i++, done++) duel.say('admin', 'ACL', 'DRYRUN', user, ...make.command())
    if (make.random(4) === 0) {
      duel.say('admin', 'FLUSHALL')
      duel.say('admin', 'ACL', 'LOG', 'RESET')
      // The client's own user, which is never deleted.
      const rules = make.rules().filter(rule => rule !== 'off' && !/^(reset|[<!#>])/.test(rule))
      duel.say('admin', 'ACL', 'SETUSER', 'client', 'reset', 'on', 'nopass', '+@all', ...rules)
      const difference = await duel.settle()
      if (difference !== undefined) return difference
      duel.say('client', 'AUTH', 'client', 'any')
      if (make.random(3) === 0) duel.say('client', 'MULTI')
      for (let i = 0; i < CHECKS_PER_RULES; i++, done++) duel.say('client', ...make.realCommand())
      duel.say('client', 'EXEC')
      const second = await duel.settle()
      if (second !== undefined) return second
      duel.say('admin', 'ACL', 'LOG', '100')
    }
    const difference = await duel.settle()
    if (difference !== undefined) return difference
  }
  return undefined
}

async function main(): Promise<void> {
  if (oraclePath === undefined) throw new Error('REDIS_SERVER names no redis-server')
  const folder = mkdtempSync(join(tmpdir(), 'redstart-acl-'))
  const servers: ServerProcess[] = []
  try {
    for (const command of [options.server, oraclePath])
      servers.push(await ServerProcess.start(command, folder, { save: '', appendonly: 'no', loglevel: 'nothing' }))
    const sides = servers.map(server => ({ admin: server.connection, client: new PlainConnection(server.port) }))
    const difference = await fuzz(new Duel(sides), Number(options.seed), Number(options.checks))
    console.log(difference ?? `${options.checks} checks, seed ${options.seed}: no difference`)
    process.exitCode = difference === undefined ? 0 : 1
    for (const { client } of sides) client.close()
  } finally {
    for (const server of servers) {
      server.connection.close()
      server.signal('SIGKILL')
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
