// Kills primaries of a cluster of processes, and measures how long their slots take no writes.
//
//   bun test/cluster/kill-primaries.ts --kills 100 [--nodes 12] [--timeout 3000] [--port 22000] [--seed 1]
//                                      [--server bin/redstart] [--second /usr/bin/redis-server]
//
// --second: every other shard is that server's. Half of the nodes are primaries, each with one replica. After each
// kill -9 a key of the lost slots is written to the replica until it is accepted. Then the node is started again, comes
// back as a replica, and every key that was acknowledged before must be there.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { evenRange } from '../../src/cluster/bitmap.ts'
import { SlotTags } from '../../src/cluster/slot-tags.ts'
import { type NewNode, newClusterFile } from '../../src/server/new-cluster.ts'
import { newId, seededRandom } from '../../src/system/random.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { projectRoot } from '../tidy/source.ts'

const HOST = '127.0.0.1'
const POLL_MS = 10
const READY_MS_MAX = 60_000

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
  const folder = mkdtempSync(join(tmpdir(), 'redstart-kills-'))
  const run = new KillRun(options, folder)
  try {
    return await run.run()
  } finally {
    await run.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

class KillRun {
  private readonly options: KillOptions
  private readonly folder: string
  private readonly primaries: number
  private readonly servers: (ServerProcess | undefined)[] = []
  private readonly tags = new SlotTags()
  private readonly written: string[][]

  constructor(options: KillOptions, folder: string) {
    this.options = options
    this.folder = folder
    this.primaries = Math.floor(options.nodes / 2)
    this.written = Array.from({ length: this.primaries }, () => [])
  }

  async run(): Promise<KillResult> {
    const { options, primaries } = this
    const random = seededRandom(options.seed)
    const places: NewNode[] = Array.from({ length: primaries * 2 }, (_, i) => {
      const port = options.port + i
      return { id: newId(random), shardId: newId(random), host: HOST, port, busPort: port + 10_000 }
    })
    for (const [i, place] of places.entries()) {
      mkdirSync(join(this.folder, String(i)))
      const shared = places.map((one, j) => ({ ...one, shardId: places[j % primaries].shardId }))
      writeFileSync(join(this.folder, String(i), 'nodes.conf'), newClusterFile(shared, primaries, i))
      this.servers.push(await this.start(i, place.port))
    }
    await this.untilReady()
    const result: KillResult = { untilWritable: [], lost: [] }
    for (let kill = 0; kill < options.kills; kill++) {
      const shard = random.u32() % primaries
      result.untilWritable.push(await this.kill(shard, kill))
      result.lost.push(...(await this.missing(shard)))
    }
    result.untilWritable.sort((a, b) => a - b)
    return result
  }

  async end(): Promise<void> {
    for (const server of this.servers) await server?.kill()
  }

  private start(i: number, port: number): Promise<ServerProcess> {
    const { servers, timeoutMs } = this.options
    const command = servers[(i % this.primaries) % servers.length]
    const ours: Record<string, string> = command.includes('redstart') ? { 'jit-warm-up': 'no' } : {}
    return ServerProcess.start(command, join(this.folder, String(i)), {
      port: String(port),
      'cluster-enabled': 'yes',
      'cluster-node-timeout': String(timeoutMs),
      save: '',
      ...ours,
    })
  }

  /** The two nodes of a shard: its primary first. */
  private async shard(shard: number): Promise<[number, number]> {
    const isPrimary = String(await this.servers[shard]!.call('ROLE')).startsWith('master')
    return isPrimary ? [shard, shard + this.primaries] : [shard + this.primaries, shard]
  }

  /** Every node sees the cluster whole, and replicas have their primary's data. */
  private async untilReady(): Promise<void> {
    const endMs = performance.now() + READY_MS_MAX
    for (const server of this.servers)
      for (;;) {
        const state = String(await server!.call('CLUSTER', 'INFO'))
        const nodes = String(await server!.call('CLUSTER', 'NODES'))
        const role = String(await server!.call('INFO', 'replication'))
        const isWhole = state.includes('cluster_state:ok') && !/ disconnected|fail[,? ]/.test(nodes)
        if (isWhole && (role.includes('master_link_status:up') || /slave0:.*state=online/.test(role))) break
        if (performance.now() > endMs) throw new Error(`the cluster does not become whole:\n${state}${nodes}${role}`)
        await sleep(50)
      }
  }

  private async kill(shard: number, number: number): Promise<number> {
    const [primary, replica] = await this.shard(shard)
    const tag = `{${this.tags.tagOf(evenRange(shard, this.primaries)[0])}}`
    for (let i = 0; i < 20; i++) {
      const key = `${tag}${number}:${i}`
      if ((await this.servers[primary]!.call('SET', key, 'v')) === 'OK') this.written[shard].push(key)
    }
    // Replication is asynchronous: what the replica has acknowledged must survive.
    await this.servers[primary]!.call('WAIT', '1', '5000')
    await this.servers[primary]!.kill()
    const beginMs = performance.now()
    while ((await this.servers[replica]!.call('SET', `${tag}after`, number)) !== 'OK') await sleep(POLL_MS)
    const tookMs = performance.now() - beginMs
    this.servers[primary] = await this.start(primary, this.options.port + primary)
    await this.untilReady()
    return tookMs
  }

  private async missing(shard: number): Promise<string[]> {
    const [primary] = await this.shard(shard)
    const missing: string[] = []
    for (const key of this.written[shard])
      if ((await this.servers[primary]!.call('GET', key)) !== 'v') missing.push(key)
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
