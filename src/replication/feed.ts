// ReplicaFeed: what replicas of this server get: the dataset of one moment, then every change in its order.
//
//   WAITING ─▶ SAVING ─▶ SENDING ─▶ ONLINE        all of the dataset, by way of a file          [saveToFile]
//      │─────────────────▶ SENDING ─▶ ONLINE        all of it, as it is made (socket-sink.ts)     [saveToSockets]
//      └──────────────────────────▶ ONLINE        the backlog still has what was missed         [continueFrom]
//
//   changes ─▶ buffer ─[end of the turn]─┬─▶ ONLINE: the client's output
//                                        ├─▶ SAVING, SENDING: waits behind the dataset, within client-output-buffer-limit
//                                        └─▶ backlog
//
// Always: `offset` counts every byte of the stream; all replicas of one save begin at the offset of its moment.

import { CLIENT_REPLICA, type Client } from '../engine/client.ts'
import type { Effect } from '../engine/context.ts'
import type { Sink } from '../engine/engine.ts'
import type { ReplicaFacts, Replicas } from '../engine/replicas.ts'
import { bytesOf } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import { FileSink, type JobSink } from '../persistence/file-sink.ts'
import { attempt, type DiskFailure, reasonOf } from '../persistence/machine.ts'
import type { PersistenceParts } from '../persistence/parts.ts'
import { jobParts, rdbOptions } from '../persistence/parts.ts'
import type { Persistence } from '../persistence/persistence.ts'
import { SnapshotJob } from '../persistence/snapshot-job.ts'
import { SnapshotWriter } from '../persistence/snapshot-writer.ts'
import { CommandWriter } from '../protocol/command-writer.ts'
import { Backlog } from './backlog.ts'
import { Replica, type Transfer } from './replica.ts'
import { SocketSink } from './socket-sink.ts'

const SEND_BYTES = 256 * 1024
const SEND_MS = 1
const MULTI = '*1\r\n$5\r\nMULTI\r\n'
const EXEC = '*1\r\n$4\r\nEXEC\r\n'
const PING = '*1\r\n$4\r\nPING\r\n'
const GET_ACK = '*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n'
const PATIENCE = bytesOf('\n')

export interface FeedConfig {
  readonly replBacklogSize: number
  /** Seconds; 0: for ever. */
  readonly replBacklogTtl: number
  readonly replPingReplicaPeriod: number
  readonly replTimeout: number
  readonly replDisklessSync: boolean
  /** Seconds. */
  readonly replDisklessSyncDelay: number
  /** 0: the delay is always waited for. */
  readonly replDisklessSyncMaxReplicas: number
}

export interface FeedParts {
  persistence: Persistence
  /** What persistence has of the server. */
  server: PersistenceParts
  config: FeedConfig
  /** Forty hexadecimal digits: what the stream is called. */
  id: string
}

export class ReplicaFeed implements Replicas, Sink {
  offset = 0
  backlog: Backlog | undefined
  private readonly parts: FeedParts
  private readonly replicas = new Map<number, Replica>()
  /** What clients have said before they became replicas. */
  private readonly ports = new Map<number, number>()
  private readonly onlyDataset = new Set<number>()
  private readonly takeMarks = new Set<number>()
  private readonly buffer = new CommandWriter()
  private readonly piece = new Slice()
  private database = -1
  private scheduled = false
  /** The buffer asks replicas for their acknowledgement. */
  private asked = false
  private job: SnapshotJob | undefined
  private lastSecond = 0
  private lastPingSecond = 0
  private lonelySinceSecond = 0

  constructor(parts: FeedParts) {
    this.parts = parts
    const { engine } = parts.server
    engine.replicas = this
    engine.onClientGone.push(client => this.gone(client))
    engine.acknowledgements.replicasWith = (client, onDisk) => this.countWith(client, onDisk)
    engine.acknowledgements.askReplicas = () => this.ask()
  }

  list(): readonly ReplicaFacts[] {
    return [...this.replicas.values()]
  }

  private get nowMs(): number {
    return this.parts.server.engine.keyspace.nowMs
  }

  // ---- who comes and goes ----

  sync(client: Client): void {
    this.add(client, false)
  }

  psync(client: Client, id: string, offset: number): void {
    if (this.replicas.has(client.id)) return
    if (id === this.parts.id && this.continueFrom(client, offset - 1)) return
    this.add(client, true)
  }

  private add(client: Client, partial: boolean): void {
    if (this.replicas.has(client.id)) return
    const replica = new Replica(client, partial, this.onlyDataset.has(client.id), this.nowMs)
    replica.port = this.ports.get(client.id) ?? 0
    replica.takesMark = this.takeMarks.has(client.id)
    client.flags |= CLIENT_REPLICA
    this.replicas.set(client.id, replica)
    this.parts.server.log.notice(`Replica ${client.connection.peer} asks for synchronization`)
    this.open()
    this.tryStart()
  }

  /** The replica has everything up to `offset`; false when what it has missed is gone. */
  private continueFrom(client: Client, offset: number): boolean {
    this.flush()
    const missed = this.backlog?.since(offset)
    if (missed === undefined) return false
    const { engine, log, soon } = this.parts.server
    const replica = new Replica(client, true, false, this.nowMs)
    replica.port = this.ports.get(client.id) ?? 0
    client.flags |= CLIENT_REPLICA
    this.replicas.set(client.id, replica)
    engine.replyTo(client, reply => reply.simple(`CONTINUE ${this.parts.id}`))
    // Behind the reply, which is still on its way.
    replica.state = 'send_bulk'
    replica.pending.push(...missed)
    soon(() => this.goOnline(replica))
    const bytes = this.offset - offset
    log.notice(`Partial resynchronization request from ${client.connection.peer} accepted: ${bytes} bytes of backlog`)
    return true
  }

  /** From now on the stream is kept. */
  private open(): void {
    const { engine } = this.parts.server
    if (this.backlog !== undefined) return
    // What was written while nobody listened is in no backlog: nobody may believe to have seen it.
    this.offset++
    this.backlog = new Backlog(this.offset)
    this.database = -1
    this.lastPingSecond = this.lonelySinceSecond = Math.floor(this.nowMs / 1000)
    engine.sinks.push(this)
  }

  private gone(client: Client): void {
    this.ports.delete(client.id)
    this.onlyDataset.delete(client.id)
    this.takeMarks.delete(client.id)
    const replica = this.replicas.get(client.id)
    if (replica === undefined) return
    this.replicas.delete(client.id)
    this.release(replica)
    this.parts.server.log.notice(`Connection with replica ${client.connection.peer} lost.`)
  }

  setPort(client: Client, port: number): void {
    this.ports.set(client.id, port)
  }

  takesMark(client: Client): void {
    this.takeMarks.add(client.id)
  }

  wantOnlyDataset(client: Client, only: boolean): void {
    if (only) this.onlyDataset.add(client.id)
    else this.onlyDataset.delete(client.id)
  }

  acknowledged(client: Client, offset: number, onDisk: number | undefined): void {
    const replica = this.replicas.get(client.id)
    if (replica === undefined) return
    replica.ackOffset = Math.max(replica.ackOffset, offset)
    if (onDisk !== undefined && Number.isSafeInteger(onDisk)) replica.diskOffset = Math.max(replica.diskOffset, onDisk)
    replica.ackMs = this.nowMs
    replica.sawMark = true
    if (replica.awaitsAck) this.goOnline(replica)
    this.parts.server.engine.acknowledgements.progressed()
  }

  /** How many replicas have all that a client has written. */
  private countWith(client: Client, onDisk: boolean): number {
    let count = 0
    for (const replica of this.replicas.values()) {
      const offset = onDisk ? replica.diskOffset : replica.ackOffset
      if (replica.state === 'online' && offset >= client.streamOffset) count++
    }
    return count
  }

  /** Somebody waits to hear how far the replicas are: they answer when they have come to this place of the stream. */
  private ask(): void {
    if (this.asked || this.backlog === undefined || this.replicas.size === 0) return
    this.asked = true
    const before = this.buffer.len
    this.buffer.plain(GET_ACK)
    this.grew(before)
  }

  // ---- the dataset ----

  private get path(): string {
    return `temp-repl-${this.parts.server.pid}.rdb`
  }

  /** Saves for all that wait, unless the keyspace is being saved already. */
  private tryStart(): void {
    const { persistence, server } = this.parts
    const waiting = [...this.replicas.values()].filter(one => one.state === 'wait_bgsave' && !one.saving)
    if (waiting.length === 0) return
    const toSockets = this.parts.config.replDisklessSync && waiting.every(({ takesMark }) => takesMark)
    if ((toSockets && this.othersMayCome(waiting)) || !persistence.mayStartReplicaJob()) return
    this.flush()
    this.database = -1
    for (const replica of waiting) {
      replica.saving = true
      const { offset } = this
      if (replica.partial)
        server.engine.replyTo(replica.client, reply => reply.simple(`FULLRESYNC ${this.parts.id} ${offset}`))
    }
    server.log.notice(`Starting a save for replicas, ${toSockets ? 'to their sockets' : 'to a file'}`)
    this.job = toSockets ? this.saveToSockets(waiting) : this.saveToFile()
    persistence.replicaJob = this.job
  }

  /**
   * Who comes while a dataset is sent to sockets must wait for the next one: so some time is given. Not by those who want
   * nothing else: they are no replicas, but somebody's backup.
   */
  private othersMayCome(waiting: readonly Replica[]): boolean {
    const { replDisklessSyncDelay, replDisklessSyncMaxReplicas } = this.parts.config
    if (replDisklessSyncMaxReplicas > 0 && waiting.length >= replDisklessSyncMaxReplicas) return false
    if (waiting.every(({ rdbOnly }) => rdbOnly)) return false
    return waiting.every(({ sinceMs }) => this.nowMs - sinceMs < replDisklessSyncDelay * 1000)
  }

  private jobInto(sink: JobSink, done: (error: DiskFailure | null) => void): SnapshotJob {
    const { server } = this.parts
    const { keyspace } = server.engine
    return new SnapshotJob(
      jobParts(server),
      sink,
      bytes => new SnapshotWriter(keyspace, bytes, rdbOptions(server, false)),
      done,
    )
  }

  private saveToFile(): SnapshotJob {
    const { disk, config } = this.parts.server
    const incrementalSync = config.rdbSaveIncrementalFsync
    const sink = new FileSink(disk, { temporary: this.path, path: this.path, incrementalSync })
    return this.jobInto(sink, error => this.saved(error))
  }

  private saveToSockets(replicas: readonly Replica[]): SnapshotJob {
    const { engine, after } = this.parts.server
    for (const replica of replicas) replica.state = 'send_bulk'
    const left = () => replicas.filter(one => this.replicas.get(one.client.id) === one)
    const sink = new SocketSink({
      mark: Array.from({ length: 5 }, () => engine.keyspace.random().toString(16).padStart(8, '0')).join(''),
      receivers: () => left().map(({ client }) => client),
      give: (client, bytes) => this.give(client, bytes),
      close: client => engine.closeClient(client),
      after,
      nowMs: () => this.nowMs,
      patienceMs: () => this.parts.config.replTimeout * 1000,
    })
    return this.jobInto(sink, error => this.sent(left(), error))
  }

  /** The dataset has gone to the sockets. */
  private sent(replicas: readonly Replica[], error: DiskFailure | null): void {
    const { engine, log } = this.parts.server
    this.jobEnded()
    if (error !== null) log.warning(`The dataset could not be sent to replicas: ${error.message}`)
    for (const replica of replicas) {
      replica.saving = false
      if (error !== null) engine.closeClient(replica.client)
      else {
        replica.state = replica.rdbOnly ? 'rdb_transmitted' : 'online'
        replica.awaitsAck = true
        replica.ackMs = this.nowMs
        if (replica.sawMark) this.goOnline(replica)
      }
    }
  }

  private saved(error: DiskFailure | null): void {
    const { disk, log, engine } = this.parts.server
    const waiting = [...this.replicas.values()].filter(one => one.saving)
    const transfer: Transfer = { fd: -1, sizeBytes: 0, users: waiting.length }
    const failure =
      error ??
      attempt(() => {
        transfer.fd = disk.open(this.path, 'r')
        transfer.sizeBytes = disk.fstat(transfer.fd).sizeBytes
      })
    attempt(() => disk.unlink(this.path))
    this.jobEnded()
    if (failure) log.warning(`The dataset could not be saved for replicas: ${reasonOf(failure)}`)
    for (const replica of waiting) {
      replica.saving = false
      if (failure) {
        engine.closeClient(replica.client)
        continue
      }
      replica.transfer = transfer
      replica.state = 'send_bulk'
      this.give(replica.client, bytesOf(`$${transfer.sizeBytes}\r\n`))
      this.send(replica)
    }
    if (waiting.length === 0 && transfer.fd >= 0) disk.close(transfer.fd)
  }

  /** One that failed may still walk: nothing else may then begin. */
  private jobEnded(): void {
    if (this.job?.walking === true) return
    this.job = undefined
    this.parts.persistence.replicaJob = undefined
  }

  /** Sends the next piece of the dataset when the socket has taken the one before. */
  private send(replica: Replica): void {
    const { client, transfer } = replica
    const { engine, disk, after, log } = this.parts.server
    if (transfer === undefined || this.replicas.get(client.id) !== replica) return
    if (client.outBytes < SEND_BYTES) {
      const bytes = Math.min(SEND_BYTES, transfer.sizeBytes - replica.sentBytes)
      const piece = new Uint8Array(bytes)
      const failure = attempt(() => void disk.read(transfer.fd, piece, 0, bytes, replica.sentBytes))
      if (failure !== undefined) {
        log.warning(`The dataset could not be read for a replica: ${failure.message}`)
        return engine.closeClient(client)
      }
      replica.sentBytes += bytes
      this.give(client, piece)
      if (replica.sentBytes === transfer.sizeBytes) return this.goOnline(replica)
    }
    after(SEND_MS, () => this.send(replica))
  }

  private goOnline(replica: Replica): void {
    const { log } = this.parts.server
    if (this.replicas.get(replica.client.id) !== replica) return
    this.release(replica)
    replica.state = replica.rdbOnly ? 'rdb_transmitted' : 'online'
    replica.awaitsAck = false
    replica.ackMs = this.nowMs
    for (const chunk of replica.pending.splice(0)) this.give(replica.client, chunk)
    replica.pendingBytes = 0
    log.notice(`Synchronization with replica ${replica.client.connection.peer} succeeded`)
  }

  private release(replica: Replica): void {
    const { transfer } = replica
    replica.transfer = undefined
    if (transfer === undefined || --transfer.users > 0) return
    attempt(() => this.parts.server.disk.close(transfer.fd))
  }

  // ---- the stream ----

  changes(effects: readonly Effect[], asTransaction: boolean): void {
    const { buffer } = this
    const before = buffer.len
    if (asTransaction) buffer.plain(MULTI)
    for (let i = 0; i < effects.length; i++) {
      const { db, args } = effects[i]
      if (db !== this.database) {
        this.database = db
        buffer.count(2)
        buffer.word('SELECT')
        buffer.integer(db)
      }
      buffer.command(args)
    }
    if (asTransaction) buffer.plain(EXEC)
    this.grew(before)
    const client = this.parts.server.engine.current
    if (client !== undefined) client.streamOffset = this.offset
  }

  private grew(before: number): void {
    this.offset += this.buffer.len - before
    if (this.buffer.len >= SEND_BYTES) this.flush()
    if (this.scheduled) return
    this.scheduled = true
    this.parts.server.soon(this.flushTurn)
  }

  private readonly flushTurn = (): void => {
    this.scheduled = false
    this.flush()
  }

  private flush(): void {
    const { buffer, parts } = this
    if (buffer.len === 0) return
    this.asked = false
    const chunk = buffer.take()
    this.backlog?.add(chunk, parts.config.replBacklogSize)
    for (const replica of [...this.replicas.values()]) {
      if (replica.rdbOnly) continue
      if (replica.state === 'online' && !replica.awaitsAck) this.give(replica.client, chunk)
      else if (replica.saving || replica.state !== 'wait_bgsave') this.keep(replica, chunk)
    }
  }

  private give(client: Client, bytes: Uint8Array): void {
    this.piece.set(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
    this.parts.server.engine.replyTo(client, reply => reply.raw(this.piece))
  }

  private keep(replica: Replica, chunk: Uint8Array): void {
    const { engine, log } = this.parts.server
    replica.pending.push(chunk)
    replica.pendingBytes += chunk.length
    const { hardBytes, softBytes, softSeconds } = engine.settings.clientOutputBufferLimit.replica
    const bytes = replica.pendingBytes
    if (softBytes === 0 || bytes < softBytes) replica.overSinceMs = 0
    else if (replica.overSinceMs === 0) replica.overSinceMs = this.nowMs
    const tooLong = replica.overSinceMs > 0 && this.nowMs - replica.overSinceMs > softSeconds * 1000
    if (!tooLong && (hardBytes === 0 || bytes < hardBytes)) return
    engine.stats.clientOutputBufferLimitDisconnections++
    log.warning(
      `Client id=${replica.client.id} addr=${replica.client.connection.peer} scheduled to be closed ASAP for overcoming of output buffer limits.`,
    )
    engine.closeClient(replica.client)
  }

  // ---- now and then ----

  cron(): void {
    if (this.backlog === undefined) return
    if (this.job?.error !== undefined) this.jobEnded()
    this.tryStart()
    const second = Math.floor(this.nowMs / 1000)
    if (second === this.lastSecond) return
    this.lastSecond = second
    this.ping(second)
    this.dropSilent()
    this.dropBacklog(second)
  }

  private ping(second: number): void {
    const { engine } = this.parts.server
    for (const replica of this.replicas.values())
      if (replica.state === 'wait_bgsave') this.give(replica.client, PATIENCE)
    if (this.replicas.size === 0 || engine.pause.active) return
    if (second - this.lastPingSecond < this.parts.config.replPingReplicaPeriod) return
    this.lastPingSecond = second
    const before = this.buffer.len
    this.buffer.plain(PING)
    this.grew(before)
  }

  private dropSilent(): void {
    const { server, config } = this.parts
    for (const replica of [...this.replicas.values()]) {
      if (replica.state !== 'online' || !replica.partial) continue
      if (this.nowMs - replica.ackMs <= config.replTimeout * 1000) continue
      server.log.warning(`Disconnecting timedout replica (streaming sync): ${replica.client.connection.peer}`)
      server.engine.closeClient(replica.client)
    }
  }

  private dropBacklog(second: number): void {
    const { config, server } = this.parts
    if (this.replicas.size > 0) this.lonelySinceSecond = second
    if (config.replBacklogTtl === 0 || second - this.lonelySinceSecond <= config.replBacklogTtl) return
    this.flush()
    this.backlog = undefined
    const at = server.engine.sinks.indexOf(this)
    if (at >= 0) server.engine.sinks.splice(at, 1)
    server.log.notice(`Replication backlog freed after ${config.replBacklogTtl} seconds without connected replicas.`)
  }

  /** Memory of the backlog, of what waits for it included. */
  get memoryBytes(): number {
    return (this.backlog?.bytes ?? 0) + this.buffer.len
  }
}
