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
import { type PlainValue, RespError } from '../harness/resp.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { projectRoot } from '../tidy/source.ts'
import { AclGenerator } from './acl-rules.ts'

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    checks: { type: 'string', default: '100000' },
    server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
  },
})

const USERS = ['u', 'v', 'w']
const CHECKS_PER_RULES = 12

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
  const make = new AclGenerator(seed)
  for (let done = 0; done < checks; ) {
    const user = make.one(USERS)
    if (make.random(12) === 0) duel.say('admin', 'ACL', 'DELUSER', user)
    // One refused rule spoils a whole SETUSER: mostly each rule has its own.
    if (make.random(3) === 0) duel.say('admin', 'ACL', 'SETUSER', user, ...make.rules())
    else for (const rule of make.rules()) duel.say('admin', 'ACL', 'SETUSER', user, rule)
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
