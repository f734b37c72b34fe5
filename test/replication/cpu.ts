// Processor time of replication: what a command costs a primary with replicas, and what it costs a replica to apply it.
//
//   REDIS_SERVER=/path/to/redis-server npx bun test/replication/cpu.ts [--replicas 3] [--requests 1000000] [--rounds 3]
//
//   redis-benchmark, pipeline 16 ─▶ primary ──▶ replicas         utime + stime of each process, from /proc
//
// Four groups run beside each other and are asked in turn: a primary of each kind, with replicas of each kind. Prints
// microseconds a command, the least of the rounds, and the ratio to redis-server's. It needs Linux.
//
// Before and after a change, beside each other: --groups 'real,real real,ours real,other' --other OTHER/bin/redstart

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { oraclePath } from '../harness/oracle.ts'
import { cpuSecondsOf } from '../harness/process-usage.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { OURS } from './chain.ts'

const DIRECTIVES = { save: '', 'repl-diskless-sync-delay': '0' }
const KINDS = ['real', 'ours', 'other'] as const
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  set: ['set', 'key:__rand_int__', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
  hset: ['hset', 'hash', 'field:__rand_int__', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
  lpush: ['lpush', 'list', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
  incr: ['incr', 'counter:__rand_int__'],
}

class Group {
  readonly name: string
  private readonly servers: ServerProcess[] = []

  constructor(name: string) {
    this.name = name
  }

  async start(folder: string, commands: readonly string[]): Promise<void> {
    for (const [i, command] of commands.entries()) {
      const own = join(folder, `${this.name}-${i}`)
      mkdirSync(own)
      const follows: Record<string, string> = i === 0 ? {} : { replicaof: `127.0.0.1 ${this.servers[0].port}` }
      this.servers.push(await ServerProcess.start(command, own, { ...DIRECTIVES, ...follows }))
    }
    for (const replica of this.servers.slice(1))
      while ((await figure(replica, 'master_link_status')) !== 'up') await sleep(20)
  }

  /** Microseconds that a command costs the primary, and a replica on average. */
  async measure(words: readonly string[], requests: number): Promise<[number, number]> {
    const before = this.servers.map(({ pid }) => cpuSecondsOf(pid))
    const [primary, ...replicas] = this.servers
    const args = ['-p', String(primary.port), '-q', '-P', '16', '-n', String(requests), '-r', '100000', ...words]
    execFileSync('redis-benchmark', args, { stdio: 'ignore' })
    const offset = await figure(primary, 'master_repl_offset')
    for (const replica of replicas)
      while (Number(await figure(replica, 'master_repl_offset')) < Number(offset)) await sleep(5)
    const took = this.servers.map(({ pid }, i) => ((cpuSecondsOf(pid) - before[i]) * 1e6) / requests)
    await primary.call('DEL', 'hash', 'list')
    return [took[0], took.slice(1).reduce((sum, us) => sum + us, 0) / Math.max(1, replicas.length)]
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.kill()
  }
}

async function figure(server: ServerProcess, name: string): Promise<string | undefined> {
  return new RegExp(`^${name}:([^\r]*)`, 'm').exec(String(await server.call('INFO', 'replication')))?.[1]
}

const { values } = parseArgs({
  options: {
    replicas: { type: 'string', default: '3' },
    requests: { type: 'string', default: '500000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: Object.keys(COMMANDS).join() },
    groups: { type: 'string', default: 'real,real real,ours ours,real ours,ours' },
    ours: { type: 'string', default: OURS },
    other: { type: 'string', default: OURS },
  },
})
const [count, rounds] = [Number(values.replicas), Number(values.rounds)]
const program = { real: oraclePath ?? OURS, ours: values.ours, other: values.other }
const folder = mkdtempSync(join(tmpdir(), 'redstart-replication-cpu-'))
const groups: Group[] = []
try {
  for (const name of values.groups.split(' ')) {
    const [primary, replica] = name.split(',') as (typeof KINDS)[number][]
    groups.push(new Group(name))
    const replicas = Array.from({ length: count }, () => program[replica])
    await groups[groups.length - 1].start(folder, [program[primary], ...replicas])
  }
  for (const command of values.only.split(',')) {
    const least = groups.map(() => [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
    for (let round = 0; round <= rounds; round++)
      for (const [i, group] of groups.entries()) {
        const took = await group.measure(COMMANDS[command], Number(values.requests))
        // The first round warms up.
        if (round > 0) least[i] = least[i].map((us, j) => Math.min(us, took[j]))
      }
    const [reference] = least
    for (const [i, { name }] of groups.entries()) {
      const [primary, replica] = least[i].map((us, j) => `${us.toFixed(2)} µs (${(us / reference[j]).toFixed(2)})`)
      console.log(`${command.padEnd(6)} ${name.padEnd(10)} primary ${primary}, each of ${count} replicas ${replica}`)
    }
  }
} finally {
  for (const group of groups) await group.stop()
  rmSync(folder, { recursive: true, force: true })
}
