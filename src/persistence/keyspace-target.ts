// KeyspaceTarget: the RdbTarget that adds keys to the keyspace.

import type { ValuePlace } from '../keyspace/cold.ts'
import { type Database, LOOKUP_EXPIRED, LOOKUP_KEY } from '../keyspace/database.ts'
import { LRU_CLOCK_MASK } from '../keyspace/entry.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { ModuleType } from '../keyspace/values/module/module-type.ts'
import { reasonOf } from '../lib/reason.ts'
import type { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import type { Log } from '../system/system.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { RdbInput } from './rdb/input.ts'
import { auxInteger, type KeyAttributes, type ModuleData, type RdbTarget } from './rdb/reader.ts'
import type { ValueReader } from './values/value-codec.ts'

const EMPTY_KEYS_LOGGED_MAX = 10
const REPLID_BYTES = 40
/** The smallest key in a file: type, key and value, a byte each. */
const KEY_BYTES_MIN = 3
/** A larger table grows with its keys. */
const RESERVED_KEYS_MAX = 1 << 23
/** Buckets for so many keys take less than a millisecond. */
const RESERVED_KEYS_STEP = 1 << 14

interface KeyspaceTargetOptions {
  /** Expired keys are skipped. */
  dropExpired: boolean
  fileBytes: number
  /** An existing key is replaced; otherwise it is an error. */
  replace: boolean
  /** Loads a function library; returns an error message on failure. */
  library(code: Slice): string | undefined
  /** The databases that are filled. */
  databases: readonly Database[]
  /** Adds keys whose values are in the value log; undefined: the file may have none. */
  places?: Checkpoints | undefined
  /** An expired key was skipped. */
  dropped?: (db: Database, key: Slice) => void
}

/** Where in a replication stream the dataset of a file belongs: the repl- aux fields. */
export interface StreamPosition {
  id: string
  offset: number
  /** The database that the stream has selected there. */
  database: number
}

/** The file has a duplicate key, or data of a module or library that cannot be loaded. */
export class LoadRefused extends Error {}

export class KeyspaceTarget implements RdbTarget {
  keysLoaded = 0
  keysExpired = 0
  emptyKeys = 0
  /** used-mem of the file's aux fields; 0 when it is absent. */
  usedMemoryBytes = 0
  private readonly position: StreamPosition = { id: '', offset: -1, database: -1 }
  private readonly space: Keyspace
  private readonly log: Log
  private readonly options: KeyspaceTargetOptions
  private db: Database
  /** RESIZEDB: the numbers of keys, and how many there are buckets for. */
  private readonly ahead = { keys: 0, expires: 0, reserved: 0 }

  constructor(space: Keyspace, log: Log, options: KeyspaceTargetOptions) {
    this.space = space
    this.log = log
    this.options = options
    this.db = options.databases[0]
  }

  aux(name: Slice, value: Slice): void {
    const { log } = this
    const field = name.latin1()
    if (field.startsWith('%')) return log.notice(`RDB '${field}': ${value.latin1()}`)
    switch (field.toLowerCase()) {
      case 'redis-ver':
        return log.notice(`Loading RDB produced by version ${value.latin1()}`)
      case 'ctime':
        return log.notice(`RDB age ${Math.max(0, Math.floor(this.space.nowMs / 1000) - auxInteger(value))} seconds`)
      case 'used-mem':
        this.usedMemoryBytes = auxInteger(value)
        return log.notice(`RDB memory usage when created ${(this.usedMemoryBytes / 1048576).toFixed(2)} Mb`)
      case 'aof-preamble':
        if (auxInteger(value) !== 0) log.notice('RDB has an AOF tail')
        return
      case 'aof-base':
        if (auxInteger(value) !== 0) log.notice('RDB is base AOF')
        return
      case 'repl-stream-db':
        this.position.database = auxInteger(value)
        return
      case 'repl-id':
        if (value.len === REPLID_BYTES) this.position.id = value.latin1()
        return
      case 'repl-offset':
        this.position.offset = auxInteger(value)
        return
      case 'hash-seed':
        return this.reseed(value.latin1())
      case 'lua':
      case 'redis-bits':
        return
      default:
        log.debug(`Unrecognized RDB AUX field: '${field}'`)
    }
  }

  /** A checkpoint has the seed under which its keys were in this order. */
  private reseed(seed: string): void {
    const { space, options } = this
    const [first, second] = [seed.slice(0, seed.indexOf(' ')), seed.slice(seed.indexOf(' ') + 1)].map(Number)
    if (!Number.isInteger(first) || !Number.isInteger(second)) return
    if (options.places !== undefined && space.isEmpty) space.hasher.reseed([first | 0, second | 0])
  }

  /** undefined: the file does not say. */
  get streamPosition(): StreamPosition | undefined {
    const { position } = this
    return position.id !== '' && position.offset >= 0 ? position : undefined
  }

  /** repl-stream-db; -1: the file does not say. */
  get streamDatabase(): number {
    return this.position.database
  }

  selectDb(index: number): boolean {
    const { databases } = this.options
    const db = databases[index]
    if (db === undefined) {
      this.log.warning(
        `FATAL: Data file was created with a Redis server configured to handle more than ${databases.length} databases. Exiting`,
      )
      return false
    }
    this.db = db
    return true
  }

  /** The tables are presized, but not for more keys than the file has bytes for. */
  presize(keys: number, expires: number): void {
    const { ahead } = this
    ahead.keys = Math.min(keys, this.options.fileBytes / KEY_BYTES_MIN, RESERVED_KEYS_MAX)
    ahead.expires = Math.min(expires, ahead.keys)
    ahead.reserved = 0
  }

  presizeStep(): boolean {
    const { ahead } = this
    ahead.reserved = Math.min(ahead.keys, ahead.reserved + RESERVED_KEYS_STEP)
    this.db.reserve(ahead.reserved, Math.min(ahead.expires, ahead.reserved))
    return ahead.reserved === ahead.keys
  }

  /** End of the file. */
  end(): void {
    for (const db of this.options.databases) db.trim()
  }

  private isDropped(key: Slice, attributes: KeyAttributes): boolean {
    if (!this.options.dropExpired || attributes.expiryMs < 0 || attributes.expiryMs >= this.space.nowMs) return false
    this.keysExpired++
    this.options.dropped?.(this.db, key)
    return true
  }

  stringKey(key: Slice, value: Slice, attributes: KeyAttributes): void {
    if (this.isDropped(key, attributes)) return
    const { db } = this
    const before = db.size
    const entry = db.strings.set(db, key, value)
    if (db.size === before && !this.options.replace) this.duplicate(key)
    this.finish(key, entry, attributes)
  }

  key(key: Slice, type: number, reader: ValueReader, attributes: KeyAttributes): void {
    if (this.isDropped(key, attributes)) return reader.discard()
    const { db } = this
    if (db.exists(key)) {
      if (!this.options.replace) {
        reader.discard()
        this.duplicate(key)
      }
      db.delete(key)
    }
    this.finish(key, db.add(key, type, reader.encoding, reader.value), attributes)
  }

  goneKey(key: Slice): void {
    const { places } = this.options
    if (places === undefined) throw new LoadRefused('a delta is not a file of its own')
    const { db } = this
    // Also one that has expired meanwhile.
    const entry = db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
    if (entry === 0 || !db.findEntry(entry, db.hashOf(entry))) return
    places.notIndexed(entry)
    db.removeFound()
  }

  placedKey(key: Slice, typeAndEncoding: number, place: ValuePlace, attributes: KeyAttributes): void {
    const { places } = this.options
    let entry = 0
    try {
      if (places === undefined) throw new Error('the value is in no file of values')
      entry = places.add(this.db, key, typeAndEncoding, attributes.expiryMs, place)
    } catch (error) {
      const text = `The value of the key '${key.latin1()}' is not there: ${reasonOf(error)}`
      this.log.warning(text)
      throw new LoadRefused(text)
    }
    this.setAccess(entry, attributes)
  }

  placedKeys(input: RdbInput, until: number): void {
    const { places, dropExpired } = this.options
    if (places !== undefined && !dropExpired) this.keysLoaded += places.addAll(this.db, input, until)
  }

  private duplicate(key: Slice): never {
    const text = `RDB has duplicated key '${key.latin1()}' in DB ${this.db.index}`
    this.log.warning(text)
    throw new LoadRefused(text)
  }

  private finish(key: Slice, entry: Ref, attributes: KeyAttributes): void {
    const { db } = this
    this.setAccess(attributes.expiryMs >= 0 ? db.setExpiry(key, entry, attributes.expiryMs) : entry, attributes)
  }

  private setAccess(entry: Ref, attributes: KeyAttributes): void {
    const { db, space } = this
    const { idleSeconds, frequency } = attributes
    if (space.lfu) {
      if (frequency >= 0) db.entries.setAccess(entry, frequency | ((Math.floor(space.nowMs / 60000) & 0xffff) << 8))
    } else if (idleSeconds >= 0) db.entries.setAccess(entry, (space.lruClock - idleSeconds) & LRU_CLOCK_MASK)
    this.keysLoaded++
    this.options.places?.indexed(entry)
  }

  emptyKey(key: Slice): void {
    if (this.emptyKeys++ < EMPTY_KEYS_LOGGED_MAX) this.log.notice(`rdbLoadObject skipping empty key: ${key.latin1()}`)
  }

  library(code: Slice): string | undefined {
    return this.options.library(code)
  }

  moduleData(data: ModuleData): string | undefined {
    const { idHigh, idLow, when, items } = data
    return ModuleType.of(this.space).foreign.loadData(idHigh, idLow, when, items)
  }
}
