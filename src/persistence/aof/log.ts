// AofLog: the append-only log of a running server: buffers every propagated change, writes it to the last incremental
// file before the reply that acknowledges it is sent, and fsyncs as appendfsync says.
//
//   changes ─▶ buffer ─[flush: at the end of an event loop turn, before replies]─▶ file ─[fdatasync]─▶ disk
//
//   OFF ─▶ ON                       at startup, after loading                             [open]
//   OFF ─▶ AOF_WAIT_REWRITE ─▶ ON   CONFIG SET appendonly yes: a rewrite makes the base   [open, rewritten]
//   any ─▶ OFF                                                                            [close]
//
// Always: the file is valid up to `size`; the buffer follows it. Nothing is written to a file before the file before it
// is fsynced: a log cut by a crash has no gap. With `always` no write is acknowledged before its fsync: a failed one
// ends the process.

import { type Effect, PROPAGATE_AOF, type Sink } from '../../engine/effect.ts'
import { EffectEncoder } from '../../engine/effect-encoder.ts'
import { CommandWriter } from '../../protocol/command-writer.ts'
import { attempt, type DiskError } from '../../system/system.ts'
import type { DiskGuard } from '../disk-guard.ts'
import type { PersistenceDependencies } from '../parts.ts'
import type { SnapshotSlot } from '../snapshot-slot.ts'
import { AppendedFile } from './appended-file.ts'

export const AOF_OFF = 0
export const AOF_ON = 1
/** Changes go to a temporary file until the first rewrite is done. */
export const AOF_WAIT_REWRITE = 2

const POSTPONE_SECONDS_MAX = 2
const ERROR_LOG_SECONDS = 30
/** Group commit, as parts of an fsync's duration: the longest delay, and how long without new bytes ends it. */
const GATHERING_PART = 1 / 2
const GAP_PART = 1 / 8

export class AofLog implements Sink {
  state = AOF_OFF
  /** Name of the current file. */
  name = ''
  /** Valid bytes of the current file. */
  size = 0
  /** Bytes of all base and incremental files. */
  totalSize = 0
  /** Writes made while an fsync was running (aof_delayed_fsync). */
  delayedSyncs = 0
  /** Bytes appended since the process started, buffer included, and how many of them are fsynced or in the base. */
  appended = 0
  synced = 0
  /**
   * An fsync succeeded after a failed one: the data the failed one covered may be lost, so the log needs a new base.
   */
  needsRewrite = false
  /** DEBUG AOF-FLUSH-SLEEP. */
  flushSleepUs = 0
  readonly buffer = new CommandWriter()
  private readonly parts: PersistenceDependencies
  private readonly guard: DiskGuard
  private readonly slot: SnapshotSlot
  private file: AppendedFile | undefined
  /** The previous file while its last fsync is running, and the value of `appended` at its end. */
  private previousFile: { file: AppendedFile; appended: number } | undefined
  private readonly encoder = new EffectEncoder(this.buffer, PROPAGATE_AOF)
  private timestampSeconds = 0
  /** The value of `appended` when the file was opened that makes the log complete. */
  private openedAt = 0
  private scheduled = false
  private syncing = false
  private unsynced = false
  private lastSyncSeconds = 0
  private postponedSeconds = 0
  private lastErrorLogSeconds = 0
  private generation = 0
  /** Moving average of an fsync's duration. */
  private syncUs = 0
  /** Bytes in the buffer at the last shouldDelayFsync(); 0: written since then. */
  private gathered = 0
  private gatheredAtUs = 0
  private gatheringSinceUs = 0

  get target(): number {
    return PROPAGATE_AOF
  }

  constructor(parts: PersistenceDependencies, guard: DiskGuard, slot: SnapshotSlot) {
    this.parts = parts
    this.guard = guard
    this.slot = slot
    parts.engine.output.beforeSend.push(() => {
      if (this.buffer.len !== 0) this.flush(false)
    })
    parts.engine.output.delaysSending = () => this.shouldDelayFsync()
  }

  /** Capacity of the buffer. */
  get bufferBytes(): number {
    return this.state === AOF_OFF ? 0 : this.buffer.u8.length
  }

  private nowSeconds(): number {
    return Math.floor(this.parts.engine.keyspace.nowMs / 1000)
  }

  // ---- changes ----

  changes(effects: readonly Effect[], asTransaction: boolean): void {
    const { buffer, parts } = this
    // The snapshot of the pending rewrite will contain this change.
    if (this.file === undefined || !(asTransaction || effects.some(isForFile))) return
    const before = buffer.len
    if (parts.config.aofTimestampEnabled) this.stamp()
    this.encoder.write(effects, asTransaction)
    this.appended += buffer.len - before
    const client = parts.engine.current
    if (client !== undefined) client.logOffset = this.appended
    if (this.scheduled) return
    this.scheduled = true
    parts.soon(this.flushTurn)
  }

  private readonly flushTurn = (): void => {
    this.scheduled = this.shouldDelayFsync()
    if (this.scheduled) this.parts.soon(this.flushTurn)
    else if (this.buffer.len !== 0) this.flush(false)
  }

  /**
   * Group commit with `always`: while commands arrive faster than an fsync takes, one fsync serves several. True while
   * the buffer still grows, for at most a part of an fsync's duration.
   */
  private shouldDelayFsync(): boolean {
    const { config, engine, clock } = this.parts
    const { len } = this.buffer
    if (config.appendfsync !== 'always' || len === 0 || engine.clients.size < 2) return false
    const now = clock.monotonicUs()
    if (this.gathered === 0) this.gatheringSinceUs = now
    if (this.gathered !== len) this.gatheredAtUs = now
    this.gathered = len
    const { syncUs } = this
    return now - this.gatheredAtUs < syncUs * GAP_PART && now - this.gatheringSinceUs < syncUs * GATHERING_PART
  }

  private stamp(): void {
    const seconds = this.nowSeconds()
    if (seconds <= this.timestampSeconds) return
    this.timestampSeconds = seconds
    this.buffer.plain(`#TS:${seconds}\r\n`)
  }

  // ---- files ----

  /** Makes `fd`, `size` bytes long, the current file; the previous one is not needed. */
  open(fd: number, name: string, size: number): void {
    this.closePreviousFile()
    this.file?.close()
    this.openedAt = this.appended
    this.use(new AppendedFile(this.parts.disk, fd), name, size)
  }

  /** The first base is durable: with it and the current file, which has this name now, the log is complete. */
  complete(name: string): void {
    this.name = name
    this.state = AOF_ON
    this.synced = Math.max(this.synced, this.openedAt)
  }

  private use(file: AppendedFile | undefined, name: string, size: number): void {
    this.file = file
    this.name = name
    this.size = size
    this.encoder.reset()
    this.unsynced = false
    this.syncing = false
    this.generation++
  }

  /**
   * Makes `fd` the current file, empty, and fsyncs the end of the previous one in the background; until that is done
   * changes stay in the buffer. False when the previous file cannot be written.
   */
  rotateTo(fd: number, name: string): boolean {
    if (this.previousFile !== undefined && !this.syncPreviousNow()) return false
    this.flush(true)
    const { file } = this
    if (file === undefined || this.buffer.len > 0) return false
    const isSafe = !this.unsynced && !this.syncing
    this.use(new AppendedFile(this.parts.disk, fd), name, 0)
    if (isSafe) file.close()
    else {
      this.previousFile = { file, appended: this.appended }
      this.syncPrevious()
    }
    return true
  }

  private syncPrevious(): void {
    const { previousFile: before } = this
    if (before === undefined) return
    this.syncing = true
    this.lastSyncSeconds = this.nowSeconds()
    before.file.syncLater(error => {
      if (this.previousFile !== before) return
      this.syncing = false
      if (error === null) this.closePreviousFile()
      this.syncFinished(error, before.appended)
      if (error === null) this.flush(false)
    })
  }

  /** Fsyncs the end of the previous file synchronously; false on failure. */
  private syncPreviousNow(): boolean {
    const { previousFile: before } = this
    if (before === undefined) return true
    const failure = before.file.sync()
    if (failure !== undefined) {
      if (this.parts.config.appendfsync === 'always') this.dieUnsynced(failure)
      this.syncFinished(failure, 0)
      return false
    }
    this.closePreviousFile()
    this.advanceSynced(before.appended)
    return true
  }

  private closePreviousFile(): void {
    if (this.previousFile === undefined) return
    this.previousFile.file.close()
    this.previousFile = undefined
    this.syncing = false
  }

  start(state: typeof AOF_ON | typeof AOF_WAIT_REWRITE): void {
    if (this.state === AOF_OFF) this.parts.engine.sinks.push(this)
    this.state = state
    this.lastSyncSeconds = this.nowSeconds()
    if (this.guard.syncError !== undefined)
      this.parts.log.warning('AOF reopen, just ignore the AOF fsync error in bio job')
    if (this.guard.writeError !== undefined) this.parts.log.warning('AOF reopen, just ignore the last error.')
    this.guard.syncEnded(undefined)
    this.guard.writeEnded(undefined)
  }

  /** Closes the current file, whose content is not needed, without a successor. */
  abandon(): void {
    this.buffer.drop(this.buffer.len)
    this.closePreviousFile()
    this.file?.close()
    this.use(undefined, '', 0)
  }

  /** Writes the buffer and fsyncs, synchronously. */
  fsyncNow(): void {
    this.flush(true)
    const failure = this.file?.sync()
    if (failure !== undefined) this.parts.log.warning(`Fail to fsync the AOF file: ${failure.message}`)
  }

  /** Closes the log after a final fsync. */
  close(): void {
    const { engine } = this.parts
    this.fsyncNow()
    this.abandon()
    this.state = AOF_OFF
    const at = engine.sinks.indexOf(this)
    if (at >= 0) engine.sinks.splice(at, 1)
  }

  // ---- writing ----

  /** Writes the buffer. `force`: even while an fsync is running. */
  flush(force: boolean): void {
    const { config } = this.parts
    if (this.file === undefined) return
    const everySecond = config.appendfsync === 'everysec'
    if (this.previousFile !== undefined && !this.previousIsSynced(force)) return
    if (this.buffer.len > 0) {
      if (everySecond && !force && this.syncing && this.mayPostpone()) return
      this.postponedSeconds = 0
      if (!this.write()) return
    } else if (!this.unsynced) return
    if (config.noAppendfsyncOnRewrite && this.slot.isTaken && !force) return
    if (config.appendfsync === 'always') this.syncNow()
    else if (everySecond && !this.syncing && this.unsynced && this.nowSeconds() > this.lastSyncSeconds) this.syncLater()
  }

  /** Whether the previous file is fsynced, with `force` after waiting for it. */
  private previousIsSynced(force: boolean): boolean {
    const isUrgent = force || this.parts.config.appendfsync === 'always'
    if (!isUrgent && (this.buffer.len === 0 || this.mayPostpone())) return false
    return this.syncPreviousNow()
  }

  /** A write would block behind the running fsync, so it is postponed, for a limited time. */
  private mayPostpone(): boolean {
    const now = this.nowSeconds()
    if (this.postponedSeconds === 0) this.postponedSeconds = now
    if (now - this.postponedSeconds < POSTPONE_SECONDS_MAX) return true
    this.delayedSyncs++
    this.parts.log.notice(
      'Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete, this may slow down Redis.',
    )
    return false
  }

  private write(): boolean {
    const { buffer, parts } = this
    const { clock } = parts
    const file = this.file!
    const bytes = buffer.len
    this.gathered = 0
    if (this.flushSleepUs > 0) parts.engine.host.sleepMs(this.flushSleepUs / 1000)
    const begin = clock.monotonicUs()
    const failure = attempt(() => file.write(buffer.u8, bytes))
    const took = clock.monotonicUs() - begin
    this.guard.logUs += took
    parts.spike(
      this.syncing ? 'aof-write-pending-fsync' : this.slot.isTaken ? 'aof-write-active-child' : 'aof-write-alone',
      took,
    )
    parts.spike('aof-write', took)
    if (failure !== undefined) return this.writeFailed(failure)
    if (this.guard.writeError !== undefined) {
      parts.log.notice('AOF write error looks solved, Redis can write again.')
      this.guard.writeEnded(undefined)
    }
    this.size += bytes
    this.totalSize += bytes
    this.unsynced = true
    buffer.drop(bytes)
    return true
  }

  private writeFailed(failure: DiskError): false {
    const { log, config } = this.parts
    const now = this.nowSeconds()
    const mayLog = now - this.lastErrorLogSeconds > ERROR_LOG_SECONDS
    if (mayLog) {
      this.lastErrorLogSeconds = now
      log.warning(`Error writing to the AOF file: ${failure.message}`)
    }
    // A short write: the file is truncated to `size`, and the whole buffer is written again.
    const cutting = this.file!.truncate(this.size)
    if (cutting !== undefined && mayLog)
      log.warning(
        `Could not remove short write from the append-only file.  Redis may refuse to load the AOF the next time it starts.  ftruncate: ${cutting.message}`,
      )
    if (config.appendfsync === 'always') {
      log.warning("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...")
      this.parts.die()
    }
    this.guard.writeEnded(failure)
    return false
  }

  private syncNow(): void {
    const { clock } = this.parts
    const begin = clock.monotonicUs()
    const failure = this.file!.sync()
    if (failure !== undefined) this.dieUnsynced(failure)
    const took = clock.monotonicUs() - begin
    this.guard.logUs += took
    this.syncUs += (took - this.syncUs) / 8
    this.parts.spike('aof-fsync-always', took)
    this.unsynced = false
    this.lastSyncSeconds = this.nowSeconds()
    this.synced = this.appended - this.buffer.len
    this.parts.engine.acknowledgements.processClientsWaitingReplicas()
  }

  private dieUnsynced(failure: DiskError): never {
    this.parts.log.warning(
      `Can't persist AOF for fsync error when the AOF fsync policy is 'always': ${failure.message}. Exiting...`,
    )
    return this.parts.die()
  }

  private syncLater(): void {
    const { generation } = this
    const upTo = this.appended - this.buffer.len
    this.syncing = true
    this.unsynced = false
    this.lastSyncSeconds = this.nowSeconds()
    this.file!.syncLater(error => {
      if (generation === this.generation) this.syncing = false
      this.syncFinished(error, upTo)
      if (generation === this.generation && this.postponedSeconds !== 0) this.flush(false)
    })
  }

  private syncFinished(error: DiskError | null, upTo: number): void {
    const { log } = this.parts
    if (error !== null) {
      if (this.guard.syncError === undefined) log.warning(`Fail to fsync the AOF file: ${error.message}`)
      this.guard.syncEnded(error)
      // The next cron retries, a second later.
      this.unsynced = true
      return
    }
    this.advanceSynced(upTo)
    this.reportSynced()
  }

  /** More of the log is durable: clients may wait for it. */
  reportSynced(): void {
    const { engine } = this.parts
    engine.tick()
    engine.acknowledgements.processClientsWaitingReplicas()
    engine.serveBlockedAndFlush()
  }

  private advanceSynced(upTo: number): void {
    if (upTo > this.synced) this.synced = upTo
    if (this.guard.syncError === undefined) return
    this.guard.syncEnded(undefined)
    this.needsRewrite = true
  }

  get syncInProgress(): boolean {
    return this.syncing
  }

  /** Every tick: postponed writes, and the fsync of each second. */
  cron(): void {
    if (this.state === AOF_OFF) return
    // A failed fsync is retried after a second.
    if (!this.syncing && this.nowSeconds() > this.lastSyncSeconds) this.syncPrevious()
    this.flush(false)
  }
}

function isForFile({ targets }: Effect): boolean {
  return (targets & PROPAGATE_AOF) !== 0
}
