// AofRewriter: gives the append-only log a new base, so that what came before may go.
//
//   start ─▶ a new incremental file is written to from now on ─▶ SnapshotJob ─▶ installed: base renamed, manifest ─▶
//   history deleted
//
// Always: the base holds exactly what was changed before the new incremental file began. Until the manifest names the
// new base, the old files are the log.

import { attempt, type DiskFailure } from '../machine.ts'
import { jobParts, type PersistenceParts, rdbOptions } from '../parts.ts'
import { SnapshotJob } from '../snapshot-job.ts'
import { SnapshotWriter } from '../snapshot-writer.ts'
import { AofBaseWriter } from './base-writer.ts'
import type { AofFiles } from './files.ts'
import { type AofLog, OFF, ON, WAITING } from './log.ts'

const FAILURES_TOLERATED = 3
const DELAY_MINUTES_MAX = 60

export class AofRewriter {
  job: SnapshotJob | undefined
  scheduled = false
  lastOk = true
  rewrites = 0
  consecutiveFailures = 0
  /** How long the last rewrite took; -1: there was none. */
  lastSeconds = -1
  /** Memory of what it had to take ahead. */
  lastEarlyBytes = 0
  /** Size of the whole log when it was last rewritten, or loaded. */
  baseSize = 0
  private readonly parts: PersistenceParts
  private readonly files: AofFiles
  private readonly log: AofLog
  private killed = false
  /** The job that walked last: given up, it may still be at it. */
  private walking: SnapshotJob | undefined
  private delayMinutes = 0
  private mayRetrySeconds = 0

  constructor(parts: PersistenceParts, files: AofFiles, log: AofLog) {
    this.parts = parts
    this.files = files
    this.log = log
  }

  private get temporaryBase(): string {
    return `temp-rewriteaof-bg-${this.parts.pid}.aof`
  }

  private get temporaryIncremental(): string {
    return `temp-${this.files.prefix}.incr`
  }

  /** Begins; false when that fails. No other job may have the keyspace. */
  start(): boolean {
    const { parts, files, log } = this
    if (files.makeFolder() !== undefined || (log.state !== OFF && !this.beginIncremental())) {
      this.lastOk = false
      return false
    }
    this.rewrites++
    this.killed = false
    this.scheduled = false
    const { keyspace } = parts.engine
    const isRdb = parts.config.aofUseRdbPreamble
    this.job = new SnapshotJob(
      jobParts(parts),
      {
        temporary: `temp-rewriteaof-${parts.pid}.aof`,
        path: this.temporaryBase,
        incrementalSync: parts.config.aofRewriteIncrementalFsync,
      },
      sink =>
        isRdb
          ? new SnapshotWriter(keyspace, sink, rdbOptions(parts, true))
          : new AofBaseWriter(keyspace, sink, {
              libraries: parts.libraries.all(),
              timestampSeconds: parts.config.aofTimestampEnabled ? Math.floor(keyspace.nowMs / 1000) : undefined,
            }),
      error => this.finished(error, isRdb),
    )
    this.walking = this.job
    parts.log.notice(`Background append only file rewriting started by pid ${parts.pid}`)
    return true
  }

  /** From now on changes go to a file of their own. */
  private beginIncremental(): boolean {
    const { files, log, parts } = this
    log.flush(true)
    if (log.state === WAITING) {
      log.buffer.drop(log.buffer.len)
      const fd = files.open(this.temporaryIncremental, false)
      if (fd < 0) return false
      log.open(fd, this.temporaryIncremental, 0)
      parts.log.notice(`Creating AOF incr file ${this.temporaryIncremental} on background rewrite`)
      return true
    }
    // A file that is not the last must be whole, also after a crash.
    if (!log.syncAll()) return false
    const next = files.manifest.withNewIncremental(files.prefix)
    const { name } = next.last!
    const fd = files.open(name, false)
    if (fd < 0) return false
    if (!files.persist(next)) {
      attempt(() => parts.disk.close(fd))
      return false
    }
    parts.log.notice(`Creating AOF incr file ${name} on background rewrite`)
    log.open(fd, name, 0)
    return true
  }

  private finished(error: DiskFailure | null, isRdb: boolean): void {
    const { parts, log } = this
    this.lastSeconds = this.job?.seconds ?? -1
    this.lastEarlyBytes = this.job?.earlyBytes ?? 0
    this.job = undefined
    if (error === null) {
      parts.childLog.notice(`Successfully created the temporary AOF base file ${this.temporaryBase}`)
      parts.log.notice('Background AOF rewrite terminated with success')
      this.succeeded(isRdb)
    } else if (this.killed) parts.log.warning('Background AOF rewrite terminated by signal 10')
    else {
      parts.childLog.warning(`Write error writing append only file on disk: ${error.message}`)
      parts.log.warning('Background AOF rewrite terminated with error')
      this.failed()
    }
    attempt(() => {
      if (parts.disk.stat(this.temporaryBase) !== null) parts.disk.unlink(this.temporaryBase)
    })
    if (log.state !== WAITING) return
    // Not on yet: the next rewrite begins with a temporary file of its own.
    log.abandon()
    parts.log.notice(`Removing the temp incr aof file ${this.temporaryIncremental} in the background`)
    parts.disk.unlinkLater(this.files.path(this.temporaryIncremental), () => {})
    this.scheduled = true
  }

  private failed(): void {
    this.lastOk = false
    this.consecutiveFailures++
  }

  private succeeded(isRdb: boolean): void {
    const { parts, files, log } = this
    const { disk } = parts
    let next = files.manifest.withNewBase(files.prefix, isRdb)
    const base = next.base!.name
    if (!this.renamed('base', this.temporaryBase, files.path(base), base)) return this.failed()
    if (log.state === WAITING) {
      next = next.withNewIncremental(files.prefix)
      const { name } = next.last!
      if (!this.renamed('incr', files.path(this.temporaryIncremental), files.path(name), name)) {
        disk.unlinkLater(files.path(base), () => {})
        return this.failed()
      }
    }
    const incremental = log.state === WAITING ? next.last!.name : undefined
    if (!files.persist(next.withRewritten(log.state === OFF ? 0 : 1))) {
      disk.unlinkLater(files.path(base), () => {})
      if (incremental !== undefined) disk.unlinkLater(files.path(incremental), () => {})
      return this.failed()
    }
    if (log.state !== OFF) {
      log.totalSize = files.sizeOf(files.manifest.base!) + log.size
      this.baseSize = log.totalSize
    }
    if (!parts.config.aofDisableAutoGc) files.deleteHistory()
    this.lastOk = true
    this.consecutiveFailures = 0
    parts.log.notice('Background AOF rewrite finished successfully')
    if (incremental === undefined) return
    log.name = incremental
    log.state = ON
  }

  private renamed(kind: 'base' | 'incr', from: string, to: string, name: string): boolean {
    const { disk, log } = this.parts
    const failure = attempt(() => disk.rename(from, to))
    const what = `the temporary AOF ${kind} file ${from.split('/').pop()} into ${name}`
    if (failure === undefined) log.notice(`Successfully renamed ${what}`)
    else log.warning(`Error trying to rename ${what}: ${failure.message}`)
    return failure === undefined
  }

  /** Lets another snapshot begin. */
  releaseKeyspace(): void {
    this.walking?.finishWalk()
    this.walking = undefined
  }

  kill(): void {
    if (this.job === undefined) return
    this.parts.log.notice(`Killing running AOF rewrite child: ${this.parts.pid}`)
    this.killed = true
    this.job.abort(KILLED)
  }

  /** True when the log has grown enough to be rewritten by itself. */
  isDue(): boolean {
    const { config, log } = this.parts
    const { totalSize, state } = this.log
    if (state !== ON || config.autoAofRewritePercentage === 0 || totalSize <= config.autoAofRewriteMinSize) return false
    const base = this.baseSize === 0 ? 1 : this.baseSize
    const growth = Math.floor((totalSize * 100) / base) - 100
    if (growth < config.autoAofRewritePercentage || this.isLimited()) return false
    log.notice(`Starting automatic rewriting of AOF on ${growth}% growth`)
    return true
  }

  /** After failures in a row it is tried less and less often. */
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

const KILLED: DiskFailure = Object.assign(new Error('the rewrite was given up'), { code: 'EINTR' })
