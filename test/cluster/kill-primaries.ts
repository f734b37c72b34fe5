// Kills primaries of a cluster of processes, and measures how long their slots take no writes.
//
//   bun test/cluster/kill-primaries.ts --kills 100 [--nodes 12] [--timeout 3000] [--port 22000] [--seed 1]
//                                      [--server bin/redstart] [--second /usr/bin/redis-server]
//
// --second: every other shard is that server's. Half of the nodes are primaries, each with one replica. After each
// kill -9 a key of the lost slots is written to the replica until it is accepted. Then the node is started again, comes
// back as a replica, and every key that was acknowledged before must be there.

import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { evenRange } from '../../src/cluster/bitmap.ts'
import { SlotTags } from '../../src/cluster/slot-tags.ts'
import { seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import { sleep } from '../harness/target.ts'
import { projectRoot } from '../tidy/source.ts'
import { ClusterProcesses } from './processes.ts'

const POLL_MS = 10

export interface KillOptions {
  kills: number
  nodes: number
  timeoutMs: number
  port: number
  seed: number
  /** Command lines: shards take them in turn. */
  servers: string[]
}

export interface KillResult {
  /** Milliseconds from each kill until a write was accepted, ascending. */
  untilWritable: number[]
  /** Keys that were acknowledged and are gone. */
  lost: string[]
}

export async function killPrimaries(options: KillOptions): Promise<KillResult> {
  const run = new KillRun(options)
  try {
    return await run.run()
  } finally {
    await run.end()
  }
}

class KillRun {
  private readonly kills: number
  private readonly primaries: number
  private readonly random: Random
  private readonly cluster: ClusterProcesses
  private readonly tags = new SlotTags()
  private readonly written: string[][]

  constructor({ kills, nodes, seed, ...options }: KillOptions) {
    this.kills = kills
    this.random = seededRandom(seed)
    this.primaries = Math.floor(nodes / 2)
    this.cluster = new ClusterProcesses(
      { ...options, nodes: this.primaries * 2, primaries: this.primaries },
      this.random,
    )
    this.written = Array.from({ length: this.primaries }, () => [])
  }

  async run(): Promise<KillResult> {
    await this.cluster.start()
    const result: KillResult = { untilWritable: [], lost: [] }
    for (let kill = 0; kill < this.kills; kill++) {
      const shard = this.random.u32() % this.primaries
      result.untilWritable.push(await this.kill(shard, kill))
      result.lost.push(...(await this.missing(shard)))
    }
    result.untilWritable.sort((a, b) => a - b)
    return result
  }

  end(): Promise<void> {
    return this.cluster.end()
  }

  /** The two nodes of a shard: its primary first. */
  private async shard(shard: number): Promise<[number, number]> {
    const isPrimary = String(await this.cluster.nodes[shard].call('ROLE')).startsWith('master')
    return isPrimary ? [shard, shard + this.primaries] : [shard + this.primaries, shard]
  }

  private async kill(shard: number, number: number): Promise<number> {
    const { cluster } = this
    const [primary, replica] = await this.shard(shard)
    const tag = `{${this.tags.tagOf(evenRange(shard, this.primaries)[0])}}`
    for (let i = 0; i < 20; i++) {
      const key = `${tag}${number}:${i}`
      if ((await cluster.nodes[primary].call('SET', key, 'v')) === 'OK') this.written[shard].push(key)
    }
    // Replication is asynchronous: what the replica has acknowledged must survive.
    await cluster.nodes[primary].call('WAIT', '1', '5000')
    await cluster.nodes[primary].kill()
    const beginMs = performance.now()
    while ((await cluster.nodes[replica].call('SET', `${tag}after`, number)) !== 'OK') await sleep(POLL_MS)
    const tookMs = performance.now() - beginMs
    await cluster.startNode(primary)
    await cluster.untilReady()
    return tookMs
  }

  private async missing(shard: number): Promise<string[]> {
    const [primary] = await this.shard(shard)
    const missing: string[] = []
    for (const key of this.written[shard])
      if ((await this.cluster.nodes[primary].call('GET', key)) !== 'v') missing.push(key)
    return missing
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '10' },
      nodes: { type: 'string', default: '12' },
      timeout: { type: 'string', default: '3000' },
      port: { type: 'string', default: '22000' },
      seed: { type: 'string', default: '1' },
      server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
      second: { type: 'string' },
    },
  })
  const { untilWritable: times, lost } = await killPrimaries({
    kills: Number(values.kills),
    nodes: Number(values.nodes),
    timeoutMs: Number(values.timeout),
    port: Number(values.port),
    seed: Number(values.seed),
    servers: [values.server, ...(values.second === undefined ? [] : [values.second])],
  })
  const at = (part: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))])
  console.log(`${times.length} kills: writable after ${at(0.5)} ms (median), ${at(0.9)} (p90), ${at(1)} (longest)`)
  console.log(`${lost.length} acknowledged keys lost ${lost.slice(0, 5).join(' ')}`)
  process.exitCode = lost.length === 0 ? 0 : 1
}
