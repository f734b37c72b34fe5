// XINFO.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_STREAM } from '../../keyspace/types.ts'
import type { Stream } from '../../keyspace/values/stream/stream.ts'
import { OrderedCursor } from '../../keyspace/values/stream/stream.ts'
import { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { equalsNoCase } from '../../lib/bytes.ts'
import type { Ref } from '../../memory/arena.ts'
import { NO_SUCH_KEY } from '../../protocol/errors.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorText, replySubcommandError } from '../shared/arguments.ts'
import { lagOf, UNKNOWN_READ } from './lag.ts'
import { radixNodes } from './radix.ts'
import { openStream, replyEntry, replyId, replyLong, replyRange } from './shared.ts'

const COUNT_DEFAULT = 10

const HELP = [
  'CONSUMERS <key> <groupname>',
  '    The consumers of a group.',
  'GROUPS <key>',
  '    The groups of a stream.',
  'STREAM <key> [FULL [COUNT <count>]',
  '    The stream itself; with FULL also its entries, groups and consumers.',
]

const info: Command = {
  name: 'xinfo',
  arity: -2,
  flags: '',
  since: '5.0.0',
  group: 'stream',
  summary: 'Facts about a stream, its groups and their consumers.',
  complexity: 'Differs by subcommand.',
  acl: '',
  subcommands: [
    {
      name: 'consumers',
      arity: 4,
      flags: 'readonly',
      keys: 'RO ACCESS @2',
      since: '5.0.0',
      group: 'stream',
      summary: 'Describe the consumers of a group.',
      complexity: 'O(1)',
      args: 'key#0 group',
      history: [['7.2.0', 'New field `inactive`.']],
      tips: 'nondeterministic_output',
      run: consumers,
    },
    {
      name: 'groups',
      arity: 3,
      flags: 'readonly',
      keys: 'RO ACCESS @2',
      since: '5.0.0',
      group: 'stream',
      summary: 'Describe the consumer groups of a stream.',
      complexity: 'O(1)',
      args: 'key#0',
      history: [['7.0.0', 'New fields `entries-read` and `lag`.']],
      run: groups,
    },
    {
      name: 'help',
      arity: 2,
      flags: 'loading stale',
      since: '5.0.0',
      group: 'stream',
      summary: 'Explain the subcommands of XINFO.',
      complexity: 'O(1)',
      run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
    },
    {
      name: 'stream',
      arity: -3,
      flags: 'readonly',
      keys: 'RO ACCESS @2',
      since: '5.0.0',
      group: 'stream',
      summary: 'Describe a stream; with FULL, also its entries, groups and consumers.',
      complexity: 'O(1)',
      args: 'key#0 [full-block:(FULL [COUNT count:integer])]',
      history: [
        ['6.0.0', '`FULL` is accepted.'],
        [
          '7.0.0',
          'New fields `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`.',
        ],
        ['7.2.0', 'New field `active-time`; `seen-time` also counts attempts without a result.'],
      ],
      run: stream,
    },
  ],
}

/** The stream args[2], or an error reply. */
function streamOrReply(ctx: Context): Stream | undefined {
  const entry = ctx.readOrReply(ctx.args[2], TYPE_STREAM)
  if (entry === WRONG) return undefined
  if (entry !== 0) return openStream(ctx, entry)
  ctx.reply.fixedError(NO_SUCH_KEY)
  return undefined
}

/** Calls `visit` for each entry of a tree, in order; at most `limit` (0: all). Returns their number. */
function each(ctx: Context, tree: Ref, limit: number, visit: (entry: Ref) => void): number {
  const { trees } = StreamType.of(ctx.keyspace).index
  const cursor = new OrderedCursor()
  let visited = 0
  if (tree === 0) return 0
  for (let more = trees.first(tree, cursor); more && (limit === 0 || visited < limit); more = trees.next(cursor)) {
    visit(trees.entryAt(cursor))
    visited++
  }
  return visited
}

function countOf(ctx: Context, tree: Ref): number {
  return tree === 0 ? 0 : StreamType.of(ctx.keyspace).index.trees.count(tree)
}

function consumers(ctx: Context): void {
  const { args, reply } = ctx
  const { groups, index, nameText } = StreamType.of(ctx.keyspace)
  const stream = streamOrReply(ctx)
  if (stream === undefined) return
  const group = groups.find(stream.groups, args[3])
  if (group === 0) {
    return reply.error(`NOGROUP No such consumer group '${errorText(args[3])}' for key name '${errorText(args[2])}'`)
  }
  reply.array(countOf(ctx, groups.consumers(group)))
  each(ctx, groups.consumers(group), 0, consumer => {
    const activeMs = groups.activeMs(consumer)
    reply.map(4)
    reply.bulkText('name')
    reply.bulk(index.nameOf(consumer, nameText))
    reply.bulkText('pending')
    reply.integer(countOf(ctx, groups.consumerPending(consumer)))
    reply.bulkText('idle')
    reply.integer(Math.max(0, ctx.nowMs - groups.seenMs(consumer)))
    reply.bulkText('inactive')
    reply.integer(activeMs < 0 ? -1 : ctx.nowMs - activeMs)
  })
}

function groups(ctx: Context): void {
  const { reply } = ctx
  const stream = streamOrReply(ctx)
  if (stream === undefined) return
  const kind = StreamType.of(ctx.keyspace)
  reply.array(countOf(ctx, stream.groups))
  each(ctx, stream.groups, 0, group => {
    reply.map(6)
    reply.bulkText('name')
    reply.bulk(kind.index.nameOf(group, kind.nameText))
    reply.bulkText('consumers')
    reply.integer(countOf(ctx, kind.groups.consumers(group)))
    reply.bulkText('pending')
    reply.integer(countOf(ctx, kind.groups.pending(group)))
    replyGroupPosition(ctx, stream, group)
  })
}

function replyGroupPosition(ctx: Context, stream: Stream, group: Ref): void {
  const { reply } = ctx
  const { groups } = StreamType.of(ctx.keyspace)
  const id = groups.lastId(group, new StreamId())
  const read = groups.entriesRead(group)
  reply.bulkText('last-delivered-id')
  replyId(ctx, id)
  reply.bulkText('entries-read')
  if (read === UNKNOWN_READ) reply.null()
  else reply.long(read)
  reply.bulkText('lag')
  const lag = lagOf(stream, id, read)
  if (Number.isNaN(lag)) reply.null()
  else reply.long(lag)
}

function stream(ctx: Context): void {
  const { argc } = ctx
  const found = streamOrReply(ctx)
  if (found === undefined) return
  if (argc === 3) return replyBrief(ctx, found)
  if ((argc !== 4 && argc !== 6) || !ctx.is(3, 'full')) return replySubcommandError(ctx)
  let count = COUNT_DEFAULT
  if (argc === 6) {
    if (!equalsNoCase(ctx.args[4], 'count')) return replySubcommandError(ctx)
    count = ctx.longOrReply(5)
    if (Number.isNaN(count)) return
    if (count < 0) count = COUNT_DEFAULT
  }
  replyFull(ctx, found, count)
}

function replyCommon(ctx: Context, stream: Stream): void {
  const { reply } = ctx
  const { index, from: id } = StreamType.of(ctx.keyspace)
  reply.bulkText('length')
  reply.integer(stream.length)
  reply.bulkText('radix-tree-keys')
  reply.integer(countOf(ctx, stream.tree))
  reply.bulkText('radix-tree-nodes')
  reply.integer(radixNodes(index, stream.tree))
  reply.bulkText('last-generated-id')
  replyId(ctx, stream.lastId(id))
  reply.bulkText('max-deleted-entry-id')
  replyId(ctx, stream.maxDeletedId(id))
  reply.bulkText('entries-added')
  reply.long(stream.entriesAdded)
  reply.bulkText('recorded-first-entry-id')
  replyId(ctx, stream.firstId(id))
}

function replyBrief(ctx: Context, stream: Stream): void {
  const { reply } = ctx
  const { iterator, from, to } = StreamType.of(ctx.keyspace)
  reply.map(10)
  replyCommon(ctx, stream)
  reply.bulkText('groups')
  reply.integer(countOf(ctx, stream.groups))
  for (const last of [false, true]) {
    reply.bulkText(last ? 'last-entry' : 'first-entry')
    if (iterator.start(stream.tree, from.setMin(), to.setMax(), last).next()) replyEntry(ctx, iterator)
    else reply.null()
  }
}

function replyFull(ctx: Context, stream: Stream, count: number): void {
  const { reply } = ctx
  const kind = StreamType.of(ctx.keyspace)
  reply.map(9)
  replyCommon(ctx, stream)
  reply.bulkText('entries')
  replyRange(ctx, stream, kind.from.setMin(), kind.to.setMax(), false, count)
  reply.bulkText('groups')
  reply.array(countOf(ctx, stream.groups))
  each(ctx, stream.groups, 0, group => {
    reply.map(7)
    reply.bulkText('name')
    reply.bulk(kind.index.nameOf(group, kind.nameText))
    replyGroupPosition(ctx, stream, group)
    reply.bulkText('pel-count')
    reply.integer(countOf(ctx, kind.groups.pending(group)))
    reply.bulkText('pending')
    replyPending(ctx, kind.groups.pending(group), count, true)
    reply.bulkText('consumers')
    reply.array(countOf(ctx, kind.groups.consumers(group)))
    each(ctx, kind.groups.consumers(group), 0, consumer => replyConsumer(ctx, consumer, count))
  })
}

function replyConsumer(ctx: Context, consumer: Ref, count: number): void {
  const { reply } = ctx
  const { groups, index, nameText } = StreamType.of(ctx.keyspace)
  const pending = groups.consumerPending(consumer)
  reply.map(5)
  reply.bulkText('name')
  reply.bulk(index.nameOf(consumer, nameText))
  reply.bulkText('seen-time')
  reply.integer(groups.seenMs(consumer))
  reply.bulkText('active-time')
  reply.integer(groups.activeMs(consumer))
  reply.bulkText('pel-count')
  reply.integer(countOf(ctx, pending))
  reply.bulkText('pending')
  replyPending(ctx, pending, count, false)
}

/** The first `count` (0: all) pending entries, with or without their consumer. */
function replyPending(ctx: Context, tree: Ref, count: number, withOwner: boolean): void {
  const { reply } = ctx
  const { groups, index, nameText, from: id } = StreamType.of(ctx.keyspace)
  const mark = reply.beginDeferredArray()
  const sent = each(ctx, tree, count, entry => {
    reply.array(withOwner ? 4 : 3)
    replyId(ctx, index.idOf(entry, id))
    if (withOwner) reply.bulk(index.nameOf(groups.owner(entry), nameText))
    reply.integer(groups.deliveredMs(entry))
    replyLong(reply, groups.deliveries(entry))
  })
  reply.endArray(mark, sent)
}

export const infoCommands: readonly Command[] = [info]
