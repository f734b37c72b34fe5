// Persistence: RDB and AOF of one server: the interface for commands and server assembly. Its parts:
//
//   startup.ts ─▶ dataset-loader.ts       startup
//   saver.ts, aof/                        while running; snapshot-slot.ts has the owner of the active snapshot
//   disk-guard.ts                         refuses writes after a failed save or AOF write
//   shutdown.ts                           shutdown
//
// Always: at most one snapshot is active: of a background save, an AOF rewrite, or a full synchronisation.

import { CMD_LOADING, CMD_NO_ASYNC_LOADING } from '../engine/catalog/command.ts'
import type { Gate } from '../engine/gates.ts'
import type { ShutdownFlag } from '../engine/ports/host.ts'
import type { ReloadOptions, Saving } from '../engine/ports/saving.ts'
import { LOADING } from '../protocol/errors.ts'
import { DiskError } from '../system/system.ts'
import { AofFiles } from './aof/files.ts'
import { AOF_OFF, AOF_ON, AOF_WAIT_REWRITE, AofLog } from './aof/log.ts'
import { AofRewriter } from './aof/rewriter.ts'
import { DatasetLoader } from './dataset-loader.ts'
import { DiskGuard } from './disk-guard.ts'
import { LoadProgress } from './loading.ts'
import type { PersistenceDependencies } from './parts.ts'
import { Saver } from './saver.ts'
import { Shutdown } from './shutdown.ts'
import { SnapshotSlot } from './snapshot-slot.ts'
import { Startup } from './startup.ts'

/** A replica loads beside its old dataset: some commands are refused. */
const asyncLoadingGate: Gate = (_client, _entry, _args, _argc, flags) =>
  (flags & CMD_NO_ASYNC_LOADING) !== 0 ? LOADING : undefined
const loadingGate: Gate = (_client, _entry, _args, _argc, flags) => ((flags & CMD_LOADING) === 0 ? LOADING : undefined)

export class Persistence implements Saving {
  readonly parts: PersistenceDependencies
  readonly progress: LoadProgress
  readonly slot = new SnapshotSlot()
  readonly guard: DiskGuard
  readonly saver: Saver
  readonly files: AofFiles
  readonly aof: AofLog
  readonly rewriter: AofRewriter
  readonly loader: DatasetLoader
  private readonly startup: Startup
  private readonly ending: Shutdown
  private starting = false

  constructor(parts: PersistenceDependencies) {
    const { engine, config, clock, disk, log } = parts
    this.parts = parts
    this.progress = new LoadProgress(clock, () => {
      this.updateLoading()
      engine.observers.happenings.tell({ name: 'load', state: this.isLoadingAny ? 'started' : 'ended' })
    })
    this.guard = new DiskGuard(engine.gates, config, log, () => this.aof.state !== AOF_OFF)
    this.saver = new Saver(parts, this.guard, this.slot)
    this.files = new AofFiles(disk, log, config)
    this.aof = new AofLog(parts, this.guard, this.slot)
    this.rewriter = new AofRewriter(parts, this.files, this.aof, this.slot)
    const { progress, files, aof, rewriter } = this
    this.loader = new DatasetLoader({ server: parts, progress, files, aof, rewriter })
    this.startup = new Startup(parts, files, aof, this.loader)
    this.ending = new Shutdown(parts, this.saver, aof, rewriter)
    engine.saving = this
  }

  /** The dataset is loading, or the AOF is not open yet. */
  get isLoading(): boolean {
    return this.progress.active || this.starting
  }

  get isLoadingAny(): boolean {
    return this.progress.active || this.progress.isAsync
  }

  /** Sets the loading gate while the dataset is loaded. */
  private updateLoading(): void {
    const asyncGate = this.progress.isAsync ? asyncLoadingGate : undefined
    this.parts.engine.gates.set('loading', this.isLoading ? loadingGate : asyncGate)
  }

  /** Loads the dataset while clients get LOADING, then opens the AOF. Throws LoadFailure. */
  async start(): Promise<void> {
    this.starting = true
    this.updateLoading()
    await this.startup.run()
    if (this.parts.config.appendonly) this.setLocalFsync(true)
    this.starting = false
    this.updateLoading()
  }

  /** WAITAOF's numlocal is 1 only with the AOF on. */
  private setLocalFsync(on: boolean): void {
    const { acknowledgements } = this.parts.engine
    const { aof } = this
    acknowledgements.isOnDisk = on ? client => aof.state === AOF_ON && aof.synced >= client.logOffset : undefined
    acknowledgements.logChanged?.(on)
    if (!on) acknowledgements.processClientsWaitingReplicas()
  }

  // ---- while it runs ----

  /** Every tick. */
  cron(): void {
    if (this.isLoading) return
    const { saver, rewriter, slot } = this
    this.aof.cron()
    if (this.aof.needsRewrite) {
      this.aof.needsRewrite = false
      rewriter.scheduled = true
    }
    if (rewriter.scheduled && !slot.isTaken) rewriter.start()
    if (!slot.isTaken) saver.cron()
    if (!slot.isTaken && rewriter.isDue()) rewriter.start()
  }

  /** CONFIG SET appendonly; returns an error message when the AOF cannot be turned on. */
  setAppendOnly(on: boolean, inTransaction: boolean): string | undefined {
    const { aof, rewriter, slot, parts } = this
    const { log } = parts
    if (on === (aof.state !== AOF_OFF)) return undefined
    if (!on) {
      aof.close()
      rewriter.scheduled = false
      rewriter.kill()
      this.setLocalFsync(false)
      return undefined
    }
    aof.start(AOF_WAIT_REWRITE)
    this.setLocalFsync(true)
    if (slot.isTaken && !rewriter.isActive) {
      rewriter.scheduled = true
      log.notice(
        'AOF was enabled but there is already another background operation. An AOF background was scheduled to start when possible.',
      )
      return undefined
    }
    if (inTransaction) {
      rewriter.scheduled = true
      log.notice('AOF was enabled during a transaction. An AOF background was scheduled to start when possible.')
      return undefined
    }
    if (rewriter.isActive) {
      log.notice(
        'AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting a rewrite now.',
      )
      rewriter.kill()
      rewriter.scheduled = true
      return undefined
    }
    if (rewriter.start()) return undefined
    aof.close()
    this.setLocalFsync(false)
    log.warning(
      "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs for more info about the error.",
    )
    return 'Unable to turn on AOF. Check server logs.'
  }

  // ---- a replica's full synchronisation ----

  /** Cancels background jobs, closes the AOF and keeps snapshots away; calls `ready` when no snapshot iterates. */
  beginDatasetLoad(ready: () => void): void {
    const { saver, rewriter, slot, aof, parts } = this
    if (aof.state !== AOF_OFF) this.setAppendOnly(false, false)
    saver.kill()
    rewriter.kill()
    const acquire = () => {
      if (slot.isFinishing || !slot.acquire('load')) parts.after(1, acquire)
      else ready()
    }
    acquire()
  }

  endDatasetLoad(): void {
    this.slot.release('load')
  }

  /** Opens the AOF, with a rewrite, if it is configured and closed; false: that failed. */
  reopenAof(): boolean {
    if (!this.parts.config.appendonly || this.aof.state !== AOF_OFF) return true
    return this.setAppendOnly(true, false) === undefined
  }

  /** FLUSHALL: saves the empty dataset if save points are set, and cancels a save and a snapshot for replicas. */
  afterFlushAll(): void {
    const { saver, slot } = this
    saver.kill()
    if (slot.isTakenBy('replicas')) slot.abort(FLUSHED)
    if (this.parts.config.save.length > 0) saver.saveNow()
  }

  // ---- commands ----

  get lastSaveSeconds(): number {
    return this.saver.lastSaveSeconds
  }

  save(): string | undefined {
    if (this.saver.job !== undefined) return 'ERR Background save already in progress'
    return this.saver.saveNow() ? undefined : 'ERR'
  }

  backgroundSave(schedule: boolean, inTransaction: boolean): { status: string } | { error: string } {
    const { saver, slot } = this
    if (saver.job !== undefined) return { error: 'ERR Background save already in progress' }
    if (slot.isTaken || inTransaction) {
      if (schedule || inTransaction) {
        saver.scheduled = true
        return { status: 'Background saving scheduled' }
      }
      return {
        error:
          "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.",
      }
    }
    return saver.startBackground() ? { status: 'Background saving started' } : { error: 'ERR' }
  }

  rewriteAof(inTransaction: boolean): { status: string } | { error: string } {
    const { rewriter } = this
    if (rewriter.isActive) return { error: 'ERR Background append only file rewriting already in progress' }
    if (this.slot.isTaken || inTransaction) {
      rewriter.scheduled = true
      rewriter.consecutiveFailures = 0
      return { status: 'Background append only file rewriting scheduled' }
    }
    if (rewriter.start()) return { status: 'Background append only file rewriting started' }
    return {
      error: "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
    }
  }

  get flushSleepUs(): number {
    return this.aof.flushSleepUs
  }

  set flushSleepUs(us: number) {
    this.aof.flushSleepUs = us
  }

  reload({ save, flush, merge, inTurns }: ReloadOptions): Promise<string | undefined> | string | undefined {
    if (save && !this.saver.saveNow()) return 'ERR'
    return this.loader.reload(flush, merge, inTurns)
  }

  loadAof(inTurns: boolean): Promise<string | undefined> | string | undefined {
    return this.loader.loadAof(inTurns)
  }

  /** Saves and fsyncs before the process ends; false, and logged, when it must not end. */
  shutdown(flags: readonly ShutdownFlag[]): Promise<boolean> {
    return this.ending.run(flags, this.isLoading)
  }

  /** Removes temporary files when the process ends. */
  removeTemporary(): void {
    this.ending.removeTemporary()
  }
}

const FLUSHED = new DiskError('EINTR', '', 'the dataset was flushed')
