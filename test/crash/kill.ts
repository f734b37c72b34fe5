// A server is killed (SIGKILL) at random moments under load, and its data is checked after the restart:
//
//   npx bun test/crash/kill.ts [--policy always,everysec,no] [--kills 200] [--seed 1] [--command bin/redstart]
//     [--config 'storage disk, storage-memory 1'] [--module]
//
//   start ─▶ check ─▶ writers, AOF rewrites ─▶ [a moment] ─▶ SIGKILL ─▶ start …
//
// The writers' numbers (writer.ts) are checked after each start; they are at least what was acknowledged (everysec: two
// seconds before the kill). With --module they also count in values of a module's type.
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
import { OURS, TALLY } from '../replication/chain.ts'
import { Writer } from './writer.ts'

const WRITERS = 5
const FILLER_KEYS = 20_000
const SYNC_PROMISE_MS = 2000

export interface KillsOutcome {
  kills: number
  transactions: number
  lost: number
  failures: string[]
}

interface KillsOptions {
  readonly command?: string
  readonly directives?: Readonly<Record<string, string>>
  readonly module?: boolean
}

export async function runKills(
  policy: string,
  times: number,
  seed: number,
  { command = OURS, directives = {}, module = false }: KillsOptions = {},
): Promise<KillsOutcome> {
  const random = seededRandom(seed)
  const below = (n: number) => random.u32() % n
  const folder = mkdtempSync(join(tmpdir(), 'redstart-kill-'))
  const start = () =>
    ServerProcess.start(command, folder, {
      save: '',
      appendonly: 'yes',
      appendfsync: policy,
      'auto-aof-rewrite-percentage': '0',
      ...(module && { loadmodule: TALLY }),
      ...directives,
    })
  const writers = Array.from({ length: WRITERS }, (_, i) => new Writer(i, module))
  const outcome: KillsOutcome = { kills: 0, transactions: 0, lost: 0, failures: [] }
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
      const untilMs = policy === 'everysec' ? killedMs - SYNC_PROMISE_MS : Number.POSITIVE_INFINITY
      const promised = writers.map(writer => writer.promised(untilMs))
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

if (import.meta.main === true) {
  const { values } = parseArgs({
    options: {
      policy: { type: 'string', default: 'always,everysec,no' },
      kills: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      command: { type: 'string', default: OURS },
      config: { type: 'string', default: '' },
      module: { type: 'boolean', default: false },
    },
  })
  const { command, module } = values
  const lines = values.config.split(', ').filter(one => one !== '')
  const directives = Object.fromEntries(lines.map(one => one.split(' ') as [string, string]))
  for (const policy of values.policy.split(',')) {
    const options = { command, directives, module }
    const outcome = await runKills(policy, Number(values.kills), Number(values.seed), options)
    const { kills, transactions, lost, failures } = outcome
    console.log(
      `${policy}: ${kills} kills, ${transactions} transactions kept, ${lost} sent and lost, ${failures.length} failures`,
    )
    for (const failure of failures) console.log(failure)
    if (failures.length > 0) process.exitCode = 1
  }
}
