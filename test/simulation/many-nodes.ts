// A large cluster in a virtual world: half primaries, half replicas, idle. It measures what gossip costs; then a part
// of the nodes loses power at once, never both of a shard, and the time until all that live agree that live nodes
// serve every slot.
//
//   bun test/simulation/many-nodes.ts [--nodes 1000] [--killed 0.3] [--timeout 15000] [--seed 1] [--idle 15]
//     [--verbose]

import process from 'node:process'
import { parseArgs } from 'node:util'
import { MAGIC } from '../../src/cluster/packet.ts'
import { viewOf } from '../../src/lib/bytes.ts'
import { newClusterFile } from '../../src/server/new-cluster.ts'
import { newId, partSeed, seededRandom } from '../../src/system/random.ts'
import { realProcess } from '../../src/system/real-process.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import { WorldServer } from '../harness/replication-world.ts'

const PORT = 6379
const BUS_PORT = 16_379
const ARENA_BYTES = 256 * 1024
const HEAL_MS = 120_000
const LOOK_MS = 500
/** Of the bus. */
const TICK_MS = 100
/** Part of the node timeout over which first ticks are spread. */
const FIRST_TICKS = 0.25
/** Packets are garbage once they have arrived, which the runtime would collect late. */
const GARBAGE_BYTES = 2 ** 30
const STEP_MS = 2

interface ManyOptions {
  nodes: number
  /** Part of all nodes that is killed. */
  killed: number
  timeoutMs: number
  seed: number
  /** Virtual seconds without faults in which packets are counted: nodes ping each other every half node timeout. */
  idleSeconds: number
  /** Says how far it is. */
  verbose?: boolean
}

interface ManyResult {
  /** Of one node in a second, without faults: packets, entries of gossip in them, bytes, CPU of the simulation. */
  packets: number
  entries: number
  bytes: number
  cpuUs: number
  killed: number
  primariesKilled: number
  /** Virtual milliseconds; -1: it did not. */
  healedMs: number
  /** Of the whole run. */
  cpuSeconds: number
  /** The most at any time. */
  residentMib: number
}

export async function manyNodes(options: ManyOptions): Promise<ManyResult> {
  const run = new ManyRun(options)
  await run.start()
  run.say('formed')
  const idle = await run.idle()
  run.say(JSON.stringify(idle))
  const victims = run.kill()
  run.say(JSON.stringify(victims))
  const healedMs = await run.heal()
  run.say(`healed: ${healedMs}`)
  return { ...idle, ...victims, healedMs, cpuSeconds: cpuUs() / 1e6, residentMib: residentMib() }
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function residentMib(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024)
}

class ManyRun {
  private readonly options: ManyOptions
  private readonly world: VirtualWorld
  private readonly nodes: WorldServer[] = []
  private live: WorldServer[] = []
  private readonly process = realProcess()
  /** Resident after the last collection. */
  private restBytes = 0

  constructor(options: ManyOptions) {
    this.options = options
    this.world = new VirtualWorld({ seed: options.seed })
  }

  /** Progress, of a run that takes long. */
  say(text: string): void {
    const { options, world } = this
    if (!options.verbose) return
    const figures = `${Math.round(cpuUs() / 1e6)} s of CPU, up to ${residentMib()} MiB`
    console.error(`${(world.nowMs / 1000).toFixed(1)} virtual seconds, ${figures}: ${text}`)
  }

  private async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.world.run(Math.min(left, STEP_MS))
      if (this.process.rssBytes() < this.restBytes + GARBAGE_BYTES) continue
      this.process.collectGarbage()
      this.restBytes = this.process.rssBytes()
    }
  }

  async start(): Promise<void> {
    const { world, options, nodes } = this
    const random = seededRandom(partSeed(options.seed, 21))
    const primaries = options.nodes / 2
    const ids = Array.from({ length: options.nodes }, () => newId(random))
    const machines = ids.map((_, i) => world.machine(`node${i}`))
    const places = ids.map((id, i) => {
      const { address } = machines[i].host
      return { id, shardId: ids[i % primaries], host: address, port: PORT, busPort: BUS_PORT }
    })
    const directives = {
      ...{ 'cluster-enabled': 'yes', 'cluster-node-timeout': String(options.timeoutMs) },
      ...{ hz: '1', 'repl-backlog-size': '16kb' },
    }
    for (const [i, machine] of machines.entries()) {
      const newCluster = newClusterFile(places, primaries, i)
      const node = new WorldServer(world, machine, directives, { newCluster, arenaStartBytes: ARENA_BYTES })
      nodes.push(node)
      await node.start()
      if (i % 100 === 99) this.say(`${i + 1} nodes`)
    }
    // Their first ticks are not at one time: a million connections would come about at once.
    const spreadMs = options.timeoutMs * FIRST_TICKS
    for (const [i, machine] of machines.entries()) machine.time.stall(TICK_MS + (i * spreadMs) / options.nodes)
    this.live = [...nodes]
    for (let ms = 0; ms < HEAL_MS && !(await this.isWhole()); ms += 1000) await this.advance(1000)
    await this.advance(options.timeoutMs / 2)
  }

  async idle(): Promise<Pick<ManyResult, 'packets' | 'entries' | 'bytes' | 'cpuUs'>> {
    const { world, options } = this
    let bytes = 0
    let packets = 0
    let entries = 0
    world.network.onArrival = (_from, _to, arrived) => {
      if (arrived === undefined) return
      bytes += arrived.length
      const dv = viewOf(arrived)
      for (let at = 0; at + 16 <= arrived.length && dv.getUint32(at) === MAGIC; at += dv.getUint32(at + 4)) {
        packets++
        entries += dv.getUint16(at + 14)
      }
    }
    const beforeUs = cpuUs()
    await this.advance(options.idleSeconds * 1000)
    const usedUs = cpuUs() - beforeUs
    world.network.onArrival = undefined
    const per = options.nodes * options.idleSeconds
    return { packets: packets / per, entries: entries / per, bytes: bytes / per, cpuUs: usedUs / per }
  }

  /** Kills nodes, at most one of each shard. */
  kill(): Pick<ManyResult, 'killed' | 'primariesKilled'> {
    const { options, nodes, world } = this
    const shards = Array.from({ length: options.nodes / 2 }, (_, i) => i)
    for (let i = shards.length - 1; i > 0; i--) {
      const j = world.random.u32() % (i + 1)
      ;[shards[i], shards[j]] = [shards[j], shards[i]]
    }
    const killed = shards.slice(0, Math.round(options.nodes * options.killed))
    const dead = new Set<WorldServer>()
    let primariesKilled = 0
    for (const shard of killed) {
      const isPrimary = world.random.u32() % 2 === 0
      if (isPrimary) primariesKilled++
      dead.add(nodes[isPrimary ? shard : shard + options.nodes / 2])
    }
    for (const node of dead) node.machine.powerOff()
    this.live = nodes.filter(node => !dead.has(node))
    return { killed: dead.size, primariesKilled }
  }

  async heal(): Promise<number> {
    const { world } = this
    const beginMs = world.nowMs
    for (; world.nowMs - beginMs < HEAL_MS; await this.advance(LOOK_MS)) {
      this.say('is it whole?')
      if (await this.isWhole()) return world.nowMs - beginMs
    }
    return -1
  }

  /** Every live node says ok, and that live nodes serve all slots: the same ones. */
  private async isWhole(): Promise<boolean> {
    const addresses = new Set(this.live.map(node => node.machine.host.address))
    let first = ''
    for (const node of this.live) {
      if (!String(await node.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) return false
      const ranges = (await node.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][]
      const owners = ranges.map(([from, to, [host]]) => `${from}-${to} ${host}`)
      if (ranges.some(([, , [host]]) => !addresses.has(host))) return false
      const view = owners.sort().join()
      if (first === '') first = view
      else if (view !== first) return false
    }
    return true
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '1000' },
      killed: { type: 'string', default: '0.3' },
      timeout: { type: 'string', default: '15000' },
      seed: { type: 'string', default: '1' },
      idle: { type: 'string', default: '15' },
      verbose: { type: 'boolean', default: false },
    },
  })
  const result = await manyNodes({
    nodes: Number(values.nodes),
    killed: Number(values.killed),
    timeoutMs: Number(values.timeout),
    seed: Number(values.seed),
    idleSeconds: Number(values.idle),
    verbose: values.verbose,
  })
  console.log(
    `${values.nodes} nodes, idle: ${result.packets.toFixed(1)} packets, ${result.entries.toFixed(1)} entries and ${Math.round(result.bytes)} bytes a node a second, ${Math.round(result.cpuUs)} us of CPU`,
  )
  console.log(
    `${result.killed} killed, ${result.primariesKilled} of them primaries: healed after ${(result.healedMs / 1000).toFixed(1)} virtual seconds`,
  )
  console.log(`${Math.round(result.cpuSeconds)} s of CPU, up to ${result.residentMib} MiB`)
}
