// Reads keys of the built-in types for modules: key-definition.ts says how they see them.
//
// Always: what is returned is a copy. The objects that walk a value are the commands', so that nothing else runs
// between opening a value and the end of a method.

import type { Engine } from '../engine/engine.ts'
import { type Database, LOOKUP_NO_TOUCH, LOOKUP_READ } from '../keyspace/database.ts'
import { TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STREAM, TYPE_STRING, TYPE_ZSET } from '../keyspace/types.ts'
import { HashType } from '../keyspace/values/hash/hash-type.ts'
import { ListType } from '../keyspace/values/list/list-type.ts'
import { SetType } from '../keyspace/values/set/set-type.ts'
import { StreamId } from '../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../keyspace/values/stream/stream-type.ts'
import { ZSetType } from '../keyspace/values/zset/zset-type.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { BorrowedBytes, type Lender } from './borrowed.ts'
import { copyOf } from './bytes.ts'
import { putAscii } from './call-words.ts'
import { CommandError, type ModuleWord } from './definition.ts'
import type {
  BuiltInKeys,
  HashKey,
  ListKey,
  SetKey,
  SortedSetKey,
  StreamKey,
  StreamKeyEntry,
} from './key-definition.ts'
import { sliceOf } from './values.ts'
import type { WritableDatabaseKeys } from './writable-keys.ts'

export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'

const SHORT_BYTES = 64

/** Of borrowed strings; implemented by ModuleKeys. */
interface LoanTime {
  readonly isRunning: boolean
  readonly stamp: number
}

/** The keys of one database. */
export class DatabaseKeys implements BuiltInKeys, Lender {
  private readonly engine: Engine
  readonly db: Database
  /** Objects that write them, while no command does. */
  readonly idle: WritableDatabaseKeys[] = []
  private readonly text = new Slice()
  /** A short key while it is looked up. */
  private readonly short = new Slice(new Uint8Array(SHORT_BYTES))
  private readonly shortValue = new Slice(new Uint8Array(SHORT_BYTES))
  private readonly time: LoanTime

  constructor(engine: Engine, db: Database, time: LoanTime) {
    this.engine = engine
    this.db = db
    this.time = time
  }

  /** The entry of a key, 0 for none. Throws WRONGTYPE. */
  private find(key: Slice, type: number, flags = LOOKUP_READ): Ref {
    const { db, engine } = this
    const entry = db.lookup(key, flags)
    if (entry === 0) {
      if (flags === LOOKUP_READ && engine.settings.notifyKeyspaceEvents !== 0) engine.notifyMiss(key, db)
    } else if (db.entries.typeOf(entry) !== type) throw new CommandError(WRONG_TYPE)
    return entry
  }

  /** Short keys share one slice, and short values: valid until the next call. */
  keyOf(word: ModuleWord): Slice {
    return shortOrOwn(word, this.short)
  }

  valueOf(word: ModuleWord): Slice {
    return shortOrOwn(word, this.shortValue)
  }

  string(word: ModuleWord): Uint8Array | undefined {
    const entry = this.find(this.keyOf(word), TYPE_STRING)
    return entry === 0 ? undefined : copyOf(this.db.strings.textOf(entry, this.text))
  }

  borrow(word: ModuleWord): BorrowedBytes | undefined {
    const { time } = this
    if (!time.isRunning) throw new TypeError('a string is borrowed before its command returns or waits')
    const entry = this.find(this.keyOf(word), TYPE_STRING)
    return entry === 0 ? undefined : new BorrowedBytes(this, entry, time.stamp)
  }

  lent(entry: Ref, stamp: number): Slice | undefined {
    return stamp === this.time.stamp ? this.db.strings.textOf(entry, this.text) : undefined
  }

  hash(word: ModuleWord, mayBeMissing = false): HashKey | undefined {
    const open = this.handle(word, TYPE_HASH, mayBeMissing)
    if (open === undefined) return undefined
    const type = HashType.of(this.engine.keyspace)
    const { field, text, current } = type
    return {
      get size() {
        return open((encoding, value) => current.open(encoding, value).length, 0)
      },
      get: name =>
        open(
          (encoding, value) =>
            current.open(encoding, value).get(sliceOf(name), text) ? copyOf(text.text()) : undefined,
          undefined,
        ),
      has: name => open((encoding, value) => current.open(encoding, value).has(sliceOf(name)), false),
      entries: () =>
        open((encoding, value) => {
          const found: [Uint8Array, Uint8Array][] = []
          current.open(encoding, value).rewind()
          while (current.next(field, text)) found.push([copyOf(field.text()), copyOf(text.text())])
          return found
        }, []),
    }
  }

  list(word: ModuleWord, mayBeMissing = false): ListKey | undefined {
    const open = this.handle(word, TYPE_LIST, mayBeMissing)
    if (open === undefined) return undefined
    const { current, element } = ListType.of(this.engine.keyspace)
    const slice = (start: number, end: number) =>
      open((encoding, value) => {
        const { length } = current.open(encoding, value)
        const [first, count] = bounds(length, start, end)
        const found: Uint8Array[] = []
        if (count > 0) current.seek(first, true)
        while (found.length < count && current.next(element)) found.push(copyOf(element.text()))
        return found
      }, [])
    return {
      get length() {
        return open((encoding, value) => current.open(encoding, value).length, 0)
      },
      at(index) {
        const at = whole(index)
        return slice(at, at === -1 ? Number.POSITIVE_INFINITY : at + 1)[0]
      },
      slice: (start = 0, end = Number.POSITIVE_INFINITY) => slice(start, end),
    }
  }

  set(word: ModuleWord, mayBeMissing = false): SetKey | undefined {
    const open = this.handle(word, TYPE_SET, mayBeMissing)
    if (open === undefined) return undefined
    const { current, element } = SetType.of(this.engine.keyspace)
    return {
      get size() {
        return open((encoding, value) => current.open(encoding, value).length, 0)
      },
      has: member => open((encoding, value) => current.open(encoding, value).has(sliceOf(member)), false),
      members: () =>
        open((encoding, value) => {
          const found: Uint8Array[] = []
          current.open(encoding, value).rewind()
          while (current.next(element)) found.push(copyOf(element.text()))
          return found
        }, []),
    }
  }

  sortedSet(word: ModuleWord, mayBeMissing = false): SortedSetKey | undefined {
    const open = this.handle(word, TYPE_ZSET, mayBeMissing)
    if (open === undefined) return undefined
    const { current, cursor } = ZSetType.of(this.engine.keyspace)
    return {
      get size() {
        return open((encoding, value) => current.open(encoding, value).length, 0)
      },
      score: member =>
        open((encoding, value) => {
          const score = current.open(encoding, value).scoreOf(sliceOf(member))
          return Number.isNaN(score) ? undefined : score
        }, undefined),
      slice: (start = 0, end = Number.POSITIVE_INFINITY) =>
        open((encoding, value) => {
          const [first, count] = bounds(current.open(encoding, value).length, start, end)
          const found: [Uint8Array, number][] = []
          for (let more = count > 0 && current.seekRank(first, cursor); more; more = current.next(cursor)) {
            found.push([copyOf(cursor.member), cursor.score])
            if (found.length === count) break
          }
          return found
        }, []),
    }
  }

  stream(word: ModuleWord, mayBeMissing = false): StreamKey | undefined {
    const open = this.handle(word, TYPE_STREAM, mayBeMissing)
    if (open === undefined) return undefined
    const { stream: current, iterator } = StreamType.of(this.engine.keyspace)
    return {
      get length() {
        return open((_, value) => current.open(value).length, 0)
      },
      get lastId() {
        return open((_, value) => current.open(value).lastId(new StreamId()).toString(), '0-0')
      },
      range: (from = '-', to = '+', count = Number.POSITIVE_INFINITY) => {
        const [first, last] = [idOf(from, false), idOf(to, true)]
        return open((_, value) => {
          const found: StreamKeyEntry[] = []
          iterator.start(current.open(value).tree, first, last, false)
          while (found.length < count && iterator.next()) {
            const fields: [Uint8Array, Uint8Array][] = []
            for (let left = iterator.fields; left > 0; left--) {
              iterator.nextField()
              fields.push([copyOf(iterator.field), copyOf(iterator.value)])
            }
            found.push({ id: iterator.id.toString(), fields })
          }
          return found
        }, [])
      },
    }
  }

  /**
   * Undefined: there is no such key, and there must be one. Else what opens it: `work` gets its encoding and value;
   * `none` when it has gone.
   */
  private handle(word: ModuleWord, type: number, mayBeMissing: boolean) {
    const key = sliceOf(word).copy()
    const flags = mayBeMissing ? LOOKUP_READ | LOOKUP_NO_TOUCH : LOOKUP_READ
    if (this.find(key, type, flags) === 0 && !mayBeMissing) return undefined
    const { db } = this
    return <Result>(work: (encoding: number, value: Ref) => Result, none: Result): Result => {
      const entry = this.find(key, type, LOOKUP_READ | LOOKUP_NO_TOUCH)
      return entry === 0 ? none : work(db.entries.encodingOf(entry), db.entries.valueOf(entry))
    }
  }
}

/** The bytes of a word, in `short` if there is space. */
function shortOrOwn(word: ModuleWord, short: Slice): Slice {
  if (word instanceof BorrowedBytes) return word.stable()
  if (typeof word === 'string') {
    if (word.length > SHORT_BYTES || !putAscii(short.u8, 0, word)) return sliceOf(word)
  } else if (!(word instanceof Uint8Array) || word.length > SHORT_BYTES) return sliceOf(word)
  else for (let i = 0; i < word.length; i++) short.u8[i] = word[i]
  short.len = word.length
  return short
}

/** Of slice(start, end) of so many elements, as arrays have it: the first, and how many. */
function bounds(length: number, start: number, end: number): [first: number, count: number] {
  const [first, last] = [whole(start), whole(end)]
  const from = first < 0 ? Math.max(0, length + first) : Math.min(first, length)
  const to = last < 0 ? length + last : Math.min(last, length)
  return [from, Math.max(0, to - from)]
}

/** An index as arrays take it: what is no number is 0. */
function whole(index: number): number {
  return Math.trunc(index) || 0
}

function idOf(text: string, isEnd: boolean): StreamId {
  const id = new StreamId()
  if (text === '-') return id
  if (text === '+') return id.setMax()
  if (!id.parse(sliceOf(text), isEnd))
    throw new CommandError('ERR Invalid stream ID specified as stream command argument')
  return id
}
