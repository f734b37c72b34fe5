// ConnectedReplicas: the connected replicas and their offsets.
//
//   PSYNC ─┬─▶ partial: from the backlog                   [tryPartialResync]
//          └─▶ full (full-sync.ts) ─▶ sent ─▶ online        [putOnline]
//
// Always: online replicas get the stream at once, others behind what they are being sent (stream-feed.ts). States:
// replica.ts.

import { CLIENT_REPLICA, type Client } from '../engine/client.ts'
import { chunkMemory } from '../engine/client-memory.ts'
import { clientLine } from '../engine/monitoring/client-line.ts'
import type { FailoverRequest, RdbFilter, ReplicaInfo, Replicas } from '../engine/ports/replicas.ts'
import { bytesOf, viewOf } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import type { PersistenceDependencies } from '../persistence/parts.ts'
import type { Persistence } from '../persistence/persistence.ts'
import { NOT_AN_INTEGER } from '../protocol/errors.ts'
import { errorBytes } from '../protocol/reply.ts'
import { EMPTY_PRIMARY, EmptyPrimaryGuard } from './empty-guard.ts'
import type { Failover } from './failover.ts'
import type { Following } from './following.ts'
import { FullSync, type FullSyncConfig } from './full-sync.ts'
import { lagOf, Replica, ReplicaOptions } from './replica.ts'
import { ReplicationStream } from './stream.ts'
import { StreamFeed, type StreamFeedConfig } from './stream-feed.ts'
import { StreamSpool } from './stream-spool.ts'

const FAILING_OVER = errorBytes("NOMASTERLINK Can't SYNC while failing over")
const FAILOVER_TO_PRIMARY = errorBytes("ERR PSYNC FAILOVER can't be sent to a master.")
const FAILOVER_OF_OTHER = errorBytes('ERR PSYNC FAILOVER replid must match my replid.')
const NO_MASTER_LINK = errorBytes("NOMASTERLINK Can't SYNC while not connected with my master")
const PENDING_OUTPUT = errorBytes('ERR SYNC and PSYNC are invalid with pending output')
const FILTER_WITHOUT_EOF = errorBytes('ERR Filtered replica requires EOF capability')
/** Sent while a replica waits for its dataset, to keep the link alive. */
const KEEPALIVE_NEWLINE = bytesOf('\n')

interface ReplicasConfig extends FullSyncConfig, StreamFeedConfig {
  /** Seconds; 0: no limit. */
  readonly replBacklogTtl: number
  readonly replPingReplicaPeriod: number
  readonly primaryEmptyGuard: boolean
}

interface ReplicasParts {
  persistence: Persistence
  /** The dependencies it shares with persistence. */
  server: PersistenceDependencies
  config: ReplicasConfig
  /** Forty random hexadecimal digits. */
  newId(): string
}

export class ConnectedReplicas implements Replicas {
  readonly stream: ReplicationStream
  readonly streamFeed: StreamFeed
  readonly fullSync: FullSync
  readonly emptyGuard: EmptyPrimaryGuard
  /** sync_partial_ok and sync_partial_err. */
  partialSyncs = 0
  partialSyncsRefused = 0
  /** Set by the assembly. */
  following!: Following
  failover!: Failover
  private readonly parts: ReplicasParts
  private readonly replicas = new Map<number, Replica>()
  /** REPLCONF options of clients that are not replicas yet. */
  private readonly options = new Map<number, ReplicaOptions>()
  private readonly piece = new Slice()
  private lastSecond = 0
  private lastPingSecond = 0
  private noReplicasSince = 0
  /** There was a replica whose connection reads what it has taken later. */
  private isHeld = false

  constructor(parts: ReplicasParts) {
    this.parts = parts
    const { server, config, persistence, newId } = parts
    const { engine, soon } = server
    this.emptyGuard = new EmptyPrimaryGuard({ config, log: server.log })
    this.streamFeed = new StreamFeed({
      server,
      config,
      stream: () => this.stream,
      replicas: () => this.replicas.values(),
      isThere: replica => this.isThere(replica),
    })
    const needs = () => this.streamFeed.needs()
    const mayReuse = () => !this.isHeld
    const spool = new StreamSpool(server)
    this.stream = new ReplicationStream({ engine, soon, newId, needs, mayReuse, spool }, piece =>
      this.streamFeed.distribute(piece),
    )
    this.fullSync = new FullSync({
      server,
      config,
      slot: persistence.slot,
      stream: this.stream,
      replicas: () => [...this.replicas.values()],
      isThere: replica => this.isThere(replica),
      isLoading: () => persistence.isLoading,
      sendTo: (client, bytes) => this.give(client, bytes),
      sent: (replica, acknowledges) => this.datasetSent(replica, acknowledges),
    })
    engine.replicas = this
    engine.onClientDisconnected.push(client => this.replicaDisconnected(client))
    engine.acknowledgements.replicasWith = (client, onDisk) => this.countWith(client, onDisk)
    engine.acknowledgements.logChanged = isOn => this.stream.logChanged(isOn)
    engine.acknowledgements.requestAcks = () => {
      if (!engine.pause.active) this.stream.requestAcks()
    }
  }

  get offset(): number {
    return this.stream.offset
  }

  list(): readonly ReplicaInfo[] {
    return [...this.replicas.values()]
  }

  private get nowMs(): number {
    return this.parts.server.engine.keyspace.nowMs
  }

  private isThere(replica: Replica): boolean {
    return this.replicas.get(replica.client.id) === replica
  }

  // ---- REPLCONF ----

  setPort(client: Client, port: number): void {
    this.optionsOf(client).port = port
  }

  setAddress(client: Client, address: string): void {
    this.optionsOf(client).address = address
  }

  setCapaEof(client: Client): void {
    this.optionsOf(client).capaEof = true
  }

  setRdbOnly(client: Client, only: boolean): void {
    this.optionsOf(client).rdbOnly = only
  }

  setRdbFilter(client: Client, filter: RdbFilter): void {
    this.optionsOf(client).filter = filter
  }

  private optionsOf(client: Client): ReplicaOptions {
    let options = this.options.get(client.id)
    if (options === undefined) this.options.set(client.id, (options = new ReplicaOptions()))
    return options
  }

  acknowledged(client: Client, offset: number, onDisk: number | undefined): void {
    const replica = this.replicas.get(client.id)
    if (replica === undefined) return
    replica.ackOffset = Math.max(replica.ackOffset, offset)
    if (onDisk !== undefined && Number.isSafeInteger(onDisk)) replica.diskOffset = Math.max(replica.diskOffset, onDisk)
    replica.ackMs = this.nowMs
    replica.acked = true
    if (replica.phase === 'awaitingAck') {
      // The stream that waits is no reply to this command.
      replica.phase = 'continuing'
      this.parts.server.soon(() => this.putOnline(replica))
    }
    this.parts.server.engine.acknowledgements.processClientsWaitingReplicas()
    if (this.failover.isActive) this.parts.server.soon(() => this.failover.update())
  }

  /** They must synchronise anew: partially, if they can. */
  disconnectAll(): void {
    for (const { client } of [...this.replicas.values()]) this.parts.server.engine.closeClient(client)
  }

  /** This server has become a primary: repl-backlog-ttl counts from now. */
  leads(): void {
    this.lastPingSecond = this.noReplicasSince = Math.floor(this.nowMs / 1000)
  }

  // ---- synchronisation ----

  /** A replica without a link to its primary has no stream to pass on; a part of a dataset has no file. */
  private refusesSync(client: Client): boolean {
    const { following, failover } = this
    const isCut = following.primary !== undefined && following.state !== 'connected'
    const { filter, capaEof } = this.optionsOf(client)
    if (failover.isActive) this.refuse(client, FAILING_OVER)
    else if (isCut) this.refuse(client, NO_MASTER_LINK)
    else if (this.parts.server.engine.output.hasPending(client)) this.refuse(client, PENDING_OUTPUT)
    else if (filter !== 'everything' && !capaEof) this.refuse(client, FILTER_WITHOUT_EOF)
    else return false
    return true
  }

  private refuse(client: Client, error: Uint8Array): void {
    this.parts.server.engine.replyTo(client, reply => reply.fixedError(error))
  }

  acceptEmpty(): void {
    this.emptyGuard.lift('REPLICAOF NO ONE')
  }

  feed(args: readonly Slice[]): void {
    this.stream.feed(args)
  }

  changeId(): void {
    this.stream.changeId()
  }

  restart(): void {
    if (this.stream.backlog === undefined) return
    this.disconnectAll()
    this.stream.changeId()
  }

  // ---- FAILOVER ----

  get failoverState(): string {
    return this.failover.state
  }

  beginFailover(request: FailoverRequest): void {
    this.failover.begin(request)
  }

  abortFailover(): void {
    this.failover.abort('Failover manually aborted')
  }

  /** PSYNC … FAILOVER: the primary hands its role over; false, and refused, when it cannot. */
  private takesOver(client: Client, id: string): boolean {
    const { following, stream, parts } = this
    const { log, engine } = parts.server
    log.notice(`Failover request received for replid ${id}.`)
    if (following.primary === undefined || id.toLowerCase() !== stream.replid) {
      this.refuse(client, following.primary === undefined ? FAILOVER_TO_PRIMARY : FAILOVER_OF_OTHER)
      return false
    }
    following.lead()
    const line = clientLine(client, engine.keyspace.nowMs, undefined)
    log.notice(`MASTER MODE enabled (failover request from '${line}')`)
    return true
  }

  private logAsking(client: Client): void {
    this.parts.server.log.notice(`Replica ${this.nameOf(client)} asks for synchronization`)
  }

  private nameOf(client: Client): string {
    return this.optionsOf(client).nameOf(client)
  }

  sync(client: Client): void {
    if (this.replicas.has(client.id) || this.refusesSync(client)) return
    this.logAsking(client)
    this.startFullSync(client, undefined)
  }

  psync(client: Client, id: string, offset: number, failover: boolean): void {
    if (this.replicas.has(client.id)) return
    if ((failover && !this.takesOver(client, id)) || this.refusesSync(client)) return
    this.logAsking(client)
    if (Number.isNaN(offset)) {
      const { log } = this.parts.server
      log.warning(`Replica ${this.nameOf(client)} asks for synchronization but with a wrong offset`)
      return this.refuse(client, NOT_AN_INTEGER)
    }
    if (this.tryPartialResync(client, id, offset)) {
      this.partialSyncs++
      return
    }
    if (id !== '?') this.partialSyncsRefused++
    this.startFullSync(client, offset)
  }

  /** `offset`: what PSYNC asked for; undefined: it was SYNC. */
  private startFullSync(client: Client, offset: number | undefined): void {
    if (this.emptyGuard.refuses(offset, this.nameOf(client))) return this.refuse(client, EMPTY_PRIMARY)
    this.add(client, offset !== undefined)
    if (this.stream.backlog === undefined) this.openStream()
    this.fullSync.tryStart()
  }

  private openStream(): void {
    this.lastPingSecond = this.noReplicasSince = Math.floor(this.nowMs / 1000)
    this.stream.open()
    const { replid, replid2 } = this.stream
    this.parts.server.log.notice(`Replication backlog created, my new replication IDs are '${replid}' and '${replid2}'`)
  }

  private add(client: Client, psync: boolean): Replica {
    const replica = new Replica(client, psync, this.optionsOf(client), this.nowMs)
    client.flags |= CLIENT_REPLICA
    if (client.connection.bufferInUse !== undefined) this.isHeld = true
    this.replicas.set(client.id, replica)
    return replica
  }

  /** The replica has everything before byte `offset` of the stream `id`; false when the backlog starts later. */
  private tryPartialResync(client: Client, id: string, offset: number): boolean {
    const { stream } = this
    const { engine, log, soon } = this.parts.server
    const mismatch = stream.mismatch(id, offset)
    if (mismatch !== undefined) {
      const isForced = id.startsWith('?')
      if (isForced) log.notice(`Full resync requested by replica ${this.nameOf(client)}`)
      else log.notice(`Partial resynchronization not accepted: ${mismatch}`)
      return false
    }
    stream.flush()
    if (stream.backlog?.has(offset - 1) !== true) {
      this.logLack(client, offset)
      return false
    }
    const replica = this.add(client, true)
    engine.replyTo(client, reply => reply.simple(`CONTINUE ${stream.replid}`))
    // The bytes follow the reply, which is not sent yet.
    replica.phase = 'continuing'
    replica.nextOffset = offset - 1
    soon(() => this.putOnline(replica))
    log.notice(
      `Partial resynchronization request from ${replica.name} accepted. Sending ${stream.offset - offset + 1} bytes of backlog starting from offset ${offset}.`,
    )
    return true
  }

  private logLack(client: Client, offset: number): void {
    const { log } = this.parts.server
    const name = this.nameOf(client)
    log.notice(`Unable to partial resync with replica ${name} for lack of backlog (Replica request was: ${offset}).`)
    if (offset <= this.stream.offset) return
    log.warning(
      `Warning: replica ${name} tried to PSYNC with an offset that is greater than the master replication offset.`,
    )
  }

  private datasetSent(replica: Replica, acknowledges: boolean): void {
    if (replica.options.rdbOnly) replica.phase = 'transmitted'
    else if (!acknowledges || replica.acked) this.putOnline(replica)
    else replica.phase = 'awaitingAck'
    replica.ackMs = this.nowMs
  }

  private putOnline(replica: Replica): void {
    const { log } = this.parts.server
    if (!this.isThere(replica)) return
    replica.ackMs = this.nowMs
    this.streamFeed.begin(replica)
    log.notice(`Synchronization with replica ${replica.name} succeeded`)
  }

  private replicaDisconnected(client: Client): void {
    this.options.delete(client.id)
    const replica = this.replicas.get(client.id)
    if (replica === undefined) return
    this.replicas.delete(client.id)
    this.fullSync.dropped(replica)
    // What only this replica still had to be sent.
    this.stream.trim()
    this.parts.server.log.notice(`Connection with replica ${replica.name} lost.`)
  }

  /** All replicas have acknowledged the whole stream. */
  get areSynced(): boolean {
    for (const { ackOffset } of this.replicas.values()) if (ackOffset !== this.stream.offset) return false
    return true
  }

  /** At the end of the server: says which replicas lack something. */
  logLagging(): void {
    const { log } = this.parts.server
    const all = [...this.replicas.values()]
    const lagging = all.filter(({ ackOffset }) => ackOffset !== this.stream.offset)
    for (const replica of lagging) {
      const { name, ackOffset, state } = replica
      const missing = this.stream.offset - ackOffset
      const lag = lagOf(replica, this.nowMs)
      log.notice(`Lagging replica ${name} reported offset ${missing} behind master, lag=${lag}, state=${state}.`)
    }
    if (all.length > 0)
      log.notice(`${all.length - lagging.length} of ${all.length} replicas are in sync when shutting down.`)
  }

  /** How many replicas have acknowledged all of the client's writes (WAIT, WAITAOF). */
  private countWith(client: Client, onDisk: boolean): number {
    let count = 0
    for (const replica of this.replicas.values()) {
      const offset = onDisk ? replica.diskOffset : replica.ackOffset
      if (replica.state === 'online' && offset >= client.streamOffset) count++
    }
    return count
  }

  // ---- output of replicas ----

  /** What the replicas' output costs: its bytes, those that the backlog has as well, and its chunks besides. */
  output(what: 'bytes' | 'shared' | 'chunks'): number {
    let bytes = 0
    for (const { client, phase } of this.replicas.values())
      if (what === 'chunks') bytes += chunkMemory(client)
      else if (what === 'bytes' || phase === 'online') bytes += client.outBytes
    return bytes
  }

  private give(client: Client, bytes: Uint8Array): void {
    this.piece.set(bytes, viewOf(bytes), 0, bytes.length)
    const { engine } = this.parts.server
    engine.replyTo(client, reply => reply.raw(this.piece))
    this.streamFeed.outputBytes += bytes.length
  }

  // ---- cron ----

  cron(): void {
    this.failover.update()
    this.stream.trim()
    if (this.stream.backlog === undefined) return
    this.fullSync.tryStart()
    const second = Math.floor(this.nowMs / 1000)
    if (second === this.lastSecond) return
    this.lastSecond = second
    this.keepAlive(second)
    this.closeSilent()
    this.freeBacklog(second)
  }

  private keepAlive(second: number): void {
    const { engine } = this.parts.server
    for (const replica of this.replicas.values())
      if (replica.phase === 'waiting' || replica.phase === 'saving') this.give(replica.client, KEEPALIVE_NEWLINE)
    if (this.replicas.size === 0 || engine.pause.active || this.stream.isForwarding) return
    if (second - this.lastPingSecond < this.parts.config.replPingReplicaPeriod) return
    this.lastPingSecond = second
    this.stream.ping()
  }

  private closeSilent(): void {
    const { server, config } = this.parts
    for (const replica of [...this.replicas.values()]) {
      if (replica.state !== 'online' || !replica.psync) continue
      if (this.nowMs - replica.ackMs <= config.replTimeout * 1000) continue
      server.log.warning(`Disconnecting timedout replica (streaming sync): ${replica.name}`)
      server.engine.closeClient(replica.client)
    }
  }

  private freeBacklog(second: number): void {
    const { config, server } = this.parts
    if (this.replicas.size > 0) this.noReplicasSince = second
    if (
      this.stream.isForwarding ||
      config.replBacklogTtl === 0 ||
      second - this.noReplicasSince <= config.replBacklogTtl
    )
      return
    this.stream.close()
    server.log.notice(`Replication backlog freed after ${config.replBacklogTtl} seconds without connected replicas.`)
  }
}
