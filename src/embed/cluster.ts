// A cluster inside a program: made by createCluster, each node an EmbeddedServer with sockets on this machine.
//
//   free ports ─▶ one nodes file for all ─▶ servers ─▶ links, replicas in sync ─▶ EmbeddedCluster
//
// Always: when createCluster resolves, every slot is served, and every node has a link to each other one.

import { keySlot } from '../lib/crc16.ts'
import { asyncDispose } from '../lib/dispose.ts'
import { Slice } from '../lib/slice.ts'
import { runtimeNetwork } from '../net/runtime.ts'
import { type NewNode, newClusterFile } from '../server/new-cluster.ts'
import { type Listener, NetworkError } from '../system/network.ts'
import { newId } from '../system/random.ts'
import { realSystem } from '../system/real.ts'
import type { System } from '../system/system.ts'
import type { RedisConfig } from './directives.ts'
import { type EmbeddedServer, openServer } from './server.ts'

export interface CreateClusterOptions {
  /** Nodes that share the slots evenly (3). */
  primaries?: number
  /** Replicas of each primary (0). */
  replicas?: number
  /** Directives of redis.conf for every node, as createServer takes them. */
  config?: RedisConfig
  /** A fault in a node has ended it. */
  onError?: (error: Error) => void
}

export interface EmbeddedCluster {
  /** The primaries, then the replicas: primary i has replicas i, i + primaries … of those. */
  readonly nodes: readonly EmbeddedServer[]
  /** Of all nodes, as clients of a cluster want it: { host, port }. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /** The node that serves the key now. */
  nodeOf(key: string | Uint8Array): EmbeddedServer
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const HOST = '127.0.0.1'
const PRIMARIES_DEFAULT = 3
const NODES_MAX = 100
const LOOK_MS = 10
const READY_MS = 30_000
/** Failures are noticed sooner than over a network; what a test waits for is a failover. */
const DEFAULTS = { 'cluster-node-timeout': 2000, 'repl-diskless-sync-delay': 0 }
/** Another program may take a free port before the node does. */
const TRIES = 5

/** Makes a cluster in this process. Rejects when an option or directive is refused. */
export async function createCluster(options: CreateClusterOptions = {}): Promise<EmbeddedCluster> {
  const primaries = countOf(options, 'primaries', PRIMARIES_DEFAULT, 1)
  const replicas = countOf(options, 'replicas', 0, 0)
  const count = primaries * (replicas + 1)
  if (count > NODES_MAX) throw new RangeError(`createCluster: ${count} nodes are more than ${NODES_MAX}`)
  for (const name of Object.keys(options))
    if (!['primaries', 'replicas', 'config', 'onError'].includes(name))
      throw new TypeError(`createCluster has no option '${name}'`)
  const system = realSystem(runtimeNetwork())
  for (let tries = 1; ; tries++) {
    const cluster = new ProcessCluster(system)
    try {
      await cluster.open(options, primaries, count)
      return cluster
    } catch (error) {
      await cluster.close()
      if (tries === TRIES || !String(error).includes('istening')) throw error
    }
  }
}

function countOf(options: CreateClusterOptions, name: 'primaries' | 'replicas', usual: number, min: number): number {
  const count = options[name] ?? usual
  if (!Number.isInteger(count) || count < min) throw new RangeError(`createCluster: ${name} is ${String(count)}`)
  return count
}

class ProcessCluster implements EmbeddedCluster {
  readonly nodes: EmbeddedServer[] = []
  private readonly system: System
  private ending: Promise<void> | undefined

  constructor(system: System) {
    this.system = system
  }

  async open({ config, onError }: CreateClusterOptions, primaries: number, count: number): Promise<void> {
    const places = await placesOf(this.system, primaries, count)
    for (const [i, { port, busPort }] of places.entries()) {
      const own = { port, bind: HOST, 'cluster-enabled': true, 'cluster-port': busPort }
      const options = { config: { ...DEFAULTS, ...config, ...own }, ...(onError === undefined ? {} : { onError }) }
      this.nodes.push(await openServer(options as object, { newCluster: newClusterFile(places, primaries, i) }))
    }
    const endUs = this.system.clock.monotonicUs() + READY_MS * 1000
    while (!this.isReady()) {
      if (this.system.clock.monotonicUs() > endUs) throw new Error('the nodes of the cluster do not reach each other')
      await new Promise<void>(resolve => void this.system.timers.after(LOOK_MS, resolve))
    }
  }

  private isReady(): boolean {
    return this.nodes.every(node => {
      const says = (text: string, ...command: [string, string]) => String(node.callSync(...command)).includes(text)
      const isWhole = says('cluster_state:ok', 'CLUSTER', 'INFO') && !says(' disconnected', 'CLUSTER', 'NODES')
      return isWhole && !says('master_link_status:down', 'INFO', 'replication')
    })
  }

  get addresses(): { host: string; port: number }[] {
    return this.nodes.map(({ port }) => ({ host: HOST, port }))
  }

  nodeOf(key: string | Uint8Array): EmbeddedServer {
    const slot = keySlot(typeof key === 'string' ? Slice.of(key) : new Slice(key, 0, key.length))
    for (const node of this.nodes) {
      if (node.isClosed) continue
      for (const [first, last, [, port]] of node.callSync('CLUSTER', 'SLOTS') as [number, number, [string, number]][])
        if (slot >= first && slot <= last) {
          const owner = this.nodes.find(one => one.port === port)
          if (owner !== undefined && !owner.isClosed) return owner
        }
    }
    throw new Error(`no node serves slot ${slot}`)
  }

  close(): Promise<void> {
    this.ending ??= Promise.all(this.nodes.map(node => node.close())).then(() => {})
    return this.ending
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Free ports for each node and its bus. All are open at the same time, so that they differ. */
async function placesOf({ network, random }: System, primaries: number, count: number): Promise<NewNode[]> {
  const open: Listener[] = []
  try {
    for (let i = 0; i < count * 2; i++) open.push(await listenerOn(network))
    const shards = Array.from({ length: primaries }, () => newId(random))
    return Array.from({ length: count }, (_, i) => {
      const [port, busPort] = [open[i * 2].port, open[i * 2 + 1].port]
      return { id: newId(random), shardId: shards[i % primaries], host: HOST, port, busPort }
    })
  } finally {
    for (const listener of open) listener.close()
  }
}

function listenerOn(network: System['network']): Promise<Listener> {
  const receiver = { opened: () => undefined, received: () => {}, drained: () => {}, closed: () => {} }
  const options = { host: HOST, port: 0, backlog: 1, keepaliveSeconds: 0, unref: true }
  return new Promise((resolve, reject) =>
    network.listen(options, receiver, result => (result instanceof NetworkError ? reject(result) : resolve(result))),
  )
}
