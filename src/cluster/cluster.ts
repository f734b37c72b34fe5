// Cluster: this node's view of the cluster: nodes, who serves which hash slot, epochs.
//
//   bus packets [receive.ts] ─┐                         ┌─▶ nodes file   [nodes-file.ts]
//   CLUSTER commands          ├─▶ Cluster ─[afterwards]─┼─▶ state: ok or fail   [health.ts]
//   cron, 10 times a second ──┘                         └─▶ election of this replica   [election.ts]
//
// Always: `owners[slot]` and the owner's bitmap agree. What must survive a restart (votes, epochs, slots) is saved by
// afterwards(), which runs before anything is sent that depends on it, or at the end of the event. What is learnt of
// other shards is saved with the next of these, at the latest at the next tick.

import type { Client } from '../engine/client.ts'
import type { ReplicaInfo } from '../engine/ports/replicas.ts'
import type { Slice } from '../lib/slice.ts'
import type { Network } from '../system/network.ts'
import type { Log } from '../system/system.ts'
import { BITMAP_BYTES, clearBit, hasBit, SLOTS, slotsIn } from './bitmap.ts'
import { Election } from './election.ts'
import { updateState } from './health.ts'
import type { BusLink } from './link.ts'
import { ManualFailover } from './manual-failover.ts'
import { HANDSHAKE, MIGRATE_TO, MYSELF, Node, PRIMARY, REPLICA } from './node.ts'
import { NodeTable } from './node-table.ts'
import { nodesText } from './nodes-file.ts'
import { TYPE_NAMES } from './packet.ts'
import { broadcastPong } from './send.ts'
import type { SlotMeter } from './slot-meter.ts'
import { SlotMoves } from './slot-moves.ts'

/** The cluster-* directives, and what else of the configuration the bus needs. */
interface ClusterSettings {
  readonly clusterNodeTimeout: number
  readonly clusterPingInterval: number
  readonly clusterRequireFullCoverage: boolean
  readonly clusterReplicaNoFailover: boolean
  readonly clusterReplicaValidityFactor: number
  readonly clusterMigrationBarrier: number
  readonly clusterAllowReplicaMigration: boolean
  readonly clusterAllowReadsWhenDown: boolean
  readonly clusterAllowPubsubshardWhenDown: boolean
  readonly clusterLinkSendbufLimit: number
  readonly clusterAnnounceIp: string
  readonly clusterAnnouncePort: number
  readonly clusterAnnounceTlsPort: number
  readonly clusterAnnounceBusPort: number
  readonly clusterAnnounceHostname: string
  readonly clusterAnnounceHumanNodename: string
  readonly clusterPreferredEndpointType: string
  readonly clusterPort: number
  readonly port: number
  readonly tlsPort: number
  readonly tlsCluster: boolean
  readonly replPingReplicaPeriod: number
}

/** The replication of this node. */
export interface ClusterReplication {
  /** The offset of this node: what it has applied as a replica, else its own stream's. */
  readonly offset: number
  /** It follows a primary, or tries to. */
  readonly isFollowing: boolean
  /** Milliseconds since the primary was last heard of. */
  readonly dataAgeMs: number
  /** The replicas of this node that are connected. */
  replicas(): readonly ReplicaInfo[]
  /** Asks them for their offsets. */
  askReplicas(): void
  follow(ip: string, port: number): void
  /** Becomes a primary. */
  promote(): void
}

/** The keys of this node. */
export interface ClusterKeys {
  count(slot: number): number
  /** Calls `visit` with keys of a slot; the cursor to continue with, 0 at the end. A key is valid during the call. */
  scan(slot: number, cursor: number, visit: (key: Slice) => void): number
  readonly isEmpty: boolean
  /** Deletes some keys of a slot, as DEL does; the cursor to continue with, 0 at the end. */
  deleteSome(slot: number, cursor: number): number
  /** Drops the whole dataset. */
  clear(): void
  /** The owner of a slot changes: subscriptions to its shard channels end, and its counters begin anew. */
  changeOwner(slot: number): void
}

export interface ClusterHost {
  readonly settings: ClusterSettings
  readonly replication: ClusterReplication
  readonly keys: ClusterKeys
  readonly log: Log
  /** Undefined: cluster-slot-stats-enabled is off. */
  readonly meter: SlotMeter | undefined
  /** Milliseconds since 1970 at the start, and monotonic from then on. */
  nowMs(): number
  /** An integer from 0 to below `limit`. */
  random(limit: number): number
  /** 40 hexadecimal digits. */
  newId(): string
  /** Writes the nodes file; with `fsync`, durably. The reason when that is impossible. */
  save(text: string, fsync: boolean): string | undefined
  /** Ends the process: the nodes file could not be written. */
  die(): never
  /** Calls `fn` at the end of the event. */
  soon(fn: () => void): void
  /** Calls `fn` once, `ms` from now. */
  after(ms: number, fn: () => void): void
  /** Connects to the bus of a node. */
  dial: Network['dial']
  pauseWrites(ms: number, purpose: 'failover' | 'migration'): void
  resumeWrites(purpose: 'failover' | 'migration'): void
  publish(channel: Uint8Array, message: Uint8Array, shard: boolean): void
  /** Runs slices of a task, each for about so many microseconds, until it returns true. */
  background(task: (limitUs: number) => boolean): void
  /** Writes a command into the stream of the replicas, and not into the AOF. */
  tellReplicas(words: readonly string[]): void
  closeClient(client: Client): void
}

// What afterwards() has to do.
export const SAVE = 1
export const FSYNC = 2
export const UPDATE_STATE = 4
export const TRY_FAILOVER = 8
export const TRY_MANUAL_FAILOVER = 16
const TELL_ROLE = 32
/** Once a tick: many changes of others may come together. */
export const SAVE_AT_TICK = 64
export const FSYNC_AT_TICK = 128

export class Cluster {
  readonly host: ClusterHost
  me: Node
  readonly nodes = new NodeTable()
  readonly owners: (Node | undefined)[] = new Array(SLOTS).fill(undefined)
  /** Slots that this node gives away, and slots that it takes over: with whom. */
  readonly migrating = new Map<number, Node>()
  readonly importing = new Map<number, Node>()
  /** Slots whose owner does not claim them: anybody else may. */
  readonly unclaimed = new Uint8Array(BITMAP_BYTES)
  currentEpoch = 0
  /** The last epoch in which this node voted. */
  lastVoteEpoch = 0
  isOk = false
  /** When the state was first computed (-1: not yet), and when this node last was in the minority. */
  readonly stateTimes = { firstMs: -1, minorityMs: Number.NEGATIVE_INFINITY }
  /** Number of primaries that serve slots. */
  size = 1
  /** Forgotten nodes, which are not to be added again: by id, until when (ms). */
  readonly forgotten = new Map<string, number>()
  readonly election: Election
  readonly manual: ManualFailover
  readonly moves: SlotMoves
  readonly stats = new BusStats()
  /** DEBUG DROP-CLUSTER-PACKET-FILTER: a type that is ignored; -1: none. */
  droppedType = -1
  private todo = 0
  /** Links with packets to write. */
  private readonly links: BusLink[] = []
  private isScheduled = false

  constructor(host: ClusterHost) {
    this.host = host
    this.me = this.newNode(host.newId(), MYSELF | PRIMARY)
    this.election = new Election(this)
    this.manual = new ManualFailover(this)
    this.moves = new SlotMoves(this)
  }

  get nowMs(): number {
    return this.host.nowMs()
  }

  /** What this node knows of the others is new: its state is computed without the wait after a start. */
  trustNow(): void {
    this.stateTimes.firstMs = 0
    this.later(UPDATE_STATE)
  }

  // ---- nodes ----

  /** A node that is not added yet. */
  newNode(id: string, flags: number): Node {
    return new Node(id, this.host.newId(), flags, this.nowMs)
  }

  add(node: Node): void {
    this.nodes.add(node)
  }

  remove(node: Node): void {
    for (const map of [this.importing, this.migrating])
      for (const [slot, other] of map) if (other === node) map.delete(slot)
    this.takeSlots(node)
    for (const other of this.nodes.values()) other.failureReports?.delete(node.number)
    for (const replica of node.replicas) replica.primary = undefined
    if (node.primary !== undefined) removeFrom(node.primary.replicas, node)
    this.nodes.delete(node)
    this.stats.suspects = this.stats.suspects.filter(one => one !== node)
    node.closeLink('link')
    node.closeLink('inbound')
  }

  /** A node has told its id. */
  rename(node: Node, id: string): void {
    this.nodes.delete(node)
    node.id = id
    this.nodes.add(node)
  }

  /** Nodes by shard, in the order in which they were found. */
  get shards(): Map<string, Node[]> {
    const shards = new Map<string, Node[]>()
    for (const node of this.nodes.values()) {
      if (node.has(HANDSHAKE)) continue
      const known = shards.get(node.shardId)
      if (known === undefined) shards.set(node.shardId, [node])
      else known.push(node)
    }
    return shards
  }

  makePrimary(node: Node): void {
    if (node.has(PRIMARY)) return
    if (node.primary !== undefined) {
      removeFrom(node.primary.replicas, node)
      if (node !== this.me) node.flags |= MIGRATE_TO
    }
    node.flags = (node.flags & ~REPLICA) | PRIMARY
    node.primary = undefined
    this.later((node === this.me ? SAVE : SAVE_AT_TICK) | UPDATE_STATE)
  }

  /** Notes that a node follows another one. */
  setPrimary(node: Node, primary: Node): void {
    if (node.primary === primary) return
    if (node.primary !== undefined) removeFrom(node.primary.replicas, node)
    node.primary = primary
    if (!primary.replicas.includes(node)) primary.replicas.push(node)
    primary.flags |= MIGRATE_TO
    this.setShard(node, primary.shardId)
    this.later(node === this.me ? SAVE : SAVE_AT_TICK)
  }

  setShard(node: Node, shardId: string): void {
    if (node.shardId !== shardId) {
      node.shardId = shardId
      this.later(node === this.me ? SAVE : SAVE_AT_TICK)
    }
    if (node !== this.me && this.me.primary === node && this.me.shardId !== shardId) {
      this.me.shardId = shardId
      this.later(SAVE | FSYNC)
    }
  }

  /** Makes this node, which serves no slots, a replica of another one. */
  follow(primary: Node): void {
    const { me } = this
    if (me.has(PRIMARY)) {
      me.flags = (me.flags & ~(PRIMARY | MIGRATE_TO)) | REPLICA
      this.migrating.clear()
      this.importing.clear()
      this.moves.abortAll('this node has become a replica')
    }
    this.setPrimary(me, primary)
    this.host.replication.follow(primary.address.ip, this.replicationPort(primary))
    this.manual.reset()
    // A primary hears CLUSTER FAILOVER only from those that it knows as its replicas.
    this.later(TELL_ROLE)
  }

  replicationPort(node: Node): number {
    return this.host.settings.tlsCluster ? node.address.tlsPort : node.address.port
  }

  // ---- slots ----

  /** A slot that nobody serves gets an owner. */
  assign(node: Node, slot: number): void {
    if (node === this.me && this.moves.cleaner.isBusy) this.moves.cleaner.finish(slot)
    node.addSlot(slot)
    this.owners[slot] = node
    if (node.slotCount === 1 && this.primariesHaveReplicas()) node.flags |= MIGRATE_TO
  }

  /** The slot is another node's from now on. */
  give(node: Node, slot: number): void {
    this.unassign(slot)
    this.assign(node, slot)
  }

  unassign(slot: number): void {
    const owner = this.owners[slot]
    if (owner === undefined) return
    this.host.keys.changeOwner(slot)
    owner.removeSlot(slot)
    this.owners[slot] = undefined
    clearBit(this.unclaimed, slot)
  }

  /** Leaves a node without slots. */
  takeSlots(node: Node): void {
    for (const slot of slotsIn(node.slots.bitmap)) this.unassign(slot)
  }

  /** Slots are on their way to or from this node. */
  get movesSlots(): boolean {
    return this.migrating.size > 0 || this.importing.size > 0 || this.moves.imports.size > 0
  }

  /** Nobody serves the slot, or its owner no longer claims it. */
  isFree(slot: number): boolean {
    return this.owners[slot] === undefined || hasBit(this.unclaimed, slot)
  }

  private primariesHaveReplicas(): boolean {
    let replicas = 0
    for (const node of this.nodes.values()) if (node.has(PRIMARY)) replicas += node.replicas.length
    return replicas > 0
  }

  // ---- epochs ----

  get maxEpoch(): number {
    let max = this.currentEpoch
    for (const { configEpoch } of this.nodes.values()) if (configEpoch > max) max = configEpoch
    return max
  }

  /** Takes a new configuration epoch without asking others; false: this node has the highest already. */
  bumpEpoch(): boolean {
    const { me } = this
    if (me.configEpoch !== 0 && me.configEpoch === this.maxEpoch) return false
    me.configEpoch = ++this.currentEpoch
    this.later(SAVE | FSYNC)
    this.host.log.notice(`New configEpoch set to ${me.configEpoch}`)
    return true
  }

  // ---- forgotten nodes ----

  forget(id: string, untilMs: number): void {
    this.forgotten.set(id, untilMs)
  }

  isForgotten(id: string): boolean {
    const untilMs = this.forgotten.get(id)
    if (untilMs !== undefined && untilMs < this.nowMs) this.forgotten.delete(id)
    return this.forgotten.has(id)
  }

  // ---- afterwards ----

  /** What is to be done at the end of this event. */
  later(todo: number): void {
    this.todo |= todo
    this.schedule()
  }

  /** The link's packets are written at the end of this event. */
  flushSoon(link: BusLink): void {
    this.links.push(link)
    this.schedule()
  }

  private schedule(): void {
    if (this.isScheduled) return
    this.isScheduled = true
    this.host.soon(() => {
      this.isScheduled = false
      this.afterwards()
      for (const link of this.links.splice(0)) link.flush()
    })
  }

  /** Does what is due now: before an answer that depends on it is sent. */
  afterwards(): void {
    const { todo } = this
    this.todo = todo & (SAVE_AT_TICK | FSYNC_AT_TICK)
    if ((todo & TRY_MANUAL_FAILOVER) !== 0 && this.me.has(REPLICA)) this.manual.check()
    if ((todo & (TRY_FAILOVER | TRY_MANUAL_FAILOVER)) !== 0) this.election.step()
    if (((todo | this.todo) & UPDATE_STATE) !== 0) updateState(this)
    this.todo &= ~UPDATE_STATE
    if (((todo | this.todo) & SAVE) !== 0) this.saveOrDie(((todo | this.todo) & FSYNC) !== 0)
    this.todo &= ~(SAVE | FSYNC)
    if (((todo | this.todo) & TELL_ROLE) !== 0) broadcastPong(this, 'all')
    this.todo &= ~TELL_ROLE
  }

  /** A tick of the cron ends; in a large cluster, one of several. */
  ticked(): void {
    if ((this.todo & FSYNC_AT_TICK) !== 0) this.later(SAVE | FSYNC)
    else if ((this.todo & SAVE_AT_TICK) !== 0) this.later(SAVE)
  }

  /** Writes the nodes file; the reason when that is impossible. */
  save(fsync: boolean): string | undefined {
    this.todo &= fsync ? ~(SAVE_AT_TICK | FSYNC_AT_TICK) : ~SAVE_AT_TICK
    return this.host.save(nodesText(this), fsync)
  }

  saveOrDie(fsync: boolean): void {
    const failure = this.save(fsync)
    if (failure === undefined) return
    this.host.log.warning(`Fatal: can't update cluster config file: ${failure}`)
    this.host.die()
  }
}

function removeFrom<T>(list: T[], one: T): void {
  const at = list.indexOf(one)
  if (at >= 0) list.splice(at, 1)
}

/** Packets by type, and closed links. */
class BusStats {
  readonly sent: number[] = new Array(TYPE_NAMES.length).fill(0)
  readonly received: number[] = new Array(TYPE_NAMES.length).fill(0)
  /** Those that were possibly failing at the last tick, or seem so since: pings name them all. */
  suspects: Node[] = []
  linksOverLimit = 0
  /** Counts the pings: see Node.gossipedIn. */
  pings = 0
}
