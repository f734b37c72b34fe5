// SlotImports: atomic migrations to this node, and what its replicas and its nodes file know of them.
//
//   establish ─▶ open ─▶ finish: the slots are ours         the client goes, RESET, this node becomes a replica: abort
//
// Always: an open import is in the nodes file before its first key comes, and the replicas hear of it before that key.

import type { Client } from '../engine/client.ts'
import { CLIENT_CLOSING } from '../engine/client.ts'
import { hasBit, slotsIn } from './bitmap.ts'
import { type Cluster, FSYNC, SAVE, UPDATE_STATE } from './cluster.ts'
import { type Node, PRIMARY } from './node.ts'
import { broadcastPong } from './send.ts'
import { overlap, rangeWords, SlotMigration } from './slot-migration.ts'

interface OpenImport {
  readonly migration: SlotMigration
  readonly client: Client
  /** The source has paused its writes: until when it may be believed (ms); 0: it has not. */
  untilMs: number
}

export class SlotImports {
  private readonly cluster: Cluster
  private readonly open: OpenImport[] = []
  /** Slots of imports that this node knows from its primary, or from its nodes file, by name. */
  readonly known = new Map<string, Uint8Array>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
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
    this.open.push({ migration, client, untilMs: 0 })
    this.known.set(name, slots)
    cluster.saveOrDie(true)
    cluster.host.tellReplicas(['CLUSTER', 'SYNCSLOTS', 'IMPORTING', name, ...rangeWords(slots)])
    cluster.host.log.notice(`Importing ${slotsIn(slots).length} slots from node ${source.id}: ${name}`)
    return undefined
  }

  /** PAUSED; false: this client imports nothing. */
  paused(client: Client, ms: number): boolean {
    const one = this.open.find(other => other.client === client)
    if (one === undefined) return false
    one.untilMs = this.cluster.nowMs + ms / 2
    return true
  }

  /** FINISH: the slots are ours. The new epoch, or why not. */
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
    host.tellReplicas(['CLUSTER', 'SYNCSLOTS', 'IMPORTED', migration.name])
    this.open.splice(this.open.indexOf(one), 1)
    this.known.delete(migration.name)
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
    if (this.known.size > 0 && this.cluster.me.has(PRIMARY)) this.cleanKnown()
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
    for (const [name, slots] of [...this.known]) {
      if (this.open.some(({ migration }) => migration.name === name)) continue
      const foreign = slotsIn(slots).filter(slot => cluster.owners[slot] !== cluster.me)
      cluster.moves.cleaner.add(foreign)
      if (foreign.some(slot => cluster.moves.cleaner.has(slot))) continue
      this.known.delete(name)
      cluster.host.tellReplicas(['CLUSTER', 'SYNCSLOTS', 'ABORTED', name])
      cluster.later(SAVE)
    }
  }

  // ---- on a replica, and after a restart ----

  /** The primary has begun an import, or this node had before it was restarted. */
  learn(name: string, slots: Uint8Array): void {
    this.known.set(name, slots)
    this.cluster.later(SAVE | FSYNC)
  }

  /** The primary's import has ended; `claimed`: the slots are the primary's. */
  forget(name: string, claimed: boolean): void {
    const { cluster } = this
    const slots = this.known.get(name)
    if (slots === undefined) return
    this.known.delete(name)
    const { primary } = cluster.me
    if (claimed && primary !== undefined) for (const slot of slotsIn(slots)) cluster.give(primary, slot)
    cluster.later(SAVE | FSYNC | UPDATE_STATE)
  }

  /** A slot whose keys are not to be taken for our own after a start. */
  isOpen(slot: number): boolean {
    for (const slots of this.known.values()) if (hasBit(slots, slot)) return true
    return false
  }
}
