// Publishes to a cluster of processes at a steady rate, and looks for nodes that seem to fail meanwhile.
//
//   bun test/cluster/publish-flood.ts [--nodes 12] [--rate 20000] [--bytes 100] [--seconds 10] [--timeout 3000]
//                                     [--port 22000] [--server bin/redstart] [--second redis-server]
//
// --second: every other shard is that server's. Nodes publish in turn; every node has a subscriber.

import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../src/system/random.ts'
import { PlainConnection } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { projectRoot } from '../tidy/source.ts'
import { ClusterProcesses } from './processes.ts'

const BATCH_MS = 20

export interface FloodOptions {
  nodes: number
  rate: number
  bytes: number
  seconds: number
  timeoutMs: number
  port: number
  servers: string[]
}

export interface FloodResult {
  published: number
  /** By subscriber. */
  received: number[]
  /** Nodes that others saw as failing, at any look. */
  suspects: number
  seconds: number
}

export async function publishFlood({ rate, bytes, seconds, ...options }: FloodOptions): Promise<FloodResult> {
  const cluster = new ClusterProcesses({ ...options, primaries: Math.ceil(options.nodes / 2) }, seededRandom(1))
  const received = new Array<number>(options.nodes).fill(0)
  const subscribers: PlainConnection[] = []
  try {
    await cluster.start()
    for (const [i, { port }] of cluster.nodes.entries()) {
      const subscriber = new PlainConnection(port, () => received[i]++)
      subscribers.push(subscriber)
      await subscriber.call('SUBSCRIBE', 'news')
    }
    const message = 'x'.repeat(bytes)
    const [perBatch, batches] = [(rate * BATCH_MS) / 1000, (seconds * 1000) / BATCH_MS]
    const beginMs = performance.now()
    let suspects = 0
    for (let batch = 0; batch < batches; batch++) {
      const node = cluster.nodes[batch % cluster.nodes.length]
      const calls: Promise<unknown>[] = []
      for (let i = 0; i < perBatch; i++) calls.push(node.call('PUBLISH', 'news', message))
      await Promise.all(calls)
      const lines = String(await node.call('CLUSTER', 'NODES')).split('\n')
      suspects += lines.filter(line => /^\S+ \S+ \S*fail/.test(line)).length
      await sleep(Math.max(0, beginMs + (batch + 1) * BATCH_MS - performance.now()))
    }
    const took = (performance.now() - beginMs) / 1000
    const published = perBatch * batches
    for (let waits = 0; waits < 100 && received.some(count => count < published); waits++) await sleep(50)
    return { published, received, suspects, seconds: took }
  } finally {
    for (const subscriber of subscribers) subscriber.close()
    await cluster.end()
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '12' },
      rate: { type: 'string', default: '20000' },
      bytes: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '10' },
      timeout: { type: 'string', default: '3000' },
      port: { type: 'string', default: '22000' },
      server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
      second: { type: 'string' },
    },
  })
  const { published, received, suspects, seconds } = await publishFlood({
    nodes: Number(values.nodes),
    rate: Number(values.rate),
    bytes: Number(values.bytes),
    seconds: Number(values.seconds),
    timeoutMs: Number(values.timeout),
    port: Number(values.port),
    servers: [values.server, ...(values.second === undefined ? [] : [values.second])],
  })
  console.log(`${published} messages in ${seconds.toFixed(1)} s: ${Math.round(published / seconds)} a second`)
  console.log(
    `subscribers got ${Math.min(...received)} to ${Math.max(...received)}; ${suspects} sights of failing nodes`,
  )
  process.exitCode = suspects === 0 && received.every(count => count === published) ? 0 : 1
}
