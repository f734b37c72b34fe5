// AofRewriter: BGREWRITEAOF: writes a new base, after which the older files are deleted.
//
//   IDLE ─[start]─▶ PREPARING: a manifest with a new, empty incremental file is written
//        ─[prepared: changes go to that file from now on]─▶ WRITING: SnapshotJob
//        ─[written]─▶ INSTALLING: base renamed, manifest, history deleted ─[end]─▶ IDLE
//
// With AOF_WAIT_REWRITE a temporary incremental file is used instead of PREPARING; with the AOF off, none.
//
// Always: the base contains exactly the changes made before the new incremental file began. Until the manifest names
// the new base, the old files are the log. While it is not IDLE nothing else changes the manifest.

import { DiskError } from '../../system/system.ts'
import { CheckpointSink, type Checkpoints } from '../checkpoint.ts'
import { FileSink } from '../file-sink.ts'
import { baseOptions, jobParts, type PersistenceDependencies } from '../parts.ts'
import { SnapshotJob } from '../snapshot-job.ts'
import type { SnapshotSlot } from '../snapshot-slot.ts'
import { SnapshotWriter } from '../snapshot-writer.ts'
import { AofBaseWriter } from './base-writer.ts'
import type { AofFiles, PersistOutcome } from './files.ts'
import { AOF_OFF, AOF_ON, AOF_WAIT_REWRITE, type AofLog } from './log.ts'
import type { BaseKind, Manifest } from './manifest.ts'

const FAILURES_TOLERATED = 3
const DELAY_MINUTES_MAX = 60
const DELTAS_MAX = 64
/** Of all deltas: so few are not worth another base. */
const DELTA_BYTES_MIN = 8192

type Stage = 'idle' | 'preparing' | 'writing' | 'installing'

export class AofRewriter {
  /** The snapshot that is being written. */
  job: SnapshotJob | undefined
  scheduled = false
  lastOk = true
  rewrites = 0
  consecutiveFailures = 0
  /** Duration of the last rewrite; -1: none yet. */
  lastSeconds = -1
  /** Memory of values it wrote early, before a change (aof_last_cow_size). */
  lastCopyOnWriteBytes = 0
  /** Size of the whole log after the last rewrite or load (aof_base_size). */
  baseSize = 0
  private readonly parts: PersistenceDependencies
  private readonly files: AofFiles
  private readonly log: AofLog
  private readonly slot: SnapshotSlot
  private stage: Stage = 'idle'
  /** What is known of the new base, for the value log; undefined: none was begun. */
  private outcome: PersistOutcome | undefined
  /** A delta over the base is written, not another one. */
  private isDelta = false
  private killed = false
  private delayMinutes = 0
  private mayRetrySeconds = 0

  constructor(parts: PersistenceDependencies, files: AofFiles, log: AofLog, slot: SnapshotSlot) {
    this.parts = parts
    this.files = files
    this.log = log
    this.slot = slot
  }

  private get temporaryBase(): string {
    return `temp-rewriteaof-bg-${this.parts.pid}.aof`
  }

  private get temporaryIncremental(): string {
    return `temp-${this.files.prefix}.incr`
  }

  get isActive(): boolean {
    return this.stage !== 'idle'
  }

  /** Starts a rewrite; false when that fails, or another snapshot is active. */
  start(): boolean {
    const { files, log } = this
    if (!this.slot.acquire('rewrite')) return false
    this.killed = false
    if (files.makeFolder() !== undefined) return this.cannotStart()
    if (log.state === AOF_ON) return this.prepare() || this.cannotStart()
    if (log.state === AOF_WAIT_REWRITE && !this.openTemporary()) return this.cannotStart()
    this.beginWriting()
    return true
  }

  private cannotStart(): false {
    this.slot.release('rewrite')
    this.lastOk = false
    return false
  }

  /** AOF_WAIT_REWRITE: changes go to a temporary file, renamed together with the base. */
  private openTemporary(): boolean {
    const { files, log, parts } = this
    log.buffer.drop(log.buffer.len)
    const fd = files.open(this.temporaryIncremental, false)
    if (fd < 0) return false
    log.open(fd, this.temporaryIncremental, 0)
    parts.log.notice(`Creating AOF incr file ${this.temporaryIncremental} on background rewrite`)
    return true
  }

  /** The next incremental file must be in the manifest on disk before anything is written to it. */
  private prepare(): boolean {
    const { files } = this
    const next = files.manifest.withNewIncremental(files.prefix)
    const { name } = next.last!
    const fd = files.open(name, false)
    if (fd < 0) return false
    this.stage = 'preparing'
    files.persist(next, outcome => this.prepared(outcome === 'durable', fd, name))
    return true
  }

  private prepared(isDurable: boolean, fd: number, name: string): void {
    const { parts, log } = this
    // The changes of a suspended script are not in the log yet.
    if (parts.engine.scripting.running !== undefined) return parts.after(1, () => this.prepared(isDurable, fd, name))
    parts.engine.tick()
    if (!isDurable || log.state !== AOF_ON || !log.rotateTo(fd, name)) {
      // The old file stays current; the new one, if the manifest names it, is empty.
      parts.disk.closeLater(fd, () => {})
      return this.gaveUp()
    }
    parts.log.notice(`Creating AOF incr file ${name} on background rewrite`)
    if (this.killed) this.gaveUp()
    else this.beginWriting()
  }

  private gaveUp(): void {
    if (this.killed) this.parts.log.warning('Background AOF rewrite terminated by signal 10')
    else this.failed()
    this.end()
  }

  private kindOfBase(): BaseKind {
    const { config, checkpoints } = this.parts
    if (!config.aofUseRdbPreamble) return 'aof'
    return checkpoints?.isOn === true ? 'checkpoint' : 'rdb'
  }

  /** Deltas are at most half of what there is to load. */
  private mayExtend(checkpoints: Checkpoints): boolean {
    const { files, log } = this
    const { base, deltas, isCheckpoint } = files.manifest
    if (log.state !== AOF_ON || base === undefined || !isCheckpoint || deltas.length >= DELTAS_MAX) return false
    const baseBytes = files.sizeOf(base)
    const deltaBytes = deltas.reduce((sum, delta) => sum + files.sizeOf(delta), 0)
    return deltaBytes <= Math.max(baseBytes / 2, DELTA_BYTES_MIN) && checkpoints.mayExtend(baseBytes)
  }

  private beginWriting(): void {
    const { parts } = this
    const { keyspace } = parts.engine
    const kind = this.kindOfBase()
    const checkpoints = kind === 'checkpoint' ? parts.checkpoints : undefined
    const file = new FileSink(parts.disk, {
      temporary: `temp-rewriteaof-${parts.pid}.aof`,
      path: this.temporaryBase,
      incrementalSync: parts.config.aofRewriteIncrementalFsync,
    })
    this.stage = 'writing'
    this.outcome = 'as before'
    this.isDelta = checkpoints !== undefined && this.mayExtend(checkpoints)
    parts.checkpoints?.begin(this.isDelta)
    this.rewrites++
    this.scheduled = false
    this.job = new SnapshotJob(
      jobParts(parts),
      checkpoints === undefined ? file : new CheckpointSink(file, checkpoints),
      sink =>
        kind !== 'aof'
          ? new SnapshotWriter(keyspace, sink, baseOptions(parts, checkpoints, this.isDelta))
          : new AofBaseWriter(keyspace, sink, {
              codecs: parts.codecs,
              libraries: parts.libraries.all(),
              timestampSeconds: parts.config.aofTimestampEnabled ? Math.floor(keyspace.nowMs / 1000) : undefined,
            }),
      error => this.written(error, kind),
    )
    this.slot.started(this.job)
    parts.log.notice(`Background append only file rewriting started by pid ${parts.pid}`)
    this.tell('started')
  }

  private written(error: DiskError | null, kind: BaseKind): void {
    const { parts } = this
    this.lastSeconds = this.job?.seconds ?? -1
    this.lastCopyOnWriteBytes = this.job?.copyOnWriteBytes ?? 0
    this.job = undefined
    this.stage = 'installing'
    if (error === null && !this.killed) {
      parts.childLog.notice(`Successfully created the temporary AOF base file ${this.temporaryBase}`)
      parts.log.notice('Background AOF rewrite terminated with success')
      return this.install(kind)
    }
    if (!this.killed) {
      parts.childLog.warning(`Write error writing append only file on disk: ${error?.message}`)
      parts.log.warning('Background AOF rewrite terminated with error')
    }
    this.discard(error === null ? [this.temporaryBase] : [])
  }

  /**
   * Deletes temporary files before the failure is reported: the next rewrite uses the same names.
   */
  private discard(paths: readonly string[]): void {
    if (paths.length === 0) return this.gaveUp()
    this.parts.disk.unlinkLater(paths[0], () => this.discard(paths.slice(1)))
  }

  private end(): void {
    const { parts, files, log } = this
    if (log.state !== AOF_WAIT_REWRITE) return this.idle()
    // AOF_WAIT_REWRITE: the next rewrite creates its own temporary file.
    log.abandon()
    parts.log.notice(`Removing the temp incr aof file ${this.temporaryIncremental} in the background`)
    parts.disk.unlinkLater(files.path(this.temporaryIncremental), () => {
      this.idle()
      if (log.state === AOF_WAIT_REWRITE) this.scheduled = true
    })
  }

  private idle(): void {
    this.stage = 'idle'
    if (this.outcome !== undefined) {
      this.parts.checkpoints?.end(this.outcome)
      this.tell(this.outcome === 'durable' ? 'ended' : 'failed')
    }
    this.outcome = undefined
    this.slot.release('rewrite')
    this.log.reportSynced()
  }

  private tell(state: 'started' | 'ended' | 'failed'): void {
    this.parts.engine.observers.happenings.tell({ name: 'save', kind: 'aof', state })
  }

  private failed(): void {
    this.lastOk = false
    this.consecutiveFailures++
  }

  /** Renames the base and, with AOF_WAIT_REWRITE, the incremental file. */
  private install(kind: BaseKind): void {
    const { files, log } = this
    const next = this.isDelta
      ? files.manifest.withNewDelta(files.prefix)
      : files.manifest.withNewBase(files.prefix, kind)
    const base = (this.isDelta ? next.deltas[next.deltas.length - 1] : next.base!).name
    this.rename('base', this.temporaryBase, base, isNamed => {
      if (!isNamed) return this.discard([this.temporaryBase])
      if (this.killed) return this.discard([files.path(base)])
      if (log.state !== AOF_WAIT_REWRITE) return this.persist(next.withRewritten(log.state === AOF_OFF ? 0 : 1), [base])
      const withChanges = next.withNewIncremental(files.prefix)
      const { name } = withChanges.last!
      this.rename('incr', files.path(this.temporaryIncremental), name, isNamed => {
        if (isNamed && !this.killed) this.persist(withChanges.withRewritten(1), [base, name])
        else this.discard((isNamed ? [base, name] : [base]).map(one => files.path(one)))
      })
    })
  }

  /** Makes `next` the manifest; `names` are its new files, deleted if that fails. */
  private persist(next: Manifest, names: readonly string[]): void {
    const { parts, files, log } = this
    files.persist(next, outcome => {
      this.outcome = outcome
      if (outcome !== 'durable') return this.discard(outcome === 'unsure' ? [] : names.map(one => files.path(one)))
      if (log.state === AOF_WAIT_REWRITE && names.length > 1 && !this.killed) log.complete(names[1])
      if (log.state === AOF_ON) {
        const { base, deltas } = files.manifest
        log.totalSize = [base!, ...deltas].reduce((sum, one) => sum + files.sizeOf(one), 0) + log.size
        this.baseSize = log.totalSize
      }
      this.lastOk = true
      this.consecutiveFailures = 0
      parts.log.notice('Background AOF rewrite finished successfully')
      if (parts.config.aofDisableAutoGc) this.end()
      else files.deleteHistory(() => this.end())
    })
  }

  /** Deletes history files of earlier rewrites, unless a rewrite is running, which does it at its end. */
  deleteHistory(): void {
    if (this.isActive) return
    // Takes no snapshot, so it needs no slot.
    this.stage = 'installing'
    this.files.deleteHistory(() => this.end())
  }

  /** Renames the file at `from` to `name` in the AOF directory. */
  private rename(kind: 'base' | 'incr', from: string, name: string, done: (isNamed: boolean) => void): void {
    const { disk, log } = this.parts
    disk.renameLater(from, this.files.path(name), failure => {
      const what = `the temporary AOF ${kind} file ${from.split('/').pop()} into ${name}`
      if (failure === null) log.notice(`Successfully renamed ${what}`)
      else log.warning(`Error trying to rename ${what}: ${failure.message}`)
      done(failure === null)
    })
  }

  kill(): void {
    if (!this.isActive) return
    this.parts.log.notice(`Killing running AOF rewrite child: ${this.parts.pid}`)
    this.killed = true
    this.job?.abort(KILLED)
  }

  /** auto-aof-rewrite-percentage and -min-size are exceeded. */
  isDue(): boolean {
    const { config, log } = this.parts
    const { totalSize, state } = this.log
    if (state === AOF_ON && this.parts.checkpoints?.isDue === true && !this.isLimited()) return true
    if (state !== AOF_ON || config.autoAofRewritePercentage === 0 || totalSize <= config.autoAofRewriteMinSize)
      return false
    const base = this.baseSize === 0 ? 1 : this.baseSize
    const growth = Math.floor((totalSize * 100) / base) - 100
    if (growth < config.autoAofRewritePercentage || this.isLimited()) return false
    log.notice(`Starting automatic rewriting of AOF on ${growth}% growth`)
    return true
  }

  /** After repeated failures the rewrite is retried at growing intervals. */
  private isLimited(): boolean {
    const now = Math.floor(this.parts.clock.nowMs() / 1000)
    if (this.consecutiveFailures < FAILURES_TOLERATED) {
      this.delayMinutes = this.mayRetrySeconds = 0
      return false
    }
    if (this.mayRetrySeconds !== 0) {
      if (now < this.mayRetrySeconds) return true
      this.mayRetrySeconds = 0
      return false
    }
    this.delayMinutes = Math.min(this.delayMinutes === 0 ? 1 : this.delayMinutes * 2, DELAY_MINUTES_MAX)
    this.mayRetrySeconds = now + this.delayMinutes * 60
    this.parts.log.warning(
      `Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ${this.delayMinutes} minutes`,
    )
    return true
  }
}

const KILLED = new DiskError('EINTR', '', 'the rewrite was given up')
