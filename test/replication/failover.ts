// FAILOVER under load: the roles of two servers are exchanged again and again, while writers follow the primary.
//
//   REDIS_SERVER=/path/to/redis-server npx bun test/replication/failover.ts [--times 100] [--pair ours,real] [--module]
//
// With --module the writers count in values of a module's type, and both servers are ours.
//
// Prints for each pair how long writers (counting-writers.ts) waited for the roles to be exchanged, and exits with 1
// when a write was lost.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { oraclePath } from '../harness/oracle.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { OURS, TALLY } from './chain.ts'
import { CountingWriters } from './counting-writers.ts'

const WRITERS = 4
const BETWEEN_MS = 100
const STATE_MS_MAX = 30_000
const DIRECTIVES = { save: '', 'repl-diskless-sync-delay': '0', 'repl-backlog-size': '64mb' }

export interface FailoversResult {
  /** From a writer's last number before a failover to its first behind it, the longest of all writers, ascending. */
  pausesMs: number[]
  writes: number
  fullSyncs: number
  failures: string[]
}

class FailoversRun {
  readonly result: FailoversResult = { pausesMs: [], writes: 0, fullSyncs: 0, failures: [] }
  private readonly servers: ServerProcess[] = []
  private primary = 0
  /** The writers count in values of a module's type. */
  private readonly module: boolean

  constructor(module: boolean) {
    this.module = module
  }

  async start(commands: readonly string[], folder: string): Promise<void> {
    const directives = { ...DIRECTIVES, ...(this.module && { loadmodule: TALLY }) }
    for (const [i, command] of commands.entries()) {
      mkdirSync(join(folder, String(i)))
      this.servers.push(await ServerProcess.start(command, join(folder, String(i)), directives))
    }
    await this.servers[1].call('REPLICAOF', '127.0.0.1', this.servers[0].port)
    await this.until(() => this.isExchanged())
  }

  private async until(condition: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + STATE_MS_MAX
    while (!(await condition())) {
      if (performance.now() > endMs) throw new Error(this.servers.map(({ log }) => log).join('\n---\n'))
      await sleep(2)
    }
  }

  /** The other server is a replica with a link, the primary has ended its FAILOVER. */
  private async isExchanged(): Promise<boolean> {
    const infos = await Promise.all(this.servers.map(async server => String(await server.call('INFO', 'replication'))))
    const primary = infos[this.primary]
    return primary.includes('role:master') && infos[1 - this.primary].includes('master_link_status:up')
  }

  async run(times: number): Promise<void> {
    const ports = this.servers.map(({ port }) => port)
    const writers = new CountingWriters(ports, WRITERS, '', this.module)
    for (let i = 0; i < times && this.result.failures.length + writers.failures.length === 0; i++) {
      await sleep(BETWEEN_MS)
      writers.longestMs = 0
      const [from, to] = [this.servers[this.primary], this.servers[1 - this.primary]]
      const reply = await from.call('FAILOVER', 'TO', '127.0.0.1', to.port)
      if (reply !== 'OK') this.result.failures.push(`FAILOVER replied ${String(reply)}`)
      this.primary = 1 - this.primary
      await this.until(() => this.isExchanged())
      await sleep(BETWEEN_MS)
      this.result.pausesMs.push(writers.longestMs)
    }
    await writers.stop()
    this.result.writes = writers.writes
    this.result.failures.push(...writers.failures)
    this.result.pausesMs.sort((a, b) => a - b)
    for (const server of this.servers)
      this.result.fullSyncs += Number(/sync_full:(\d+)/.exec(String(await server.call('INFO', 'stats')))?.[1])
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.kill()
  }
}

export async function runFailovers(
  commands: readonly [string, string],
  times: number,
  module = false,
): Promise<FailoversResult> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-failover-'))
  const run = new FailoversRun(module)
  try {
    await run.start(commands, folder)
    await run.run(times)
  } finally {
    await run.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return run.result
}

if (import.meta.main === true) {
  const { values } = parseArgs({
    options: {
      times: { type: 'string', default: '100' },
      pair: { type: 'string', default: 'ours,ours ours,real' },
      module: { type: 'boolean', default: false },
    },
  })
  const command = (name: string) => (name === 'ours' ? OURS : (oraclePath ?? OURS))
  for (const pair of values.module ? ['ours,ours'] : values.pair.split(' ')) {
    const [first, second] = pair.split(',')
    const result = await runFailovers([command(first), command(second)], Number(values.times), values.module)
    const { pausesMs, writes, fullSyncs, failures } = result
    const part = (p: number) => pausesMs[Math.ceil(p * pausesMs.length) - 1].toFixed(1)
    console.log(
      `${pair}: ${pausesMs.length} failovers, ${writes} writes, pause median ${part(0.5)} ms, p99 ${part(0.99)} ms, longest ${part(1)} ms, ` +
        `${fullSyncs} full synchronisations, ${failures.length} failures`,
    )
    for (const failure of failures) console.log(failure)
    if (failures.length > 0) process.exitCode = 1
  }
}
