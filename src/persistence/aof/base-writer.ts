// AofBaseWriter: the dataset as commands that build it, for a base file without RDB (aof-use-rdb-preamble no).
//
// Always: as SnapshotWriter does it: what comes between the parts of a large value stands behind that value; each key
// is built by commands of at most ITEMS_MAX elements.

import type { Database } from '../../keyspace/database.ts'
import { entryKey } from '../../keyspace/entry.ts'
import { Hash } from '../../keyspace/hash.ts'
import { HashKind } from '../../keyspace/hash-kind.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import { List } from '../../keyspace/list.ts'
import { ListKind } from '../../keyspace/list-kind.ts'
import { MemberSet } from '../../keyspace/set.ts'
import { SetKind } from '../../keyspace/set-kind.ts'
import { Stream } from '../../keyspace/stream.ts'
import { StreamId } from '../../keyspace/stream-id.ts'
import { StreamIterator } from '../../keyspace/stream-iterator.ts'
import { StreamKind } from '../../keyspace/stream-kind.ts'
import { TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STRING, TYPE_ZSET } from '../../keyspace/types.ts'
import { ZSet, ZSetCursor } from '../../keyspace/zset.ts'
import { ZSetKind } from '../../keyspace/zset-kind.ts'
import { formatG17 } from '../../lib/double.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { Element } from '../../memory/element.ts'
import { ListCursor } from '../../memory/list-cursor.ts'
import { OrderedCursor } from '../../memory/ordered.ts'
import { CommandWriter } from '../../protocol/command-writer.ts'
import type { ByteSink } from '../file-sink.ts'

const ITEMS_MAX = 64
const CHUNK_BYTES = 240 * 1024
const LARGE_BYTES = 128 * 1024
const PART_BYTES = 64 * 1024
/** Longer words are written in pieces of this size. */
const PIECE_BYTES = 64 * 1024
const SAMPLES = 5

/** What a value's commands are written with; one more for those that come between the parts of a large one. */
export class ValueCommands {
  readonly out = new CommandWriter()
  database = -1
  private readonly space: Keyspace
  private readonly key = new Slice()
  private readonly text = new Slice()
  private readonly element = new Element()
  private readonly value = new Element()
  private readonly list: List
  private readonly hash: Hash
  private readonly set: MemberSet
  private readonly zset: ZSet
  private readonly cursor = new ZSetCursor()
  private readonly stream: Stream
  private readonly iterator: StreamIterator
  private readonly id = new StreamId()

  constructor(space: Keyspace) {
    this.space = space
    const lists = ListKind.of(space)
    this.list = new List({
      listpacks: lists.listpacks,
      quicklists: lists.quicklists,
      limits: lists.limits,
      cursor: new ListCursor(),
    })
    this.hash = new Hash(HashKind.of(space))
    this.set = new MemberSet(SetKind.of(space))
    this.zset = new ZSet(ZSetKind.of(space))
    const streams = StreamKind.of(space)
    this.stream = new Stream(streams)
    this.iterator = new StreamIterator(streams.index, streams.nodes)
  }

  select(database: number): void {
    if (database === this.database) return
    this.database = database
    this.out.count(2)
    this.out.word('SELECT')
    this.out.integer(database)
  }

  /** Writes the commands of an entry; pauses whenever it has written another command or so. */
  *write(db: Database, entry: Ref): Generator<void, void, void> {
    const { out } = this
    const key = entryKey(this.space.arena, entry, this.key)
    const type = db.typeOf(entry)
    if (type === TYPE_STRING) {
      out.count(3)
      out.word('SET')
      out.argument(key)
      const value = db.stringOf(entry, this.text)
      if (!this.wrote(value)) yield* this.writePieces(value)
    } else if (type === TYPE_LIST) yield* this.writeList(key, db, entry)
    else if (type === TYPE_SET) yield* this.writeSet(key, db, entry)
    else if (type === TYPE_ZSET) yield* this.writeZSet(key, db, entry)
    else if (type === TYPE_HASH) yield* this.writeHash(key, db, entry)
    else yield* this.writeStream(key, db, entry)
    const expiryMs = db.expiryOf(entry)
    if (expiryMs < 0) return
    out.count(3)
    out.word('PEXPIREAT')
    out.argument(key)
    out.integer(expiryMs)
  }

  /** Writes an argument; false, and nothing written, for one that goes in pieces. */
  private wrote(s: Slice): boolean {
    if (s.len > PIECE_BYTES) return false
    this.out.argument(s)
    return true
  }

  private *writePieces(s: Slice): Generator<void, void, void> {
    const { out } = this
    out.beginArgument(s.len)
    for (let at = 0; at < s.len; at += PIECE_BYTES) {
      out.part(s.u8, s.dv, s.off + at, Math.min(PIECE_BYTES, s.len - at))
      yield
    }
    out.endArgument()
  }

  private begin(name: string, key: Slice, items: number, wordsEach: number): void {
    this.out.count(2 + items * wordsEach)
    this.out.word(name)
    this.out.argument(key)
  }

  private *writeList(key: Slice, db: Database, entry: Ref): Generator<void, void, void> {
    const { list, element } = this
    list.open(db.encodingOf(entry), db.valueOf(entry))
    list.seek(0, true)
    for (let left = list.length; left > 0; left -= ITEMS_MAX) {
      const items = Math.min(left, ITEMS_MAX)
      this.begin('RPUSH', key, items, 1)
      for (let i = 0; i < items; i++) {
        list.next(element)
        const text = element.text()
        if (!this.wrote(text)) yield* this.writePieces(text)
      }
      yield
    }
  }

  private *writeSet(key: Slice, db: Database, entry: Ref): Generator<void, void, void> {
    const { set, element } = this
    set.open(db.encodingOf(entry), db.valueOf(entry))
    set.rewind()
    for (let left = set.length; left > 0; left -= ITEMS_MAX) {
      const items = Math.min(left, ITEMS_MAX)
      this.begin('SADD', key, items, 1)
      for (let i = 0; i < items; i++) {
        set.next(element)
        const text = element.text()
        if (!this.wrote(text)) yield* this.writePieces(text)
      }
      yield
    }
  }

  private *writeZSet(key: Slice, db: Database, entry: Ref): Generator<void, void, void> {
    const { zset, cursor } = this
    zset.open(db.encodingOf(entry), db.valueOf(entry))
    zset.seekRank(0, cursor)
    for (let left = zset.length; left > 0; left -= ITEMS_MAX) {
      const items = Math.min(left, ITEMS_MAX)
      this.begin('ZADD', key, items, 2)
      for (let i = 0; i < items; i++) {
        this.out.word(formatG17(cursor.score))
        if (!this.wrote(cursor.member)) yield* this.writePieces(cursor.member)
        zset.next(cursor)
      }
      yield
    }
  }

  private *writeHash(key: Slice, db: Database, entry: Ref): Generator<void, void, void> {
    const { hash, element, value } = this
    hash.open(db.encodingOf(entry), db.valueOf(entry))
    hash.rewind()
    for (let left = hash.length; left > 0; left -= ITEMS_MAX) {
      const items = Math.min(left, ITEMS_MAX)
      this.begin('HMSET', key, items, 2)
      for (let i = 0; i < items; i++) {
        hash.next(element, value)
        const name = element.text()
        if (!this.wrote(name)) yield* this.writePieces(name)
        const text = value.text()
        if (!this.wrote(text)) yield* this.writePieces(text)
      }
      yield
    }
  }

  private *writeStream(key: Slice, db: Database, entry: Ref): Generator<void, void, void> {
    const { out, stream, iterator, id } = this
    stream.open(db.valueOf(entry))
    if (stream.length > 0) {
      iterator.start(stream.tree, new StreamId().setMin(), new StreamId().setMax(), false)
      while (iterator.next()) {
        this.begin('XADD', key, iterator.fields * 2 + 1, 1)
        out.word(iterator.id.toString())
        for (let i = iterator.fields; i > 0; i--) {
          iterator.nextField()
          if (!this.wrote(iterator.field)) yield* this.writePieces(iterator.field)
          if (!this.wrote(iterator.value)) yield* this.writePieces(iterator.value)
        }
        yield
      }
    } else {
      // The way to make an empty stream.
      this.begin('XADD', key, 5, 1)
      for (const word of ['MAXLEN', '0', '0-1', 'x', 'y']) out.word(word)
    }
    this.begin('XSETID', key, 5, 1)
    out.word(stream.lastId(id).toString())
    out.word('ENTRIESADDED')
    out.integer(stream.entriesAdded)
    out.word('MAXDELETEDID')
    out.word(stream.maxDeletedId(id).toString())
    yield* this.writeGroups(key)
  }

  private *writeGroups(key: Slice): Generator<void, void, void> {
    const { out, stream, id } = this
    const { index, groups } = StreamKind.of(this.space)
    const { trees } = index
    if (stream.groups === 0) return
    const g = new OrderedCursor()
    const c = new OrderedCursor()
    const p = new OrderedCursor()
    for (let more = trees.first(stream.groups, g); more; more = trees.next(g)) {
      const group = trees.entryAt(g)
      const name = index.nameOf(group, new Slice())
      out.count(7)
      out.word('XGROUP')
      out.word('CREATE')
      out.argument(key)
      out.argument(name)
      out.word(groups.lastId(group, id).toString())
      out.word('ENTRIESREAD')
      out.integer(groups.entriesRead(group))
      for (let some = trees.first(groups.consumers(group), c); some; some = trees.next(c)) {
        const consumer = trees.entryAt(c)
        const consumerName = index.nameOf(consumer, this.text)
        const own = groups.consumerPending(consumer)
        if (trees.count(own) === 0) {
          out.count(5)
          out.word('XGROUP')
          out.word('CREATECONSUMER')
          for (const word of [key, name, consumerName]) out.argument(word)
        }
        for (let each = trees.first(own, p); each; each = trees.next(p)) {
          const pending = trees.entryAt(p)
          out.count(12)
          out.word('XCLAIM')
          for (const word of [key, name, consumerName]) out.argument(word)
          out.word('0')
          out.word(index.idOf(pending, id).toString())
          out.word('TIME')
          out.integer(groups.deliveredMs(pending))
          out.word('RETRYCOUNT')
          out.integer(groups.deliveries(pending))
          out.word('JUSTID')
          out.word('FORCE')
          yield
        }
      }
    }
  }
}

export interface AofBaseOptions {
  libraries: readonly Slice[]
  /** Seconds since 1970 to stand at the beginning; undefined: none. */
  timestampSeconds: number | undefined
}

export class AofBaseWriter {
  private readonly sink: ByteSink
  private readonly anyDb: Database
  private readonly main: ValueCommands
  private readonly side: ValueCommands
  /** Memory of the values that were written ahead because they were about to change. */
  earlyBytes = 0
  private current: Generator<void, void, void> | undefined

  constructor(space: Keyspace, sink: ByteSink, options: AofBaseOptions) {
    this.sink = sink
    this.anyDb = space.databases[0]
    this.main = new ValueCommands(space)
    this.side = new ValueCommands(space)
    const { out } = this.main
    if (options.timestampSeconds !== undefined) out.plain(`#TS:${options.timestampSeconds}\r\n`)
    for (const code of options.libraries) {
      out.count(3)
      out.word('FUNCTION')
      out.word('LOAD')
      out.argument(code)
    }
  }

  isLarge(entry: Ref): boolean {
    return this.anyDb.memoryOf(entry, SAMPLES) >= LARGE_BYTES
  }

  take(entry: Ref, database: number): void {
    this.earlyBytes += this.anyDb.memoryOf(entry, SAMPLES)
    const commands = this.current === undefined ? this.main : this.side
    commands.select(database)
    for (const _ of commands.write(this.anyDb, entry));
    if (commands === this.main && commands.out.len >= CHUNK_BYTES) this.send()
  }

  begin(entry: Ref, database: number): void {
    this.main.select(database)
    this.current = this.main.write(this.anyDb, entry)
    this.side.database = -1
  }

  step(): boolean {
    const { main, side } = this
    const until = main.out.len + PART_BYTES
    let done = false
    while (!done && main.out.len < until) done = this.current!.next().done === true
    if (done) {
      this.current = undefined
      if (side.out.len > 0) this.appendSide()
    }
    if (main.out.len >= CHUNK_BYTES) this.send()
    return done
  }

  private appendSide(): void {
    const { main, side } = this
    main.out.append(side.out)
    main.database = side.database
    side.out.drop(side.out.len)
  }

  private send(): void {
    const { out } = this.main
    this.sink.write(out.u8.slice(0, out.len), out.len)
    out.drop(out.len)
  }

  end(): void {
    this.send()
  }
}
