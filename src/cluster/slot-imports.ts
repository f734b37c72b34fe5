// SlotImports: atomic migrations to this node, and what its replicas and its nodes file know of them.
//
//   establish ─▶ open ─[PAUSED]─▶ prepared ─[acknowledged, FINISH]─▶ the slots are ours
//                └────────────────┴──▶ abort: the client goes, RESET, this node becomes a replica
//
// Always: an open import is in the nodes file before its first key comes, and the replicas hear of it before that key
// (known-imports.ts). The slots are claimed only when the replicas have acknowledged all of their keys.

import type { Client } from '../engine/client.ts'
import { CLIENT_CLOSING } from '../engine/client.ts'
import type { ReplicaInfo } from '../engine/ports/replicas.ts'
import { hasBit, slotsIn } from './bitmap.ts'
import { type Cluster, FSYNC, SAVE, UPDATE_STATE } from './cluster.ts'
import { KnownImports } from './known-imports.ts'
import { type Node, PRIMARY } from './node.ts'
import { broadcastPong } from './send.ts'
import { overlap, SlotMigration } from './slot-migration.ts'

/** After so long one replica that has the keys is enough. */
const ALL_REPLICAS_MS = 300

interface OpenImport {
  readonly migration: SlotMigration
  readonly client: Client
  /** The source has paused its writes: since when, and until when it may be believed (ms); 0: it has not. */
  pausedMs: number
  untilMs: number
  /** The replicas have all keys when they have acknowledged this. */
  offset: number
}

export class SlotImports {
  private readonly cluster: Cluster
  private readonly open: OpenImport[] = []
  readonly known: KnownImports

  constructor(cluster: Cluster) {
    this.cluster = cluster
    this.known = new KnownImports(cluster)
  }

  get size(): number {
    return this.open.length
  }

  /** The client may use this slot, for it brings it. */
  takes(client: Client, slot: number): boolean {
    for (const one of this.open) if (one.client === client && hasBit(one.migration.slots, slot)) return true
    return false
  }

  hasSlots(slots: Uint8Array): boolean {
    return this.open.some(({ migration }) => overlap(migration.slots, slots))
  }

  /** ESTABLISH; why it is refused. */
  establish(client: Client, name: string, source: Node, slots: Uint8Array): string | undefined {
    const { cluster } = this
    const { me, owners, importing, moves } = cluster
    const { cleaner } = moves
    if (!me.has(PRIMARY)) return 'ERR Only a primary can import slots'
    if (this.open.some(one => one.client === client)) return 'ERR This client imports slots already'
    if (this.hasSlots(slots)) return 'ERR These slots are being imported already'
    for (const slot of slotsIn(slots)) {
      if (owners[slot] !== source) return `ERR Slot ${slot} is not served by node ${source.id}`
      if (importing.has(slot)) return `ERR Slot ${slot} is being imported with CLUSTER SETSLOT`
      cleaner.clear(slot)
    }
    const what = { name, slots, source: source.id, target: me.id }
    const migration = new SlotMigration(false, what, cluster.nowMs)
    cluster.moves.record(migration)
    this.open.push({ migration, client, pausedMs: 0, untilMs: 0, offset: 0 })
    this.known.open(name, slots)
    cluster.host.log.notice(`Importing ${slotsIn(slots).length} slots from node ${source.id}: ${name}`)
    return undefined
  }

  /** How many bytes of the stream the best replica has not acknowledged yet; all are asked for it then. */
  get lagBytes(): number {
    const { replication } = this.cluster.host
    const { replicas } = this
    if (replicas.length === 0) return 0
    const lag = replication.offset - Math.max(...replicas.map(({ ackOffset }) => ackOffset))
    if (lag > 0) replication.askReplicas()
    return lag
  }

  /** Those that could take this node's place. */
  private get replicas(): readonly ReplicaInfo[] {
    return this.cluster.host.replication.replicas().filter(({ state }) => state === 'online')
  }

  /** PAUSED; false: this client imports nothing. */
  paused(client: Client, ms: number): boolean {
    const { cluster } = this
    const one = this.open.find(other => other.client === client)
    if (one === undefined) return false
    const { name, source } = one.migration
    one.pausedMs = cluster.nowMs
    one.untilMs = one.pausedMs + ms / 2
    this.known.prepared(name, source, cluster.nodes.get(source)?.configEpoch ?? 0)
    const { replication } = cluster.host
    one.offset = replication.offset
    replication.askReplicas()
    return true
  }

  private isAcknowledged({ offset, pausedMs }: OpenImport): boolean {
    const { replicas } = this
    const count = replicas.filter(({ ackOffset }) => ackOffset >= offset).length
    return count === replicas.length || (count > 0 && this.cluster.nowMs - pausedMs > ALL_REPLICAS_MS)
  }

  /** FINISH: the slots are ours. The new epoch; 0: the replicas have not acknowledged yet; or why not. */
  finish(client: Client): number | string {
    const { cluster } = this
    const { me, owners, host } = cluster
    const one = this.open.find(other => other.client === client)
    if (one === undefined) return 'ERR This client imports no slots'
    const { migration } = one
    if (!me.has(PRIMARY)) return 'ERR This node is no primary any more'
    if (cluster.nowMs > one.untilMs) return 'ERR Too late: the source does not wait any more'
    const slots = slotsIn(migration.slots)
    for (const slot of slots)
      if (owners[slot]?.id !== migration.source) return `ERR Slot ${slot} is not served by node ${migration.source}`
    if (!this.isAcknowledged(one)) return 0
    this.open.splice(this.open.indexOf(one), 1)
    this.known.close(migration.name, true)
    cluster.bumpEpoch()
    for (const slot of slots) cluster.give(me, slot)
    cluster.later(SAVE | FSYNC | UPDATE_STATE)
    cluster.afterwards()
    broadcastPong(cluster, 'all')
    migration.end('success', '', cluster.nowMs)
    host.log.notice(`Imported ${slots.length} slots in epoch ${me.configEpoch}: ${migration.name}`)
    return me.configEpoch
  }

  /** Ten times a second. */
  check(): void {
    for (const one of [...this.open])
      if (one.client.has(CLIENT_CLOSING)) this.abort(one, 'the connection of the source has ended')
    if (this.known.byName.size === 0 || !this.cluster.me.has(PRIMARY)) return
    this.known.tellNewReplicas()
    this.cleanKnown()
  }

  abortAll(reason: string): void {
    for (const one of [...this.open]) this.abort(one, reason)
  }

  cancel(migration: SlotMigration): void {
    const one = this.open.find(other => other.migration === migration)
    if (one === undefined) return
    this.abort(one, 'canceled', 'canceled')
    this.cluster.host.closeClient(one.client)
  }

  private abort(one: OpenImport, reason: string, state: 'failed' | 'canceled' = 'failed'): void {
    const { cluster } = this
    one.migration.end(state, reason, cluster.nowMs)
    cluster.host.log.notice(`The import ${one.migration.name} has ended: ${reason}`)
    this.open.splice(this.open.indexOf(one), 1)
  }

  /** Imports that are not open any more, or were another process's or another primary's: their keys go. */
  private cleanKnown(): void {
    const { cluster } = this
    for (const [name, { slots }] of [...this.known.byName]) {
      if (this.open.some(({ migration }) => migration.name === name)) continue
      const foreign = slotsIn(slots).filter(slot => cluster.owners[slot] !== cluster.me)
      cluster.moves.cleaner.add(foreign)
      if (!foreign.some(slot => cluster.moves.cleaner.has(slot))) this.known.close(name, false)
    }
  }
}
