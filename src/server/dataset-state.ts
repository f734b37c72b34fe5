// DatasetState: the dataset of a server as a value: taken at one moment, put back later or into another server.
//
//   take ─▶ DatasetImage [ keyspace | libraries | scripts ]      a copy of the arena's pages; in cluster mode, or with
//   put  ◀─                                                      values on disk, an RDB file in memory
//
// Always: neither happens within a command or a script. After put() clients are where FLUSHALL and a load would have
// left them: watched keys that existed before or exist now are dirty, blocked clients are served, tracking clients are
// told to forget everything, replicas synchronise anew, and the append-only file is rewritten.

import type { Engine } from '../engine/engine.ts'
import type { ScriptsImage } from '../engine/ports/scripting.ts'
import type { Defrag } from '../keyspace/defrag.ts'
import { KeyspaceImage } from '../keyspace/image.ts'
import { NO_REPLICA } from '../keyspace/keyspace.ts'
import { quietly } from '../keyspace/quietly.ts'
import { Slice } from '../lib/slice.ts'
import { KeyspaceTarget } from '../persistence/keyspace-target.ts'
import { rdbOptions } from '../persistence/parts.ts'
import type { Persistence } from '../persistence/persistence.ts'
import { rdbBytes, readRdb } from '../persistence/rdb-file.ts'
import { readersOf } from '../persistence/rdb-loader.ts'

export interface DatasetImage {
  /** Keys in all databases, expired ones included. */
  readonly keys: number
  /** Memory of the image. */
  readonly bytes: number
  readonly dataset: KeyspaceImage | Uint8Array
  readonly libraries: readonly string[]
  readonly scripts: ScriptsImage
}

export class DatasetState {
  private readonly engine: Engine
  private readonly persistence: Persistence
  private readonly defrag: Defrag
  /** What the keyspace was like when it had counted so many mutations and hits, as long as somebody has it. */
  private last: WeakRef<KeyspaceImage> | undefined
  private lastMutations = 0
  /** Hits count access times and counters. */
  private lastHits = 0

  constructor(engine: Engine, persistence: Persistence, defrag: Defrag) {
    this.engine = engine
    this.persistence = persistence
    this.defrag = defrag
  }

  /** The dataset as it is now. */
  take(): DatasetImage {
    this.mustBeAtRest('a snapshot cannot be taken')
    const { engine, persistence } = this
    const { keyspace, scripting } = engine
    persistence.slot.finishIteration()
    engine.input.large?.forget()
    const keys = keyspace.databases.reduce((sum, db) => sum + db.size, 0)
    const dataset = KeyspaceImage.isPossible(keyspace) && !KeyspaceImage.misses(keyspace) ? this.image() : this.rdb()
    const libraries = persistence.parts.libraries.all().map(code => code.latin1())
    const scripts = scripting.scripts.image()
    const bytes = dataset instanceof Uint8Array ? dataset.length : dataset.bytes
    return { keys, bytes, dataset, libraries, scripts }
  }

  /** An RDB file of the dataset as it is now. */
  rdb(): Uint8Array {
    this.mustBeAtRest('an RDB file cannot be made')
    this.engine.tick()
    return rdbBytes(this.engine.keyspace, rdbOptions(this.persistence.parts, false))
  }

  /** Puts an image, or the content of an RDB file, in the place of the dataset. */
  put(image: DatasetImage | Uint8Array): void {
    this.mustBeAtRest('a snapshot cannot be restored')
    const { engine } = this
    const { keyspace } = engine
    if (keyspace.replica !== NO_REPLICA) throw new Error("the dataset of a replica is its primary's")
    const isFile = image instanceof Uint8Array
    const dataset = isFile ? image : image.dataset
    if (dataset instanceof KeyspaceImage && dataset.databaseCount > keyspace.databases.length)
      throw new Error(`the snapshot has ${dataset.databaseCount} databases, the server ${keyspace.databases.length}`)
    engine.tick()
    this.stopJobs()
    this.touchWatched()
    if (dataset instanceof KeyspaceImage && KeyspaceImage.isPossible(keyspace)) this.putImage(dataset)
    else if (dataset instanceof KeyspaceImage) throw new Error('the snapshot is of a server of another kind')
    else this.putFile(dataset, isFile)
    if (!isFile) this.putCode(image)
    this.finish()
  }

  private mustBeAtRest(what: string): void {
    const { engine, persistence } = this
    if (engine.dispatch.isInCall) throw new Error(`${what} from within a command`)
    if (engine.scripting.running !== undefined) throw new Error(`${what} while a script is running`)
    if (persistence.isLoading || persistence.progress.isAsync) throw new Error(`${what} while the dataset is loaded`)
  }

  /** The image of before, where nothing has changed since. */
  private image(): KeyspaceImage {
    const { keyspace } = this.engine
    const isSame = this.lastMutations === keyspace.mutations && this.lastHits === keyspace.hits
    const last = isSame ? this.last?.deref() : undefined
    if (last !== undefined) return last
    const image = new KeyspaceImage(keyspace, this.lent())
    this.rememberAs(image)
    return image
  }

  /** The keyspace is like this image now. */
  private rememberAs(image: KeyspaceImage): void {
    const { keyspace } = this.engine
    this.last = new WeakRef(image)
    this.lastMutations = keyspace.mutations
    this.lastHits = keyspace.hits
  }

  private lent(): number[] {
    const refs: number[] = []
    for (const { partial } of this.engine.clients.values()) if (partial !== undefined) refs.push(...partial.allocations)
    return refs
  }

  /** Ends what works on the old dataset: saves, rewrites, replicas, compaction. */
  private stopJobs(): void {
    const { engine, persistence, defrag } = this
    engine.input.large?.forget()
    persistence.saver.kill()
    persistence.setAppendOnly(false, false)
    engine.replicas.restart()
    persistence.slot.seize('load')
    defrag.running = false
  }

  private putImage(image: KeyspaceImage): void {
    const { engine } = this
    const putBack: (() => void)[] = []
    for (const { partial } of engine.clients.values()) if (partial !== undefined) putBack.push(partial.leaveArena())
    image.restoreInto(engine.keyspace)
    this.rememberAs(image)
    for (const put of putBack) put()
  }

  private putFile(bytes: Uint8Array, isFile: boolean): void {
    const { keyspace } = this.engine
    const { parts } = this.persistence
    for (const db of keyspace.databases) db.clear()
    if (isFile) parts.libraries.clear()
    const target = new KeyspaceTarget(keyspace, parts.log, {
      dropExpired: false,
      fileBytes: bytes.length,
      replace: false,
      library: code => (isFile ? parts.libraries.load(code, true) : undefined),
      databases: keyspace.databases,
    })
    quietly(keyspace, () => {
      readRdb(bytes, readersOf(parts), target)
      target.end()
    })
  }

  private putCode({ libraries, scripts }: DatasetImage): void {
    const { parts } = this.persistence
    const now = parts.libraries.all().map(code => code.latin1())
    if (now.length !== libraries.length || now.some((code, i) => code !== libraries[i])) {
      parts.libraries.clear()
      for (const code of libraries) {
        const failure = parts.libraries.load(Slice.of(code), true)
        if (failure !== undefined) throw new Error(`a library of the snapshot cannot be loaded: ${failure}`)
      }
    }
    this.engine.scripting.scripts.restore(scripts)
  }

  private touchWatched(): void {
    const { watches, keyspace } = this.engine
    if (this.engine.modifiedKeyListeners === 0) return
    for (const db of keyspace.databases) watches.touchAllWatchedKeysInDb(db.index)
  }

  private finish(): void {
    const { engine, persistence } = this
    const { keyspace, blocking } = engine
    persistence.slot.release('load')
    this.touchWatched()
    if (blocking.waiting !== 0) for (const db of keyspace.databases) blocking.databaseReady(db)
    keyspace.dirty++
    persistence.reopenAof()
    engine.ctx.flushed()
    engine.dispatch.runAfterReply()
    engine.serveBlockedAndFlush()
    engine.output.flushAll()
  }
}
