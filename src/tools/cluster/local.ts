// redstart cluster start|stop|status DIR: a cluster on this machine, for development. Each node has a folder of its own
// in DIR, named by its port.
//
//   start: folders ─▶ nodes as daemons ─▶ slots divided ─▶ MEET ─▶ replicas   (an existing DIR: its nodes again)
//
// Always: start returns when every node says that the cluster is ok.

import { Remote } from '../../client/remote.ts'
import { parseServerUrl } from '../../client/url.ts'
import { evenRange } from '../../cluster/bitmap.ts'
import { textOf } from '../../protocol/value.ts'
import { EXIT_FAULTS, EXIT_GOOD, type Flag, type Machine, print, ToolError, type Words } from '../command-line.ts'

const NODES_DEFAULT = 6
const REPLICAS_DEFAULT = 1
const PORT_DEFAULT = 7000
const PRIMARIES_MIN = 3
const NODES_MAX = 1000
/** The bus is 10,000 above the port. */
const PORT_LIMIT = 55_535
const RETRY_MS = 100
const STARTS_MS = 60_000

export const LOCAL_ACTIONS: readonly string[] = ['start', 'stop', 'status']

export const LOCAL_FLAGS: readonly Flag[] = [
  { name: '--nodes', value: 'N', about: `start: servers in all (${NODES_DEFAULT})` },
  { name: '--replicas', value: 'N', about: `start: replicas of each primary (${REPLICAS_DEFAULT})` },
  { name: '--port', value: 'PORT', about: `start: of the first server (${PORT_DEFAULT})` },
]

export class LocalCluster {
  private readonly words: Words
  private readonly machine: Machine
  private readonly dir: string

  constructor(words: Words, machine: Machine) {
    this.words = words
    this.machine = machine
    this.dir = machine.disk.resolve(words.operands[1])
  }

  run(): Promise<number> {
    const [action] = this.words.operands
    if (action === 'start') return this.start()
    return action === 'stop' ? this.stop() : this.status()
  }

  /** The ports of the folders in DIR. */
  private ports(): number[] {
    const { disk } = this.machine
    if (disk.stat(this.dir) === null) return []
    const isPort = (name: string) => [...name].every(char => char >= '0' && char <= '9')
    return disk
      .readdir(this.dir)
      .filter(isPort)
      .map(Number)
      .sort((a, b) => a - b)
  }

  // ---- start ----

  private async start(): Promise<number> {
    const known = this.ports()
    const ports = known.length > 0 ? known : this.newPorts()
    for (const port of ports) this.startNode(port)
    const nodes = await Promise.all(ports.map(port => this.answering(port)))
    if (known.length === 0) await this.form(nodes)
    for (const node of nodes)
      await this.until(async () => textOf(await node.call('CLUSTER', 'INFO')).includes('state:ok'))
    for (const node of nodes) node.close()
    print(this.machine, `The cluster of ${ports.length} nodes is ready: redis-cli -c -p ${ports[0]}\n`)
    return EXIT_GOOD
  }

  private newPorts(): number[] {
    const { words, machine } = this
    const nodes = words.integer('--nodes', 1, NODES_MAX) ?? NODES_DEFAULT
    const replicas = words.integer('--replicas', 0, NODES_MAX) ?? REPLICAS_DEFAULT
    const first = words.integer('--port', 1, PORT_LIMIT - nodes) ?? PORT_DEFAULT
    if (Math.floor(nodes / (replicas + 1)) < PRIMARIES_MIN)
      throw new ToolError(`${nodes} nodes are too few for ${PRIMARIES_MIN} primaries with ${replicas} replicas each.`)
    if (machine.disk.stat(this.dir) === null) machine.disk.mkdir(this.dir)
    return Array.from({ length: nodes }, (_, i) => first + i)
  }

  private startNode(port: number): void {
    const { disk, process } = this.machine
    const folder = `${this.dir}/${port}`
    if (disk.stat(folder) === null) disk.mkdir(folder)
    const directives = {
      port,
      dir: folder,
      'cluster-enabled': 'yes',
      appendonly: 'yes',
      logfile: `${folder}/log`,
      pidfile: `${folder}/pid`,
      daemonize: 'yes',
    }
    const options = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, String(value)])
    const child = process.spawn([...process.command, ...options], () => {})
    if (child === undefined) throw new ToolError(`a node could not be started on port ${port}`)
  }

  /** A connection to a node, as soon as it answers. */
  private async answering(port: number): Promise<Remote> {
    let remote: Remote | undefined
    await this.until(async () => {
      remote = await this.open(port)
      return remote !== undefined
    })
    return remote!
  }

  private async open(port: number): Promise<Remote | undefined> {
    try {
      return await Remote.open(parseServerUrl(`redis://127.0.0.1:${port}`)!, this.machine)
    } catch {
      return undefined
    }
  }

  /** Waits until `test` holds. */
  private async until(test: () => Promise<boolean>): Promise<void> {
    const { timers, clock } = this.machine
    const endUs = clock.monotonicUs() + STARTS_MS * 1000
    while (!(await test())) {
      if (clock.monotonicUs() > endUs)
        throw new ToolError(`the cluster did not come up within ${STARTS_MS / 1000} s: see the logs in ${this.dir}`)
      await new Promise<void>(resolve => void timers.after(RETRY_MS, resolve))
    }
  }

  /** Divides the slots, introduces the nodes, and gives each primary its replicas. */
  private async form(nodes: readonly Remote[]): Promise<void> {
    const replicas = this.words.integer('--replicas', 0, NODES_MAX) ?? REPLICAS_DEFAULT
    const count = Math.floor(nodes.length / (replicas + 1))
    const [first, ...others] = nodes
    for (const [i, node] of nodes.entries()) await node.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
    for (const [i, node] of nodes.slice(0, count).entries())
      await node.call('CLUSTER', 'ADDSLOTSRANGE', ...evenRange(i, count))
    for (const node of others) await node.call('CLUSTER', 'MEET', '127.0.0.1', first.url.address.port)
    const isKnown = (flags: string) => !flags.includes('handshake')
    for (const node of nodes) await this.until(async () => (await this.nodesSeenBy(node, isKnown)) === nodes.length)
    for (const [i, node] of nodes.slice(count).entries()) {
      const id = textOf(await nodes[i % count].call('CLUSTER', 'MYID'))
      await node.call('CLUSTER', 'REPLICATE', id)
    }
    const isReplica = (flags: string) => flags.includes('slave')
    for (const node of nodes)
      await this.until(async () => (await this.nodesSeenBy(node, isReplica)) === nodes.length - count)
  }

  /** Number of lines of CLUSTER NODES with such flags. */
  private async nodesSeenBy(node: Remote, accepts: (flags: string) => boolean): Promise<number> {
    const lines = textOf(await node.call('CLUSTER', 'NODES')).split('\n')
    return lines.filter(line => line !== '' && accepts(line.split(' ')[2])).length
  }

  // ---- stop, status ----

  private async stop(): Promise<number> {
    let stopped = 0
    for (const port of this.ports()) {
      const node = await this.open(port)
      if (node === undefined) continue
      // The connection ends instead of a reply.
      await node.try('SHUTDOWN').catch(() => {})
      node.close()
      stopped++
    }
    print(this.machine, `${stopped} nodes stopped\n`)
    return EXIT_GOOD
  }

  private async status(): Promise<number> {
    for (const port of this.ports()) {
      const node = await this.open(port)
      if (node === undefined) continue
      const info = textOf(await node.call('CLUSTER', 'INFO'))
      print(this.machine, `${textOf(await node.call('CLUSTER', 'NODES'))}\n${info.replaceAll('\r', '')}`)
      node.close()
      return info.includes('cluster_state:ok') ? EXIT_GOOD : EXIT_FAULTS
    }
    print(this.machine, 'no node answers\n')
    return EXIT_FAULTS
  }
}
