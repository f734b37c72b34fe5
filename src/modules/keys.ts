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
import { reasonOf } from '../lib/reason.ts'
import type { Slice } from '../lib/slice.ts'
import { isUnwind } from '../lib/unwind.ts'
import type { Ref } from '../memory/arena.ts'
import { DatabaseKeys, WRONG_TYPE } from './built-in-keys.ts'
import type { CallLock } from './call-lock.ts'
import { CommandError, type ModuleWord } from './definition.ts'
import type { ModuleType, TypedKey } from './type-definition.ts'
import type { ModuleTypes } from './types.ts'
import { sliceOf } from './values.ts'
import { WritableDatabaseKeys, type Writer } from './writable-keys.ts'

export class ModuleKeys {
  private readonly engine: Engine
  private readonly types: ModuleTypes
  private readonly lock: CallLock
  private readonly builtIn = new Map<Database, DatabaseKeys>()
  /** The one that was asked for last. */
  private latest: DatabaseKeys | undefined
  /** Commands of modules that are running, one within the other. */
  private running = 0
  /** So many commands of modules, that no other had called, have ended. */
  private turns = 0

  constructor(engine: Engine, types: ModuleTypes, lock: CallLock) {
    this.engine = engine
    this.lock = lock
    this.types = types
  }

  /** The value of a key; undefined: there is none. Throws a CommandError for another type. */
  read<Value>(db: Database, type: ModuleType<Value>, word: ModuleWord): Value | undefined {
    const { engine } = this
    this.lock.mustBeOpen()
    const key = sliceOf(word)
    const entry = db.lookup(key, LOOKUP_READ)
    if (entry === 0) {
      if (engine.settings.notifyKeyspaceEvents !== 0) engine.notifyMiss(key, db)
      return undefined
    }
    return this.opened(db, entry, type).value as Value
  }

  /** A command of a module begins to run, and with ended() it has returned, or waits. */
  begun(): void {
    this.running++
  }

  ended(): void {
    if (--this.running === 0) this.turns++
  }

  get isRunning(): boolean {
    return this.running !== 0
  }

  /** The same as before: nothing in the dataset has changed since, and the same command runs. */
  get stamp(): number {
    return this.engine.keyspace.mutations + this.turns
  }

  /** The keys of built-in types in a database. */
  ofDatabase(db: Database): DatabaseKeys {
    this.lock.mustBeOpen()
    const { latest } = this
    if (latest !== undefined && latest.db === db) return latest
    let keys = this.builtIn.get(db)
    if (keys === undefined) this.builtIn.set(db, (keys = new DatabaseKeys(this.engine, db, this)))
    this.latest = keys
    return keys
  }

  /** Keys of built-in types in a database, to be written by a command, which gives them back with written(). */
  toWrite(keys: DatabaseKeys, writer: Writer): WritableDatabaseKeys {
    const writable = keys.idle.pop() ?? new WritableDatabaseKeys(this.engine, keys)
    writable.writer = writer
    return writable
  }

  written(writable: WritableDatabaseKeys): void {
    writable.writer = undefined
    writable.keys.idle.push(writable)
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

  /** `event`: what a change is announced as unless the module says otherwise; `command`: whether it still runs. */
  write<Value>(
    ctx: Context,
    type: ModuleType<Value>,
    word: ModuleWord,
    event: string,
    command: { readonly isOpen: boolean },
  ): TypedKey<Value> {
    this.lock.mustBeOpen()
    const key = sliceOf(word)
    const found = ctx.db.lookup(key, LOOKUP_WRITE)
    const one = found === 0 ? undefined : this.opened(ctx.db, found, type)
    return new OpenKey(this, ctx, type, key, event, command, one)
  }

  /** Gives a key a value. */
  put<Value>(db: Database, key: Slice, type: ModuleType<Value>, value: Value): ForeignValue {
    const node = this.types.make(type as ModuleType<unknown>, value)
    db.put(key, TYPE_MODULE, ENC_RAW, node)
    return this.opened(db, this.entryOf(db, key), type)
  }

  /** The value of a key has changed in place: its bytes are counted. */
  measure(db: Database, key: Slice): void {
    const entry = this.entryOf(db, key)
    if (entry === 0) throw new TypeError('a key without a value has not changed: use set()')
    this.types.measure(db.entries.valueOf(entry))
  }

  /** A key of a module's type has changed, or has gone. */
  touched(ctx: Context, db: Database, key: Slice, event: string, cls: number): void {
    const { blocking } = this.engine
    if (cls === NOTIFY_MODULE && blocking.waiting !== 0) blocking.keyReady(db, key, TYPE_MODULE)
    ctx.touchedIn(db, key, event, cls)
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
      if (isUnwind(error)) throw error
      throw new CommandError(`ERR the value was kept as bytes that the module cannot load: ${reasonOf(error)}`)
    }
    if (one === undefined) throw new CommandError(WRONG_TYPE)
    return one
  }
}

/** What write() returns. */
class OpenKey<Value> implements TypedKey<Value> {
  private readonly keys: ModuleKeys
  private readonly ctx: Context
  private readonly db: Database
  private readonly type: ModuleType<Value>
  private readonly key: Slice
  private readonly event: string
  private readonly command: { readonly isOpen: boolean }
  private one: ForeignValue | undefined

  constructor(
    keys: ModuleKeys,
    ctx: Context,
    type: ModuleType<Value>,
    key: Slice,
    event: string,
    command: { readonly isOpen: boolean },
    one: ForeignValue | undefined,
  ) {
    this.keys = keys
    this.ctx = ctx
    this.db = ctx.db
    this.type = type
    this.key = key
    this.event = event
    this.command = command
    this.one = one
  }

  private mustBeOpen(): void {
    if (!this.command.isOpen) throw new TypeError('a key is written before its command returns or waits')
  }

  get value(): Value | undefined {
    return this.one?.value as Value | undefined
  }

  set(value: Value, event = this.event): void {
    this.mustBeOpen()
    this.one = this.keys.put(this.db, this.key, this.type, value)
    this.keys.touched(this.ctx, this.db, this.key, event, NOTIFY_MODULE)
  }

  changed(event = this.event): void {
    this.mustBeOpen()
    this.keys.measure(this.db, this.key)
    this.keys.touched(this.ctx, this.db, this.key, event, NOTIFY_MODULE)
  }

  delete(): void {
    this.mustBeOpen()
    this.one = undefined
    if (this.db.delete(this.key)) this.keys.touched(this.ctx, this.db, this.key, 'del', NOTIFY_GENERIC)
  }
}
