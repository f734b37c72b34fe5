// CLUSTER FAILOVER under load: the roles in each shard of a cluster of processes are exchanged again and again, while
// writers follow the primaries.
//
//   bun test/cluster/manual-failovers.ts [--times 100] [--shards 5] [--timeout 2000] [--port 22000]
//                                        [--server bin/redstart] [--second redis-server]
//
// --second: every other shard is that server's. Prints how long writers (counting-writers.ts) waited for an exchange,
// and exits with 1 when a write was lost. In redis-server CLUSTER FAILOVER soon after another ends without effect: its
// primary does not know the replica yet, or its voters refuse. It is sent again.

import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { evenRange } from '../../src/cluster/bitmap.ts'
import { SlotTags } from '../../src/cluster/slot-tags.ts'
import { seededRandom } from '../../src/system/random.ts'
import { sleep } from '../harness/target.ts'
import { CountingWriters } from '../replication/counting-writers.ts'
import { projectRoot } from '../tidy/source.ts'
import { ClusterProcesses } from './processes.ts'

const WRITERS = 4
const BETWEEN_MS = 100
/** A manual failover ends after five seconds. */
const TRY_MS = 6000
const TRIES_MAX = 10

export interface ManualFailoversOptions {
  times: number
  shards: number
  timeoutMs: number
  port: number
  servers: string[]
}

export interface ManualFailoversResult {
  /** From a writer's last number before an exchange to its first behind it, the longest of all writers, ascending. */
  pausesMs: number[]
  /** Times that it had no effect; such an exchange is not among the pauses. */
  retries: number
  writes: number
  failures: string[]
}

export async function manualFailovers(options: ManualFailoversOptions): Promise<ManualFailoversResult> {
  const { shards, times } = options
  const cluster = new ClusterProcesses({ ...options, nodes: shards * 2, primaries: shards }, seededRandom(1))
  const result: ManualFailoversResult = { pausesMs: [], retries: 0, writes: 0, failures: [] }
  try {
    await cluster.start()
    const tags = new SlotTags()
    const writers = Array.from({ length: shards }, (_, i) => {
      const ports = [cluster.nodes[i].port, cluster.nodes[i + shards].port]
      return new CountingWriters(ports, WRITERS, `{${tags.tagOf(evenRange(i, shards)[0])}}`)
    })
    for (let i = 0; i < times && result.failures.length === 0; i++) {
      await sleep(BETWEEN_MS)
      const shard = i % shards
      writers[shard].longestMs = 0
      const tries = await exchange(cluster, shard)
      await sleep(BETWEEN_MS)
      result.retries += tries - 1
      if (tries === 1) result.pausesMs.push(writers[shard].longestMs)
      result.failures.push(...writers.flatMap(({ failures }) => failures))
    }
    for (const one of writers) {
      await one.stop()
      result.writes += one.writes
    }
    result.failures.push(...writers.flatMap(({ failures }) => failures))
    result.pausesMs.sort((a, b) => a - b)
    return result
  } finally {
    await cluster.end()
  }
}

/** The replica of a shard becomes its primary, and the primary its replica. How often it was tried. */
async function exchange({ nodes, primaries }: ClusterProcesses, shard: number): Promise<number> {
  const pair = [nodes[shard], nodes[shard + primaries]]
  const info = async (i: number) => String(await pair[i].call('INFO', 'replication'))
  const before = (await info(0)).includes('role:master') ? 0 : 1
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    await pair[1 - before].call('CLUSTER', 'FAILOVER')
    for (const endMs = performance.now() + TRY_MS; performance.now() < endMs; await sleep(2)) {
      const [primary, replica] = [await info(1 - before), await info(before)]
      if (primary.includes('role:master') && replica.includes('master_link_status:up')) return tries
    }
  }
  throw new Error(`no failover: ${pair[1 - before].log}`)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      times: { type: 'string', default: '100' },
      shards: { type: 'string', default: '5' },
      timeout: { type: 'string', default: '2000' },
      port: { type: 'string', default: '22000' },
      server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
      second: { type: 'string' },
    },
  })
  const { pausesMs, retries, writes, failures } = await manualFailovers({
    times: Number(values.times),
    shards: Number(values.shards),
    timeoutMs: Number(values.timeout),
    port: Number(values.port),
    servers: [values.server, ...(values.second === undefined ? [] : [values.second])],
  })
  const at = (part: number) => Math.round(pausesMs[Math.min(pausesMs.length - 1, Math.floor(pausesMs.length * part))])
  console.log(
    `${pausesMs.length} failovers, ${retries} sent again, ${writes} writes: writers waited ${at(0.5)} ms (median), ${at(0.98)} (p99), ${at(1)} (longest)`,
  )
  for (const failure of failures) console.log(failure)
  process.exitCode = failures.length === 0 ? 0 : 1
}
