// Keys of modules' types, as a command of a module reads and writes them.
//
// Always: a value is opened for writing (the running snapshot saves it first) before a module gets it to change.

import type { Client } from '../engine/client.ts'
import type { Context } from '../engine/context.ts'
import type { Engine } from '../engine/engine.ts'
import { NOTIFY_GENERIC, NOTIFY_MODULE } from '../engine/messaging/events.ts'
import { type Database, LOOKUP_NO_TOUCH, LOOKUP_READ, LOOKUP_WRITE } from '../keyspace/database.ts'
import { ENC_RAW, TYPE_MODULE } from '../keyspace/types.ts'
import type { ForeignValue } from '../keyspace/values/module/module-type.ts'
import type { Slice } from '../lib/slice.ts'
import { Unwind } from '../lib/unwind.ts'
import type { Ref } from '../memory/arena.ts'
import { DatabaseKeys, WRONG_TYPE } from './built-in-keys.ts'
import { CommandError, type ModuleWord } from './definition.ts'
import type { ModuleType, TypedKey } from './type-definition.ts'
import type { ModuleTypes } from './types.ts'
import { sliceOf } from './values.ts'
import { WritableDatabaseKeys, type Writer } from './writable-keys.ts'

export class ModuleKeys {
  private readonly engine: Engine
  private readonly types: ModuleTypes
  private readonly builtIn = new Map<Database, DatabaseKeys>()

  constructor(engine: Engine, types: ModuleTypes) {
    this.engine = engine
    this.types = types
  }

  /** The value of a key; undefined: there is none. Throws a CommandError for another type. */
  read<Value>(db: Database, type: ModuleType<Value>, word: ModuleWord): Value | undefined {
    const { engine } = this
    const key = sliceOf(word)
    const entry = db.lookup(key, LOOKUP_READ)
    if (entry === 0) {
      if (engine.settings.notifyKeyspaceEvents !== 0) engine.notifyMiss(key, db)
      return undefined
    }
    return this.opened(db, entry, type).value as Value
  }

  /** The keys of built-in types in a database. */
  ofDatabase(db: Database): DatabaseKeys {
    let keys = this.builtIn.get(db)
    if (keys === undefined) this.builtIn.set(db, (keys = new DatabaseKeys(this.engine, db)))
    return keys
  }

  /** Keys of built-in types in a database, to be written by a command, which gives them back with written(). */
  toWrite(keys: DatabaseKeys, writer: Writer): WritableDatabaseKeys {
    const writable = keys.idle.pop() ?? new WritableDatabaseKeys(this.engine, keys)
    writable.writer = writer
    return writable
  }

  written(keys: DatabaseKeys, writable: WritableDatabaseKeys): void {
    writable.writer = undefined
    keys.idle.push(writable)
  }

  /** Serves clients that wait for a key. */
  ready(db: Database, word: ModuleWord): void {
    const { blocking } = this.engine
    if (blocking.waiting !== 0) blocking.keyReady(db, sliceOf(word), TYPE_MODULE)
  }

  /** Whether the command of a client runs again, since one of its keys has changed. */
  isAgain(client: Client): boolean {
    return this.engine.blocking.isReprocessing(client)
  }

  /** `isOpen`: whether the command is still running. */
  write<Value>(ctx: Context, type: ModuleType<Value>, word: ModuleWord, event: string, isOpen: () => boolean) {
    const { types } = this
    const { db } = ctx
    const key = sliceOf(word)
    const found = db.lookup(key, LOOKUP_WRITE)
    let one = found === 0 ? undefined : this.opened(db, found, type)
    const mustBeOpen = () => {
      if (!isOpen()) throw new TypeError('a key is written before its command returns or waits')
    }
    const touched = (name: string, cls: number) => {
      if (cls === NOTIFY_MODULE && this.engine.blocking.waiting !== 0)
        this.engine.blocking.keyReady(db, key, TYPE_MODULE)
      ctx.touchedIn(db, key, name, cls)
    }
    const handle: TypedKey<Value> = {
      get value() {
        return one?.value as Value | undefined
      },
      set: (value, name = event) => {
        mustBeOpen()
        const node = types.make(type as ModuleType<unknown>, value)
        db.put(key, TYPE_MODULE, ENC_RAW, node)
        one = this.opened(db, this.entryOf(db, key), type)
        touched(name, NOTIFY_MODULE)
      },
      changed: (name = event) => {
        mustBeOpen()
        const entry = this.entryOf(db, key)
        if (entry === 0) throw new TypeError('a key without a value has not changed: use set()')
        types.measure(db.entries.valueOf(entry))
        touched(name, NOTIFY_MODULE)
      },
      delete: () => {
        mustBeOpen()
        one = undefined
        if (db.delete(key)) touched('del', NOTIFY_GENERIC)
      },
    }
    return handle
  }

  /** Commands that were called meanwhile may have moved it. */
  private entryOf(db: Database, key: Slice): Ref {
    return db.find(key, LOOKUP_WRITE | LOOKUP_NO_TOUCH)
  }

  private opened<Value>(db: Database, entry: Ref, type: ModuleType<Value>): ForeignValue {
    const { entries } = db
    if (entries.typeOf(entry) !== TYPE_MODULE) throw new CommandError(WRONG_TYPE)
    let one: ForeignValue | undefined
    try {
      one = this.types.open(type as ModuleType<unknown>, entries.valueOf(entry))
    } catch (error) {
      if (error instanceof Unwind) throw error
      throw new CommandError(
        `ERR the value was kept as bytes that the module cannot load: ${(error as Error)?.message}`,
      )
    }
    if (one === undefined) throw new CommandError(WRONG_TYPE)
    return one
  }
}
