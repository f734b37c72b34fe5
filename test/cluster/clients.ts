// Clients for clusters work while slots move and primaries change: what errors they see, and whether they read what
// they wrote.
//
//   bun test/cluster/clients.ts [--clients ioredis,node-redis,python] [--phases quiet,reshard,whole,failover,kill]
//                               [--server bin/redstart] [--second redis-server] [--beside redis-server]
//                               [--timeout 1000] [--slots 300] [--port 22000] [--cli redis-cli] [--python python3]
//
// --second: every other shard is that server's. --beside: the same with a cluster of that server, and only errors that
// do not occur there count. Libraries have their default options; python needs its package `redis`.
//
//   reshard   redis-cli --cluster reshard: slot by slot, with ASK       whole   CLUSTER MIGRATESLOTS, ours alone
//   failover  CLUSTER FAILOVER                                         kill    kill -9 of a primary, which comes back

import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { text as textOf } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { SlotTags } from '../../src/cluster/slot-tags.ts'
import { seededRandom } from '../../src/system/random.ts'
import { sleep } from '../harness/target.ts'
import { projectRoot } from '../tidy/source.ts'
import { ClusterProcesses } from './processes.ts'

const SHARDS = 3
const WORKERS = 4
const KEYS = 60
const QUIET_MS = 1500
const BETWEEN_MS = 5
const STEP_MS_MAX = 60_000
const TRIES_MAX = 10
/** So many timeouts of the cluster lie between two votes about one primary. */
const VOTE_TIMEOUTS = 2
/** A failover by hand is over after this time. */
const FAILOVER_MS = 5000

export interface Tally {
  name: string
  operations: number
  /** Reads of something else than what was written. */
  wrong: number
  /** By message, with # for numbers. */
  errors: Record<string, number>
}

interface ClusterClient {
  set(key: string, value: string): Promise<unknown>
  get(key: string): Promise<string | null>
  mget(keys: string[]): Promise<(string | null)[]>
  end(): void
}

const openers: { readonly [library: string]: (ports: readonly number[]) => Promise<ClusterClient> } = {
  ioredis: async ports => {
    const client = new Cluster(ports.map(port => ({ host: '127.0.0.1', port })))
    client.on('error', () => {})
    return {
      set: (key, value) => client.set(key, value),
      get: key => client.get(key),
      mget: keys => client.mget(keys),
      end: () => client.disconnect(),
    }
  },
  'node-redis': async ports => {
    const client = createCluster({ rootNodes: ports.map(port => ({ socket: { host: '127.0.0.1', port } })) })
    client.on('error', () => {})
    await client.connect()
    return {
      set: (key, value) => client.set(key, value),
      get: key => client.get(key),
      mget: keys => client.mGet(keys),
      end: () => client.destroy(),
    }
  },
}

/** What works on a cluster, and tells what it saw in each phase. */
interface Workload {
  begin(phase: string): void
  end(): Promise<Tally[]>
}

class Workers implements Workload {
  private readonly client: ClusterClient
  private readonly keys: readonly string[]
  private readonly tallies: Tally[] = []
  private running: Promise<void>[] = []
  private isOver = false

  constructor(client: ClusterClient, keys: readonly string[]) {
    this.client = client
    this.keys = keys
  }

  begin(name: string): void {
    this.tallies.push({ name, operations: 0, wrong: 0, errors: {} })
    if (this.running.length === 0) this.running = Array.from({ length: WORKERS }, (_, i) => this.work(String(i)))
  }

  async end(): Promise<Tally[]> {
    this.isOver = true
    await Promise.all(this.running)
    this.client.end()
    return this.tallies
  }

  private async work(suffix: string): Promise<void> {
    const { keys, client } = this
    /** What may be read: a write that failed may have run. */
    const expected = new Map<string, Set<string | null>>()
    for (let turn = 1; !this.isOver; turn++) {
      const key = keys[turn % keys.length] + suffix
      const value = String(turn)
      await this.step(
        async () => {
          await client.set(key, value)
          expected.set(key, new Set([value]))
          return true
        },
        () => expected.set(key, (expected.get(key) ?? new Set([null])).add(value)),
      )
      const other = keys[(turn * 7) % keys.length] + suffix
      await this.step(async () => {
        const found = turn % 2 === 1 ? await client.get(other) : (await client.mget([other, `${other}none`]))[0]
        const wanted = expected.get(other) ?? new Set([null])
        expected.set(other, new Set([found]))
        return wanted.has(found)
      })
      await sleep(BETWEEN_MS)
    }
  }

  /** Counts for the phase in which it ends. */
  private async step(run: () => Promise<boolean>, failed?: () => void): Promise<void> {
    try {
      const isRight = await run()
      if (!isRight) this.tallies.at(-1)!.wrong++
    } catch (error) {
      failed?.()
      const { errors } = this.tallies.at(-1)!
      const text = `${(error as Error).name}: ${(error as Error).message}`.replace(/\d+/g, '#')
      errors[text] = (errors[text] ?? 0) + 1
    }
    this.tallies.at(-1)!.operations++
  }
}

class PythonWorkers implements Workload {
  private readonly child
  private readonly output: Promise<string>

  constructor(python: string, port: number, keys: readonly string[]) {
    const words = [join(projectRoot, 'test/cluster/client.py'), String(port), keys.join(), String(WORKERS)]
    this.child = spawn(python, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.output = textOf(this.child.stdout)
  }

  begin(phase: string): void {
    this.child.stdin.write(`${phase}\n`)
  }

  async end(): Promise<Tally[]> {
    this.child.stdin.end()
    return JSON.parse(await this.output) as Tally[]
  }
}

export interface ClientsOptions {
  clients: string[]
  phases: string[]
  servers: string[]
  timeoutMs: number
  /** So many move. */
  slots: number
  port: number
  cli: string
  python: string
}

/** By library: what it saw in each phase. */
export async function clusterClients(options: ClientsOptions): Promise<Map<string, Tally[]>> {
  const run = new ClientsRun(options)
  try {
    return await run.run()
  } finally {
    await run.end()
  }
}

class ClientsRun {
  private readonly options: ClientsOptions
  private readonly cluster: ClusterProcesses
  /** The node that has the first slots. */
  private owner = 0

  constructor(options: ClientsOptions) {
    this.options = options
    this.cluster = new ClusterProcesses({ ...options, nodes: SHARDS * 2, primaries: SHARDS }, seededRandom(1))
  }

  async run(): Promise<Map<string, Tally[]>> {
    const { cluster, options } = this
    await cluster.start()
    const tags = new SlotTags()
    const ports = cluster.nodes.map(({ port }) => port)
    const workloads = new Map<string, Workload>()
    for (const name of options.clients) {
      // Half of the keys are in slots that move.
      const keys = Array.from({ length: KEYS }, (_, i) => `{${tags.tagOf((i * 37) % (options.slots * 2))}}${name}${i}:`)
      const workload =
        name === 'python'
          ? new PythonWorkers(options.python, ports[0], keys)
          : new Workers(await openers[name](ports), keys)
      workloads.set(name, workload)
    }
    for (const phase of options.phases) {
      for (const workload of workloads.values()) workload.begin(phase)
      await this.phase(phase)
      await sleep(QUIET_MS)
    }
    const tallies = new Map<string, Tally[]>()
    for (const [name, workload] of workloads) tallies.set(name, await workload.end())
    return tallies
  }

  end(): Promise<void> {
    return this.cluster.end()
  }

  private async phase(name: string): Promise<void> {
    if (name === 'reshard') await this.reshard()
    else if (name === 'whole') await this.whole()
    else if (name === 'failover') await this.failover()
    else if (name === 'kill') await this.kill()
  }

  private async reshard(): Promise<void> {
    const { slots, port, cli } = this.options
    const { ids } = this.cluster
    const target = this.owner === 0 ? 1 : 0
    const words = ['--cluster', 'reshard', `127.0.0.1:${port}`, '--cluster-from', ids[this.owner]]
    words.push('--cluster-to', ids[target], '--cluster-slots', String(slots), '--cluster-yes')
    // It refuses to begin while the nodes do not agree, as after a slow start.
    for (let tries = 1; ; tries++) {
      const failure = await new Promise<string>(resolve => {
        execFile(cli, words, { maxBuffer: 1 << 28 }, (error, output) => resolve(error === null ? '' : output))
      })
      if (failure === '') break
      if (tries === TRIES_MAX || !failure.includes("Nodes don't agree")) throw new Error(failure.slice(-2000))
      await sleep(1000)
    }
    this.owner = target
  }

  /** A migration that ends early, as on a busy machine, leaves all at its source, and is begun again. */
  private async whole(): Promise<void> {
    const { nodes, ids } = this.cluster
    const target = this.owner === 0 ? 1 : 0
    const range = ['SLOTSRANGE', '0', String(this.options.slots - 1)]
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const reply = await nodes[this.owner].call('CLUSTER', 'MIGRATESLOTS', ...range, 'NODE', ids[target])
      if (reply !== 'OK') throw new Error(String(reply))
      let state = ''
      await this.until(async () => {
        const [newest] = (await nodes[this.owner].call('CLUSTER', 'GETSLOTMIGRATIONS')) as string[][]
        state = newest[newest.indexOf('state') + 1]
        return /^(success|failed|canceled)/.test(state)
      })
      if (state !== 'success') continue
      this.owner = target
      return
    }
    throw new Error('the slots do not move')
  }

  private async failover(): Promise<void> {
    await this.promote(this.owner + this.cluster.primaries)
    await sleep(QUIET_MS)
    await this.promote(this.owner)
  }

  /**
   * A failover that ends without a vote, as on a busy machine, leaves the primary in its place, and is asked for again
   * once its shard may vote again.
   */
  private async promote(index: number): Promise<void> {
    const node = this.cluster.nodes[index]
    const againMs = VOTE_TIMEOUTS * this.options.timeoutMs + FAILOVER_MS
    let askedAt = Number.NEGATIVE_INFINITY
    await this.until(async () => {
      if (String(await node.call('ROLE')).startsWith('master')) return true
      if (Date.now() - askedAt > againMs) {
        askedAt = Date.now()
        await node.call('CLUSTER', 'FAILOVER')
      }
      return false
    })
  }

  private async kill(): Promise<void> {
    const { nodes, primaries } = this.cluster
    await nodes[this.owner].kill()
    await this.until(async () => String(await nodes[this.owner + primaries].call('ROLE')).startsWith('master'))
    await sleep(QUIET_MS)
    await this.cluster.startNode(this.owner)
    await this.cluster.untilReady()
  }

  private async until(condition: () => Promise<boolean>): Promise<void> {
    for (const endMs = performance.now() + STEP_MS_MAX; !(await condition()); await sleep(20))
      if (performance.now() > endMs) throw new Error('it takes too long')
  }
}

/** Errors, and reads of other values, that are not in `beside` as well. */
function complaints(tallies: Map<string, Tally[]>, beside: Map<string, Tally[]> | undefined): string[] {
  const found: string[] = []
  for (const [library, phases] of tallies)
    for (const [i, { name, wrong, errors }] of phases.entries()) {
      const other = beside?.get(library)?.[i]
      for (const [text, count] of Object.entries(errors))
        if (other?.errors[text] === undefined) found.push(`${library}, ${name}: ${count} times ${text}`)
      // Replication is asynchronous: a primary that is killed may take its last writes with it.
      if (wrong > 0 && name !== 'kill') found.push(`${library}, ${name}: ${wrong} reads of another value`)
    }
  return found
}

function print(title: string, tallies: Map<string, Tally[]>): void {
  console.log(title)
  for (const [library, phases] of tallies)
    for (const { name, operations, wrong, errors } of phases) {
      const seen = Object.entries(errors).map(([text, count]) => `\n      ${count} × ${text.slice(0, 150)}`)
      console.log(`  ${library}, ${name}: ${operations} operations, ${wrong} of another value${seen.join('')}`)
    }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: 'ioredis,node-redis' },
      phases: { type: 'string' },
      server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
      second: { type: 'string' },
      beside: { type: 'string' },
      timeout: { type: 'string', default: '1000' },
      slots: { type: 'string', default: '300' },
      port: { type: 'string', default: '22000' },
      cli: { type: 'string', default: 'redis-cli' },
      python: { type: 'string', default: 'python3' },
    },
  })
  const servers = [values.server, ...(values.second === undefined ? [] : [values.second])]
  const areOurs = servers.every(one => one.includes('redstart')) && values.beside === undefined
  const phases = values.phases ?? `quiet,reshard,${areOurs ? 'whole,' : ''}failover,kill`
  const options = {
    clients: values.clients.split(','),
    phases: phases.split(','),
    timeoutMs: Number(values.timeout),
    slots: Number(values.slots),
    port: Number(values.port),
    cli: values.cli,
    python: values.python,
  }
  const tallies = await clusterClients({ ...options, servers })
  print(servers.join(' and '), tallies)
  let beside: Map<string, Tally[]> | undefined
  if (values.beside !== undefined) {
    beside = await clusterClients({ ...options, servers: [values.beside] })
    print(values.beside, beside)
  }
  const found = complaints(tallies, beside)
  for (const one of found) console.log(`! ${one}`)
  process.exitCode = found.length === 0 ? 0 : 1
}
