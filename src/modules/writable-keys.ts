// Writes keys of the built-in types for a module's command: key-definition.ts says what the handles do.
//
// Always: strings are set here, as SET does; all other changes are made by the command of the core, run with nobody's
// permissions, so that there is one place for each change. Nothing is written once the module's command has returned;
// the object is then used again, for the next command.

import type { Context } from '../engine/context.ts'
import type { Engine } from '../engine/engine.ts'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../engine/messaging/events.ts'
import type { Database } from '../keyspace/database.ts'
import { INLINE_BYTES_MAX } from '../keyspace/entry.ts'
import { Slice } from '../lib/slice.ts'
import { BorrowedBytes } from './borrowed.ts'
import type { DatabaseKeys } from './built-in-keys.ts'
import { utf8Text } from './bytes.ts'
import type { ModuleWord } from './definition.ts'
import type {
  HashKey,
  ListKey,
  SetKey,
  SortedSetKey,
  StreamKey,
  StringOptions,
  WritableHashKey,
  WritableKeys,
  WritableListKey,
  WritableSetKey,
  WritableSortedSetKey,
  WritableStreamKey,
} from './key-definition.ts'

const SET = Slice.of('SET')
const KEEPTTL = Slice.of('KEEPTTL')
const PXAT = Slice.of('PXAT')
const STRING_BYTES_MAX = 512 * 1024 * 1024

/** The command of a module that writes. */
export interface Writer {
  readonly ctx: Context
  /** What is written is propagated, and not the command itself. */
  readonly propagates: boolean
  /** Runs a command of the core; bulk strings of its reply are bytes. */
  change(words: readonly ModuleWord[]): unknown
}

export class WritableDatabaseKeys implements WritableKeys {
  private readonly engine: Engine
  readonly keys: DatabaseKeys
  /** Undefined: none is running. */
  writer: Writer | undefined

  constructor(engine: Engine, keys: DatabaseKeys) {
    this.engine = engine
    this.keys = keys
  }

  private open(): Writer {
    if (this.writer === undefined) throw new TypeError('a key is written before its command returns or waits')
    return this.writer
  }

  private change(...words: ModuleWord[]): unknown {
    return this.open().change(words)
  }

  setString(word: ModuleWord, value: ModuleWord, options?: StringOptions): void {
    const { ctx, propagates } = this.open()
    const keepExpiry = options?.keepExpiry === true
    const expiresAtMs = keepExpiry ? -1 : (options?.expiresAtMs ?? -1)
    if (!Number.isSafeInteger(expiresAtMs)) throw new TypeError('an expiry is a whole number of milliseconds')
    const { keys, engine } = this
    const { db } = keys
    const text = keys.valueOf(value)
    if (text.len > STRING_BYTES_MAX) throw new RangeError('a string has 512 MiB at most')
    const key = keys.keyOf(word)
    if (text.len <= INLINE_BYTES_MAX) db.strings.set(db, key, text, keepExpiry, expiresAtMs)
    else this.setLong(db, key, text, keepExpiry, expiresAtMs)
    ctx.touchedIn(db, key, 'set', NOTIFY_STRING)
    if (expiresAtMs >= 0 && ctx.settings.notifyKeyspaceEvents !== 0) engine.notify(NOTIFY_GENERIC, 'expire', key, db)
    if (!engine.hasSinks || !propagates) return
    const words = [SET, this.kept(word, key), this.kept(value, text)]
    if (keepExpiry) words.push(KEEPTTL)
    else if (expiresAtMs >= 0) words.push(PXAT, Slice.of(String(expiresAtMs)))
    engine.dispatch.propagateNow(db, words)
  }

  /** A long word is copied into the value, which does not take its allocation over: the word stays what it is. */
  private setLong(db: Database, key: Slice, text: Slice, keepExpiry: boolean, expiresAtMs: number): void {
    const { strings } = db
    const offered = strings.lent.offer([])
    try {
      strings.set(db, key, text, keepExpiry, expiresAtMs)
    } finally {
      strings.lent.offer(offered)
    }
  }

  /** The bytes of a word until the propagation unit ends: a borrowed word of the command lasts as long as its own. */
  private kept(word: ModuleWord, bytes: Slice): Slice {
    const lasts = word instanceof BorrowedBytes && word.isWord && this.engine.dispatch.isOuterUnit
    return lasts ? bytes : bytes.copy()
  }

  hash(key: ModuleWord): WritableHashKey {
    return extended<HashKey, WritableHashKey>(this.keys.hash(key, true), {
      set: (field, value) => this.change('HSET', key, field, value) === 1,
      delete: (...fields) => this.counted('HDEL', key, fields),
    })
  }

  list(key: ModuleWord): WritableListKey {
    const list = this.keys.list(key, true)!
    const push = (name: string, elements: ModuleWord[]) =>
      elements.length === 0 ? list.length : this.counted(name, key, elements)
    return extended<ListKey, WritableListKey>(list, {
      push: (...elements) => push('RPUSH', elements),
      unshift: (...elements) => push('LPUSH', elements.reverse()),
      pop: () => (this.change('RPOP', key) ?? undefined) as Uint8Array | undefined,
      shift: () => (this.change('LPOP', key) ?? undefined) as Uint8Array | undefined,
      set: (index, element) => void this.change('LSET', key, index, element),
    })
  }

  set(key: ModuleWord): WritableSetKey {
    return extended<SetKey, WritableSetKey>(this.keys.set(key, true), {
      add: (...members) => this.counted('SADD', key, members),
      delete: (...members) => this.counted('SREM', key, members),
    })
  }

  sortedSet(key: ModuleWord): WritableSortedSetKey {
    return extended<SortedSetKey, WritableSortedSetKey>(this.keys.sortedSet(key, true), {
      set: (member, score) => this.change('ZADD', key, score, member) === 1,
      delete: (...members) => this.counted('ZREM', key, members),
    })
  }

  stream(key: ModuleWord): WritableStreamKey {
    return extended<StreamKey, WritableStreamKey>(this.keys.stream(key, true), {
      add: (fields, id = '*') => {
        const added = this.change('XADD', key, id, ...fields.flat()) as Uint8Array
        return utf8Text(added, 0, added.length)
      },
      delete: (...ids) => this.counted('XDEL', key, ids),
      trim: length => this.change('XTRIM', key, 'MAXLEN', length) as number,
    })
  }

  delete(key: ModuleWord): boolean {
    return this.change('DEL', key) === 1
  }

  setExpiry(key: ModuleWord, atMs: number | null): boolean {
    return (atMs === null ? this.change('PERSIST', key) : this.change('PEXPIREAT', key, atMs)) === 1
  }

  /** A command that takes any number of words, but at least one: without them it changes nothing. */
  private counted(name: string, key: ModuleWord, words: readonly ModuleWord[]): number {
    return words.length > 0 ? (this.change(name, key, ...words) as number) : 0
  }
}

/** A handle with methods that write. Its prototype is the one that reads, whose getters stay getters. */
function extended<Reading extends object, Writing extends Reading>(
  reading: Reading | undefined,
  methods: Omit<Writing, keyof Reading>,
): Writing {
  return Object.assign(Object.create(reading!), methods)
}
