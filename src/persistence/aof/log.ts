// AofLog: the append-only log while the server runs: takes every change, writes it to the last incremental file before
// the reply that acknowledges it goes out, and brings it to the disk as appendfsync promises.
//
//   changes ─▶ buffer ─[flush: at the end of an event loop turn, before replies]─▶ file ─[fdatasync]─▶ disk
//
//   OFF ─▶ ON                    at the start, with what was loaded                       [open]
//   OFF ─▶ WAITING ─▶ ON         CONFIG SET appendonly yes: a rewrite makes the base      [open, rewritten]
//   any ─▶ OFF                                                                            [close]
//
// Always: `size` is the length of the file up to which it is whole; what is in the buffer comes behind it. Nothing is
// written to a file before all of the file before it is on the disk: a log that a crash cuts has no hole. With `always`
// nothing is acknowledged that is not on the disk: a failure ends the process.

import type { Effect } from '../../engine/context.ts'
import { EffectEncoder } from '../../engine/effect-encoder.ts'
import type { Sink } from '../../engine/engine.ts'
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
/** Parts of the time an fsync takes: the longest that gathering may take, and how long nothing more may come. */
const GATHERING_PART = 1 / 2
const GAP_PART = 1 / 8

export class AofLog implements Sink {
  state = AOF_OFF
  /** Name of the file that is written to. */
  name = ''
  /** Bytes of that file that are whole. */
  size = 0
  /** Bytes of all files of the log, the history aside. */
  totalSize = 0
  /** How often a write went ahead although an fsync was running. */
  delayedSyncs = 0
  /** Bytes appended since the process started, buffer included, and how many of them are on the disk. */
  appended = 0
  synced = 0
  /**
   * Fsync works again after it had failed: what it had covered may be lost on the disk, and the log needs a new base.
   */
  needsRewrite = false
  /** DEBUG AOF-FLUSH-SLEEP. */
  flushSleepUs = 0
  readonly buffer = new CommandWriter()
  private readonly parts: PersistenceDependencies
  private readonly guard: DiskGuard
  private readonly slot: SnapshotSlot
  private file: AppendedFile | undefined
  /** The file before, while its end is on the way to the disk, and what `appended` was when it ended. */
  private previousFile: { file: AppendedFile; appended: number } | undefined
  private readonly encoder = new EffectEncoder(this.buffer)
  private timestampSeconds = 0
  private scheduled = false
  private syncing = false
  private unsynced = false
  private lastSyncSeconds = 0
  private postponedSeconds = 0
  private lastErrorLogSeconds = 0
  private generation = 0
  /** How long an fsync takes, over the last ones. */
  private syncUs = 0
  /** Bytes in the buffer when gathers() was asked last; 0: it was written since. */
  private gathered = 0
  private gatheredAtUs = 0
  private gatheringSinceUs = 0

  constructor(parts: PersistenceDependencies, guard: DiskGuard, slot: SnapshotSlot) {
    this.parts = parts
    this.guard = guard
    this.slot = slot
    parts.engine.output.beforeSend.push(() => {
      if (this.buffer.len !== 0) this.flush(false)
    })
    parts.engine.output.delaysSending = () => this.shouldDelayFsync()
  }

  /** What the buffer takes, whatever is in it. */
  get bufferBytes(): number {
    return this.state === AOF_OFF ? 0 : this.buffer.u8.length
  }

  private nowSeconds(): number {
    return Math.floor(this.parts.engine.keyspace.nowMs / 1000)
  }

  // ---- changes ----

  changes(effects: readonly Effect[], asTransaction: boolean): void {
    const { buffer, parts } = this
    // Waiting for a rewrite to begin, whose snapshot will have this.
    if (this.file === undefined) return
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
   * With `always`: commands come in faster than fsync ends, and one fsync serves all that are there. True while more
   * keep coming, for a part of the time that an fsync takes.
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

  /** Writes to a file from now on, which is `size` bytes long; the one before is not needed. */
  open(fd: number, name: string, size: number): void {
    this.closePreviousFile()
    this.file?.close()
    this.use(new AppendedFile(this.parts.disk, fd), name, size)
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
   * Goes on in an empty file behind the present one, of which the end is brought to the disk in the background; until
   * that is done changes wait. False when the present one cannot be written to.
   */
  rotateTo(fd: number, name: string): boolean {
    if (this.previousFile !== undefined && !this.finishBefore()) return false
    this.flush(true)
    const { file } = this
    if (file === undefined || this.buffer.len > 0) return false
    const isSafe = !this.unsynced && !this.syncing
    this.use(new AppendedFile(this.parts.disk, fd), name, 0)
    if (isSafe) file.close()
    else {
      this.previousFile = { file, appended: this.appended }
      this.syncBefore()
    }
    return true
  }

  private syncBefore(): void {
    const { previousFile: before } = this
    if (before === undefined) return
    this.syncing = true
    this.lastSyncSeconds = this.nowSeconds()
    before.file.syncLater(error => {
      if (this.previousFile !== before) return
      this.syncing = false
      if (error === null) this.closePreviousFile()
      this.noteSync(error, before.appended)
      if (error === null) this.flush(false)
    })
  }

  /** Brings the end of the file before to the disk now; false when that fails. */
  private finishBefore(): boolean {
    const { previousFile: before } = this
    if (before === undefined) return true
    const failure = before.file.sync()
    if (failure !== undefined) {
      if (this.parts.config.appendfsync === 'always') this.dieUnsynced(failure)
      this.noteSync(failure, 0)
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

  /** Stops writing to the file without another: what it holds is not needed. */
  abandon(): void {
    this.buffer.drop(this.buffer.len)
    this.closePreviousFile()
    this.file?.close()
    this.use(undefined, '', 0)
  }

  /** Brings everything to the disk, and waits for it. */
  fsyncNow(): void {
    this.flush(true)
    const failure = this.file?.sync()
    if (failure !== undefined) this.parts.log.warning(`Fail to fsync the AOF file: ${failure.message}`)
  }

  /** Ends the log: everything is brought to the disk first. */
  close(): void {
    const { engine } = this.parts
    this.fsyncNow()
    this.abandon()
    this.state = AOF_OFF
    const at = engine.sinks.indexOf(this)
    if (at >= 0) engine.sinks.splice(at, 1)
  }

  // ---- writing ----

  /** Writes what is gathered. `force`: even while an fsync is running. */
  flush(force: boolean): void {
    const { config } = this.parts
    if (this.file === undefined) return
    const everySecond = config.appendfsync === 'everysec'
    if (this.previousFile !== undefined && !this.mayWriteBehind(force)) return
    if (this.buffer.len > 0) {
      if (everySecond && !force && this.syncing && this.mayPostpone()) return
      this.postponedSeconds = 0
      if (!this.write()) return
    } else if (!this.unsynced) return
    if (config.noAppendfsyncOnRewrite && this.slot.isTaken && !force) return
    if (config.appendfsync === 'always') this.syncNow()
    else if (everySecond && !this.syncing && this.unsynced && this.nowSeconds() > this.lastSyncSeconds) this.syncLater()
  }

  /** Whether the file before is on the disk, now or after waiting for it. */
  private mayWriteBehind(force: boolean): boolean {
    const isUrgent = force || this.parts.config.appendfsync === 'always'
    if (!isUrgent && (this.buffer.len === 0 || this.mayPostpone())) return false
    return this.finishBefore()
  }

  /** A write would have to wait for the fsync that is running, so it waits here; but not for ever. */
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
    // Part of the buffer may have come into the file; it will be written again, whole.
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
      this.noteSync(error, upTo)
      if (generation === this.generation && this.postponedSeconds !== 0) this.flush(false)
    })
  }

  private noteSync(error: DiskError | null, upTo: number): void {
    const { engine, log } = this.parts
    if (error !== null) {
      if (this.guard.syncError === undefined) log.warning(`Fail to fsync the AOF file: ${error.message}`)
      this.guard.syncEnded(error)
      // Tried again in the next second.
      this.unsynced = true
      return
    }
    this.advanceSynced(upTo)
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

  /** Now and then: what waits is written, what is written is brought to the disk. */
  cron(): void {
    if (this.state === AOF_OFF) return
    // After a failure it is tried again in the next second.
    if (!this.syncing && this.nowSeconds() > this.lastSyncSeconds) this.syncBefore()
    this.flush(false)
  }
}
