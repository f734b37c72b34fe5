// A cluster of processes on this machine, ours or redis-server's: made at once from nodes files, primaries first, each
// other node a replica of them in turn. Their bus is on the ports behind theirs: those 10,000 above may be in the range
// from which the system takes ports of outgoing connections.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type NewNode, newClusterFile } from '../../src/server/new-cluster.ts'
import { newId } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'

const HOST = '127.0.0.1'
const READY_MS_MAX = 60_000

export interface ClusterOptions {
  nodes: number
  primaries: number
  timeoutMs: number
  port: number
  /** Command lines: shards take them in turn. */
  servers: string[]
  directives?: Readonly<Record<string, string>>
}

export class ClusterProcesses {
  readonly primaries: number
  readonly nodes: ServerProcess[] = []
  readonly ids: string[]
  private readonly options: ClusterOptions
  private readonly folder = mkdtempSync(join(tmpdir(), 'redstart-cluster-'))

  constructor(options: ClusterOptions, random: Random) {
    this.options = options
    this.primaries = options.primaries
    this.ids = Array.from({ length: options.nodes }, () => newId(random))
    const places: NewNode[] = this.ids.map((id, i) => {
      const port = options.port + i
      const shardId = this.ids[i % this.primaries]
      return { id, shardId, host: HOST, port, busPort: port + options.nodes }
    })
    for (const i of places.keys()) {
      mkdirSync(join(this.folder, String(i)))
      writeFileSync(join(this.folder, String(i), 'nodes.conf'), newClusterFile(places, this.primaries, i))
    }
  }

  async start(): Promise<void> {
    for (const i of this.ids.keys()) await this.startNode(i)
    await this.untilReady()
  }

  /** Starts a node, again after it was killed. */
  async startNode(i: number): Promise<void> {
    const { servers, timeoutMs, port, directives } = this.options
    const command = servers[(i % this.primaries) % servers.length]
    const ours: Record<string, string> = command.includes('redstart') ? { 'jit-warm-up': 'no' } : {}
    this.nodes[i] = await ServerProcess.start(command, join(this.folder, String(i)), {
      port: String(port + i),
      'cluster-enabled': 'yes',
      'cluster-port': String(port + this.ids.length + i),
      'cluster-node-timeout': String(timeoutMs),
      save: '',
      ...ours,
      ...directives,
    })
  }

  /** Every node sees the cluster whole, and replicas have their primary's data. */
  async untilReady(): Promise<void> {
    const endMs = performance.now() + READY_MS_MAX
    for (const node of this.nodes)
      for (;;) {
        const state = String(await node.call('CLUSTER', 'INFO'))
        const nodes = String(await node.call('CLUSTER', 'NODES'))
        const role = String(await node.call('INFO', 'replication'))
        const isWhole = state.includes('cluster_state:ok') && !/ disconnected|fail[,? ]/.test(nodes)
        const isAlone = this.ids.length === this.primaries
        if (isWhole && (isAlone || /master_link_status:up|slave0:.*state=online/.test(role))) break
        if (performance.now() > endMs) throw new Error(`the cluster does not become whole:\n${state}${nodes}${role}`)
        await sleep(50)
      }
  }

  async end(): Promise<void> {
    for (const node of this.nodes) await node.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
