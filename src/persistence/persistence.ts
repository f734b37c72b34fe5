// Persistence: everything of one server that is on disk: loads it at the start, saves it when asked or due, keeps the
// append-only log, and saves what must be saved at the end.
//
//   start ─▶ [load: clients get LOADING] ─▶ serving: cron, commands ─▶ shutdown
//
// Always: at most one snapshot is under way: a background save or a rewrite of the log.

import { CMD_LOADING } from '../engine/command.ts'
import type { Gate } from '../engine/gates.ts'
import type { ShutdownFlag } from '../engine/host.ts'
import type { Saving } from '../engine/saving.ts'
import { LOADING } from '../protocol/errors.ts'
import { AofFiles, AofFilesFailure } from './aof/files.ts'
import { AofLoader } from './aof/loader.ts'
import { AofLog, OFF, ON, WAITING } from './aof/log.ts'
import { AofRewriter } from './aof/rewriter.ts'
import { DiskGuard } from './disk-guard.ts'
import { folderOf } from './file-sink.ts'
import { LoadFailure, LoadProgress, type LoadSteps, runInTurns, runThrough } from './loading.ts'
import { attempt } from './machine.ts'
import { type PersistenceParts, rdbOptions } from './parts.ts'
import { saveRdb } from './rdb-file.ts'
import { RdbLoader } from './rdb-loader.ts'
import { Saver } from './saver.ts'
import type { SnapshotJob } from './snapshot-job.ts'

const loadingGate: Gate = (_client, _entry, _args, _argc, flags) => ((flags & CMD_LOADING) === 0 ? LOADING : undefined)

export class Persistence implements Saving {
  readonly progress: LoadProgress
  readonly guard: DiskGuard
  readonly saver: Saver
  readonly aof: AofLog
  readonly rewriter: AofRewriter
  readonly files: AofFiles
  /** Of the last RDB that was loaded. */
  lastLoad = { keysLoaded: 0, keysExpired: 0 }
  readonly parts: PersistenceParts
  /** A save for replicas: nothing else may walk the keyspace meanwhile. */
  replicaJob: SnapshotJob | undefined
  private readonly rdb: RdbLoader
  private starting = false

  constructor(parts: PersistenceParts) {
    this.parts = parts
    this.progress = new LoadProgress(parts.clock, () => this.updateLoading())
    this.guard = new DiskGuard(parts.engine.gates, parts.config, () => this.aof.state !== OFF)
    this.saver = new Saver(parts, this.guard)
    this.rdb = new RdbLoader(parts, this.progress)
    this.files = new AofFiles(parts.disk, parts.log, parts.config)
    this.aof = new AofLog(parts, this.guard)
    this.rewriter = new AofRewriter(parts, this.files, this.aof)
    this.saver.isBusy = () => this.rewriter.isActive || this.replicaJob !== undefined
    this.aof.isDiskBusy = () => this.isSnapshotting
    this.aof.onSyncRecovered = () => {
      this.rewriter.scheduled = true
    }
    const { engine } = parts
    engine.saving = this
  }

  /** The dataset is not there yet, or the log not open that keeps its changes. */
  private get isLoading(): boolean {
    return this.progress.active || this.starting
  }

  private get isSnapshotting(): boolean {
    if (this.saver.ending) return true
    return this.saver.job !== undefined || this.rewriter.isActive || this.replicaJob !== undefined
  }

  /** The gate of commands is set while the dataset is loaded. */
  private updateLoading(): void {
    this.parts.engine.gates.set('loading', this.isLoading ? loadingGate : undefined)
  }

  // ---- the start ----

  /** Loads what is on disk, while clients are told to wait, and opens the log. Throws LoadFailure. */
  async start(): Promise<void> {
    const { appendonly } = this.parts.config
    this.starting = true
    this.updateLoading()
    if (appendonly) await this.readManifest()
    await this.loading(steps => this.inTurns(steps))
    await (appendonly ? this.secureLog() : this.secureRdb())
    if (appendonly) await this.openLog()
    this.starting = false
    this.updateLoading()
  }

  /**
   * What was loaded may be what a killed process has written but not brought to the disk: clients see it from now on, so
   * that is made up for. Throws LoadFailure.
   */
  private async secureLog(): Promise<void> {
    const failure = await this.files.secured()
    if (failure !== null) throw new LoadFailure(`Can't bring what was loaded to the disk: ${failure.message}`)
  }

  /** The same of a snapshot, whose bytes are there since it has its name. */
  private secureRdb(): Promise<void> {
    const { disk, config, log } = this.parts
    return new Promise(resolve => {
      if (disk.stat(config.dbfilename) === null) return resolve()
      disk.fsyncDirLater(folderOf(disk.resolve(config.dbfilename)), failure => {
        if (failure !== null) log.warning(`Can't bring what was loaded to the disk: ${failure.message}`)
        resolve()
      })
    })
  }

  private async loading(run: (steps: LoadSteps<void>) => Promise<void>): Promise<void> {
    const { keyspace } = this.parts.engine
    keyspace.expiryPaused = true
    try {
      await run(this.loadSteps())
    } finally {
      keyspace.expiryPaused = false
    }
    keyspace.dirty = 0
  }

  private *loadSteps(): LoadSteps<void> {
    const { config, log, clock } = this.parts
    const begin = clock.monotonicUs()
    const seconds = () => ((clock.monotonicUs() - begin) / 1e6).toFixed(3)
    try {
      if (config.appendonly) {
        if (yield* this.loadLog()) log.notice(`DB loaded from append only file: ${seconds()} seconds`)
      } else if (yield* this.rdb.loadFile(config.dbfilename, { dropExpired: true, replace: false }))
        log.notice(`DB loaded from disk: ${seconds()} seconds`)
    } catch (error) {
      if (!(error instanceof LoadFailure) || config.appendonly) throw error
      throw new LoadFailure('Fatal error loading the DB, check server logs. Exiting.', ...error.lines)
    }
    this.noteLoad()
  }

  private noteLoad(): void {
    const { keysLoaded, keysExpired } = this.progress
    this.lastLoad = { keysLoaded, keysExpired }
  }

  /** Which files the log has; one from before there were manifests is taken over. Throws LoadFailure. */
  private async readManifest(): Promise<void> {
    const { files, parts } = this
    try {
      files.read()
      const { prefix, manifest } = files
      if (!parts.disk.stat(prefix)?.isFile) return
      const onlyOld = manifest.base?.name === prefix && manifest.incremental.length === 0 && !files.exists(prefix)
      if (parts.disk.stat(files.folder) === null || manifest.isEmpty || onlyOld) await files.adoptSingleFile()
    } catch (error) {
      throw error instanceof AofFilesFailure ? new LoadFailure(...error.lines) : error
    }
  }

  private *loadLog(): LoadSteps<boolean> {
    const { files, parts } = this
    if (files.manifest.isEmpty) return false
    const loader = new AofLoader(parts, files, this.progress, this.rdb)
    const size = yield* loader.load(true)
    this.aof.totalSize = size
    const { base } = files.manifest
    this.rewriter.baseSize = base === undefined ? 0 : files.sizeOf(base)
    return size > 0
  }

  /** Opens the log for writing behind what was loaded. Throws LoadFailure. */
  private async openLog(): Promise<void> {
    const { files, parts, aof } = this
    const { log, config, disk, engine } = parts
    if (files.makeFolder() !== undefined) throw new LoadFailure(`Can't use the append-only dir ${files.folder}`)
    const hadIncremental = files.manifest.incremental.length > 0
    let next = files.manifest
    if (next.isEmpty) {
      next = next.withNewBase(files.prefix, config.aofUseRdbPreamble)
      const { name } = next.base!
      const temporary = `temp-rewriteaof-${parts.pid}.aof`
      const failure = config.aofUseRdbPreamble
        ? saveRdb(engine.keyspace, disk, temporary, files.path(name), rdbOptions(parts, true))?.error
        : attempt(() => disk.writeFile(files.path(name), new Uint8Array(0)))
      if (failure !== undefined) throw new LoadFailure(`Can't create the AOF base file ${name}: ${failure.message}`)
      log.notice(`Creating AOF base file ${name} on server start`)
    }
    if (!hadIncremental) next = next.withNewIncremental(files.prefix)
    const file = next.last!
    const fd = files.open(file.name, hadIncremental)
    if (fd < 0) throw new LoadFailure(`Can't open the append-only file ${file.name}`)
    if (next !== files.manifest && (await files.persisted(next)) !== 'durable')
      throw new LoadFailure(`Can't write the AOF manifest ${files.manifestName}`)
    aof.open(fd, file.name, files.sizeOf(file))
    aof.totalSize = files.manifest.files.reduce((sum, one) => sum + files.sizeOf(one), 0)
    aof.start(ON)
    this.showOnDisk(true)
    log.notice(`${hadIncremental ? 'Opening' : 'Creating'} AOF incr file ${file.name} on server start`)
  }

  private showOnDisk(on: boolean): void {
    const { acknowledgements } = this.parts.engine
    const { aof } = this
    acknowledgements.isOnDisk = on ? client => aof.state === ON && aof.synced >= client.logOffset : undefined
    if (!on) acknowledgements.progressed()
  }

  // ---- while it runs ----

  /** Now and then. */
  cron(): void {
    if (this.isLoading) return
    const { saver, rewriter } = this
    this.aof.cron()
    if (this.isSnapshotting) return
    if (rewriter.scheduled && !saver.scheduled) this.startRewrite()
    else if (rewriter.scheduled) this.startRewrite()
    if (this.isSnapshotting) return
    saver.cron()
    if (this.isSnapshotting) return
    if (rewriter.isDue()) this.startRewrite()
  }

  /** True: the keyspace may be walked for replicas, at once. */
  mayStartReplicaJob(): boolean {
    if (this.isLoading || this.isSnapshotting) return false
    this.saver.releaseKeyspace()
    this.rewriter.releaseKeyspace()
    return true
  }

  private startRewrite(): boolean {
    this.saver.releaseKeyspace()
    this.rewriter.releaseKeyspace()
    return this.rewriter.start()
  }

  /** CONFIG SET appendonly: an error message when the log cannot be turned on. */
  setAppendOnly(on: boolean, inTransaction: boolean): string | undefined {
    const { aof, rewriter, saver, parts } = this
    const { log } = parts
    if (on === (aof.state !== OFF)) return undefined
    if (!on) {
      aof.close()
      rewriter.scheduled = false
      rewriter.kill()
      this.showOnDisk(false)
      return undefined
    }
    aof.start(WAITING)
    this.showOnDisk(true)
    if (saver.job !== undefined || this.replicaJob !== undefined) {
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
    if (this.startRewrite()) return undefined
    aof.close()
    this.showOnDisk(false)
    log.warning(
      "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs for more info about the error.",
    )
    return 'Unable to turn on AOF. Check server logs.'
  }

  /** FLUSHALL: the file on disk becomes empty, too, and a save of what was there before is of no use. */
  afterFlushAll(): void {
    const { saver } = this
    saver.kill()
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
    const { saver, rewriter } = this
    if (saver.job !== undefined) return { error: 'ERR Background save already in progress' }
    if (rewriter.isActive || this.replicaJob !== undefined || inTransaction) {
      if (schedule || inTransaction) {
        saver.scheduled = true
        return { status: 'Background saving scheduled' }
      }
      return {
        error:
          "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.",
      }
    }
    rewriter.releaseKeyspace()
    return saver.startBackground() ? { status: 'Background saving started' } : { error: 'ERR' }
  }

  rewriteAof(inTransaction: boolean): { status: string } | { error: string } {
    const { rewriter } = this
    if (rewriter.isActive) return { error: 'ERR Background append only file rewriting already in progress' }
    if (this.isSnapshotting || inTransaction) {
      rewriter.scheduled = true
      rewriter.consecutiveFailures = 0
      return { status: 'Background append only file rewriting scheduled' }
    }
    if (this.startRewrite()) return { status: 'Background append only file rewriting started' }
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

  reload({ save, flush, merge }: { save: boolean; flush: boolean; merge: boolean }): string | undefined {
    const { parts } = this
    if (save && !this.saver.saveNow()) return 'ERR'
    if (flush) this.empty()
    const { config } = parts
    const failed = runThrough(this.tried(this.rdb.loadFile(config.dbfilename, { dropExpired: true, replace: merge })))
    if (failed !== undefined) return 'ERR Error trying to load the RDB dump, check server logs'
    this.noteLoad()
    parts.log.warning('DB reloaded by DEBUG RELOAD')
    return undefined
  }

  loadAof(inTurns: boolean): Promise<string | undefined> | string | undefined {
    const steps = this.reloadLog(inTurns)
    if (!inTurns) return runThrough(steps)
    const first = steps.next()
    return first.done === true ? first.value : this.inTurns(steps)
  }

  private inTurns<Result>(steps: LoadSteps<Result>): Promise<Result> {
    const { parts } = this
    return runInTurns(steps, (ms, fn) => (ms > 0 ? parts.after(ms, fn) : parts.soon(fn)))
  }

  private *reloadLog(inTurns: boolean): LoadSteps<string | undefined> {
    const { parts, aof, files } = this
    if (aof.state === ON) aof.flush(true)
    this.empty()
    const { state } = aof
    aof.state = OFF
    const sinks = parts.engine.sinks.splice(0)
    if (state === OFF) files.read()
    const failed = yield* this.tried(new AofLoader(parts, files, this.progress, this.rdb).load(inTurns))
    parts.engine.sinks.push(...sinks)
    aof.state = state
    if (failed !== undefined) return 'ERR Error trying to load the AOF files, check server logs'
    parts.engine.keyspace.dirty = 0
    parts.log.warning('Append Only File loaded by DEBUG LOADAOF')
    return undefined
  }

  /** Loads; why it could not, which is logged. */
  private *tried<Result>(steps: LoadSteps<Result>): LoadSteps<LoadFailure | undefined> {
    const { keyspace } = this.parts.engine
    keyspace.expiryPaused = true
    try {
      yield* steps
      return undefined
    } catch (error) {
      if (!(error instanceof LoadFailure)) throw error
      for (const line of error.lines) this.parts.log.warning(line)
      return error
    } finally {
      keyspace.expiryPaused = false
    }
  }

  private empty(): void {
    for (const db of this.parts.engine.keyspace.databases) db.clear()
    this.parts.libraries.clear()
  }

  // ---- the end ----

  /** Does what must be done before the process may end; false, and logged, when it may not: then all goes on. */
  async shutdown(flags: readonly ShutdownFlag[]): Promise<boolean> {
    const { aof, parts } = this
    const { engine, log } = parts
    const force = flags.includes('force')
    if (!this.giveUpJobs(force)) return false
    if (aof.state !== OFF) {
      log.notice('Calling fsync() on the AOF file.')
      aof.secure()
    }
    const noSave = flags.includes('nosave') || this.isLoading
    if (flags.includes('save') || (parts.config.save.length > 0 && !noSave)) {
      log.notice('Saving the final RDB snapshot before exiting.')
      const saved = await this.saveAtEnd()
      if (!saved) log.warning(`Error trying to save the DB${force ? '. Exit anyway.' : ", can't exit."}`)
      if (!saved && !force) {
        engine.pause.end()
        engine.settle()
        return false
      }
    }
    if (aof.state !== OFF) aof.close()
    return true
  }

  /** While the final snapshot is written clients wait: what it does not have would be lost. */
  private saveAtEnd(): Promise<boolean> {
    this.rewriter.releaseKeyspace()
    this.parts.engine.pause.begin(Number.POSITIVE_INFINITY, true)
    return this.saver.saveAtEnd()
  }

  /** Ends what is being written in the background; false, and logged, when that must not be. */
  private giveUpJobs(force: boolean): boolean {
    const { saver, rewriter, aof, parts } = this
    const { log } = parts
    if (saver.job !== undefined) {
      log.warning('There is a child saving an .rdb. Killing it!')
      saver.kill()
    }
    if (aof.state !== OFF && rewriter.isActive) {
      if (aof.state === WAITING) {
        if (!force) {
          log.warning("Writing initial AOF, can't exit")
          return false
        }
        log.warning('Writing initial AOF. Exit anyway.')
      }
      log.warning('There is a child rewriting the AOF. Killing it!')
      rewriter.kill()
    }
    this.removeTemporary()
    return true
  }

  /** Removes what was being written when the process ends. */
  removeTemporary(): void {
    const { parts, saver } = this
    const { disk } = parts
    saver.removeTemporary()
    for (const path of [`temp-rewriteaof-${parts.pid}.aof`, `temp-repl-${parts.pid}.rdb`])
      if (disk.stat(path) !== null) attempt(() => disk.unlink(path))
  }
}
