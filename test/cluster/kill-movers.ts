// Kills a node of a cluster of processes while slots move at once, and looks for what must not be afterwards.
//
//   bun test/cluster/kill-movers.ts --kills 40 [--victim source,target,source-replica,target-replica]
//                                   [--timeout 1500] [--port 22000] [--seed 1] [--bytes 500]
//
// Six nodes, three of them primaries. Some slots with keys move from one shard to another; at a random moment of that,
// or shortly after, the victim is killed with -9, and started again before or after its replica has taken over. Then
// all nodes must name one owner for these slots; every key is there once and whole, and nowhere else.

import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { SlotTags } from '../../src/cluster/slot-tags.ts'
import { seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import { sleep } from '../harness/target.ts'
import { projectRoot } from '../tidy/source.ts'
import { ClusterProcesses } from './processes.ts'

const PRIMARIES = 3
const RANGES = 3
const RANGE_SLOTS = 60
const KEYS_PER_SLOT = 10
const LIST = ['a', 'b', 'c']
const SETTLED_MS_MAX = 60_000

export const VICTIMS = ['source', 'target', 'source-replica', 'target-replica'] as const
export type Victim = (typeof VICTIMS)[number]

export interface KillMoversOptions {
  kills: number
  victims: readonly Victim[]
  timeoutMs: number
  port: number
  seed: number
  /** Of each value. */
  bytes: number
}

export interface KillMoversResult {
  /** Migrations that had moved the slots in the end. */
  moved: number
  /** Those that ended early: the source has kept the slots. */
  kept: number
  failures: string[]
}

export async function killMovers(options: KillMoversOptions): Promise<KillMoversResult> {
  const run = new MoversRun(options)
  try {
    return await run.run()
  } finally {
    await run.end()
  }
}

class MoversRun {
  private readonly options: KillMoversOptions
  private readonly random: Random
  private readonly cluster: ClusterProcesses
  private readonly tags: string[]
  private readonly filler: string
  private readonly result: KillMoversResult = { moved: 0, kept: 0, failures: [] }

  constructor(options: KillMoversOptions) {
    const { timeoutMs, port, seed } = options
    this.options = options
    this.random = seededRandom(seed)
    this.cluster = new ClusterProcesses(
      {
        nodes: PRIMARIES * 2,
        primaries: PRIMARIES,
        timeoutMs,
        port,
        servers: [join(projectRoot, 'bin/redstart')],
        directives: { appendonly: 'yes', 'repl-diskless-sync-delay': '0' },
      },
      this.random,
    )
    const tags = new SlotTags()
    this.tags = Array.from({ length: RANGES * RANGE_SLOTS }, (_, slot) => tags.tagOf(slot))
    this.filler = 'x'.repeat(options.bytes)
  }

  async run(): Promise<KillMoversResult> {
    await this.cluster.start()
    await this.fill()
    // One that nobody disturbs tells how long they take.
    const beginMs = performance.now()
    await this.move(0)
    await this.settled(0)
    const tookMs = performance.now() - beginMs
    await this.checkKeys()
    for (let i = 0; i < this.options.kills && this.result.failures.length === 0; i++) await this.once(i, tookMs)
    return this.result
  }

  end(): Promise<void> {
    return this.cluster.end()
  }

  private async fill(): Promise<void> {
    const [node] = this.cluster.nodes
    for (const [slot, tag] of this.tags.entries()) {
      const calls = Array.from({ length: KEYS_PER_SLOT }, (_, i) =>
        node.call('SET', `{${tag}}${i}`, this.value(slot, i)),
      )
      await Promise.all([...calls, node.call('RPUSH', `{${tag}}list`, ...LIST)])
    }
    await node.call('WAIT', '1', '5000')
  }

  private value(slot: number, i: number): string {
    return `${slot}:${i}:${this.filler}`
  }

  private async once(i: number, tookMs: number): Promise<void> {
    const { cluster, random, options } = this
    const range = random.u32() % RANGES
    const victim = options.victims[i % options.victims.length]
    const { source, target } = await this.move(range)
    await sleep(random.unit() * tookMs * 1.2)
    const primary = victim.startsWith('source') ? source : target
    const node = victim.endsWith('replica') ? this.other(primary) : primary
    await cluster.nodes[node].kill()
    // Half of the time its replica, if it was a primary, takes over first.
    if (random.u32() % 2 === 0) await sleep(options.timeoutMs * 2)
    await cluster.startNode(node)
    const what = `kill ${i} (${victim}, node ${node}, slots ${this.slotsOf(range).join('-')})`
    try {
      await cluster.untilReady()
      const owner = await this.settled(range)
      if (owner % PRIMARIES === source % PRIMARIES) this.result.kept++
      else this.result.moved++
      await this.checkKeys()
    } catch (failure) {
      this.result.failures.push(`${what}: ${(failure as Error).message}`)
    }
  }

  private slotsOf(range: number): [first: number, last: number] {
    return [range * RANGE_SLOTS, (range + 1) * RANGE_SLOTS - 1]
  }

  /** The other node of a shard. */
  private other(node: number): number {
    return (node + PRIMARIES) % (2 * PRIMARIES)
  }

  /** Begins to move a range to another shard. */
  private async move(range: number): Promise<{ source: number; target: number }> {
    const { cluster, random } = this
    const [first, last] = this.slotsOf(range)
    const source = (await this.ownersBy(0))[first]
    const shard = (source + 1 + (random.u32() % (PRIMARIES - 1))) % PRIMARIES
    const isPrimary = String(await cluster.nodes[shard].call('ROLE')).startsWith('master')
    const target = isPrimary ? shard : this.other(shard)
    const words = ['SLOTSRANGE', String(first), String(last), 'NODE', cluster.ids[target]]
    const reply = await cluster.nodes[source].call('CLUSTER', 'MIGRATESLOTS', ...words)
    if (reply !== 'OK') throw new Error(`MIGRATESLOTS: ${String(reply)}`)
    return { source, target }
  }

  /** The owner of each of our slots, as a node sees it. */
  private async ownersBy(viewer: number): Promise<number[]> {
    const owners: number[] = []
    const slots = (await this.cluster.nodes[viewer].call('CLUSTER', 'SLOTS')) as [
      number,
      number,
      [string, number, string],
    ][]
    for (const [first, last, [, , id]] of slots)
      for (let slot = first; slot <= Math.min(last, this.tags.length - 1); slot++)
        owners[slot] = this.cluster.ids.indexOf(id)
    return owners
  }

  /** Waits until no migration runs and all nodes agree; the owner of the range. */
  private async settled(range: number): Promise<number> {
    let problem = ''
    for (const endMs = performance.now() + SETTLED_MS_MAX; performance.now() < endMs; await sleep(50)) {
      problem = await this.unsettled()
      if (problem !== '') continue
      const [first, last] = this.slotsOf(range)
      const owners = new Set((await this.ownersBy(0)).slice(first, last + 1))
      if (owners.size === 1) return [...owners][0]
      problem = `slots of one migration have ${owners.size} owners`
    }
    throw new Error(problem)
  }

  private async unsettled(): Promise<string> {
    const { nodes } = this.cluster
    const views: string[] = []
    for (const [i, node] of nodes.entries()) {
      const migrations = (await node.call('CLUSTER', 'GETSLOTMIGRATIONS')) as string[][]
      const states = migrations.map(fields => fields[fields.indexOf('state') + 1])
      const running = states.find(state => !/^(success|failed|cancell?ed)/.test(state))
      if (running !== undefined) return `node ${i}: a migration is still '${running}'`
      views.push((await this.ownersBy(i)).join(' '))
    }
    return new Set(views).size === 1 ? '' : 'nodes do not agree on owners'
  }

  /** Every key is at its owner, whole, and with nobody else; each replica has what its primary has. */
  private async checkKeys(): Promise<void> {
    const { cluster } = this
    const owners = await this.ownersBy(0)
    for (const [slot, tag] of this.tags.entries()) {
      const node = cluster.nodes[owners[slot]]
      const values = await Promise.all(
        Array.from({ length: KEYS_PER_SLOT }, (_, i) => node.call('GET', `{${tag}}${i}`)),
      )
      for (const [i, value] of values.entries())
        if (value !== this.value(slot, i)) throw new Error(`slot ${slot}: key ${i} is ${String(value).slice(0, 40)}`)
      const list = await node.call('LRANGE', `{${tag}}list`, '0', '-1')
      if (String(list) !== String(LIST)) throw new Error(`slot ${slot}: the list is ${String(list)}`)
    }
    let problem = ''
    for (const endMs = performance.now() + SETTLED_MS_MAX; performance.now() < endMs; await sleep(50)) {
      problem = await this.misplaced(owners)
      if (problem === '') return
    }
    throw new Error(problem)
  }

  private async misplaced(owners: readonly number[]): Promise<string> {
    for (const [i, node] of this.cluster.nodes.entries()) {
      const counts = await Promise.all(owners.map((_, slot) => node.call('CLUSTER', 'COUNTKEYSINSLOT', slot)))
      for (const [slot, count] of counts.entries()) {
        const expected = owners[slot] % PRIMARIES === i % PRIMARIES ? KEYS_PER_SLOT + 1 : 0
        if (count !== expected) return `node ${i} has ${count} keys in slot ${slot}, not ${expected}`
      }
    }
    return ''
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '8' },
      victim: { type: 'string', default: VICTIMS.join(',') },
      timeout: { type: 'string', default: '1500' },
      port: { type: 'string', default: '22000' },
      seed: { type: 'string', default: '1' },
      bytes: { type: 'string', default: '500' },
    },
  })
  const { moved, kept, failures } = await killMovers({
    kills: Number(values.kills),
    victims: VICTIMS.filter(one => values.victim.split(',').includes(one)),
    timeoutMs: Number(values.timeout),
    port: Number(values.port),
    seed: Number(values.seed),
    bytes: Number(values.bytes),
  })
  console.log(`${moved + kept} kills: ${moved} migrations had moved their slots, ${kept} left them at the source`)
  for (const failure of failures) console.log(failure)
  process.exitCode = failures.length === 0 ? 0 : 1
}
