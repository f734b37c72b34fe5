// Looking at single members and at sizes: ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSetRange } from '../../keyspace/values/zset/zset-range.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { membersOrReply, openSet, rangeOf, replyScore, scoresOrReply } from './shared.ts'

const card: Command = {
  name: 'zcard',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Returns the number of members in a sorted set.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_ZSET)
    if (entry !== WRONG) ctx.reply.integer(entry === 0 ? 0 : openSet(ctx, entry).length)
  },
}

const score: Command = {
  name: 'zscore',
  arity: 3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Returns the score of a member in a sorted set.',
  complexity: 'O(1)',
  args: 'key#0 member',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_ZSET)
    if (entry === WRONG) return
    const found = entry === 0 ? Number.NaN : openSet(ctx, entry).scoreOf(ctx.args[2])
    if (Number.isNaN(found)) ctx.reply.null()
    else replyScore(ctx.reply, found)
  },
}

const mScore: Command = {
  name: 'zmscore',
  arity: -3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Returns the score of one or more members in a sorted set.',
  complexity: 'O(N) where N is the number of members being requested.',
  args: 'key#0 member...',
  run(ctx) {
    const { args, argc, reply } = ctx
    const entry = ctx.readOrReply(args[1], TYPE_ZSET)
    if (entry === WRONG) return
    const z = entry === 0 ? undefined : openSet(ctx, entry)
    reply.array(argc - 2)
    for (let i = 2; i < argc; i++) {
      const found = z === undefined ? Number.NaN : z.scoreOf(args[i])
      if (Number.isNaN(found)) reply.null()
      else replyScore(reply, found)
    }
  },
}

const rank: Command = {
  name: 'zrank',
  arity: -3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '2.0.0',
  group: 'sorted-set',
  summary: 'Returns the index of a member in a sorted set ordered by ascending scores.',
  complexity: 'O(log(N))',
  args: 'key#0 member [WITHSCORE]',
  history: [['7.2.0', 'Added the optional `WITHSCORE` argument.']],
  run(ctx) {
    replyRank(ctx, false)
  },
}

const revRank: Command = {
  name: 'zrevrank',
  arity: -3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '2.0.0',
  group: 'sorted-set',
  summary: 'Returns the index of a member in a sorted set ordered by descending scores.',
  complexity: 'O(log(N))',
  args: 'key#0 member [WITHSCORE]',
  history: [['7.2.0', 'Added the optional `WITHSCORE` argument.']],
  run(ctx) {
    replyRank(ctx, true)
  },
}

function replyRank(ctx: Context, reverse: boolean): void {
  const { args, argc, reply } = ctx
  if (argc > 4) return reply.error(`ERR wrong number of arguments for '${ctx.command.fullName}' command`)
  const withScore = argc === 4
  if (withScore && !ctx.is(3, 'withscore')) return reply.fixedError(SYNTAX)
  const entry = ctx.readOrReply(args[1], TYPE_ZSET)
  if (entry === WRONG) return
  const z = entry === 0 ? undefined : openSet(ctx, entry)
  const found = z === undefined ? -1 : z.rank(args[2])
  if (z === undefined || found < 0) return withScore ? reply.nullArray() : reply.null()
  if (withScore) reply.array(2)
  reply.integer(reverse ? z.length - 1 - found : found)
  if (withScore) replyScore(reply, z.score)
}

const count: Command = {
  name: 'zcount',
  arity: 4,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '2.0.0',
  group: 'sorted-set',
  summary: 'Returns the count of members in a sorted set that have scores within a range.',
  complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
  args: 'key#0 min:double max:double',
  run(ctx) {
    const range = rangeOf(ctx)
    if (scoresOrReply(ctx, range, ctx.args[2], ctx.args[3])) replyCount(ctx, range)
  },
}

const lexCount: Command = {
  name: 'zlexcount',
  arity: 4,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '2.8.9',
  group: 'sorted-set',
  summary: 'Returns the number of members in a sorted set within a lexicographical range.',
  complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
  args: 'key#0 min max',
  run(ctx) {
    const range = rangeOf(ctx)
    if (membersOrReply(ctx, range, ctx.args[2], ctx.args[3])) replyCount(ctx, range)
  },
}

function replyCount(ctx: Context, range: ZSetRange): void {
  const entry = ctx.readOrReply(ctx.args[1], TYPE_ZSET)
  if (entry !== WRONG) ctx.reply.integer(entry === 0 ? 0 : range.resolve(openSet(ctx, entry)))
}

export const lookingCommands: readonly Command[] = [card, score, mScore, rank, revRank, count, lexCount]
