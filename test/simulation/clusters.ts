// Clusters in a virtual world: six nodes or as many as asked for, clients that write, and faults, all from one seed.
// When the faults have ended the cluster must heal, and hold what it promises:
//
//   every slot has one owner, and all nodes agree on it         no two primaries have the same configuration epoch
//   every replica has its primary's dataset                     what was acknowledged before the faults is there
//   no node has voted twice in an epoch
//
// The command line: bun test/simulation/run-clusters.ts SEED RUNS [NODES]

import { partSeed, seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import type { WorldServer } from '../harness/replication-world.ts'
import { clusterInfo, startCluster, until } from './cluster-world.ts'

const NODES = 6
const PRIMARIES_MIN = 3
const TIMEOUT_MS = 1000
const FAULT_MS = 8000
const FAULTS_MIN = 4
/** Larger clusters have a fault for so many nodes. */
const NODES_PER_FAULT = 3
const KEYS = 30
const STEP_MS = 50
const DIRECTIVES = {
  'cluster-node-timeout': String(TIMEOUT_MS),
  appendonly: 'yes',
  appendfsync: 'always',
}

interface ClusterResult {
  /** What does not hold; empty: all is well. */
  violations: string[]
  faults: string[]
  /** Failovers that were seen. */
  failovers: number
}

export async function runCluster(seed: number, nodes = NODES): Promise<ClusterResult> {
  const run = new ClusterRun(seed, nodes)
  return run.run()
}

class ClusterRun {
  private readonly world: VirtualWorld
  private readonly random: Random
  private readonly count: number
  /** Half of the nodes, or a third. */
  private readonly primaries: number
  private readonly nodes: WorldServer[] = []
  private readonly down = new Set<WorldServer>()
  private readonly faults: string[] = []
  private readonly violations: string[] = []
  /** By node and epoch: for whom it voted, read from its log. */
  private readonly votes = new Map<string, string>()

  constructor(seed: number, nodes: number) {
    this.world = new VirtualWorld({ seed })
    this.random = seededRandom(partSeed(seed, 18))
    this.count = nodes
    const perShard = 2 + (seededRandom(partSeed(seed, 22)).u32() % 2)
    this.primaries = Math.max(PRIMARIES_MIN, Math.floor(nodes / perShard))
  }

  private below(n: number): number {
    return this.random.u32() % n
  }

  async run(): Promise<ClusterResult> {
    await this.form()
    for (let i = 0; i < KEYS; i++) await this.write(`kept${i}`, String(i))
    await this.world.run(2000)
    const faults = Math.max(FAULTS_MIN, Math.floor(this.count / NODES_PER_FAULT))
    for (let i = 0; i < faults; i++) this.world.at(this.below(FAULT_MS), () => this.fault())
    for (let ms = 0; ms < FAULT_MS * 2; ms += STEP_MS) {
      for (let i = 0; i < this.count; i += NODES) this.load()
      await this.world.run(STEP_MS)
    }
    this.world.network.heal()
    await this.world.run(TIMEOUT_MS)
    for (const node of this.nodes) if (!this.down.has(node)) node.taken()
    if (await this.heals()) await this.check()
    else this.violations.push(`it does not heal: ${await this.describe()}`)
    this.checkVotes()
    const failovers = this.nodes.filter(node => node.log.includes('Failover election won')).length
    return { violations: this.violations, faults: this.faults, failovers }
  }

  // ---- making it ----

  private async form(): Promise<void> {
    this.nodes.push(...(await startCluster(this.world, this.count, this.primaries, DIRECTIVES)))
    for (const [i, node] of this.nodes.entries()) {
      if (i < this.primaries) continue
      const id = String(await this.nodes[i % this.primaries].call('CLUSTER', 'MYID'))
      await until(this.world, async () => String(await node.call('CLUSTER', 'REPLICATE', id)) === 'OK')
    }
    await until(this.world, async () => {
      for (const node of this.nodes) if ((await clusterInfo(node, 'cluster_state')) !== 'ok') return false
      return this.nodes.slice(this.primaries).every(node => node.isLinked)
    })
  }

  /** Writes a key where it belongs. */
  private async write(key: string, value: string): Promise<void> {
    for (const node of this.nodes) if ((await node.call('SET', key, value)) === 'OK') return
    this.violations.push(`nobody takes ${key}`)
  }

  // ---- load and faults ----

  /** A write to any node that runs; most are redirected, and nobody waits for replies. */
  private load(): void {
    const node = this.nodes[this.below(this.count)]
    if (this.down.has(node)) return
    node.taken()
    node.send('INCR', `load${this.below(100)}`)
  }

  private fault(): void {
    const node = this.nodes[this.below(this.count)]
    const other = this.nodes[this.below(this.count)]
    const lastsMs = 100 + this.below(TIMEOUT_MS * 4)
    const kind = (['kill', 'power', 'partition', 'cut', 'stall', 'jump'] as const)[this.below(6)]
    this.faults.push(`${kind} ${node.machine.host.address} ${lastsMs}`)
    const { network } = this.world
    if (kind === 'kill') this.restart(node, lastsMs, () => node.machine.kill())
    else if (kind === 'power') this.restart(node, lastsMs, () => node.machine.powerOff(this.random))
    else if (kind === 'stall') node.machine.time.stall(lastsMs)
    else if (kind === 'jump') node.machine.time.jump(this.below(20_000) - 10_000)
    else {
      if (kind === 'cut') network.cut(node.machine.host, other.machine.host)
      else {
        const rest = this.nodes.filter(one => one !== node).map(one => one.machine.host)
        network.partition([node.machine.host], rest)
      }
      this.world.at(lastsMs, () => network.heal())
    }
  }

  private restart(node: WorldServer, lastsMs: number, end: () => void): void {
    if (this.down.has(node)) return
    this.down.add(node)
    this.readVotes(node)
    end()
    this.world.at(lastsMs, () => {
      node.machine.powerOn()
      node.begin().then(
        () => this.down.delete(node),
        error => this.violations.push(`a node does not start: ${String(error)}`),
      )
    })
  }

  // ---- what must hold ----

  private async heals(): Promise<boolean> {
    return until(this.world, async () => {
      if (this.down.size > 0) return false
      for (const node of this.nodes) if ((await clusterInfo(node, 'cluster_state')) !== 'ok') return false
      const maps = await this.slotMaps()
      const replicas = this.nodes.filter(node => node.server.engine.replicas.following.primary !== undefined)
      return new Set(maps).size === 1 && replicas.every(node => node.isLinked)
    })
  }

  /** Who serves what, as each node sees it. */
  private async slotMaps(): Promise<string[]> {
    const maps: string[] = []
    for (const node of this.nodes) {
      const lines = String(await node.call('CLUSTER', 'NODES')).split('\n')
      const owners = lines.map(line => line.split(' ')).filter(words => words.length > 8)
      maps.push(
        owners
          .map(words => `${words[0]} ${words.slice(8).join(' ')}`)
          .sort()
          .join('\n'),
      )
    }
    return maps
  }

  private async check(): Promise<void> {
    await this.world.run(3000)
    const epochs = new Map<string, string>()
    for (const line of String(await this.nodes[0].call('CLUSTER', 'NODES')).split('\n')) {
      const words = line.split(' ')
      if (words.length <= 8 || !words[2].includes('master')) continue
      const same = epochs.get(words[6])
      if (same !== undefined) this.violations.push(`${same} and ${words[0]} both have epoch ${words[6]}`)
      epochs.set(words[6], words[0])
    }
    for (const node of this.nodes) {
      const { primary } = node.server.engine.replicas.following
      const above = this.nodes.find(one => one.machine.host.address === primary?.host)
      if (above !== undefined && above.digest !== node.digest)
        this.violations.push(`${node.machine.host.address} differs from its primary`)
    }
    for (let i = 0; i < KEYS; i++) await this.checkKept(`kept${i}`, String(i))
  }

  private async checkKept(key: string, value: string): Promise<void> {
    for (const node of this.nodes) {
      const reply = await node.call('GET', key)
      if (reply === value) return
      if (reply === null) return void this.violations.push(`${key} is lost`)
    }
    this.violations.push(`nobody has ${key}`)
  }

  private readVotes(node: WorldServer): void {
    for (const [, candidate, epoch] of node.log.matchAll(/Failover auth granted to (\S+) .* for epoch (\d+)/g)) {
      const vote = `${node.machine.host.address} ${epoch}`
      const before = this.votes.get(vote)
      if (before !== undefined && before !== candidate) this.violations.push(`${vote}: two votes`)
      this.votes.set(vote, candidate)
    }
  }

  private checkVotes(): void {
    for (const node of this.nodes) this.readVotes(node)
  }

  private async describe(): Promise<string> {
    const lines: string[] = [`down ${this.down.size}`]
    for (const node of this.nodes)
      if (!this.down.has(node))
        lines.push(`${node.machine.host.address}: ${String(await node.call('CLUSTER', 'NODES'))}`)
    return lines.join('\n')
  }
}
