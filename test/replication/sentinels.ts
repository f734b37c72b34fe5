// Five sentinels over a primary and three replicas; the primary is killed, stopped or cut off from all others again and
// again, or a sentinel is told to replace it (SENTINEL FAILOVER) while writers follow the primary.
//
//   npx bun test/replication/sentinels.ts [--times 10] [--fault kill,stop,partition,failover] [--set mixed,real,ours]
//
//   mixed: sentinels ours, ours, ours, real, real; servers ours, real, ours, real          real, ours: all of one kind
//   partition: the servers are in network namespaces (Linux, root)
//
// Always: each sentinel tells of one switch for each failover; all name the same primary within AGREE_MS, in one
// epoch that is newer than that of the primary before. When a sentinel of ours replaces a primary that is well, no
// acknowledged write is lost. Prints how long nobody took writes, and how long until all sentinels agreed. When one of
// these does not hold it exits with 1, and names the folder with the logs.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { CoreWaits } from '../harness/core-waits.ts'
import { oraclePath } from '../harness/oracle.ts'
import type { PlainValue, Word } from '../harness/resp.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { freePort, sleep } from '../harness/target.ts'
import { OURS } from './chain.ts'
import { CountingWriters } from './counting-writers.ts'
import { Namespaces } from './namespaces.ts'

const NAME = 'mymaster'
const DOWN_AFTER_MS = 2000
const AGREE_MS = 3000
const STATE_MS_MAX = 60_000
/** A primary that is well has handed over by then. */
const HAND_OVER_MS = 3000
const POLL_MS = 10
const ASK_MS = 500
const DIRECTIVES = { save: '', 'repl-diskless-sync-delay': '0', 'protected-mode': 'no' }

/** For SENTINEL FAILOVER, shorter ones than usual: what a failover leaves behind is noticed, and mended, sooner. */
const PERIODS = ['info-period', '1000', 'publish-period', '500']

const WRITERS = 4
/** Sentinels that are told to fail over: in a mixed set these are ours. */
const LEADERS = 3

type Fault = 'kill' | 'stop' | 'partition' | 'failover'

export interface SentinelsResult {
  /** From the fault until another server took a write. */
  writableMs: number[]
  /** From then until all sentinels named that server. */
  agreedMs: number[]
  /** How long a writer had to wait at most, for each SENTINEL FAILOVER; and without what a server waited for a core. */
  pausesMs: number[]
  pausesAtWorkMs: number[]
  writes: number
  failures: string[]
}

class SentinelsRun {
  readonly result: SentinelsResult = {
    writableMs: [],
    agreedMs: [],
    pausesMs: [],
    pausesAtWorkMs: [],
    writes: 0,
    failures: [],
  }
  private readonly folder: string
  private readonly commands: readonly string[]
  private readonly fault: Fault
  private readonly servers: ServerProcess[] = []
  private readonly sentinels: ServerProcess[] = []
  /** Those of the servers, if they can be cut off. */
  private readonly namespaces: Namespaces | undefined
  private primary = 0
  /** Of the primary's configuration, at all sentinels. */
  private epoch = 0

  constructor(folder: string, commands: readonly string[], fault: Fault) {
    this.folder = folder
    this.commands = commands
    this.fault = fault
    this.namespaces = fault === 'partition' ? new Namespaces(commands.length) : undefined
  }

  private folderOf(name: string): string {
    const folder = join(this.folder, name)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  async start(sentinels: readonly string[]): Promise<void> {
    this.namespaces?.open()
    for (const i of this.commands.keys()) this.servers.push(await this.startServer(i, await freePort()))
    const [{ host, port }, ...replicas] = this.servers
    for (const one of replicas) await one.call('REPLICAOF', host, String(port))
    for (const [i, command] of sentinels.entries()) this.sentinels.push(await this.sentinel(i, command))
    await this.until('it is watched', () => this.isHealthy())
  }

  private startServer(i: number, port: number): Promise<ServerProcess> {
    const { namespaces } = this
    const command = namespaces?.commandIn(i, this.commands[i]) ?? this.commands[i]
    const directives = { ...DIRECTIVES, port: String(port), bind: namespaces?.addressOf(i) ?? '127.0.0.1' }
    return ServerProcess.start(command, this.folderOf(`server${i}`), directives)
  }

  private async sentinel(i: number, command: string): Promise<ServerProcess> {
    const { host, port: primaryPort } = this.servers[0]
    const folder = this.folderOf(`sentinel${i}`)
    const file = join(folder, 'sentinel.conf')
    const port = String(await freePort())
    const lines = [
      `port ${port}`,
      `sentinel monitor ${NAME} ${host} ${primaryPort} 3`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} 10000`,
      `sentinel parallel-syncs ${NAME} 3`,
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    const bind = this.namespaces?.own ?? '127.0.0.1'
    const sentinel = await ServerProcess.launch(`${command} ${file} --sentinel`, folder, { port, bind })
    if (this.fault === 'failover') await sentinel.call('SENTINEL', 'DEBUG', ...PERIODS)
    return sentinel
  }

  private async until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + STATE_MS_MAX
    while (!(await condition())) {
      if (performance.now() > deadlineMs) throw new Error(`not within ${STATE_MS_MAX} ms: ${what}`)
      await sleep(POLL_MS)
    }
  }

  /** All replicas follow the primary, all sentinels know all of them and one another, and no failover is going on. */
  private async isHealthy(): Promise<boolean> {
    const info = String(await ask(this.servers[this.primary], 'INFO', 'replication'))
    if ((info.match(/state=online/g) ?? []).length !== this.servers.length - 1) return false
    for (const one of this.sentinels) {
      const text = String(await one.call('SENTINEL', 'MASTER', NAME))
      if (!text.includes(`,num-slaves,${this.servers.length - 1},`)) return false
      if (!text.includes(`,num-other-sentinels,${this.sentinels.length - 1},`) || !text.includes(',flags,master,link-'))
        return false
      if (/[sod]_down|disconnected/.test(String(await one.call('SENTINEL', 'REPLICAS', NAME)))) return false
    }
    return true
  }

  async run(times: number, fault: Fault): Promise<void> {
    for (let i = 1; i <= times; i++) {
      const old = this.primary
      const startMs = performance.now()
      if (fault === 'kill') await this.servers[old].kill()
      else if (fault === 'stop') this.servers[old].signal('SIGSTOP')
      else this.namespaces?.cut(old)
      await this.until('another server takes writes', () => this.isWritable(old, i))
      this.result.writableMs.push(performance.now() - startMs)
      await this.agree()
      if (fault === 'stop') this.servers[old].signal('SIGCONT')
      else if (fault === 'partition') this.namespaces?.join(old)
      else this.servers[old] = await this.startServer(old, this.servers[old].port)
      await this.until('all are healthy again', () => this.isHealthy())
      await this.checkSwitches(i)
    }
  }

  /** A sentinel is told to replace the primary, which is well, under load. */
  async failOver(times: number): Promise<void> {
    const ports = this.servers.map(({ port }) => port)
    const writers = new CountingWriters(ports, WRITERS)
    const waits = new CoreWaits([...this.servers.map(({ pid }) => pid), process.pid])
    try {
      for (let i = 1; i <= times && writers.failures.length + this.result.failures.length === 0; i++) {
        const old = this.primary
        const startMs = performance.now()
        writers.longestMs = 0
        waits.forget()
        const reply = await this.sentinels[i % LEADERS].call('SENTINEL', 'FAILOVER', NAME)
        if (reply !== 'OK') throw new Error(`SENTINEL FAILOVER replied ${String(reply)}`)
        await this.until('another server takes writes', () => this.isWritable(old, i))
        const writableMs = performance.now() - startMs
        this.result.writableMs.push(writableMs)
        if (writableMs > HAND_OVER_MS) this.result.failures.push(`failover ${i}: ${writableMs.toFixed(0)} ms`)
        await this.agree()
        await this.until('all are healthy again', () => this.isHealthy())
        const { longestMs, longestEndMs } = writers
        this.result.pausesMs.push(longestMs)
        const pids = [this.servers[old].pid, this.servers[this.primary].pid, process.pid]
        this.result.pausesAtWorkMs.push(longestMs - waits.between(longestEndMs - longestMs, longestEndMs, pids))
        await this.checkSwitches(i)
      }
    } finally {
      waits.stop()
      await writers.stop()
      this.result.writes = writers.writes
      this.result.failures.push(...writers.failures)
    }
  }

  private async isWritable(old: number, value: number): Promise<boolean> {
    for (const [i, server] of this.servers.entries()) {
      if (i === old || (await ask(server, 'SET', 'writable', String(value))) !== 'OK') continue
      this.primary = i
      return true
    }
    return false
  }

  private async agree(): Promise<void> {
    const startMs = performance.now()
    const { host, port } = this.servers[this.primary]
    await this.until('all sentinels agree', async () => {
      const named = this.sentinels.map(one => one.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME))
      return (await Promise.all(named)).every(address => String(address) === `${host},${port}`)
    })
    const ms = performance.now() - startMs
    this.result.agreedMs.push(ms)
    if (ms > AGREE_MS) this.result.failures.push(`all agree after ${ms.toFixed(0)} ms`)
  }

  private async checkSwitches(expected: number): Promise<void> {
    const epochs = new Set<number>()
    for (const [i, sentinel] of this.sentinels.entries()) {
      epochs.add(Number(/,config-epoch,(\d+)/.exec(String(await sentinel.call('SENTINEL', 'MASTER', NAME)))?.[1]))
      const log = readFileSync(join(this.folder, `sentinel${i}`, 'log'), 'latin1')
      const switches = log.match(/\+switch-master/g)?.length ?? 0
      if (switches !== expected)
        this.result.failures.push(`sentinel ${i}: ${switches} switches of ${expected} failovers`)
    }
    const [epoch] = epochs
    if (epochs.size !== 1 || epoch <= this.epoch)
      this.result.failures.push(`failover ${expected}: epochs ${[...epochs].join(' ')} after ${this.epoch}`)
    this.epoch = epoch
  }

  async stop(): Promise<void> {
    for (const one of [...this.sentinels, ...this.servers]) {
      one.signal('SIGCONT')
      await one.kill()
    }
    this.namespaces?.close()
  }
}

export async function runSentinels(
  servers: readonly string[],
  sentinels: readonly string[],
  times: number,
  fault: Fault,
): Promise<SentinelsResult> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-sentinels-'))
  const run = new SentinelsRun(folder, servers, fault)
  try {
    await run.start(sentinels)
    if (fault === 'failover') await run.failOver(times)
    else await run.run(times, fault)
  } catch (error) {
    run.result.failures.push(String(error))
  } finally {
    await run.stop()
    if (run.result.failures.length === 0) rmSync(folder, { recursive: true, force: true })
    else run.result.failures.push(`logs: ${folder}`)
  }
  return run.result
}

/** Over a connection of its own: a sentinel that promotes a server closes those of its clients. */
async function ask(server: ServerProcess, ...words: Word[]): Promise<PlainValue> {
  const connection = new PlainConnection(server.port, undefined, server.host)
  const reply = await Promise.race([connection.call(...words), sleep(ASK_MS).then(() => null)])
  connection.close()
  return reply
}

function figures(values: readonly number[]): string {
  const ascending = [...values].sort((a, b) => a - b)
  const part = (p: number) => ascending[Math.max(0, Math.ceil(p * ascending.length) - 1)]?.toFixed(0)
  return `median ${part(0.5)} ms, p99 ${part(0.99)} ms`
}

if (import.meta.main === true) {
  const { values } = parseArgs({
    options: {
      times: { type: 'string', default: '10' },
      fault: { type: 'string', default: 'kill,stop' },
      set: { type: 'string', default: 'mixed,real' },
    },
  })
  const real = oraclePath ?? OURS
  const sets: Readonly<Record<string, { servers: string[]; sentinels: string[] }>> = {
    mixed: { servers: [OURS, real, OURS, real], sentinels: [OURS, OURS, OURS, real, real] },
    real: { servers: Array(4).fill(real), sentinels: Array(5).fill(real) },
    ours: { servers: Array(4).fill(OURS), sentinels: Array(5).fill(OURS) },
  }
  for (const set of values.set.split(','))
    for (const fault of values.fault.split(',') as Fault[]) {
      const { servers, sentinels } = sets[set]
      const result = await runSentinels(servers, sentinels, Number(values.times), fault)
      const { writableMs, agreedMs, pausesMs, pausesAtWorkMs, writes, failures } = result
      const pauses = `pause ${figures(pausesMs)} (without waiting for a core ${figures(pausesAtWorkMs)})`
      const waited = fault === 'failover' ? `, ${writes} writes, ${pauses}` : ''
      console.log(
        `${set}, ${fault}: ${writableMs.length} failovers, writable after ${figures(writableMs)}, ` +
          `all agree ${figures(agreedMs)} later${waited}, ${failures.length} failures`,
      )
      for (const failure of failures) console.log(failure)
      if (failures.length > 0) process.exitCode = 1
    }
}
