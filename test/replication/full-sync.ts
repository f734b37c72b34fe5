// A full synchronisation while the primary takes all the writes that a client can send.
//
//   REDIS_SERVER=/path/to/redis-server npx bun test/replication/full-sync.ts [--keys 2000000] [--pair ours,ours]
//
//   redis-benchmark: SET ─▶ primary ──▶ replica       probe: GET at the primary, one each millisecond
//                                                     --swap: and at the replica, while it loads
//
// For each pair: a replica with the default limits follows a primary with that many keys; with --swap for the second
// time, with a backlog that does not reach, beside its old dataset. Prints the time, the growth of the primary's
// resident memory and the latency of the probes, and exits with 1 when there was more than one attempt.
//
// Latencies are printed as measured, and without the time that the server's main thread, or the probe's, was ready to
// run and waited for a core (/proc/PID/schedstat), since four busy processes rarely have as many cores for themselves.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { oraclePath } from '../harness/oracle.ts'
import { coreWaitMsOf, residentBytesOf } from '../harness/process-usage.ts'
import { RespError } from '../harness/resp.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { OURS } from './chain.ts'

const SYNC_MS_MAX = 300_000
const SETTLE_MS = 3000
const TRACE_MS = 250
const VALUE = 'x'.repeat(32)
const FILL_KEYS = 5000
/** The keys of redis-benchmark. */
const FILL = "for i = ARGV[1], ARGV[2] do redis.call('SET', string.format('key:%012d', i), ARGV[3]) end"
const DIRECTIVES = { save: '', 'repl-diskless-sync-delay': '0', 'enable-debug-command': 'yes' }

export interface FullSyncOptions {
  commands: readonly [string, string]
  keys: number
  /** The second synchronisation beside the old dataset. */
  swap: boolean
  /** Prints what the primary's memory is, several times a second. */
  trace: boolean
}

export interface SyncResult {
  ms: number
  /** Commands that the primary ran meanwhile: what others do on the same cores changes the time, and these less. */
  commands: number
  /** Of the primary, since the replica came. */
  fullSyncs: number
  /** Resident bytes of the primary, before and at most. */
  residentBytes: number
  residentBytesMax: number
  /** Of GETs at the primary: before, under the same writes, and meanwhile. */
  before: Latencies
  during: Latencies
  /** At the replica while it loaded beside its old dataset. */
  atReplica: Latencies
  /** GETs that the replica refused. */
  refused: number
}

/** Milliseconds, ascending. */
interface Latencies {
  all: number[]
  /** Without waiting for a core. */
  atWork: number[]
}

/** Sends a GET each millisecond, or as soon as the last one is answered. */
class Probe {
  private readonly connection: PlainConnection
  private readonly pid: number
  private readonly keys: number
  private isOver = false
  private readonly done: Promise<void>
  private latencies: Latencies = { all: [], atWork: [] }
  refused = 0

  constructor({ port, pid }: ServerProcess, keys: number) {
    this.connection = new PlainConnection(port)
    this.pid = pid
    this.keys = keys
    this.done = this.run()
  }

  private async run(): Promise<void> {
    for (let i = 0; !this.isOver; i = (i + 7919) % this.keys) {
      const waited = this.coreWaits()
      const startMs = performance.now()
      const reply = await this.connection.call('GET', `key:${String(i).padStart(12, '0')}`)
      const ms = performance.now() - startMs
      this.latencies.all.push(ms)
      // Both may have waited at once.
      const waitedMs = Math.max(...this.coreWaits().map((now, j) => now - waited[j]))
      this.latencies.atWork.push(Math.max(0, ms - waitedMs))
      if (reply instanceof RespError) this.refused++
      await sleep(1)
    }
  }

  private coreWaits(): [number, number] {
    return [coreWaitMsOf(this.pid), coreWaitMsOf(process.pid)]
  }

  /** Since the last call. */
  take(): Latencies {
    const { all, atWork } = this.latencies
    this.latencies = { all: [], atWork: [] }
    return { all: all.sort((a, b) => a - b), atWork: atWork.sort((a, b) => a - b) }
  }

  async stop(): Promise<void> {
    this.isOver = true
    await this.done
    this.connection.close()
  }
}

class FullSyncRun {
  private readonly options: FullSyncOptions
  private primary!: ServerProcess
  private replica!: ServerProcess
  private writes: ChildProcess | undefined

  constructor(options: FullSyncOptions) {
    this.options = options
  }

  async start(folder: string): Promise<void> {
    const { commands, keys } = this.options
    const folders = ['primary', 'replica'].map(name => join(folder, name))
    for (const one of folders) mkdirSync(one)
    this.primary = await ServerProcess.start(commands[0], folders[0], DIRECTIVES)
    this.replica = await ServerProcess.start(commands[1], folders[1], DIRECTIVES)
    for (let from = 0; from < keys; from += FILL_KEYS)
      await this.primary.call('EVAL', FILL, '0', String(from), String(Math.min(keys, from + FILL_KEYS) - 1), VALUE)
    this.write()
  }

  /** All the writes that one client program can send, over all keys. */
  private write(): void {
    const count = ['-P', '16', '-n', '1000000000', '-r', String(this.options.keys)]
    const command = ['set', 'key:__rand_int__', VALUE]
    const args = ['-p', String(this.primary.port), '-q', ...count, ...command]
    this.writes = spawn('redis-benchmark', args, { stdio: 'ignore' })
  }

  /** `begin` makes the replica synchronise. */
  private async measure(begin: () => Promise<void>): Promise<SyncResult> {
    const { primary, replica } = this
    const probe = new Probe(primary, this.options.keys)
    await sleep(SETTLE_MS)
    const before = probe.take()
    await primary.call('CONFIG', 'RESETSTAT')
    const residentBytes = residentBytesOf(primary.pid)
    let residentBytesMax = residentBytes
    const startMs = performance.now()
    await begin()
    const atReplica = this.options.swap ? new Probe(replica, this.options.keys) : undefined
    atReplica?.take()
    let tracedMs = 0
    do {
      await sleep(20)
      residentBytesMax = Math.max(residentBytesMax, residentBytesOf(primary.pid))
      if (this.options.trace && performance.now() - tracedMs > TRACE_MS) {
        tracedMs = performance.now()
        await this.trace(tracedMs - startMs)
      }
      if (performance.now() - startMs > SYNC_MS_MAX) throw new Error(`no synchronisation: ${replica.log}`)
    } while (!(await this.isSynchronised()))
    const ms = performance.now() - startMs
    const during = probe.take()
    await probe.stop()
    const replicaLatencies = atReplica?.take() ?? { all: [], atWork: [] }
    await atReplica?.stop()
    const commands = Number(await figure(primary, 'stats', 'total_commands_processed'))
    const fullSyncs = Number(await figure(primary, 'stats', 'sync_full'))
    const refused = atReplica?.refused ?? 0
    const memory = { residentBytes, residentBytesMax }
    return { ms, commands, fullSyncs, ...memory, before, during, atReplica: replicaLatencies, refused }
  }

  private async trace(ms: number): Promise<void> {
    const { primary } = this
    const text = `${await primary.call('INFO', 'memory')}${await primary.call('INFO', 'replication')}${await primary.call('INFO', 'stats')}`
    const of = (name: string) => new RegExp(`^${name}:([^\r]*)`, 'm').exec(text)?.[1]
    const megabytes = (name: string) => `${(Number(of(name)) / 1e6).toFixed(0)}`
    console.log(
      `  ${(ms / 1000).toFixed(2)} s: resident ${(residentBytesOf(primary.pid) / 1e6).toFixed(0)} MB, used ${megabytes('used_memory')}, ` +
        `replication buffers ${megabytes('mem_total_replication_buffers')}, replicas ${megabytes('mem_clients_slaves')}, ` +
        `${of('instantaneous_ops_per_sec')} commands/s, ${of('slave0') ?? 'no replica'}`,
    )
  }

  private async isSynchronised(): Promise<boolean> {
    const status = await figure(this.replica, 'replication', 'master_link_status')
    return status === 'up' && Number(await figure(this.primary, 'stats', 'sync_full')) > 0
  }

  async run(): Promise<SyncResult> {
    const { primary, replica } = this
    const follow = async () => void (await replica.call('REPLICAOF', '127.0.0.1', String(primary.port)))
    if (!this.options.swap) return await this.measure(follow)
    await follow()
    while (!(await this.isSynchronised())) await sleep(50)
    await replica.call('CONFIG', 'SET', 'repl-diskless-load', 'swapdb')
    await primary.call('CONFIG', 'SET', 'repl-backlog-size', '16384')
    return await this.measure(async () => void (await primary.call('CLIENT', 'KILL', 'TYPE', 'replica')))
  }

  async stop(): Promise<void> {
    this.writes?.kill('SIGKILL')
    for (const server of [this.primary, this.replica]) await server?.kill()
  }
}

async function figure(server: ServerProcess, section: string, name: string): Promise<string | undefined> {
  return new RegExp(`^${name}:([^\r]*)`, 'm').exec(String(await server.call('INFO', section)))?.[1]
}

export async function runFullSync(options: FullSyncOptions): Promise<SyncResult> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-full-sync-'))
  const run = new FullSyncRun(options)
  try {
    await run.start(folder)
    return await run.run()
  } finally {
    await run.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function percentile({ all, atWork }: Latencies, part: number): string {
  const at = Math.ceil(part * all.length) - 1
  return at < 0 ? '-' : `${all[at].toFixed(1)} (${atWork[at].toFixed(1)})`
}

if (import.meta.main === true) {
  const { values } = parseArgs({
    options: {
      keys: { type: 'string', default: '2000000' },
      pair: { type: 'string', default: 'real,real ours,ours ours,real real,ours' },
      swap: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      ours: { type: 'string', default: OURS },
    },
  })
  const command = (name: string) => (name === 'ours' ? values.ours : (oraclePath ?? OURS))
  for (const pair of values.pair.split(' ')) {
    const [first, second] = pair.split(',')
    const options = {
      commands: [command(first), command(second)] as const,
      keys: Number(values.keys),
      swap: values.swap,
      trace: values.trace,
    }
    const { ms, commands, fullSyncs, residentBytes, residentBytesMax, before, during, atReplica, refused } =
      await runFullSync(options)
    const growth = 100 * (residentBytesMax / residentBytes - 1)
    console.log(
      `${pair}: ${(ms / 1000).toFixed(1)} s, ${commands} commands, attempts ${fullSyncs}, resident ${(residentBytes / 1e6).toFixed(0)} MB + ${growth.toFixed(0)} %, ` +
        `GET at the primary p50 ${percentile(before, 0.5)} ms, p99.9 ${percentile(before, 0.999)} ms before, ` +
        `p50 ${percentile(during, 0.5)} ms, p99.9 ${percentile(during, 0.999)} ms meanwhile`,
    )
    if (values.swap)
      console.log(
        `  GET at the replica p99 ${percentile(atReplica, 0.99)} ms, longest ${percentile(atReplica, 1)} ms, ${refused} refused`,
      )
    if (fullSyncs !== 1) process.exitCode = 1
  }
}
