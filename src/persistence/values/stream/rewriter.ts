// StreamRewriter: a stream as XADD, XSETID, XGROUP and XCLAIM commands.

import type { Entries } from '../../../keyspace/entries.ts'
import { Stream } from '../../../keyspace/values/stream/stream.ts'
import { StreamId } from '../../../keyspace/values/stream/stream-id.ts'
import { StreamIterator } from '../../../keyspace/values/stream/stream-iterator.ts'
import type { StreamType } from '../../../keyspace/values/stream/stream-type.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Ref } from '../../../memory/arena.ts'
import { OrderedCursor } from '../../../memory/ordered.ts'
import type { RewriteOutput } from '../rewrite-output.ts'
import type { ValueRewriter } from '../value-codec.ts'

export class StreamRewriter implements ValueRewriter {
  private readonly type: StreamType
  private readonly stream: Stream
  private readonly iterator: StreamIterator
  private readonly id = new StreamId()
  private readonly name = new Slice()
  private readonly consumerName = new Slice()

  constructor(type: StreamType) {
    this.type = type
    this.stream = new Stream(type)
    this.iterator = new StreamIterator(type.index, type.nodes)
  }

  *rewrite(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void> {
    const { stream, id } = this
    const { out } = to
    stream.open(entries.valueOf(entry))
    if (stream.length > 0) yield* this.rewriteEntries(key, to)
    else {
      // Creates an empty stream: XADD with MAXLEN 0.
      to.begin('XADD', key, 5)
      for (const word of ['MAXLEN', '0', '0-1', 'x', 'y']) out.word(word)
    }
    to.begin('XSETID', key, 5)
    out.word(stream.lastId(id).toString())
    out.word('ENTRIESADDED')
    out.integer(stream.entriesAdded)
    out.word('MAXDELETEDID')
    out.word(stream.maxDeletedId(id).toString())
    if (stream.groups === 0) return
    const { trees } = this.type.index
    const c = new OrderedCursor()
    for (let more = trees.first(stream.groups, c); more; more = trees.next(c))
      yield* this.rewriteGroup(key, trees.entryAt(c), to)
  }

  private *rewriteEntries(key: Slice, to: RewriteOutput): Generator<void, void, void> {
    const { stream, iterator } = this
    iterator.start(stream.tree, new StreamId().setMin(), new StreamId().setMax(), false)
    while (iterator.next()) {
      to.begin('XADD', key, iterator.fields * 2 + 1)
      to.out.word(iterator.id.toString())
      for (let left = iterator.fields; left > 0; left--) {
        iterator.nextField()
        if (!to.wrote(iterator.field)) yield* to.writePieces(iterator.field)
        if (!to.wrote(iterator.value)) yield* to.writePieces(iterator.value)
      }
      yield
    }
  }

  private *rewriteGroup(key: Slice, group: Ref, { out }: RewriteOutput): Generator<void, void, void> {
    const { id, name, consumerName } = this
    const { index, groups } = this.type
    const { trees } = index
    const c = new OrderedCursor()
    const p = new OrderedCursor()
    index.nameOf(group, name)
    out.count(7)
    out.word('XGROUP')
    out.word('CREATE')
    out.argument(key)
    out.argument(name)
    out.word(groups.lastId(group, id).toString())
    out.word('ENTRIESREAD')
    out.integer(groups.entriesRead(group))
    for (let more = trees.first(groups.consumers(group), c); more; more = trees.next(c)) {
      const consumer = trees.entryAt(c)
      index.nameOf(consumer, consumerName)
      const own = groups.consumerPending(consumer)
      if (trees.count(own) === 0) {
        out.count(5)
        out.word('XGROUP')
        out.word('CREATECONSUMER')
        for (const word of [key, name, consumerName]) out.argument(word)
      }
      for (let some = trees.first(own, p); some; some = trees.next(p)) {
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
