// A server is killed (SIGKILL) at random moments under load, and its data is checked after the restart:
//
//   npx bun test/crash/kill.ts [--policy always,everysec,no] [--kills 200] [--seed 1] [--command bin/redstart]
//
//   start ─▶ check ─▶ writers, AOF rewrites ─▶ [a moment] ─▶ SIGKILL ─▶ start …
//
// Each writer writes consecutive numbers in pipelined transactions:
//
//   MULTI, SET a:W n, HSET h:W n n, RPUSH l:W n, SET b:W n, EXEC
//
// After each start: a:W = b:W = last of l:W = HLEN of h:W, so no transaction is torn or lost in between; n is at least
// what was acknowledged (everysec: two seconds before the kill), and at most what was sent.
//
// Prints a line per policy, and exits with 1 when a guarantee was violated.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../src/system/virtual.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'

const WRITERS = 5
/** Pipelined transactions of a writer. */
const IN_FLIGHT = 4
const LIST_KEPT = 50
const FILLER_KEYS = 20_000
const SYNC_PROMISE_MS = 2000

const { values: options } = parseArgs({
  options: {
    policy: { type: 'string', default: 'always,everysec,no' },
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    command: { type: 'string', default: join(import.meta.dirname, '../../bin/redstart') },
  },
})

class Writer {
  readonly name: number
  /** The number of the last transaction sent, and the acknowledged ones with their times. */
  sent = 0
  private acknowledged: { n: number; atMs: number }[] = []

  constructor(name: number) {
    this.name = name
  }

  /** Sends transactions as replies arrive, until the connection is closed. */
  run(connection: PlainConnection): void {
    for (let i = 0; i < IN_FLIGHT; i++) void this.next(connection)
  }

  private async next(connection: PlainConnection): Promise<void> {
    for (;;) {
      const n = ++this.sent
      const { name } = this
      void connection.call('MULTI')
      void connection.call('SET', `a:${name}`, n)
      void connection.call('HSET', `h:${name}`, n, n)
      void connection.call('RPUSH', `l:${name}`, n)
      void connection.call('LTRIM', `l:${name}`, -LIST_KEPT, -1)
      void connection.call('SET', `b:${name}`, n)
      const reply = await connection.call('EXEC')
      if (!Array.isArray(reply)) throw new Error(`EXEC answered ${JSON.stringify(reply)}`)
      this.acknowledged.push({ n, atMs: performance.now() })
    }
  }

  /** The least number that must be there after a kill at that moment. */
  promised(policy: string, killedMs: number): number {
    const untilMs = policy === 'everysec' ? killedMs - SYNC_PROMISE_MS : Number.POSITIVE_INFINITY
    return this.acknowledged.reduce((most, { n, atMs }) => (atMs <= untilMs ? Math.max(most, n) : most), this.floor)
  }

  private floor = 0

  /** Continues after the number found at the restart. */
  goOnFrom(n: number): void {
    this.sent = this.floor = n
    this.acknowledged = []
  }

  async check(connection: PlainConnection, least: number): Promise<string | undefined> {
    const { name } = this
    const [a, b, last, count] = await Promise.all([
      connection.call('GET', `a:${name}`),
      connection.call('GET', `b:${name}`),
      connection.call('LINDEX', `l:${name}`, -1),
      connection.call('HLEN', `h:${name}`),
    ])
    const n = Number(a ?? 0)
    if (Number(b ?? 0) !== n || Number(last ?? 0) !== n || Number(count) !== n)
      return `writer ${name}: torn: a ${a}, b ${b}, list ${last}, hash ${count}`
    if (n < least) return `writer ${name}: ${n} is there, ${least} was promised (${this.sent} sent)`
    if (n > this.sent) return `writer ${name}: ${n} is there, only ${this.sent} were sent`
    this.goOnFrom(n)
    return undefined
  }
}

interface Outcome {
  kills: number
  transactions: number
  lost: number
  failures: string[]
}

async function kills(policy: string, times: number, seed: number): Promise<Outcome> {
  const random = seededRandom(seed)
  const below = (n: number) => random.u32() % n
  const folder = mkdtempSync(join(tmpdir(), 'redstart-kill-'))
  const start = () =>
    ServerProcess.start(options.command, folder, {
      save: '',
      appendonly: 'yes',
      appendfsync: policy,
      'auto-aof-rewrite-percentage': '0',
    })
  const writers = Array.from({ length: WRITERS }, (_, i) => new Writer(i))
  const outcome: Outcome = { kills: 0, transactions: 0, lost: 0, failures: [] }
  let server = await start()
  try {
    await server.call(
      'EVAL',
      `for i = 1, ${FILLER_KEYS} do redis.call('SET', 'filler:' .. i, 'some value ' .. i) end`,
      0,
    )
    while (outcome.kills < times && outcome.failures.length === 0) {
      const connections = writers.map(() => new PlainConnection(server.port))
      for (const [i, writer] of writers.entries()) writer.run(connections[i])
      const rewriting = below(2) === 0
      // Sometimes long enough for an fsync in between.
      const forMs = below(10) === 0 ? 1000 + below(3000) : below(300)
      if (rewriting) await sleep(below(forMs + 1))
      if (rewriting) void server.call('BGREWRITEAOF')
      // During a rewrite, or after it.
      await sleep(rewriting ? below(below(2) === 0 ? 100 : 2000) : forMs)
      const killedMs = performance.now()
      await server.kill()
      for (const connection of connections) connection.close()
      outcome.kills++
      const promised = writers.map(writer => writer.promised(policy, killedMs))
      const sent = writers.map(writer => writer.sent)
      server = await start()
      for (const [i, writer] of writers.entries()) {
        const failure = await writer.check(server.connection, promised[i])
        if (failure !== undefined) outcome.failures.push(`kill ${outcome.kills}, ${failure}\n${server.log}`)
        outcome.lost += sent[i] - writer.sent
      }
    }
    outcome.transactions = writers.reduce((sum, writer) => sum + writer.sent, 0)
  } finally {
    await server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  return outcome
}

for (const policy of options.policy.split(',')) {
  const { kills: done, transactions, lost, failures } = await kills(policy, Number(options.kills), Number(options.seed))
  console.log(
    `${policy}: ${done} kills, ${transactions} transactions kept, ${lost} sent and lost, ${failures.length} failures`,
  )
  for (const failure of failures) console.log(failure)
  if (failures.length > 0) process.exitCode = 1
}
