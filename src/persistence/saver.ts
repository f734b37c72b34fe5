// Saver: SAVE, BGSAVE and save points, and the figures about them.
//
//   SAVE, SHUTDOWN ─▶ saveNow            BGSAVE, save points, a schedule ─▶ startBackground ─▶ SnapshotJob ─▶ finished
//
// Always: keyspace.dirty counts the changes since the last successful save.

import { attempt, DiskError } from '../system/system.ts'
import type { DiskGuard } from './disk-guard.ts'
import { FileSink } from './file-sink.ts'
import { jobParts, type PersistenceDependencies, rdbOptions } from './parts.ts'
import { type SaveFailure, saveRdb } from './rdb-file.ts'
import { SnapshotJob } from './snapshot-job.ts'
import type { SnapshotSlot } from './snapshot-slot.ts'
import { SnapshotWriter } from './snapshot-writer.ts'

const RETRY_SECONDS = 5

export class Saver {
  /** Unix time. */
  lastSaveSeconds: number
  saves = 0
  scheduled = false
  /** Duration of the last background save; -1: none yet. */
  lastSeconds = -1
  /** Memory of values it wrote early, before a change (rdb_last_cow_size). */
  lastCopyOnWriteBytes = 0
  /** The background save that is running. */
  job: SnapshotJob | undefined
  private readonly parts: PersistenceDependencies
  private readonly guard: DiskGuard
  private readonly slot: SnapshotSlot
  private lastTrySeconds = 0
  private dirtyBefore = 0
  private killed = false

  constructor(parts: PersistenceDependencies, guard: DiskGuard, slot: SnapshotSlot) {
    this.parts = parts
    this.guard = guard
    this.slot = slot
    this.lastSaveSeconds = this.nowSeconds()
  }

  private nowSeconds(): number {
    return Math.floor(this.parts.clock.nowMs() / 1000)
  }

  private get temporary(): string {
    return `temp-${this.parts.pid}.rdb`
  }

  /** Saves synchronously; false on failure. */
  saveNow(): boolean {
    const { engine, config, disk } = this.parts
    this.saves++
    this.tell('started')
    const failure = saveRdb(engine.keyspace, disk, this.temporary, config.dbfilename, rdbOptions(this.parts, false))
    if (failure !== undefined) {
      this.logFailure(failure)
      this.tell('failed')
      return false
    }
    this.recordSave()
    this.tell('ended')
    return true
  }

  private tell(state: 'started' | 'ended' | 'failed'): void {
    this.parts.engine.observers.happenings.tell({ name: 'save', kind: 'rdb', state })
  }

  /** Saves in slices at shutdown, while writes are paused. False on failure. */
  saveAtEnd(): Promise<boolean> {
    const { log } = this.parts
    // A snapshot for replicas is active.
    if (this.slot.isTakenBy('replicas')) return Promise.resolve(this.saveNow())
    this.slot.seize('shutdown')
    this.saves++
    return new Promise(resolve => {
      this.startJob(this.temporary, error => {
        this.slot.release('shutdown')
        if (error === null) this.recordSave()
        else log.warning(`Write error while saving DB to the disk(rdbSaveRio): ${error.message}`)
        resolve(error === null)
      })
    })
  }

  private startJob(temporary: string, done: (error: DiskError | null) => void): SnapshotJob {
    const { keyspace } = this.parts.engine
    const job = new SnapshotJob(
      jobParts(this.parts),
      this.sinkOf(temporary),
      sink => new SnapshotWriter(keyspace, sink, rdbOptions(this.parts, false)),
      done,
    )
    this.slot.started(job)
    return job
  }

  private sinkOf(temporary: string): FileSink {
    const { disk, config } = this.parts
    return new FileSink(disk, {
      temporary,
      path: config.dbfilename,
      incrementalSync: config.rdbSaveIncrementalFsync,
    })
  }

  private recordSave(): void {
    this.parts.log.notice('DB saved on disk')
    this.parts.engine.keyspace.dirty = 0
    this.lastSaveSeconds = this.nowSeconds()
    this.guard.saveEnded(true)
  }

  private logFailure({ step, error }: SaveFailure): void {
    const { config, log } = this.parts
    const folder = `(in server root dir ${this.parts.cwd()})`
    if (step === 'open')
      log.warning(`Failed opening the temp RDB file ${this.temporary} ${folder} for saving: ${error.message}`)
    else if (step === 'write') log.warning(`Write error while saving DB to the disk(rdbSaveRio): ${error.message}`)
    else if (step === 'rename')
      log.warning(
        `Error moving temp DB file ${this.temporary} on the final destination ${config.dbfilename} ${folder}: ${error.message}`,
      )
    else log.warning(`Failed to fsync directory while saving DB: ${error.message}`)
  }

  /** Starts a background save; false when it cannot start. */
  startBackground(): boolean {
    const { engine, log } = this.parts
    if (!this.slot.acquire('save')) return false
    this.saves++
    this.dirtyBefore = engine.keyspace.dirty
    this.lastTrySeconds = this.nowSeconds()
    this.killed = false
    log.notice(`Background saving started by pid ${this.parts.pid}`)
    this.tell('started')
    this.job = this.startJob(`temp-bg-${this.parts.pid}.rdb`, error => this.finished(error))
    return true
  }

  private finished(error: DiskError | null): void {
    const { engine, log, childLog } = this.parts
    this.lastSeconds = this.job?.seconds ?? -1
    this.lastCopyOnWriteBytes = this.job?.copyOnWriteBytes ?? 0
    this.job = undefined
    this.slot.release('save')
    this.tell(this.killed || error !== null ? 'failed' : 'ended')
    if (this.killed) {
      log.warning('Background saving terminated by signal 10')
      return
    }
    if (error !== null) {
      childLog.warning(`Write error while saving DB to the disk(rdbSaveRio): ${error.message}`)
      log.warning('Background saving error')
      this.guard.saveEnded(false)
      return
    }
    childLog.notice('DB saved on disk')
    log.notice('Background saving terminated with success')
    engine.keyspace.dirty -= this.dirtyBefore
    this.lastSaveSeconds = this.nowSeconds()
    this.guard.saveEnded(true)
  }

  /** Cancels the background save, whose file would be obsolete. */
  kill(): void {
    if (this.job === undefined) return
    this.killed = true
    this.job.abort(KILLED)
  }

  /** Every tick: starts a scheduled or due save. */
  cron(): void {
    if (this.slot.isTaken) return
    const { config, engine, log } = this.parts
    const now = this.nowSeconds()
    const mayTry = now - this.lastTrySeconds > RETRY_SECONDS || this.guard.lastSaveOk
    if (this.scheduled && mayTry) {
      if (this.startBackground()) this.scheduled = false
      return
    }
    for (const { seconds, changes } of config.save) {
      if (engine.keyspace.dirty < changes || now - this.lastSaveSeconds <= seconds || !mayTry) continue
      log.notice(`${changes} changes in ${seconds} seconds. Saving...`)
      this.startBackground()
      return
    }
  }

  /** Removes the temporary file of a crashed process with the same process id. */
  removeTemporary(): void {
    const { disk } = this.parts
    for (const path of [this.temporary, `temp-bg-${this.parts.pid}.rdb`])
      if (disk.stat(path) !== null) attempt(() => disk.unlink(path))
  }
}

const KILLED = new DiskError('EINTR', '', 'the save was given up')
