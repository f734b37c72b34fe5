// Slots that move at once in a virtual world: six nodes, and in each round a migration during which a node is killed,
// cut off or halted at a random moment, most of these near its end. The one that is killed comes back, or, half of the
// times, only after the check. Then:
//
//   all nodes name one owner for the slots       every key is there, and whole       none is left behind elsewhere
//
// The command line: bun test/simulation/run-movers.ts SEED RUNS

import { SlotTags } from '../../src/cluster/slot-tags.ts'
import { partSeed, seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import type { WorldServer } from '../harness/replication-world.ts'
import { clusterInfo, startCluster, until } from './cluster-world.ts'

const NODES = 6
const PRIMARIES = 3
const TIMEOUT_MS = 1000
const ROUNDS = 4
const SLOTS = 40
const KEYS_PER_SLOT = 3
/** Of most migrations here. */
const MIGRATION_MS = 12
const DIRECTIVES = {
  'cluster-node-timeout': String(TIMEOUT_MS),
  appendonly: 'yes',
  appendfsync: 'always',
}
const VICTIMS = ['source', 'target', 'source-replica', 'target-replica'] as const
const FAULTS = ['kill', 'kill', 'kill', 'partition', 'cut', 'stall'] as const

interface MoversResult {
  /** What does not hold; empty: all is well. */
  violations: string[]
  faults: string[]
  /** Migrations after which the slots were at the target. */
  moved: number
}

export async function runMovers(seed: number): Promise<MoversResult> {
  return new MoversRun(seed).run()
}

class MoversRun {
  private readonly world: VirtualWorld
  private readonly random: Random
  private readonly nodes: WorldServer[] = []
  private ids: string[] = []
  private readonly down = new Set<WorldServer>()
  private readonly tags: string[]
  private readonly result: MoversResult = { violations: [], faults: [], moved: 0 }

  constructor(seed: number) {
    this.world = new VirtualWorld({ seed })
    this.random = seededRandom(partSeed(seed, 19))
    const tags = new SlotTags()
    this.tags = Array.from({ length: SLOTS }, (_, slot) => tags.tagOf(slot))
  }

  private below(n: number): number {
    return this.random.u32() % n
  }

  async run(): Promise<MoversResult> {
    const { result } = this
    await this.form()
    for (const [slot] of this.tags.entries())
      for (let i = 0; i < KEYS_PER_SLOT; i++) await this.nodes[0].call('SET', this.key(slot, i), this.value(slot, i))
    await this.world.run(2000)
    for (let round = 0; round < ROUNDS && result.violations.length === 0 && this.isPaired; round++)
      await this.round(round)
    return result
  }

  /** Every primary has a replica, which can take its place: not so for good when replicas have changed their shards. */
  private get isPaired(): boolean {
    const { nodes } = this
    const primaries = nodes.filter(node => node.server.engine.replicas.following.primary === undefined)
    return primaries.every(one => nodes.some(node => this.follows(node, nodes.indexOf(one))))
  }

  private key(slot: number, i: number): string {
    return `{${this.tags[slot]}}${i}`
  }

  private value(slot: number, i: number): string {
    return `${slot}:${i}:${'x'.repeat(200)}`
  }

  private async form(): Promise<void> {
    this.nodes.push(...(await startCluster(this.world, NODES, PRIMARIES, DIRECTIVES)))
    for (const node of this.nodes) this.ids.push(String(await node.call('CLUSTER', 'MYID')))
    for (const [i, node] of this.nodes.entries())
      if (i >= PRIMARIES) {
        const words = ['CLUSTER', 'REPLICATE', this.ids[i - PRIMARIES]]
        await until(this.world, async () => String(await node.call(...words)) === 'OK')
      }
    await this.becomesWhole()
  }

  // ---- a round ----

  private async round(round: number): Promise<void> {
    const { nodes, world, result } = this
    const source = await this.owner()
    if (typeof source === 'string') return void result.violations.push(`round ${round}: ${source}`)
    const shard = (source + 1 + this.below(PRIMARIES - 1)) % PRIMARIES
    const isPrimary = nodes[shard].server.engine.replicas.following.primary === undefined
    const target = isPrimary ? shard : shard + PRIMARIES
    // Its replica hears of everything later.
    const replica = nodes[(target + PRIMARIES) % NODES].machine.host
    world.network.setLink(nodes[target].machine.host, replica, { latencyUs: this.below(2) * this.below(30_000) + 200 })
    const words = ['SLOTSRANGE', '0', String(SLOTS - 1), 'NODE', this.ids[target]]
    const reply = await nodes[source].call('CLUSTER', 'MIGRATESLOTS', ...words)
    if (reply !== 'OK') return void result.violations.push(`round ${round}: MIGRATESLOTS: ${String(reply)}`)
    await this.nearTheEnd(nodes[source])
    const what = this.fault(source, target)
    result.faults.push(what)
    for (let ms = 0; ms < TIMEOUT_MS * 4; ms += 100) {
      this.increment()
      await world.run(100)
    }
    world.network.heal()
    await this.check(`round ${round}, from ${source} to ${target}, ${what}`)
    for (const node of [...this.down]) await world.until(this.start(node))
    await this.becomesWhole()
    await this.check(`round ${round}, from ${source} to ${target}, ${what}, back`)
    if (Number(await this.owner()) % PRIMARIES === target % PRIMARIES) result.moved++
  }

  /** Mostly within the time in which the slots change hands. */
  private async nearTheEnd(source: WorldServer): Promise<void> {
    if (this.below(4) === 0) return this.world.run(this.random.unit() * MIGRATION_MS)
    for (let i = 0; i < 1000; i++) {
      const [newest] = await migrations(source)
      if (/^(pausing|finishing|success|failed)/.test(newest)) break
      await this.world.run(0.05)
    }
    await this.world.run(this.random.unit() * 2)
  }

  /** What happens now, and to whom. */
  private fault(source: number, target: number): string {
    const { nodes, world } = this
    const victim = VICTIMS[this.below(VICTIMS.length)]
    const kind = FAULTS[this.below(FAULTS.length)]
    const primary = victim.startsWith('source') ? source : target
    const i = victim.endsWith('replica') ? (primary + PRIMARIES) % NODES : primary
    const node = nodes[i]
    const lastsMs = 50 + this.below(TIMEOUT_MS * 3)
    const isForGood = this.below(2) === 0
    if (kind === 'kill') {
      this.down.add(node)
      node.machine.kill()
      if (!isForGood) world.at(lastsMs, () => void this.start(node))
    } else if (kind === 'stall') node.machine.time.stall(lastsMs)
    else if (kind === 'cut') world.network.cut(nodes[source].machine.host, nodes[target].machine.host)
    else {
      const rest = nodes.filter(one => one !== node).map(one => one.machine.host)
      world.network.partition([node.machine.host], rest)
      world.at(lastsMs, () => world.network.heal())
    }
    return `${kind} ${victim} (${i}) ${kind === 'kill' && isForGood ? 'for good' : lastsMs}`
  }

  private async start(node: WorldServer): Promise<void> {
    if (!this.down.has(node)) return
    node.machine.powerOn()
    try {
      await node.begin()
      this.down.delete(node)
    } catch (failure) {
      this.result.violations.push(`a node does not start: ${String(failure)}`)
    }
  }

  private increment(): void {
    for (const node of this.nodes) {
      if (this.down.has(node)) continue
      node.taken()
      node.send('INCR', `{${this.tags[this.below(SLOTS)]}}load`)
    }
  }

  // ---- what must hold ----

  private get up(): WorldServer[] {
    return this.nodes.filter(node => !this.down.has(node))
  }

  private async becomesWhole(): Promise<void> {
    const isWhole = await until(this.world, async () => {
      for (const node of this.nodes) {
        node.taken()
        if ((await clusterInfo(node, 'cluster_state')) !== 'ok') return false
      }
      const replicas = this.nodes.filter(node => node.server.engine.replicas.following.primary !== undefined)
      return replicas.length === NODES - PRIMARIES && replicas.every(node => node.isLinked)
    })
    if (!isWhole) this.result.violations.push('it does not become whole')
  }

  /** The number of the node that serves our slots; or what is wrong about that. */
  private async owner(): Promise<number | string> {
    const views = new Set<string>()
    for (const node of this.up) {
      const ranges = (await node.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][]
      const ours = ranges.filter(([first]) => first < SLOTS)
      let slots = 0
      for (const [first, last] of ours) slots += Math.min(last, SLOTS - 1) - first + 1
      const ids = new Set(ours.map(([, , [, , id]]) => id))
      if (ids.size !== 1 || slots !== SLOTS) return `${slots} slots of one migration have ${ids.size} owners`
      views.add([...ids][0])
    }
    return views.size === 1 ? this.ids.indexOf([...views][0]) : 'nodes do not agree on the owner'
  }

  private async check(what: string): Promise<void> {
    const { result } = this
    let problem = ''
    await until(this.world, async () => {
      problem = await this.problem()
      return problem === ''
    })
    if (problem !== '') result.violations.push(`${what}: ${problem}`)
  }

  private async problem(): Promise<string> {
    for (const node of this.up) {
      node.taken()
      if ((await clusterInfo(node, 'cluster_state')) !== 'ok') return 'the cluster is not ok'
      if ((await migrations(node)).some(state => !/^(success|failed|cancell?ed)/.test(state)))
        return 'a migration still runs'
    }
    const owner = await this.owner()
    if (typeof owner === 'string') return owner
    for (const [slot] of this.tags.entries()) {
      for (let i = 0; i < KEYS_PER_SLOT; i++) {
        const value = await this.nodes[owner].call('GET', this.key(slot, i))
        if (value !== this.value(slot, i)) return `slot ${slot}: key ${i} is ${String(value).slice(0, 30)} at ${owner}`
      }
      for (const [i, node] of this.nodes.entries()) {
        if (this.down.has(node) || i === owner || this.follows(node, owner)) continue
        const count = await node.call('CLUSTER', 'COUNTKEYSINSLOT', String(slot))
        if (count !== 0) return `slot ${slot}: ${String(count)} keys are left at ${i}`
      }
    }
    return ''
  }

  /** As a replica, also of another shard than at the start: a primary follows who took its last slots. */
  private follows(node: WorldServer, primary: number): boolean {
    return node.server.engine.replicas.following.primary?.host === this.nodes[primary].machine.host.address
  }
}

/** The states of a node's migrations, the newest first. */
async function migrations(node: WorldServer): Promise<string[]> {
  const all = (await node.call('CLUSTER', 'GETSLOTMIGRATIONS')) as string[][]
  return all.map(fields => fields[fields.indexOf('state') + 1])
}
