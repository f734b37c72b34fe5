// ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../../engine/messaging/events.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSetRange } from '../../keyspace/values/zset/zset-range.ts'
import { membersOrReply, openSet, rangeOf, ranksOrReply, removeRanks, scoresOrReply, storeBack } from './shared.ts'

const rem: Command = {
  name: 'zrem',
  arity: -3,
  flags: 'write fast',
  keys: 'RW DELETE @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Remove members from a sorted set; a sorted set without members is removed.',
  complexity: 'O(M*log(N)), N = members of the sorted set, M = members removed.',
  args: 'key#0 member...',
  history: [['2.4.0', 'More than one member may be given.']],
  run(ctx) {
    const { args, argc, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_ZSET)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const z = openSet(ctx, entry)
    let removed = 0
    for (let i = 2; i < argc && z.length > 0; i++) if (z.remove(args[i])) removed++
    if (removed === 0) return reply.integer(0)
    const gone = storeBack(ctx, entry, args[1], z)
    ctx.touched(args[1], 'zrem', NOTIFY_ZSET, removed)
    if (gone) ctx.notify(args[1], 'del', NOTIFY_GENERIC)
    reply.integer(removed)
  },
}

const remRangeByRank: Command = {
  name: 'zremrangebyrank',
  arity: 4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '2.0.0',
  group: 'sorted-set',
  summary: 'Remove the members whose ranks are within a range.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members removed.',
  args: 'key#0 start:integer stop:integer',
  run(ctx) {
    const range = rangeOf(ctx)
    if (ranksOrReply(ctx, range, 2)) removeRange(ctx, range, 'zremrangebyrank')
  },
}

const remRangeByScore: Command = {
  name: 'zremrangebyscore',
  arity: 4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Remove the members whose scores are within a range.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members removed.',
  args: 'key#0 min:double max:double',
  run(ctx) {
    const range = rangeOf(ctx)
    if (scoresOrReply(ctx, range, ctx.args[2], ctx.args[3])) removeRange(ctx, range, 'zremrangebyscore')
  },
}

const remRangeByLex: Command = {
  name: 'zremrangebylex',
  arity: 4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '2.8.9',
  group: 'sorted-set',
  summary: 'Remove the members between two others in byte order, where all scores are equal.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members removed.',
  args: 'key#0 min max',
  run(ctx) {
    const range = rangeOf(ctx)
    if (membersOrReply(ctx, range, ctx.args[2], ctx.args[3])) removeRange(ctx, range, 'zremrangebylex')
  },
}

function removeRange(ctx: Context, range: ZSetRange, event: string): void {
  const { args, reply } = ctx
  const entry = ctx.writeOrReply(args[1], TYPE_ZSET)
  if (entry === WRONG) return
  if (entry === 0) return reply.integer(0)
  const z = openSet(ctx, entry)
  const count = range.resolve(z)
  if (count === 0) return reply.integer(0)
  const gone = removeRanks(ctx, entry, args[1], z, range.from, count)
  ctx.touched(args[1], event, NOTIFY_ZSET, count)
  if (gone) ctx.notify(args[1], 'del', NOTIFY_GENERIC)
  reply.integer(count)
}

export const removingCommands: readonly Command[] = [rem, remRangeByRank, remRangeByScore, remRangeByLex]
