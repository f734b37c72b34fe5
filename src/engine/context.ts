// Context: what a handler sees of the server while its command runs: the arguments, the client, the database,
// the reply to write, and the verbs that all commands share.
//
// Always: one Context per server, filled anew for each command; args[0 .. argc) are valid until the handler returns.

import type { Database } from '../keyspace/database.ts'
import { LOOKUP_READ, LOOKUP_WRITE } from '../keyspace/database.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { equalsNoCase } from '../lib/bytes.ts'
import { type Long, longOf } from '../lib/long-field.ts'
import { parseBigInt64, parseDouble, parseInt64, parseLongDouble } from '../lib/number.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import * as errors from '../protocol/errors.ts'
import type { Reply } from '../protocol/reply.ts'
import type { TableEntry } from './catalog/table.ts'
import {
  type BlockState,
  CLIENT_IN_EXEC,
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  CLIENT_SCRIPT,
  type Client,
} from './client.ts'
import { type EffectLog, newEffectLog, PROPAGATE_ALL } from './effect.ts'
import type { Engine } from './engine.ts'
import { Options } from './options.ts'
import type { ServerCommands } from './ports/server-commands.ts'
import type { Settings } from './settings.ts'

export class Context {
  /** What commands may ask of the server beyond keys and replies. */
  readonly server: ServerCommands
  private readonly engine: Engine
  readonly keyspace: Keyspace
  readonly settings: Settings
  reply: Reply
  args: Slice[] = []
  argc = 0
  client!: Client
  db: Database
  command!: TableEntry
  /** For handlers: points at a value while it is written to the reply. */
  readonly value = new Slice()
  /** Cursor over the options of a command; see options(). */
  private readonly cursor: Options
  /** How the command is propagated when not as itself. */
  readonly effect: EffectLog = newEffectLog()

  constructor(engine: Engine) {
    this.engine = this.server = engine
    this.keyspace = engine.keyspace
    this.settings = engine.settings
    this.reply = engine.reply
    this.db = engine.keyspace.databases[0]
    this.cursor = new Options(this)
  }

  /** Begins a command; the reply is passed apart, since commands in scripts write to one of their own. */
  enter(client: Client, command: TableEntry, args: Slice[], argc: number): void {
    this.args = args
    this.argc = argc
    this.client = client
    this.db = client.db
    this.command = command
  }

  /** The state of the current command that nested commands overwrite. */
  save(): SavedContext {
    const { reply, args, argc, client, db, command } = this
    return { reply, args, argc, client, db, command }
  }

  restore(saved: SavedContext): void {
    this.reply = saved.reply
    this.args = saved.args
    this.argc = saved.argc
    this.client = saved.client
    this.db = saved.db
    this.command = saved.command
  }

  /** Milliseconds since 1970, the same throughout a command. */
  get nowMs(): number {
    return this.keyspace.nowMs
  }

  /** True where a command may make its client wait: not in EXEC, not in a script. */
  get canBlock(): boolean {
    return (this.client.flags & (CLIENT_IN_EXEC | CLIENT_SCRIPT | CLIENT_INTERNAL | CLIENT_MASTER)) === 0
  }

  /** True when args[i], letters in any case, is `word` (lower case). */
  is(i: number, word: string): boolean {
    return equalsNoCase(this.args[i], word)
  }

  /** The cursor over args[from .. argc). Only one is in use at a time. */
  options(from: number): Options {
    return this.cursor.begin(from)
  }

  // ---- announcing a change ----

  /**
   * Signals a modified key: watchers and tracking clients are notified (signalModifiedKey), dirty is counted, and the
   * keyspace event `event` of class `cls` (events.ts) is sent.
   */
  touched(key: Slice, event: string, cls: number, changes = 1): void {
    this.keyspace.dirty += changes
    if (this.engine.modifiedKeyListeners !== 0) this.engine.signalModifiedKey(this.db, key)
    if (this.settings.notifyKeyspaceEvents !== 0) this.engine.notify(cls, event, key, this.db)
  }

  /** Only the keyspace event. */
  notify(key: Slice, event: string, cls: number): void {
    if (this.settings.notifyKeyspaceEvents !== 0) this.engine.notify(cls, event, key, this.db)
  }

  /** As touched(), for a key of another database. */
  touchedIn(db: Database, key: Slice, event: string, cls: number, changes = 1): void {
    const own = this.db
    this.db = db
    this.touched(key, event, cls, changes)
    this.db = own
  }

  /** Notifies watchers and tracking clients of a modified key, and does nothing else. */
  signalModified(key: Slice): void {
    if (this.engine.modifiedKeyListeners !== 0) this.engine.signalModifiedKey(this.db, key)
  }

  /** A key's value was added to or removed (type -1), so that clients blocked on it may be unblocked. */
  keyReady(key: Slice, type: number): void {
    if (this.engine.blocking.waiting !== 0) this.engine.blocking.keyReady(this.db, key, type)
  }

  /** Removes all keys of a database and notifies watchers and blocked clients; returns their number. */
  flush(db: Database): number {
    const { engine } = this
    engine.watches.touchAllWatchedKeysInDb(db.index)
    const removed = db.clear()
    engine.blocking.databaseReady(db)
    return removed
  }

  /** After one or several flush(): tracking clients are notified, once for all databases. */
  flushed(): void {
    this.engine.trackingHook?.(this.db, null)
  }

  /** Exchanges the contents of two databases, and notifies watchers and blocked clients. */
  swap(a: Database, b: Database): void {
    const { engine } = this
    engine.watches.touchAllWatchedKeysInDb(a.index, b.index)
    engine.watches.touchAllWatchedKeysInDb(b.index, a.index)
    this.keyspace.swap(a.index, b.index)
    engine.observers.happenings.tell({ name: 'databases-swapped', first: a.index, second: b.index })
    engine.blocking.databaseReady(a)
    engine.blocking.databaseReady(b)
  }

  // ---- propagation ----

  /** True when there is a sink: only then is it worth building an effect. */
  get hasSinks(): boolean {
    return this.engine.hasSinks
  }

  /** This command is propagated as these words instead of itself (call again for several). Copies. */
  propagateAs(...words: (Slice | string | number)[]): void {
    if (!this.engine.hasSinks) return
    this.effect.replaced = true
    this.effect.commands.push({ db: this.db.index, args: words.map(wordSlice), targets: this.effect.targets })
  }

  /** These words are propagated after the command itself (or after its replacement), to all. Copies. */
  alsoPropagate(db: Database, ...words: (Slice | string | number)[]): void {
    if (!this.engine.hasSinks) return
    this.effect.commands.push({ db: db.index, args: words.map(wordSlice), targets: PROPAGATE_ALL })
  }

  /** Propagates this command to `targets` (PROPAGATE_) although it changes no key. */
  forcePropagation(targets: number): void {
    if (this.engine.hasSinks) this.effect.forced = targets
  }

  /** Propagates this command only to `targets` (PROPAGATE_). What alsoPropagate() adds goes to all, as in Redis. */
  limitPropagation(targets: number): void {
    if (this.engine.hasSinks) this.effect.targets = targets
  }

  /** Does not propagate this command itself, although it may have changed something. */
  preventPropagation(): void {
    if (this.engine.hasSinks) this.effect.prevented = true
  }

  // ---- arguments that may be invalid: undefined or NaN after an error reply ----

  /** The safe integer args[i] spells, or NaN after an error reply. Integers beyond ±2^53 are errors here. */
  integerOrReply(i: number, error: Uint8Array = errors.NOT_AN_INTEGER): number {
    const n = parseInt64(this.args[i])
    if (Number.isSafeInteger(n)) return n
    this.reply.fixedError(error)
    return Number.NaN
  }

  /**
   * As integerOrReply(), but any 64-bit integer passes; those beyond ±2^53 are rounded to the nearest double (counts,
   * indexes and limits, where only "very large" matters).
   */
  longOrReply(i: number, error: Uint8Array = errors.NOT_AN_INTEGER): number {
    const n = parseInt64(this.args[i])
    if (Number.isNaN(n)) this.reply.fixedError(error)
    return Number.isFinite(n) || Number.isNaN(n) ? n : Number(parseBigInt64(this.args[i]))
  }

  /** The 64-bit integer args[i] spells, exact, or NaN after an error reply. */
  exactLongOrReply(i: number, error: Uint8Array = errors.NOT_AN_INTEGER): Long {
    const n = parseInt64(this.args[i])
    if (Number.isNaN(n)) this.reply.fixedError(error)
    return Number.isSafeInteger(n) || Number.isNaN(n) ? n : longOf(parseBigInt64(this.args[i]))
  }

  /** The double args[i] spells, or NaN after an error reply. */
  doubleOrReply(i: number, error: Uint8Array = errors.NOT_A_FLOAT): number {
    const n = parseDouble(this.args[i])
    if (Number.isNaN(n)) this.reply.fixedError(error)
    return n
  }

  /** A blocking command's timeout in milliseconds (0: none), from seconds in args[i]; NaN after an error reply. */
  timeoutOrReply(i: number): number {
    const seconds = parseLongDouble(this.args[i])
    if (Number.isNaN(seconds)) this.reply.fixedError(errors.TIMEOUT_NOT_FLOAT)
    else if (seconds * 1000 > TIMEOUT_MS_MAX - this.nowMs) this.reply.fixedError(errors.TIMEOUT_OUT_OF_RANGE)
    else if (seconds < 0) this.reply.fixedError(errors.TIMEOUT_NEGATIVE)
    else return Math.ceil(seconds * 1000)
    return Number.NaN
  }

  // ---- keys: 0 absent, WRONG after a WRONGTYPE reply ----

  /** The entry of a key for reading, 0 when absent, WRONG after a WRONGTYPE reply. */
  readOrReply(key: Slice, type: number): Ref {
    const entry = this.lookupRead(key)
    return this.hasWrongType(entry, type) ? WRONG : entry
  }

  /** As readOrReply(), for a value that will be modified. */
  writeOrReply(key: Slice, type: number): Ref {
    const entry = this.db.lookup(key, LOOKUP_WRITE)
    return this.hasWrongType(entry, type) ? WRONG : entry
  }

  /** True, after a WRONGTYPE reply, when the entry has another type; 0 has none. */
  hasWrongType(entry: Ref, type: number): boolean {
    if (entry === 0 || this.db.entries.typeOf(entry) === type) return false
    this.reply.fixedError(errors.WRONG_TYPE)
    return true
  }

  /** The entry of a key, 0 when absent; `flags`: more LOOKUP_ flags. */
  lookupRead(key: Slice, flags = LOOKUP_READ): Ref {
    const entry = this.db.lookup(key, flags)
    if (entry === 0 && this.settings.notifyKeyspaceEvents !== 0) this.engine.notifyMiss(key, this.db)
    return entry
  }

  // ---- blocking ----

  /**
   * Blocks the client until one of args[first..last] (every `step`th) holds a value of `type`, then runs the
   * command again, with its arguments as they are now; after `timeoutMs` (0: never) the client gets `timeoutReply`.
   * Only where canBlock.
   */
  block(
    first: number,
    last: number,
    timeoutMs: number,
    type: number,
    timeoutReply: 'null' | 'nullArray',
    wakeOnRemoval = false,
    step = 1,
  ): void {
    this.engine.blocking.block(this, first, last, step, timeoutMs, type, timeoutReply, wakeOnRemoval)
  }

  /** SLOWLOG shows a command that blocks with these arguments, unless it has blocked before. */
  showBlockedAs(args: Slice[]): void {
    const { blocked } = this.client
    if (blocked !== undefined) blocked.command.shown ??= args
  }

  /**
   * Blocks the client for something other than a key; the answer unblocks it. `unblockable`: CLIENT UNBLOCK may
   * unblock it too. Only where canBlock.
   */
  waitForAnswer(unblockable = false): PendingAnswer {
    this.engine.blocking.blockOther(this.client, 0, () => {}, this)
    this.client.blocked!.unblockable = unblockable
    return new PendingAnswer(this.engine, this.client)
  }
}

type SavedContext = Pick<Context, 'reply' | 'args' | 'argc' | 'client' | 'db' | 'command'>

/** The reply to a blocked client's command. Not sent if the client has disconnected or was unblocked. */
class PendingAnswer {
  private readonly engine: Engine
  private readonly client: Client
  private readonly state: BlockState | undefined

  constructor(engine: Engine, client: Client) {
    this.engine = engine
    this.client = client
    this.state = client.blocked
  }

  write(answer: (reply: Reply) => void): void {
    const { engine, client } = this
    if (client.blocked !== this.state) return
    engine.answer(client, answer)
    engine.blocking.finish(client)
    engine.serveBlockedAndFlush()
  }

  fail(error: string): void {
    const { engine, client } = this
    if (client.blocked !== this.state) return
    engine.blocking.abort(client, error)
    engine.serveBlockedAndFlush()
  }
}

/** Deadlines are 64-bit integers in Redis. */
const TIMEOUT_MS_MAX = 2 ** 63

/** No Ref: the key holds another type, and WRONGTYPE was replied. */
export const WRONG: Ref = -1

function wordSlice(word: Slice | string | number): Slice {
  return typeof word === 'object' ? word.copy() : Slice.of(String(word))
}
