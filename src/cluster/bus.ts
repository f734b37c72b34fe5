// ClusterBus: the listening socket of the bus, its connections and its cron.

import {
  type Connection,
  type Listener,
  type ListenOptions,
  listening,
  type Network,
  type Receiver,
} from '../system/network.ts'
import type { Timer, Timers } from '../system/system.ts'
import type { Cluster } from './cluster.ts'
import { ClusterCron } from './cron.ts'
import { BusLink, type LinkOwner } from './link.ts'
import { receive } from './receive.ts'

const TICK_MS = 100

interface BusParts {
  cluster: Cluster
  network: Network
  timers: Timers
  /** Runs work whose exceptions end the server. */
  guard(work: () => void): void
  /** The server loads its dataset as a primary: nobody may rely on it yet. */
  isLoading(): boolean
}

export class ClusterBus implements LinkOwner {
  private readonly parts: BusParts
  private readonly cron: ClusterCron
  private readonly inbound = new Set<BusLink>()
  private readonly listeners: Listener[] = []
  private timer: Timer | undefined

  constructor(parts: BusParts) {
    this.parts = parts
    this.cron = new ClusterCron(parts.cluster, this)
  }

  /** Opens a listening socket. Rejects with a NetworkError. */
  async listen(options: ListenOptions): Promise<void> {
    this.listeners.push(await listening(this.parts.network, options, this.receiver))
  }

  start(): void {
    this.timer = this.parts.timers.every(TICK_MS, () => this.parts.guard(() => this.cron.tick()))
  }

  stop(): void {
    if (this.timer !== undefined) this.parts.timers.cancel(this.timer)
    this.stopListening()
    for (const link of this.inbound) link.close()
    for (const node of this.parts.cluster.nodes.values()) node.link?.close()
  }

  /** Links stay. */
  stopListening(): void {
    for (const listener of this.listeners.splice(0)) listener.close()
  }

  /** Two for each other node (cluster_connections). */
  get connections(): number {
    return (this.parts.cluster.nodes.size - 1) * 2
  }

  /** Bytes of all links' buffers (mem_cluster_links). */
  get memoryBytes(): number {
    let bytes = 0
    for (const link of this.inbound) bytes += link.memoryBytes
    for (const { link } of this.parts.cluster.nodes.values()) bytes += link?.memoryBytes ?? 0
    return bytes
  }

  private readonly receiver: Receiver<BusLink> = {
    opened: (connection: Connection) => {
      if (this.parts.isLoading()) return undefined
      const link = new BusLink(this, undefined, this.parts.cluster.nowMs)
      link.accepted(connection)
      this.inbound.add(link)
      return link
    },
    received: (link, u8, _dv, start, end) => this.parts.guard(() => link.received(u8, start, end)),
    drained: link => link.drained(),
    closed: link => this.parts.guard(() => link.lost('connection closed')),
  }

  // ---- LinkOwner ----

  packet(link: BusLink, bytes: Uint8Array): void {
    receive(this.parts.cluster, link, bytes)
  }

  garbage(link: BusLink): void {
    this.parts.cluster.host.log.warning(`Bad message length or signature received on the Cluster bus from ${link.peer}`)
  }

  flushSoon(link: BusLink): void {
    this.parts.cluster.flushSoon(link)
  }

  closed(link: BusLink, why: string): void {
    this.inbound.delete(link)
    const { node } = link
    if (node === undefined) return
    if (node.link === link) {
      node.link = undefined
      // Its silence counts from now on, not from the next attempt to connect.
      if (node.pingSentMs === 0) node.pingSentMs = this.parts.cluster.nowMs
    }
    if (node.inbound === link) node.inbound = undefined
    this.parts.cluster.host.log.debug(`I/O error reading from node link: ${why}`)
  }
}
