// RdbLoader: loads an RDB file into the server's keyspace.

import type { Database } from '../keyspace/database.ts'
import { quietly } from '../keyspace/quietly.ts'
import { reasonOf } from '../lib/reason.ts'
import type { Slice } from '../lib/slice.ts'
import { attempt, DiskError } from '../system/system.ts'
import type { Checkpoints } from './checkpoint.ts'
import { KeyspaceTarget, LoadRefused, type StreamPosition } from './keyspace-target.ts'
import { LoadFailure, type LoadProgress, type LoadSteps } from './loading.ts'
import type { PersistenceDependencies } from './parts.ts'
import { RdbError } from './rdb/input.ts'
import { RdbFileReader } from './rdb-file.ts'
import { ValueReaders } from './values/value-codecs.ts'

/** Of a file, read between two looks at the clock. */
const STEP_BYTES = 64 * 1024
const SLICE_US = 2000

interface RdbLoadOptions {
  /** Expired keys are skipped; not so in the base of an AOF. */
  dropExpired: boolean
  /** An existing key or library is replaced. */
  replace: boolean
  /** Adds keys whose values are in the value log. */
  places?: Checkpoints | undefined
  /** Offset of the RDB in the file. */
  from: number
  /** An expired key was skipped. */
  dropped?: (db: Database, key: Slice) => void
}

/** Readers of values into the keyspace. */
export function readersOf({ engine, codecs, config }: PersistenceDependencies): ValueReaders {
  const readers = new ValueReaders(engine.keyspace, engine.settings, codecs)
  readers.options.deep = config.sanitizeDumpPayload === 'yes'
  return readers
}

export class RdbLoader {
  /** The stream position of the last loaded file, if it has one. */
  position: StreamPosition | undefined
  /** Its repl-stream-db; -1: the file does not say. */
  streamDatabase = -1
  private readonly parts: PersistenceDependencies
  private readonly progress: LoadProgress

  constructor(parts: PersistenceDependencies, progress: LoadProgress) {
    this.parts = parts
    this.progress = progress
  }

  /** Loads the RDB in the open file `fd`; returns the offset after it. Throws LoadFailure. */
  *load(fd: number, path: string, options: RdbLoadOptions): LoadSteps<number> {
    const { engine, config, disk, log, libraries } = this.parts
    const readers = readersOf(this.parts)
    const target = new KeyspaceTarget(engine.keyspace, log, {
      dropExpired: options.dropExpired,
      dropped: options.dropped,
      fileBytes: disk.fstat(fd).sizeBytes,
      replace: options.replace,
      places: options.places,
      library: code => libraries.load(code, options.replace),
      databases: engine.keyspace.databases,
    })
    const file = new RdbFileReader(disk, fd, options.from, readers, target, config.rdbchecksum)
    try {
      for (;;) {
        const delayUs = Math.max(0, config.keyLoadDelay)
        engine.tick()
        const done = quietly(engine.keyspace, () => (delayUs > 0 ? file.slice(0) : this.slice(file)))
        this.note(file, target)
        if (done) break
        yield delayUs / 1000
      }
    } catch (error) {
      file.reader.discard()
      throw this.failure(error, file, path)
    }
    target.end()
    this.position = target.streamPosition
    this.streamDatabase = target.streamDatabase
    if (file.reader.unchecked && config.rdbchecksum)
      log.notice('RDB file was saved with checksum disabled: no check performed.')
    const skipped = target.emptyKeys > 0 ? `, empty keys skipped: ${target.emptyKeys}` : ''
    log.notice(`Done loading RDB, keys loaded: ${target.keysLoaded}, keys expired: ${target.keysExpired}${skipped}.`)
    return file.offset
  }

  /** Reads for as long as those may wait who are told that it loads; true: to the end of the RDB. */
  private slice(file: RdbFileReader): boolean {
    const { clock, config } = this.parts
    const until = file.offset + config.loadingProcessEventsIntervalBytes
    const untilUs = clock.monotonicUs() + SLICE_US
    do {
      if (file.slice(Math.min(STEP_BYTES, until - file.offset))) return true
    } while (file.offset < until && clock.monotonicUs() < untilUs)
    return false
  }

  private note(file: RdbFileReader, target: KeyspaceTarget): void {
    const { progress } = this
    progress.loadedBytes = file.offset
    progress.rdbUsedMemory = target.usedMemoryBytes
    progress.keysLoaded = target.keysLoaded
    progress.keysExpired = target.keysExpired
  }

  private failure(error: unknown, file: RdbFileReader, path: string): unknown {
    if (error instanceof LoadRefused) {
      const refused = new LoadFailure('Terminating server after rdb file reading failure.')
      refused.isFinal = true
      return refused
    }
    if (!(error instanceof RdbError)) {
      if (!(error instanceof DiskError)) return error
      return new LoadFailure(`Fatal error: can't read the RDB file ${path}: ${reasonOf(error)}`)
    }
    const { before, isHead, isValid } = error.facts
    const lines = before === undefined ? [] : [before]
    if (isHead) lines.push(error.message)
    else lines.push(`Internal error in RDB reading offset ${error.offset} of ${path} -> ${error.message}`)
    const key = file.reader.currentKey
    if (key !== '') lines.push(`The key that was being read is '${key}'.`)
    if (!isValid) lines.push(`Run 'redstart check ${path}' to see what can be saved.`)
    if (!isHead) lines.push('Terminating server after rdb file reading failure.')
    const failure = new LoadFailure(...lines)
    failure.isFinal = isHead !== true
    // redis-server ends as redis-check-rdb does, which finds no fault in the file.
    if (isValid) failure.exitCode = 0
    return failure
  }

  /** Opens and loads a file; false when it does not exist. Throws LoadFailure. */
  *loadFile(path: string, options: Omit<RdbLoadOptions, 'from'>): LoadSteps<boolean> {
    const { disk } = this.parts
    let fd = -1
    const opening = attempt(() => {
      fd = disk.open(path, 'r')
    })
    if (opening?.code === 'ENOENT') return false
    if (opening !== undefined)
      throw new LoadFailure(`Fatal error: can't open the RDB file ${path} for reading: ${opening.message}`)
    this.progress.begin(disk.fstat(fd).sizeBytes)
    try {
      yield* this.load(fd, path, { ...options, from: 0 })
    } finally {
      attempt(() => disk.close(fd))
      this.progress.end()
    }
    return true
  }
}
