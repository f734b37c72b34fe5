// Writer of streams to RDB files and DUMP payloads. ² and ³: since STREAM_LISTPACKS_2 and STREAM_LISTPACKS_3.
//
//   nodes, then for each: master id (a string of 16 bytes), listpack
//   length | last id | first id ² | largest deleted id ² | entries added ²
//   groups, then for each: name | last id | entries read ² |
//     pending, then for each: id 16 bytes | delivered ms i64 | deliveries
//     consumers, then for each: name | seen ms i64 | active ms i64 ³ | pending, then for each: id 16 bytes
//
// Ids outside of strings are two lengths. Version 3 is written.

import type { Entries } from '../../../keyspace/entries.ts'
import { Stream } from '../../../keyspace/values/stream/stream.ts'
import { ID_BYTES, StreamId } from '../../../keyspace/values/stream/stream-id.ts'
import type { StreamType } from '../../../keyspace/values/stream/stream-type.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Ref } from '../../../memory/arena.ts'
import { OrderedCursor } from '../../../memory/ordered.ts'
import { RDB_STREAM_LISTPACKS_3 } from '../../rdb/format.ts'
import type { RdbOutput } from '../../rdb/output.ts'
import type { ValueWriter } from '../value-codec.ts'

export class StreamWriter implements ValueWriter {
  private readonly type: StreamType
  private readonly stream: Stream
  private readonly id = new StreamId()
  private readonly text = new Slice()
  private readonly idBytes = new Slice(new Uint8Array(ID_BYTES), 0, ID_BYTES)
  private until = 0
  private work: Generator<void, void, void> | undefined

  constructor(type: StreamType) {
    this.type = type
    this.stream = new Stream(type)
  }

  rdbType(): number {
    return RDB_STREAM_LISTPACKS_3
  }

  begin(entries: Entries, entry: Ref): void {
    this.stream.open(entries.valueOf(entry))
    this.work = undefined
  }

  step(out: RdbOutput, until: number): boolean {
    this.until = until
    this.work ??= this.write(out)
    return this.work.next().done === true
  }

  private *write(out: RdbOutput): Generator<void, void, void> {
    const { stream, id } = this
    const { index, nodes } = this.type
    const { trees } = index
    const c = new OrderedCursor()
    out.length(trees.count(stream.tree))
    for (let more = trees.first(stream.tree, c); more; more = trees.next(c)) {
      while (!out.ready(this.until)) yield
      const node = trees.entryAt(c)
      index.idOf(node, id).write(this.idBytes.dv, 0)
      out.string(this.idBytes)
      out.element(nodes.lists.whole(stream.listpackOf(node), this.text))
    }
    while (!out.ready(this.until)) yield
    out.length(stream.length)
    this.writeId(out, stream.lastId(id))
    this.writeId(out, stream.firstId(id))
    this.writeId(out, stream.maxDeletedId(id))
    out.longLength(stream.entriesAdded)
    const groups = stream.groups
    out.length(groups === 0 ? 0 : trees.count(groups))
    if (groups === 0) return
    for (let more = trees.first(groups, c); more; more = trees.next(c)) yield* this.writeGroup(out, trees.entryAt(c))
  }

  private *writeGroup(out: RdbOutput, group: Ref): Generator<void, void, void> {
    const { index, groups } = this.type
    const { trees } = index
    const c = new OrderedCursor()
    out.string(index.nameOf(group, this.text))
    this.writeId(out, groups.lastId(group, this.id))
    out.longLength(groups.entriesRead(group))
    const pending = groups.pending(group)
    out.length(trees.count(pending))
    for (let more = trees.first(pending, c); more; more = trees.next(c)) {
      if (out.pos > this.until) yield
      const entry = trees.entryAt(c)
      this.writeRawId(out, entry)
      out.int64(groups.deliveredMs(entry))
      out.length(groups.deliveries(entry))
    }
    const consumers = groups.consumers(group)
    const own = new OrderedCursor()
    out.length(trees.count(consumers))
    for (let more = trees.first(consumers, c); more; more = trees.next(c)) {
      const consumer = trees.entryAt(c)
      out.string(index.nameOf(consumer, this.text))
      out.int64(groups.seenMs(consumer))
      out.int64(groups.activeMs(consumer))
      const tree = groups.consumerPending(consumer)
      out.length(trees.count(tree))
      for (let some = trees.first(tree, own); some; some = trees.next(own)) {
        if (out.pos > this.until) yield
        this.writeRawId(out, trees.entryAt(own))
      }
    }
  }

  private writeId(out: RdbOutput, id: StreamId): void {
    out.length64(id.msHigh, id.msLow)
    out.length64(id.seqHigh, id.seqLow)
  }

  private writeRawId(out: RdbOutput, entry: Ref): void {
    out.reserve(ID_BYTES)
    this.type.index.idOf(entry, this.id).write(out.dv, out.pos)
    out.pos += ID_BYTES
  }
}
