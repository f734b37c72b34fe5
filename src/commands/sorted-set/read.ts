// ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSetRange } from '../../keyspace/values/zset/zset-range.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { membersOrReply, openSet, rangeOf, scoresOrReply } from './shared.ts'

const card: Command = {
  name: 'zcard',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Count the members of a sorted set.',
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
  summary: 'Return the score of a member.',
  complexity: 'O(1)',
  args: 'key#0 member',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_ZSET)
    if (entry === WRONG) return
    const found = entry === 0 ? Number.NaN : openSet(ctx, entry).scoreOf(ctx.args[2])
    if (Number.isNaN(found)) ctx.reply.null()
    else ctx.reply.double(found)
  },
}

const mScore: Command = {
  name: 'zmscore',
  arity: -3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Return the scores of the given members, null for those that are missing.',
  complexity: 'O(N), N = members named.',
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
      else reply.double(found)
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
  summary: 'Return how many members come before this one, and its score if wished.',
  complexity: 'O(log(N))',
  args: 'key#0 member [WITHSCORE]',
  history: [['7.2.0', '`WITHSCORE` is accepted.']],
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
  summary: 'Return how many members have a higher rank than this one, and its score if wished.',
  complexity: 'O(log(N))',
  args: 'key#0 member [WITHSCORE]',
  history: [['7.2.0', '`WITHSCORE` is accepted.']],
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
  if (withScore) reply.double(z.score)
}

const count: Command = {
  name: 'zcount',
  arity: 4,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '2.0.0',
  group: 'sorted-set',
  summary: 'Count the members whose scores are within a range.',
  complexity: 'O(log(N)), N = members of the sorted set.',
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
  summary: 'Count the members between two others in byte order, where all scores are equal.',
  complexity: 'O(log(N)), N = members of the sorted set.',
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
