// XACK, XPENDING.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_STREAM } from '../../keyspace/types.ts'
import { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import type { Ref } from '../../memory/arena.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import {
  groupOrReply,
  idOrReply,
  openStream,
  rangeEndOrReply,
  rangeStartOrReply,
  replyId,
  replyLong,
} from './shared.ts'

const ack: Command = {
  name: 'xack',
  arity: -4,
  flags: 'write fast',
  keys: 'RW UPDATE @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Mark entries as processed by a consumer group, so that they are no longer pending.',
  complexity: 'O(1) for each id.',
  args: 'key#0 group id...',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    const { groups, from: id } = StreamType.of(ctx.keyspace)
    const entry = ctx.readOrReply(args[1], TYPE_STREAM)
    if (entry === WRONG) return
    const group = entry === 0 ? 0 : groups.find(openStream(ctx, entry).groups, args[2])
    if (group === 0) return reply.integer(0)
    for (let i = 3; i < argc; i++) if (!idOrReply(ctx, i, id)) return
    db.beforeChange(entry)
    let acknowledged = 0
    for (let i = 3; i < argc; i++) {
      id.parse(args[i])
      const pending = groups.findPending(group, id)
      if (pending === 0) continue
      groups.removePending(group, pending)
      acknowledged++
    }
    ctx.keyspace.dirty += acknowledged
    reply.integer(acknowledged)
  },
}

const pending: Command = {
  name: 'xpending',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Summarize the pending entries of a group, or list those in a range.',
  complexity:
    'O(N), N = entries returned, and with IDLE O(M), M = entries examined; the summary is O(N), N = consumers.',
  args: 'key#0 group [filters:([IDLE min-idle-time:integer@6.2.0] start end count:integer [consumer])]',
  history: [['6.2.0', 'New filter `IDLE`; an id after `(` is left out of the range.']],
  tips: 'nondeterministic_output',
  run(ctx) {
    const { args, argc, reply } = ctx
    if (argc !== 3 && (argc < 6 || argc > 9)) return reply.fixedError(SYNTAX)
    const request = new PendingRequest()
    if (argc > 3 && !request.parseOrReply(ctx)) return
    const found = groupOrReply(ctx)
    if (found === undefined) return
    if (argc === 3) return replySummary(ctx, found.group)
    const { groups } = StreamType.of(ctx.keyspace)
    if (request.consumerIndex === 0) return replyPending(ctx, groups.pending(found.group), request)
    const consumer = groups.findConsumer(found.group, args[request.consumerIndex])
    if (consumer === 0) return reply.emptyArray()
    replyPending(ctx, groups.consumerPending(consumer), request)
  },
}

class PendingRequest {
  minIdleMs = 0
  count = 0
  consumerIndex = 0
  readonly from = new StreamId()
  readonly to = new StreamId()

  /** [IDLE ms] start end count [consumer] from args[3] on. */
  parseOrReply(ctx: Context): boolean {
    let at = 3
    if (ctx.is(3, 'idle')) {
      this.minIdleMs = ctx.longOrReply(4)
      if (Number.isNaN(this.minIdleMs)) return false
      if (ctx.argc < 8) {
        ctx.reply.fixedError(SYNTAX)
        return false
      }
      at += 2
    }
    this.count = ctx.longOrReply(at + 2)
    if (Number.isNaN(this.count)) return false
    if (!rangeStartOrReply(ctx, at, this.from) || !rangeEndOrReply(ctx, at + 1, this.to)) return false
    if (at + 3 < ctx.argc) this.consumerIndex = at + 3
    return true
  }
}

function replySummary(ctx: Context, group: Ref): void {
  const { reply } = ctx
  const { groups, index, cursor, from: id, nameText: name } = StreamType.of(ctx.keyspace)
  const { trees } = index
  const all = groups.pending(group)
  const count = trees.count(all)
  reply.array(4)
  reply.integer(count)
  if (count === 0) {
    reply.null()
    reply.null()
    return reply.nullArray()
  }
  trees.first(all, cursor)
  replyId(ctx, index.idOf(trees.entryAt(cursor), id))
  trees.last(all, cursor)
  replyId(ctx, index.idOf(trees.entryAt(cursor), id))
  const mark = reply.beginDeferredArray()
  let consumers = 0
  for (let more = trees.first(groups.consumers(group), cursor); more; more = trees.next(cursor)) {
    const consumer = trees.entryAt(cursor)
    const own = trees.count(groups.consumerPending(consumer))
    if (own === 0) continue
    reply.array(2)
    reply.bulk(index.nameOf(consumer, name))
    reply.bulkInteger(own)
    consumers++
  }
  reply.endArray(mark, consumers)
}

function replyPending(ctx: Context, tree: Ref, request: PendingRequest): void {
  const { reply } = ctx
  const { groups, index, cursor, nameText: name, to: id } = StreamType.of(ctx.keyspace)
  const mark = reply.beginDeferredArray()
  let sent = 0
  index.seek(tree, request.from, false, cursor)
  for (; cursor.leaf !== 0 && sent < request.count; index.trees.next(cursor)) {
    const entry = index.trees.entryAt(cursor)
    if (index.idOf(entry, id).compare(request.to) > 0) break
    const idleMs = ctx.nowMs - groups.deliveredMs(entry)
    if (request.minIdleMs !== 0 && idleMs < request.minIdleMs) continue
    reply.array(4)
    replyId(ctx, id)
    reply.bulk(index.nameOf(groups.owner(entry), name))
    reply.integer(Math.max(0, idleMs))
    replyLong(reply, groups.deliveries(entry))
    sent++
  }
  reply.endArray(mark, sent)
}

export const pendingCommands: readonly Command[] = [ack, pending]
