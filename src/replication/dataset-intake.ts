// DatasetIntake: what a replica does with the bytes of its primary's RDB file.
//
//   FileIntake    bytes ─▶ temporary file ─▶ fsync, rename ─▶ loaded in slices       repl-diskless-load disabled
//   MemoryIntake  bytes ─▶ [pending] ─▶ parsed in slices as they come                on-empty-db, swapdb
//
// Always: `done` is called once, after end(), or before it for a failure; not after abort().

import { folderOf } from '../persistence/file-sink.ts'
import { KeyspaceTarget } from '../persistence/keyspace-target.ts'
import { LoadFailure, runInSlices } from '../persistence/loading.ts'
import type { Persistence } from '../persistence/persistence.ts'
import { RdbError } from '../persistence/rdb/input.ts'
import { DONE, PAUSED, RdbReader, type RunOutcome } from '../persistence/rdb/reader.ts'
import { RdbLoader, readersOf } from '../persistence/rdb-loader.ts'
import { attempt, type DiskError } from '../system/system.ts'
import type { DatasetLoad } from './dataset-load.ts'

/** As often Redis has the file written to the disk. */
const SYNC_BYTES = 8 * 1024 * 1024
/** Parsed between two looks at the clock. */
const STEP_BYTES = 16 * 1024
const SLICE_US = 1000

/** The outcome: the database that the stream has selected (-1: unknown), or that there is no dataset. */
export type IntakeOutcome = { streamDatabase: number } | 'failed'

export interface DatasetIntake {
  /** The payload is to be paused until it is false again (`resumed`). */
  readonly isFull: boolean
  take(bytes: Uint8Array): void
  /** The file is complete. */
  end(): void
  /** It will not be complete. */
  abort(): void
  /** All of the file is here and is being loaded: the link is not needed any more. */
  readonly isLoading: boolean
}

interface IntakeParts {
  persistence: Persistence
  load: DatasetLoad
  /** -1: unknown. */
  totalBytes: number
  done(outcome: IntakeOutcome): void
}

export class FileIntake implements DatasetIntake {
  readonly isFull = false
  isLoading = false
  private readonly parts: IntakeParts
  private readonly path: string
  private fd = -1
  private bytes = 0
  private syncedBytes = 0
  private ended = false

  constructor(parts: IntakeParts) {
    this.parts = parts
    const { clock, pid, disk, log } = parts.persistence.parts
    this.path = `temp-${Math.floor(clock.nowMs() / 1000)}.${pid}.rdb`
    const failure = attempt(() => {
      this.fd = disk.open(this.path, 'w')
    })
    if (failure === undefined) return
    log.warning(`Opening the temp file needed for MASTER <-> REPLICA synchronization: ${failure.message}`)
    this.ended = true
    parts.persistence.parts.soon(() => parts.done('failed'))
  }

  private get disk() {
    return this.parts.persistence.parts.disk
  }

  take(bytes: Uint8Array): void {
    if (this.ended) return
    const failure = attempt(() => this.disk.write(this.fd, bytes, 0, bytes.length, null))
    if (failure !== undefined)
      return this.failed(
        'Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization',
        failure,
      )
    this.bytes += bytes.length
    if (this.bytes - this.syncedBytes < SYNC_BYTES) return
    this.syncedBytes = this.bytes
    this.disk.fdatasyncLater(this.fd, () => {})
  }

  end(): void {
    if (this.ended) return
    this.disk.fsyncLater(this.fd, failure => {
      if (this.ended) return
      if (failure !== null)
        return this.failed('Failed trying to sync the temp DB to disk in MASTER <-> REPLICA synchronization', failure)
      this.isLoading = true
      this.parts.load.begin(() => this.load())
    })
  }

  private failed(text: string, failure: DiskError): void {
    this.parts.persistence.parts.log.warning(`${text}: ${failure.message}`)
    this.drop()
    this.parts.done('failed')
  }

  private load(): void {
    const { disk } = this
    const { load, persistence } = this.parts
    const { config, log } = persistence.parts
    const failure = attempt(() => {
      disk.rename(this.path, config.dbfilename)
      disk.fsyncDir(folderOf(disk.resolve(config.dbfilename)))
    })
    if (failure !== undefined) {
      load.fail()
      return this.failed(
        'Failed trying to rename the temp DB into dump.rdb in MASTER <-> REPLICA synchronization',
        failure,
      )
    }
    log.notice('MASTER <-> REPLICA sync: Loading DB in memory')
    const loader = new RdbLoader(persistence.parts, persistence.progress)
    const steps = loader.loadFile(config.dbfilename, { dropExpired: false, replace: false })
    runInSlices(load.readSteps(steps), persistence.parts, outcome => {
      this.close()
      this.removeFile()
      if ('result' in outcome && outcome.result && load.complete())
        return this.parts.done({ streamDatabase: loader.streamDatabase })
      if ('error' in outcome) this.logFailure(outcome.error)
      load.fail()
      this.parts.done('failed')
    })
  }

  private logFailure(error: unknown): void {
    const { log } = this.parts.persistence.parts
    if (!(error instanceof LoadFailure)) throw error
    for (const line of error.lines) log.warning(line)
    log.warning('Failed trying to load the MASTER synchronization DB from disk, check server logs.')
  }

  /** rdb-del-sync-files: a replica without persistence leaves no data on the disk. */
  private removeFile(): void {
    const { config, log } = this.parts.persistence.parts
    if (!config.rdbDelSyncFiles || config.appendonly || config.save.length > 0) return
    log.notice('Removing the RDB file obtained from the master. This replica has persistence disabled')
    attempt(() => this.disk.unlink(config.dbfilename))
  }

  private close(): void {
    this.ended = true
    if (this.fd >= 0) attempt(() => this.disk.close(this.fd))
    this.fd = -1
  }

  private drop(): void {
    if (this.fd >= 0) attempt(() => this.disk.unlink(this.path))
    this.close()
  }

  abort(): void {
    if (!this.ended && !this.isLoading) this.drop()
  }
}

export class MemoryIntake implements DatasetIntake {
  readonly isLoading = false
  private readonly parts: IntakeParts
  private readonly target: KeyspaceTarget
  private readonly reader: RdbReader
  /** Bytes that came before the dataset could be replaced; undefined: it can be. */
  private pending: Uint8Array[] | undefined = []
  /** What has come takes another slice. */
  private isReading = false
  private isComplete = false
  private endCame = false
  private readonly resumed: () => void
  private isAborted = false

  constructor(parts: IntakeParts, isAsync: boolean, resumed: () => void) {
    this.parts = parts
    this.resumed = resumed
    const { persistence, load, totalBytes } = parts
    const server = persistence.parts
    const { keyspace } = server.engine
    this.target = new KeyspaceTarget(keyspace, server.log, {
      dropExpired: false,
      fileBytes: totalBytes < 0 ? Number.POSITIVE_INFINITY : totalBytes,
      replace: false,
      library: code => load.library(code),
      databases: load.databases,
    })
    this.reader = new RdbReader(readersOf(server), this.target, server.config.rdbchecksum)
    load.begin(() => {
      if (this.isAborted) return this.fail()
      server.log.notice('MASTER <-> REPLICA sync: Loading DB in memory')
      persistence.progress.begin(Math.max(0, totalBytes), isAsync)
      const pending = this.pending!
      this.pending = undefined
      for (const bytes of pending) this.add(bytes)
      this.slice(true)
    })
  }

  get isFull(): boolean {
    return this.pending !== undefined || this.isReading
  }

  take(bytes: Uint8Array): void {
    if (this.pending !== undefined) {
      this.pending.push(bytes)
      return
    }
    if (this.isAborted || this.isComplete) return
    this.add(bytes)
    if (!this.isReading) this.slice(false)
  }

  private add(bytes: Uint8Array): void {
    this.reader.add(bytes)
    this.parts.persistence.progress.loadedBytes += bytes.length
  }

  /**
   * Parses for as long as others may wait; the rest of what has come follows in the next turn. `wasFull`: the link is
   * paused.
   */
  private slice(wasFull: boolean): void {
    this.isReading = false
    if (this.isAborted) return
    const { engine, log, soon } = this.parts.persistence.parts
    try {
      this.isReading = this.parts.load.read(() => this.parse()) === PAUSED
    } catch (error) {
      if (!(error instanceof RdbError)) throw error
      log.warning(`Internal error in RDB reading offset ${error.offset} -> ${error.message}`)
      log.warning('Failed trying to load the MASTER synchronization DB from socket, check server logs.')
      this.abort()
      return this.parts.done('failed')
    }
    engine.tick()
    if (this.isReading) soon(() => this.slice(true))
    else if (this.endCame) this.end()
    else if (wasFull) this.resumed()
  }

  private parse(): RunOutcome {
    const { reader, target } = this
    const { progress, parts } = this.parts.persistence
    const untilUs = parts.clock.monotonicUs() + SLICE_US
    let outcome: RunOutcome
    do outcome = reader.run(STEP_BYTES)
    while (outcome === PAUSED && parts.clock.monotonicUs() < untilUs)
    progress.rdbUsedMemory = target.usedMemoryBytes
    progress.keysLoaded = target.keysLoaded
    if (outcome !== DONE) return outcome
    this.isComplete = true
    target.end()
    return outcome
  }

  end(): void {
    this.endCame = true
    if (this.isFull || this.isAborted) return
    if (this.isComplete && this.parts.load.complete()) {
      const { log } = this.parts.persistence.parts
      log.notice(`Done loading RDB, keys loaded: ${this.target.keysLoaded}, keys expired: 0.`)
      this.parts.persistence.progress.end()
      this.isAborted = true
      return this.parts.done({ streamDatabase: this.target.streamDatabase })
    }
    this.abort()
    this.parts.done('failed')
  }

  private fail(): void {
    this.reader.discard()
    this.parts.load.fail()
  }

  abort(): void {
    if (this.isAborted) return
    this.isAborted = true
    // Still waiting for its turn: it ends when that comes.
    if (this.pending !== undefined) return
    this.parts.persistence.progress.end()
    this.fail()
  }
}
