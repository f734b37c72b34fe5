// Following: this server as a replica of a primary.
//
//   none ─[follow]─▶ connect ─▶ connecting ─▶ handshake ─▶ sync ─▶ connected        (none: it is a primary)
//                       ▲                         └─CONTINUE──────────▲│
//                       └── the link is lost: at once, then each second ┘
//
// Always: keyspace.replica and the stream's isForwarding say that there is a primary. `cached`, the database that the
// stream has selected, is there while the dataset is that of the stream's replid and offset, so that the link can be
// resumed there; it is given up when the dataset of a full synchronisation takes its place.

import type { ClientSystem } from '../client/connection.ts'
import type { CloseReason } from '../client/errors.ts'
import type { LinkOptions, LinkState, LinkTarget } from '../client/primary-link.ts'
import { PrimaryLink } from '../client/primary-link.ts'
import type { Client } from '../engine/client.ts'
import type { Following as FollowingPort, FollowState } from '../engine/ports/following.ts'
import { NO_REPLICA, READ_ONLY_REPLICA, WRITABLE_REPLICA } from '../keyspace/keyspace.ts'
import type { StreamPosition } from '../persistence/keyspace-target.ts'
import type { Persistence } from '../persistence/persistence.ts'
import { type DatasetIntake, FileIntake, type IntakeOutcome, MemoryIntake } from './dataset-intake.ts'
import { DatasetLoad } from './dataset-load.ts'
import { FollowLog } from './follow-log.ts'
import { PrimaryClient } from './primary-client.ts'
import type { ReplicaGates } from './replica-gates.ts'
import type { ReplicationStream } from './stream.ts'
import { SyncedOffsets } from './synced-offsets.ts'

const ROLE_CHANGED = 'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'
const AOF_TRIES = 10
const AOF_RETRY_MS = 1000
/** Until it is known, a primary's stream without PSYNC has this place. */
const UNKNOWN_OFFSET = 0

interface FollowingConfig {
  replicaof: { host: string; port: number } | null
  readonly masteruser: string
  readonly masterauth: string
  readonly replicaReadOnly: boolean
  readonly replicaAnnounceIp: string
  readonly replicaAnnouncePort: number
  readonly replDisklessLoad: string
  /** Seconds. */
  readonly replTimeout: number
}

interface FollowingParts {
  system: ClientSystem
  persistence: Persistence
  stream: ReplicationStream
  config: FollowingConfig
  gates: ReplicaGates
  /** The address of the primary has changed: for CONFIG REWRITE. */
  setPrimary(address: { host: string; port: number } | null): void
  /** The TCP port in use. */
  port(): number
  disconnectReplicas(): void
  /** The dataset is that of the primary now. */
  datasetReplaced(): void
  /** This server has become a primary. */
  leads(): void
}

export class Following implements FollowingPort, LinkTarget {
  primary: { host: string; port: number } | undefined
  /** Unix seconds since when the link has been down; 0: it is up, or has never been. */
  downSinceSeconds = 0
  /** Bytes received from primaries (total_net_repl_input_bytes). */
  inputBytes = 0
  /** Of the payload: its length (-1: unknown), what has come of it, and when (Unix milliseconds). */
  readonly transfer = { totalBytes: 0, readBytes: 0, lastMs: 0 }
  /** The link asks its server to become a primary. */
  failover = false
  /** Ends FAILOVER: the target has accepted, or not. */
  onFailoverReply: ((accepted: boolean) => void) | undefined
  private readonly parts: FollowingParts
  private link: PrimaryLink | undefined
  private client: PrimaryClient | undefined
  private intake: DatasetIntake | undefined
  private readonly says: FollowLog
  private cached: { database: number } | undefined
  private readonly synced: SyncedOffsets
  private lastTrySecond = 0
  /** At startup: this server's own files are being loaded. */
  private isStarting = false
  /** Replication ID and offset of the dataset that is being received. */
  private loadedId = ''
  private loadedOffset = UNKNOWN_OFFSET

  constructor(parts: FollowingParts) {
    this.parts = parts
    this.synced = new SyncedOffsets(parts.persistence.aof)
    this.says = new FollowLog(parts.persistence.parts.log)
    const { engine } = this.server
    engine.afterCommand.push(() => this.client?.afterEvent())
  }

  private get server() {
    return this.parts.persistence.parts
  }

  private get log() {
    return this.server.log
  }

  private get nowMs(): number {
    return this.server.clock.nowMs()
  }

  get state(): FollowState {
    const { link, intake } = this
    if (this.primary === undefined) return 'none'
    if (intake !== undefined) return 'sync'
    if (link === undefined) return 'connect'
    if (link.state === 'connect') return 'connecting'
    if (link.state === 'payload' || link.state === 'loading') return 'sync'
    return this.client === undefined ? 'handshake' : 'connected'
  }

  // ---- role ----

  /** Called at startup, before the dataset is loaded. */
  begin(address: { host: string; port: number }): void {
    this.primary = address
    this.isStarting = true
    this.parts.setPrimary(address)
    this.parts.stream.beginForwarding()
    this.configure()
  }

  /** The dataset is loaded. `position`: where it belongs in a stream. */
  loaded(position: StreamPosition | undefined): void {
    this.isStarting = false
    if (this.primary === undefined) return
    // A node of a cluster may have begun to connect meanwhile: two links would take each other's place in the stream.
    this.disconnect()
    if (position !== undefined) {
      this.parts.stream.restart(position.id, position.offset)
      this.cached = { database: Math.max(0, position.database) }
      this.says.willTryPartial()
    }
    this.reconnect()
  }

  follow(host: string, port: number): void {
    const { stream, setPrimary } = this.parts
    const wasPrimary = this.primary === undefined
    this.disconnect()
    this.primary = { host, port }
    setPrimary(this.primary)
    const { engine } = this.server
    for (const client of [...engine.blocking.clients])
      if (client.blocked?.unblockable !== false) engine.blocking.abort(client, ROLE_CHANGED)
    if (wasPrimary) {
      stream.beginForwarding()
      this.cached = { database: 0 }
      this.says.willTryPartial()
    }
    this.configure()
    this.reconnect()
  }

  lead(): void {
    if (this.primary === undefined) return
    const { stream, setPrimary, leads } = this.parts
    this.disconnect()
    this.primary = undefined
    setPrimary(null)
    this.cached = undefined
    this.downSinceSeconds = 0
    const before = stream.replid
    stream.endForwarding()
    this.log.notice(
      `Setting secondary replication ID to ${before}, valid up to offset: ${stream.secondOffset}. New replication ID is ${stream.replid}`,
    )
    this.configure()
    this.parts.disconnectReplicas()
    leads()
    this.reopenAof(AOF_TRIES)
  }

  /** Called after changes of role and configuration. */
  configure(): void {
    const { keyspace } = this.server.engine
    const { replicaReadOnly, replTimeout } = this.parts.config
    const role = replicaReadOnly ? READ_ONLY_REPLICA : WRITABLE_REPLICA
    keyspace.replica = this.primary === undefined ? NO_REPLICA : role
    this.link?.setSilence(replTimeout * 1000)
    this.updateGates()
  }

  private updateGates(): void {
    this.parts.gates.update(this.state)
  }

  /** Ends the link without another try. */
  private disconnect(): void {
    const { link, intake } = this
    this.link = this.intake = undefined
    link?.close()
    intake?.abort()
    this.closeClient()
  }

  /** Closes the primary's client; the stream can be resumed after what it has applied. */
  private closeClient(): void {
    const { client } = this
    if (client === undefined) return
    this.client = undefined
    this.cached = { database: client.client.db.index }
    this.server.engine.closeClient(client.client)
  }

  /** The server ends. */
  stop(): void {
    this.link?.close()
    this.link = this.client = undefined
  }

  // ---- connecting ----

  private get name(): string {
    return `${this.primary!.host}:${this.primary!.port}`
  }

  private reconnect(): void {
    this.log.notice(`Connecting to MASTER ${this.name}`)
    this.connect()
  }

  private connect(): void {
    const { config, stream, system, port } = this.parts
    const { masteruser, masterauth, replicaAnnounceIp, replicaAnnouncePort, replTimeout } = config
    this.lastTrySecond = Math.floor(this.nowMs / 1000)
    const options: LinkOptions = {
      address: { ...this.primary! },
      user: masteruser,
      password: masterauth,
      connectMs: replTimeout * 1000,
      silenceMs: replTimeout * 1000,
      port: replicaAnnouncePort || port(),
      announcedAddress: replicaAnnounceIp === '' ? undefined : replicaAnnounceIp,
      from: this.cached === undefined ? undefined : { id: stream.replid, offset: stream.offset },
      failover: this.failover,
    }
    this.link = new PrimaryLink(system, options, this)
    this.log.notice('MASTER <-> REPLICA sync started')
    this.updateGates()
  }

  /** Once a second; more often (`atOnce`) during FAILOVER. */
  cron(atOnce = false): void {
    if (this.primary === undefined || this.isStarting) return
    if (this.link !== undefined || this.intake !== undefined) return
    if (atOnce || Math.floor(this.nowMs / 1000) > this.lastTrySecond) this.reconnect()
  }

  // ---- LinkTarget: handshake ----

  reached(state: LinkState): void {
    const { stream } = this.parts
    this.says.reached(state, this.cached === undefined ? undefined : `${stream.replid}:${stream.offset + 1}`)
  }

  refusedPsync(reply: string): void {
    this.says.refusedPsync(reply)
  }

  opened(link: PrimaryLink): void {
    this.link = link
    const wasFailover = this.failover
    this.failover = false
    if (link.continued) {
      this.log.notice('MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.')
      this.resume(link)
    } else {
      this.loadedId = link.id
      this.loadedOffset = link.id === '' ? UNKNOWN_OFFSET : link.offset
      if (link.id !== '') this.log.notice(`Full resync from master: ${link.id}:${link.offset}`)
      this.transfer.totalBytes = -1
      this.transfer.readBytes = 0
      this.transfer.lastMs = this.nowMs
    }
    if (wasFailover) this.onFailoverReply?.(true)
    this.updateGates()
  }

  private resume(link: PrimaryLink): void {
    const { stream, disconnectReplicas } = this.parts
    this.log.notice('Successful partial resynchronization with master.')
    if (link.id !== stream.replid) {
      const before = stream.replid
      stream.shift(link.id)
      this.log.notice(`Master replication ID changed to ${link.id}`)
      this.log.debug(`The replication ID ${before} is valid up to offset ${stream.secondOffset}`)
      disconnectReplicas()
    }
    stream.open()
    this.openClient(link, this.cached!.database)
    this.cached = undefined
  }

  private openClient(link: PrimaryLink, database: number): void {
    const { stream } = this.parts
    this.synced.reset(stream.offset)
    this.downSinceSeconds = 0
    const client = new PrimaryClient({
      engine: this.server.engine,
      stream,
      link,
      database,
      applied: () => this.synced.applied(stream.offset),
      closed: isBroken => this.clientClosed(client, isBroken),
    })
    this.client = client
  }

  // ---- LinkTarget: the dataset ----

  rdbBegins(bytes: number): void {
    const { config, stream, persistence } = this.parts
    const { keyspace } = this.server.engine
    const isSwap = config.replDisklessLoad === 'swapdb'
    const inMemory =
      isSwap || (config.replDisklessLoad === 'on-empty-db' && keyspace.databases.every(db => db.size === 0))
    this.says.receives(bytes, inMemory)
    this.transfer.totalBytes = bytes
    const isAsync = isSwap && this.link!.id === stream.replid
    const load = new DatasetLoad({ persistence, isSwap, leavesStream: () => this.leaveStream() })
    const parts = {
      persistence,
      load,
      totalBytes: bytes,
      done: (outcome: IntakeOutcome) => this.intakeDone(intake, outcome),
    }
    const intake = inMemory ? new MemoryIntake(parts, isAsync, () => this.link?.resume()) : new FileIntake(parts)
    this.intake = intake
  }

  /** The dataset is that of no place in the stream any more. */
  private leaveStream(): void {
    if (this.cached !== undefined) this.log.notice('Discarding previously cached master state.')
    this.cached = undefined
    this.parts.disconnectReplicas()
    this.parts.stream.forget()
  }

  rdb(bytes: Uint8Array): void {
    const { intake, transfer } = this
    this.inputBytes += bytes.length
    transfer.readBytes += bytes.length
    transfer.lastMs = this.nowMs
    intake?.take(bytes)
    if (intake?.isFull === true) this.link?.pause()
  }

  rdbEnds(): void {
    this.intake?.end()
  }

  private intakeDone(intake: DatasetIntake, outcome: IntakeOutcome): void {
    // A link that ended before: nobody waits for its dataset.
    if (this.intake !== intake) return
    this.intake = undefined
    if (outcome === 'failed') {
      this.link?.close()
      return this.retry()
    }
    const { stream } = this.parts
    const { link } = this
    this.parts.datasetReplaced()
    stream.restart(this.loadedId, this.loadedOffset)
    this.log.notice('MASTER <-> REPLICA sync: Finished with success')
    if (link === undefined) {
      // The link was lost while the file was being loaded.
      this.cached = { database: Math.max(0, outcome.streamDatabase) }
      this.reconnect()
    } else {
      this.openClient(link, outcome.streamDatabase)
      this.updateGates()
      link.loaded()
    }
    this.reopenAof(AOF_TRIES)
  }

  private reopenAof(triesLeft: number): void {
    const { persistence } = this.parts
    if (persistence.reopenAof()) return
    const { log, after, die } = this.server
    if (triesLeft > 1) {
      log.warning('Failed enabling the AOF after successful master synchronization! Trying it again in one second.')
      return after(AOF_RETRY_MS, () => this.reopenAof(triesLeft - 1))
    }
    log.warning(
      "FATAL: this replica instance finished the synchronization with its master, but the AOF can't be turned on. Exiting now.",
    )
    die()
  }

  // ---- LinkTarget: the stream ----

  stream(bytes: Uint8Array): void {
    const { client } = this
    if (client === undefined) return
    this.inputBytes += bytes.length
    client.apply(bytes)
    if (!client.ackWanted) return
    client.ackWanted = false
    this.link?.acknowledge()
  }

  ackWanted(client: Client): void {
    if (this.client?.client === client) this.client.ackWanted = true
  }

  appliedOffset(): number {
    return this.parts.stream.offset
  }

  syncedOffset(): number | undefined {
    return this.synced.offset
  }

  /** slave_read_repl_offset. */
  get readOffset(): number {
    return this.client?.readOffset ?? this.parts.stream.offset
  }

  /** Wall-clock milliseconds of the last byte of the stream; undefined: there is no stream. */
  get lastReceivedMs(): number | undefined {
    return this.client?.client.lastActiveMs
  }

  get isTransferring(): boolean {
    return this.state === 'sync'
  }

  /** The database that the stream has selected. */
  get database(): number {
    return this.client?.client.db.index ?? this.cached?.database ?? -1
  }

  /** The dataset is that of the stream's offset. */
  get hasPosition(): boolean {
    return this.client !== undefined || this.cached !== undefined
  }

  // ---- the end of a link ----

  closed(reason: CloseReason): void {
    const { intake, client } = this
    const wasFailover = this.failover
    this.link = undefined
    if (client === undefined) this.says.failed(reason, intake !== undefined)
    else this.says.lost(reason)
    if (wasFailover && reason.kind === 'noReplica') {
      this.onFailoverReply?.(false)
      return
    }
    if (client !== undefined) this.lost()
    else if (intake !== undefined && !intake.isLoading) {
      this.intake = undefined
      intake.abort()
      this.retry()
    }
    this.updateGates()
  }

  /** The established link is lost. */
  private lost(): void {
    this.closeClient()
    this.downSinceSeconds = Math.floor(this.nowMs / 1000)
    this.log.notice(`Reconnecting to MASTER ${this.name}`)
    this.connect()
  }

  /** The primary's client was closed here: killed, or its stream is broken. */
  private clientClosed(client: PrimaryClient, isBroken: boolean): void {
    if (this.client !== client) return
    const { link } = this
    this.link = undefined
    link?.close()
    if (!isBroken) {
      this.says.lost({ kind: 'closed', text: '' })
      return this.lost()
    }
    this.client = undefined
    this.log.warning('The stream of the master is no valid protocol: a full synchronization follows.')
    this.downSinceSeconds = Math.floor(this.nowMs / 1000)
    this.connect()
  }

  /** A synchronisation failed: another try at once. */
  private retry(): void {
    this.link = undefined
    this.log.notice(`Reconnecting to MASTER ${this.name} after failure`)
    this.connect()
  }
}
