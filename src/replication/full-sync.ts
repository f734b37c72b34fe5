// FullSync: full synchronisation: one snapshot for all replicas that wait for it.
//
//   WAITING ─▶ SAVING ─▶ SENDING ─▶ [online]            disk-backed          [startFile, saved, send]
//      └───────────────▶ STREAMING ─▶ [transmitted]     diskless             [startSockets]
//
// Always: all replicas of a snapshot have the same filter and get the replication offset of its beginning;
// a disconnected replica is dropped. Without any the snapshot ends, unless it is a file and there are save points.

import type { Client } from '../engine/client.ts'
import type { RdbFilter } from '../engine/ports/replicas.ts'
import { bytesOf } from '../lib/bytes.ts'
import { reasonOf } from '../lib/reason.ts'
import { type ByteSink, FileSink, type JobSink } from '../persistence/file-sink.ts'
import { jobParts, type PersistenceDependencies, rdbOptions } from '../persistence/parts.ts'
import { SnapshotJob } from '../persistence/snapshot-job.ts'
import type { SnapshotSlot } from '../persistence/snapshot-slot.ts'
import { SnapshotWriter } from '../persistence/snapshot-writer.ts'
import { attempt, type DiskError } from '../system/system.ts'
import type { Replica, Transfer } from './replica.ts'
import { NO_REPLICA_LEFT, SocketSink } from './socket-sink.ts'
import type { ReplicationStream } from './stream.ts'

const SEND_BYTES = 256 * 1024
const SEND_MS = 1

export interface FullSyncConfig {
  readonly save: readonly unknown[]
  /** Seconds. */
  readonly replTimeout: number
  readonly replDisklessSync: boolean
  /** Seconds. */
  readonly replDisklessSyncDelay: number
  /** 0: always wait for the full delay. */
  readonly replDisklessSyncMaxReplicas: number
}

interface FullSyncParts {
  /** The dependencies it shares with persistence. */
  server: PersistenceDependencies
  config: FullSyncConfig
  slot: SnapshotSlot
  stream: ReplicationStream
  replicas(): readonly Replica[]
  isThere(replica: Replica): boolean
  /** True while the dataset is being loaded. */
  isLoading(): boolean
  /** Writes to a replica's connection. */
  sendTo(client: Client, bytes: Uint8Array): void
  /** The whole dataset was sent. `acknowledges`: the replica confirms with REPLCONF ACK when it has read all of it. */
  sent(replica: Replica, acknowledges: boolean): void
}

export class FullSync {
  /** Full synchronisations begun, one per replica (sync_full). */
  count = 0
  private readonly parts: FullSyncParts
  private job: SnapshotJob | undefined

  constructor(parts: FullSyncParts) {
    this.parts = parts
  }

  private get nowMs(): number {
    return this.parts.server.engine.keyspace.nowMs
  }

  private get path(): string {
    return `temp-repl-${this.parts.server.pid}.rdb`
  }

  /** Starts a snapshot for all waiting replicas, unless one is active. */
  tryStart(): void {
    const { slot, config, stream, server } = this.parts
    const all = this.parts.replicas().filter(({ phase }) => phase === 'waiting')
    if (all.length === 0) return
    const { filter } = all[0].options
    const waiting = all.filter(({ options }) => options.filter === filter)
    const toSockets =
      (config.replDisklessSync || filter !== 'everything') && waiting.every(({ options }) => options.capaEof)
    if (toSockets && config.replDisklessSync && this.delayPending(waiting)) return
    if (this.parts.isLoading() || slot.isFinishing || !slot.acquire('replicas')) return
    stream.beginDataset()
    const { offset, replid } = stream
    for (const replica of waiting) {
      this.count++
      replica.phase = toSockets ? 'streaming' : 'saving'
      replica.nextOffset = offset
      if (replica.psync) server.engine.replyTo(replica.client, reply => reply.simple(`FULLRESYNC ${replid} ${offset}`))
    }
    server.log.notice(`Starting BGSAVE for SYNC with target: ${toSockets ? 'replicas sockets' : 'disk'}`)
    this.job = toSockets ? this.startSockets(waiting, filter) : this.startFile()
    slot.started(this.job)
  }

  /** The replica is gone. */
  dropped(replica: Replica): void {
    const { phase } = replica
    this.release(replica)
    if (phase !== 'saving' && phase !== 'streaming') return
    if (this.parts.replicas().some(one => one.phase === phase)) return
    if (phase === 'saving' && this.parts.config.save.length > 0) return
    if (phase === 'streaming')
      this.parts.server.log.notice('Diskless rdb transfer, last replica dropped, killing fork child.')
    this.job?.abort(NO_REPLICA_LEFT)
  }

  /**
   * repl-diskless-sync-delay: a replica that arrives after a diskless sync has begun must wait for the next one, so the
   * start is delayed. Rdb-only clients (backups) do not wait.
   */
  private delayPending(waiting: readonly Replica[]): boolean {
    const { replDisklessSyncDelay, replDisklessSyncMaxReplicas } = this.parts.config
    if (replDisklessSyncMaxReplicas > 0 && waiting.length >= replDisklessSyncMaxReplicas) return false
    if (waiting.every(({ options }) => options.rdbOnly)) return false
    return waiting.every(({ sinceMs }) => this.nowMs - sinceMs < replDisklessSyncDelay * 1000)
  }

  private jobInto(sink: JobSink, filter: RdbFilter, done: (error: DiskError | null) => void): SnapshotJob {
    const { server, slot } = this.parts
    const { keyspace } = server.engine
    const options = rdbOptions(server, false)
    options.withoutKeys = filter !== 'everything'
    if (filter === 'nothing') options.libraries = []
    const makeWriter = (bytes: ByteSink) => new SnapshotWriter(keyspace, bytes, options)
    return new SnapshotJob(jobParts(server), sink, makeWriter, error => {
      slot.release('replicas')
      this.job = undefined
      done(error)
    })
  }

  // ---- diskless ----

  private startSockets(replicas: readonly Replica[], filter: RdbFilter): SnapshotJob {
    const { server, sendTo: give, isThere, config } = this.parts
    const { engine, after } = server
    const left = () => replicas.filter(isThere)
    const sink = new SocketSink({
      eofMarker: Array.from({ length: 5 }, () => engine.keyspace.random().toString(16).padStart(8, '0')).join(''),
      receivers: () => left().map(({ client }) => client),
      send: give,
      close: client => {
        const replica = replicas.find(one => one.client === client)
        server.log.warning(`Disconnecting timedout replica (full sync): ${replica?.name}`)
        engine.closeClient(client)
      },
      after,
      nowMs: () => this.nowMs,
      timeoutMs: () => config.replTimeout * 1000,
    })
    server.log.notice(`Background RDB transfer started by pid ${server.pid}`)
    return this.jobInto(sink, filter, error => {
      const still = left()
      if (error === null)
        server.log.notice(`Diskless rdb transfer, done reading from pipe, ${still.length} replicas still up.`)
      else if (still.length > 0) server.log.warning(`The dataset could not be sent to replicas: ${error.message}`)
      for (const replica of still) {
        if (error !== null) engine.closeClient(replica.client)
        else this.parts.sent(replica, true)
      }
    })
  }

  // ---- disk-backed ----

  private startFile(): SnapshotJob {
    const { disk, config } = this.parts.server
    const incrementalSync = config.rdbSaveIncrementalFsync
    const sink = new FileSink(disk, { temporary: this.path, path: this.path, incrementalSync })
    return this.jobInto(sink, 'everything', error => this.saved(error))
  }

  private saved(error: DiskError | null): void {
    const { disk, log, engine } = this.parts.server
    const saving = this.parts.replicas().filter(({ phase }) => phase === 'saving')
    const transfer: Transfer = { fd: -1, sizeBytes: 0, users: saving.length }
    const failure =
      error ??
      attempt(() => {
        transfer.fd = disk.open(this.path, 'r')
        transfer.sizeBytes = disk.fstat(transfer.fd).sizeBytes
      })
    attempt(() => disk.unlink(this.path))
    if (failure && saving.length > 0) log.warning(`The dataset could not be saved for replicas: ${reasonOf(failure)}`)
    for (const replica of saving) {
      if (failure) {
        engine.closeClient(replica.client)
        continue
      }
      replica.transfer = transfer
      replica.phase = 'sending'
      this.parts.sendTo(replica.client, bytesOf(`$${transfer.sizeBytes}\r\n`))
      this.send(replica)
    }
    if (saving.length === 0 && transfer.fd >= 0) disk.close(transfer.fd)
  }

  /** Sends the next piece of the file once the socket has taken the last. */
  private send(replica: Replica): void {
    const { client, transfer } = replica
    const { engine, disk, after, log } = this.parts.server
    if (transfer === undefined || !this.parts.isThere(replica)) return
    if (client.outBytes < SEND_BYTES) {
      const bytes = Math.min(SEND_BYTES, transfer.sizeBytes - replica.sentBytes)
      const piece = new Uint8Array(bytes)
      const failure = attempt(() => void disk.read(transfer.fd, piece, 0, bytes, replica.sentBytes))
      if (failure !== undefined) {
        log.warning(`The dataset could not be read for a replica: ${failure.message}`)
        return engine.closeClient(client)
      }
      replica.sentBytes += bytes
      this.parts.sendTo(client, piece)
      if (replica.sentBytes === transfer.sizeBytes) {
        this.release(replica)
        return this.parts.sent(replica, false)
      }
    }
    after(SEND_MS, () => this.send(replica))
  }

  /** The replica no longer reads the file. */
  release(replica: Replica): void {
    const { transfer } = replica
    replica.transfer = undefined
    if (transfer === undefined || --transfer.users > 0) return
    attempt(() => this.parts.server.disk.close(transfer.fd))
  }
}
