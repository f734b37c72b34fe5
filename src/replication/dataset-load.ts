// DatasetLoad: the change of a replica's dataset to its primary's, around the reading of the RDB file.
//
//   begin ─▶ no snapshots, AOF closed ─▶ [flushed] ─▶ reading ─▶ end                     into the databases
//                                    └─────────────▶ reading ─▶ swap ─▶ end             beside them (swapdb)
//
// Always: while the file is read keys do not expire and nobody is notified of keys; beside the old dataset it is read
// into databases of its own, which replace the old ones, or are dropped, at once.

import { Database } from '../keyspace/database.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { quietly } from '../keyspace/quietly.ts'
import type { Slice } from '../lib/slice.ts'
import type { LoadSteps } from '../persistence/loading.ts'
import type { Persistence } from '../persistence/persistence.ts'

interface DatasetLoadParts {
  persistence: Persistence
  /** The new dataset replaces the old one when it is complete. */
  isSwap: boolean
  /** The old dataset is about to go: sub-replicas must synchronise anew. */
  leavesStream(): void
}

export class DatasetLoad {
  readonly databases: readonly Database[]
  private readonly parts: DatasetLoadParts
  private readonly codes: Slice[] = []
  private dirty = 0

  constructor(parts: DatasetLoadParts) {
    this.parts = parts
    const { keyspace } = this.engine
    this.databases = parts.isSwap ? keyspace.databases.map(db => new Database(keyspace, db.index)) : keyspace.databases
  }

  private get engine() {
    return this.parts.persistence.parts.engine
  }

  /** `ready` is called when the file can be read. */
  begin(ready: () => void): void {
    const { persistence, isSwap, leavesStream } = this.parts
    if (!isSwap) leavesStream()
    persistence.beginDatasetLoad(() => {
      this.dirty = this.engine.keyspace.dirty
      if (!isSwap) {
        persistence.parts.log.notice('MASTER <-> REPLICA sync: Flushing old data')
        this.flush()
      }
      ready()
    })
  }

  /** Empties the dataset and notifies watchers, blocked and tracking clients. */
  private flush(): void {
    const { engine } = this
    for (const db of engine.keyspace.databases) engine.ctx.flush(db)
    engine.ctx.flushed()
    this.parts.persistence.parts.libraries.clear()
  }

  /** Adds a function library of the file; an error message when it cannot be loaded. */
  library(code: Slice): string | undefined {
    if (!this.parts.isSwap) return this.parts.persistence.parts.libraries.load(code, false)
    this.codes.push(code.copy())
    return undefined
  }

  /** The file is complete. False: its libraries cannot be loaded. */
  complete(): boolean {
    if (this.parts.isSwap && !this.swap()) return false
    this.end()
    return true
  }

  private swap(): boolean {
    const { engine, databases } = this
    const { keyspace } = engine
    const { log } = this.parts.persistence.parts
    if (!this.swapLibraries()) return false
    this.parts.leavesStream()
    log.notice('MASTER <-> REPLICA sync: Swapping active DB with loaded DB')
    for (const db of keyspace.databases) {
      engine.watches.touchAllWatchedKeysInDb(db.index)
      db.exchange(databases[db.index])
      engine.watches.touchAllWatchedKeysInDb(db.index)
      engine.blocking.databaseReady(db)
    }
    keyspace.mutations++
    engine.ctx.flushed()
    log.notice('MASTER <-> REPLICA sync: Discarding old DB in background')
    for (const db of databases) dispose(keyspace, db)
    return true
  }

  private swapLibraries(): boolean {
    const { libraries, log } = this.parts.persistence.parts
    const old = libraries.all()
    libraries.clear()
    for (const code of this.codes) {
      const error = libraries.load(code, false)
      if (error === undefined) continue
      log.warning(`Failed loading library: ${error}`)
      libraries.clear()
      for (const before of old) libraries.load(before, false)
      return false
    }
    return true
  }

  /** The file is incomplete or invalid: without swapdb the dataset is empty now. */
  fail(): void {
    const { log } = this.parts.persistence.parts
    if (this.parts.isSwap) {
      log.notice('MASTER <-> REPLICA sync: Discarding temporary DB in background')
      for (const db of this.databases) dispose(this.engine.keyspace, db)
    } else this.flush()
    this.end()
  }

  private end(): void {
    this.engine.keyspace.dirty = this.dirty
    this.parts.persistence.endDatasetLoad()
  }

  /** Runs a slice of the reading. */
  read<Result>(work: () => Result): Result {
    return quietly(this.engine.keyspace, work)
  }

  /** The steps of a loader, each a slice of the reading. */
  *readSteps<Result>(steps: LoadSteps<Result>): LoadSteps<Result> {
    for (;;) {
      const step = this.read(() => steps.next())
      if (step.done === true) return step.value
      yield step.value
    }
  }
}

/** Frees a database that is not used any more. */
function dispose(space: Keyspace, db: Database): void {
  db.clear()
  space.freeTable(db.mainTable)
  while (!space.tables.drain(db.expiryTable, 1 << 20, () => {}));
}
