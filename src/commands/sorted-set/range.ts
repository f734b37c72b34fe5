// ZRANGE, its predecessors by rank, score and member, and ZRANGESTORE.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_ZSET } from '../../engine/messaging/events.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSet } from '../../keyspace/values/zset/zset.ts'
import { BY_LEX, BY_RANK, BY_SCORE, type ZSetRange } from '../../keyspace/values/zset/zset-range.ts'
import { ZSetType } from '../../keyspace/values/zset/zset-type.ts'
import { errorBytes } from '../../protocol/reply.ts'
import {
  cursorOf,
  deleteDestination,
  membersOrReply,
  openSet,
  rangeOf,
  ranksOrReply,
  replyMembers,
  scoresOrReply,
} from './shared.ts'

const LIMIT_BY_RANK = errorBytes(
  'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
)

const WITHSCORES_BY_LEX = errorBytes('ERR syntax error, WITHSCORES not supported in combination with BYLEX')

const range: Command = {
  name: 'zrange',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Return members by a range of ranks, scores or byte order, in either direction.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members returned.',
  args:
    'key#0 start stop [sortby:(BYSCORE|BYLEX)@6.2.0] [REV@6.2.0] [LIMIT limit:(offset:integer ' +
    'count:integer)@6.2.0] [WITHSCORES]',
  history: [['6.2.0', 'New options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.']],
  run(ctx) {
    readRange(ctx)
  },
}

const revRange: Command = {
  name: 'zrevrange',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Return members by a range of ranks, the highest score first.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members returned.',
  args: 'key#0 start:integer stop:integer [WITHSCORES]',
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` argument' },
  run(ctx) {
    readRange(ctx, BY_RANK, true)
  },
}

const rangeByScore: Command = {
  name: 'zrangebyscore',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.0.5',
  group: 'sorted-set',
  summary: 'Return the members whose scores are within a range, the lowest first.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members returned; O(log(N)) with a fixed LIMIT.',
  args: 'key#0 min:double max:double [WITHSCORES@2.0.0] [LIMIT limit:(offset:integer count:integer)]',
  history: [['2.0.0', '`WITHSCORES` is accepted.']],
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYSCORE` argument' },
  run(ctx) {
    readRange(ctx, BY_SCORE, false)
  },
}

const revRangeByScore: Command = {
  name: 'zrevrangebyscore',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.2.0',
  group: 'sorted-set',
  summary: 'Return the members whose scores are within a range, the highest first.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members returned; O(log(N)) with a fixed LIMIT.',
  args: 'key#0 max:double min:double [WITHSCORES] [LIMIT limit:(offset:integer count:integer)]',
  history: [['2.1.6', '`min` and `max` after `(` are left out of the range.']],
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` and `BYSCORE` arguments' },
  run(ctx) {
    readRange(ctx, BY_SCORE, true)
  },
}

const rangeByLex: Command = {
  name: 'zrangebylex',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.9',
  group: 'sorted-set',
  summary: 'Return the members between two others in byte order, where all scores are equal.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members returned; O(log(N)) with a fixed LIMIT.',
  args: 'key#0 min max [LIMIT limit:(offset:integer count:integer)]',
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYLEX` argument' },
  run(ctx) {
    readRange(ctx, BY_LEX, false)
  },
}

const revRangeByLex: Command = {
  name: 'zrevrangebylex',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.9',
  group: 'sorted-set',
  summary: 'Return the members between two others in byte order, the last first, where all scores are equal.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members returned; O(log(N)) with a fixed LIMIT.',
  args: 'key#0 max min [LIMIT limit:(offset:integer count:integer)]',
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` and `BYLEX` arguments' },
  run(ctx) {
    readRange(ctx, BY_LEX, true)
  },
}

/**
 * Reads <min> <max> at args[at] and the options after them; `by` and `reverse` are fixed by some commands' names.
 * Undefined after an error reply.
 */
function rangeOrReply(ctx: Context, at: number, store: boolean, by?: number, reverse?: boolean): ZSetRange | undefined {
  const range = rangeOf(ctx)
  let chosen = by
  if (reverse !== undefined) range.reverse = reverse
  const opt = ctx.options(at + 2)
  while (opt.more()) {
    if (!store && opt.eat('withscores')) range.withScores = true
    else if (opt.eat('limit', 2)) {
      range.offset = opt.longOrReply()
      if (!opt.failed) range.limit = opt.longOrReply()
    } else if (reverse === undefined && !range.reverse && opt.eat('rev')) range.reverse = true
    else if (chosen === undefined && opt.eat('bylex')) chosen = BY_LEX
    else if (chosen === undefined && opt.eat('byscore')) chosen = BY_SCORE
    else opt.syntaxError()
    if (opt.failed) return undefined
  }
  chosen ??= BY_RANK
  if (range.limit !== -1 && chosen === BY_RANK) ctx.reply.fixedError(LIMIT_BY_RANK)
  else if (range.withScores && chosen === BY_LEX) ctx.reply.fixedError(WITHSCORES_BY_LEX)
  else if (boundsOrReply(ctx, range, chosen, at)) return range
  return undefined
}

function boundsOrReply(ctx: Context, range: ZSetRange, kind: number, at: number): boolean {
  if (kind === BY_RANK) return ranksOrReply(ctx, range, at)
  // A reversed range is given as <max> <min>.
  const min = ctx.args[range.reverse ? at + 1 : at]
  const max = ctx.args[range.reverse ? at : at + 1]
  return kind === BY_SCORE ? scoresOrReply(ctx, range, min, max) : membersOrReply(ctx, range, min, max)
}

function readRange(ctx: Context, by?: number, reverse?: boolean): void {
  const range = rangeOrReply(ctx, 2, false, by, reverse)
  if (range === undefined) return
  const entry = ctx.readOrReply(ctx.args[1], TYPE_ZSET)
  if (entry === WRONG) return
  if (entry === 0) return ctx.reply.emptyArray()
  const z = openSet(ctx, entry)
  range.resolveWithLimit(z)
  replyMembers(ctx, z, range.start, range.count, range.reverse, range.withScores)
}

const rangeStore: Command = {
  name: 'zrangestore',
  arity: -5,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1; RO ACCESS @2',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Store a range of members as a sorted set of its own.',
  complexity: 'O(log(N)+M), N = members of the sorted set, M = members stored.',
  args: 'dst#0 src#1 min max [sortby:(BYSCORE|BYLEX)] [REV] [LIMIT limit:(offset:integer count:integer)]',
  run(ctx) {
    const { args, db, reply } = ctx
    const range = rangeOrReply(ctx, 3, true)
    if (range === undefined) return
    const entry = ctx.readOrReply(args[2], TYPE_ZSET)
    if (entry === WRONG) return
    if (entry !== 0) {
      const z = openSet(ctx, entry)
      if (range.resolveWithLimit(z) > 0) {
        const result = copyRange(ctx, z, range)
        db.put(args[1], TYPE_ZSET, result.encoding, result.value)
        ctx.touched(args[1], 'zrangestore', NOTIFY_ZSET)
        return reply.integer(range.count)
      }
    }
    deleteDestination(ctx, args[1])
    reply.integer(0)
  },
}

function copyRange(ctx: Context, z: ZSet, range: ZSetRange): ZSet {
  // As in Redis: only for a range by rank the size is known in advance.
  const expected = range.kind === BY_RANK ? range.count : Number.POSITIVE_INFINITY
  const result = ZSetType.of(ctx.keyspace).destination.create(expected, 0)
  const c = cursorOf(ctx)
  z.seekRank(range.reverse ? z.length - 1 - range.start : range.start, c)
  for (let left = range.count; ; ) {
    result.add(c.member, c.score, 0)
    if (--left === 0) return result
    if (range.reverse) z.previous(c)
    else z.next(c)
  }
}

export const rangeCommands: readonly Command[] = [
  range,
  rangeByLex,
  rangeByScore,
  rangeStore,
  revRange,
  revRangeByLex,
  revRangeByScore,
]
