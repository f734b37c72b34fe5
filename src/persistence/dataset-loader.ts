// DatasetLoader: loads the dataset from disk into the keyspace: at startup, for DEBUG RELOAD and DEBUG LOADAOF.
//
// Always: keys do not expire while loading; a loaded dataset counts as saved (dirty is 0).

import type { Database } from '../keyspace/database.ts'
import { NO_REPLICA } from '../keyspace/keyspace.ts'
import type { Slice } from '../lib/slice.ts'
import type { AofFiles } from './aof/files.ts'
import { AofLoader } from './aof/loader.ts'
import { AOF_OFF, AOF_ON, type AofLog } from './aof/log.ts'
import type { AofRewriter } from './aof/rewriter.ts'
import type { StreamPosition } from './keyspace-target.ts'
import { LoadFailure, type LoadProgress, type LoadSteps, runInTurns, runThrough } from './loading.ts'
import type { PersistenceDependencies } from './parts.ts'
import { RdbLoader } from './rdb-loader.ts'

interface DatasetLoaderParts {
  server: PersistenceDependencies
  progress: LoadProgress
  files: AofFiles
  aof: AofLog
  rewriter: AofRewriter
}

export class DatasetLoader {
  /** Figures of the last load. */
  lastLoad = { keysLoaded: 0, keysExpired: 0 }
  /** The stream position of the RDB file that load() has loaded. */
  position: StreamPosition | undefined
  /** Startup of a primary: an expired key of the RDB file was skipped. */
  onDropped: ((db: Database, key: Slice) => void) | undefined
  private readonly parts: DatasetLoaderParts
  private readonly rdb: RdbLoader

  constructor(parts: DatasetLoaderParts) {
    this.parts = parts
    this.rdb = new RdbLoader(parts.server, parts.progress)
  }

  /** Loads the AOF if appendonly is on, else the RDB file, in steps, serving clients meanwhile. Throws LoadFailure. */
  async load(): Promise<void> {
    const { keyspace } = this.parts.server.engine
    keyspace.expiryPaused = true
    try {
      await runInTurns(this.loadSteps(), this.parts.server)
    } finally {
      keyspace.expiryPaused = false
    }
    keyspace.dirty = 0
  }

  private *loadSteps(): LoadSteps<void> {
    const { config, log, clock } = this.parts.server
    const begin = clock.monotonicUs()
    const seconds = () => ((clock.monotonicUs() - begin) / 1e6).toFixed(3)
    try {
      if (config.appendonly) {
        if (yield* this.loadLog()) log.notice(`DB loaded from append only file: ${seconds()} seconds`)
      } else if (yield* this.loadRdb()) log.notice(`DB loaded from disk: ${seconds()} seconds`)
    } catch (error) {
      if (!(error instanceof LoadFailure) || config.appendonly) throw error
      throw error.followedBy('Fatal error loading the DB, check server logs. Exiting.')
    }
    this.recordLoad()
  }

  private *loadRdb(): LoadSteps<boolean> {
    const { config, engine } = this.parts.server
    // A replica's keys expire when its primary says so.
    const dropExpired = engine.keyspace.replica === NO_REPLICA
    const found = yield* this.rdb.loadFile(config.dbfilename, {
      dropExpired,
      replace: false,
      dropped: this.onDropped,
    })
    if (found) this.position = this.rdb.position
    return found
  }

  private *loadLog(): LoadSteps<boolean> {
    const { files, aof, rewriter } = this.parts
    if (files.manifest.isEmpty) return false
    const size = yield* this.aofLoader().load(true)
    aof.totalSize = size
    const { base } = files.manifest
    rewriter.baseSize = base === undefined ? 0 : files.sizeOf(base)
    return size > 0
  }

  private aofLoader(): AofLoader {
    const { server, files, progress } = this.parts
    return new AofLoader(server, files, progress, this.rdb)
  }

  private recordLoad(): void {
    const { keysLoaded, keysExpired } = this.parts.progress
    this.lastLoad = { keysLoaded, keysExpired }
  }

  /** DEBUG RELOAD: an error reply, or undefined. */
  reload(flush: boolean, merge: boolean, inTurns: boolean): Promise<string | undefined> | string | undefined {
    return this.start(this.reloadRdb(flush, merge), inTurns)
  }

  private *reloadRdb(flush: boolean, merge: boolean): LoadSteps<string | undefined> {
    const { server } = this.parts
    if (flush) this.empty()
    const { dbfilename } = server.config
    const loaded = yield* this.loggingFailure(this.rdb.loadFile(dbfilename, { dropExpired: true, replace: merge }))
    if (loaded !== true) return 'ERR Error trying to load the RDB dump, check server logs.'
    this.recordLoad()
    server.log.notice('DB reloaded by DEBUG RELOAD')
    return undefined
  }

  /** DEBUG LOADAOF: an error reply, or undefined. */
  loadAof(inTurns: boolean): Promise<string | undefined> | string | undefined {
    return this.start(this.reloadLog(inTurns), inTurns)
  }

  private start<Result>(steps: LoadSteps<Result>, inTurns: boolean): Promise<Result> | Result {
    const { ctx } = this.parts.server.engine
    // Replayed commands use this command's context.
    const saved = ctx.save()
    const outcome = inTurns ? this.startedInTurns(steps) : runThrough(steps)
    ctx.restore(saved)
    return outcome
  }

  private startedInTurns<Result>(steps: LoadSteps<Result>): Promise<Result> | Result {
    const first = steps.next()
    return first.done === true ? first.value : runInTurns(steps, this.parts.server)
  }

  private *reloadLog(inTurns: boolean): LoadSteps<string | undefined> {
    const { server, aof, files } = this.parts
    const { engine, log } = server
    if (aof.state === AOF_ON) aof.flush(true)
    this.empty()
    const { state } = aof
    aof.state = AOF_OFF
    const sinks = engine.sinks.splice(0)
    if (state === AOF_OFF) files.read()
    const isThere = files.manifest.files.length !== 0
    const loaded = yield* this.loggingFailure(this.aofLoader().load(inTurns))
    engine.sinks.push(...sinks)
    aof.state = state
    if (loaded instanceof LoadFailure || !isThere) return 'ERR Error trying to load the AOF files, check server logs.'
    engine.keyspace.dirty = 0
    log.notice('Append Only File loaded by DEBUG LOADAOF')
    return undefined
  }

  /** Runs a loader; returns its result, or its failure, which is logged. */
  private *loggingFailure<Result>(steps: LoadSteps<Result>): LoadSteps<Result | LoadFailure> {
    const { engine, log } = this.parts.server
    engine.keyspace.expiryPaused = true
    try {
      return yield* steps
    } catch (error) {
      if (!(error instanceof LoadFailure)) throw error
      for (const line of error.lines) log.warning(line)
      return error
    } finally {
      engine.keyspace.expiryPaused = false
    }
  }

  /** As FLUSHALL: those who watch or track keys are told, or wait for a group that is gone. */
  private empty(): void {
    const { engine, libraries } = this.parts.server
    for (const db of engine.keyspace.databases) engine.ctx.flush(db)
    engine.ctx.flushed()
    libraries.clear()
  }
}
