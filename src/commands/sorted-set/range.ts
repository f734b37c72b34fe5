// Ranges of a sorted set, by rank, score or member: read, stored, removed.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../../engine/events.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSet } from '../../keyspace/zset.ts'
import { ZSetKind } from '../../keyspace/zset-kind.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { cursorOf, deleteDestination, openSet, RankRange, replyMembers, storeBack } from './shared.ts'

const LIMIT_BY_RANK = errorBytes(
  'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
)
const WITHSCORES_BY_LEX = errorBytes('ERR syntax error, WITHSCORES not supported in combination with BYLEX')

type By = 'rank' | 'score' | 'lex'

const range: Command = {
  name: 'zrange',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Returns members in a sorted set within a range of indexes.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.',
  args:
    'key#0 start stop [sortby:(BYSCORE|BYLEX)@6.2.0] [REV@6.2.0] [LIMIT limit:(offset:integer ' +
    'count:integer)@6.2.0] [WITHSCORES]',
  history: [['6.2.0', 'Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.']],
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
  summary: 'Returns members in a sorted set within a range of indexes in reverse order.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.',
  args: 'key#0 start:integer stop:integer [WITHSCORES]',
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` argument' },
  run(ctx) {
    readRange(ctx, 'rank', true)
  },
}

const rangeByScore: Command = {
  name: 'zrangebyscore',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.0.5',
  group: 'sorted-set',
  summary: 'Returns members in a sorted set within a range of scores.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being ' +
    'returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it ' +
    'O(log(N)).',
  args: 'key#0 min:double max:double [WITHSCORES@2.0.0] [LIMIT limit:(offset:integer count:integer)]',
  history: [['2.0.0', 'Added the `WITHSCORES` modifier.']],
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYSCORE` argument' },
  run(ctx) {
    readRange(ctx, 'score', false)
  },
}

const revRangeByScore: Command = {
  name: 'zrevrangebyscore',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.2.0',
  group: 'sorted-set',
  summary: 'Returns members in a sorted set within a range of scores in reverse order.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being ' +
    'returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it ' +
    'O(log(N)).',
  args: 'key#0 max:double min:double [WITHSCORES] [LIMIT limit:(offset:integer count:integer)]',
  history: [['2.1.6', '`min` and `max` can be exclusive.']],
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` and `BYSCORE` arguments' },
  run(ctx) {
    readRange(ctx, 'score', true)
  },
}

const rangeByLex: Command = {
  name: 'zrangebylex',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.9',
  group: 'sorted-set',
  summary: 'Returns members in a sorted set within a lexicographical range.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being ' +
    'returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it ' +
    'O(log(N)).',
  args: 'key#0 min max [LIMIT limit:(offset:integer count:integer)]',
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYLEX` argument' },
  run(ctx) {
    readRange(ctx, 'lex', false)
  },
}

const revRangeByLex: Command = {
  name: 'zrevrangebylex',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.9',
  group: 'sorted-set',
  summary: 'Returns members in a sorted set within a lexicographical range in reverse order.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being ' +
    'returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it ' +
    'O(log(N)).',
  args: 'key#0 max min [LIMIT limit:(offset:integer count:integer)]',
  deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` and `BYLEX` arguments' },
  run(ctx) {
    readRange(ctx, 'lex', true)
  },
}

/** What a range command asks for, besides the bounds. */
class RangeRequest {
  by: By | undefined
  reverse: boolean | undefined
  withScores = false
  offset = 0
  limit = -1
  readonly ranks: RankRange

  constructor(ctx: Context, by: By | undefined, reverse: boolean | undefined) {
    this.by = by
    this.reverse = reverse
    this.ranks = new RankRange(ctx)
  }

  /** Reads <min> <max> at args[at] and the options behind them; false after an error reply. */
  parseOrReply(ctx: Context, at: number, store: boolean): boolean {
    const mayReverse = this.reverse === undefined
    const mayChoose = this.by === undefined
    const opt = ctx.options(at + 2)
    while (opt.more()) {
      if (!store && opt.eat('withscores')) this.withScores = true
      else if (opt.eat('limit', 2)) {
        this.offset = opt.longOrReply()
        if (!opt.failed) this.limit = opt.longOrReply()
      } else if (mayReverse && !this.reverse && opt.eat('rev')) this.reverse = true
      else if (mayChoose && this.by === undefined && opt.eat('bylex')) this.by = 'lex'
      else if (mayChoose && this.by === undefined && opt.eat('byscore')) this.by = 'score'
      else opt.syntaxError()
      if (opt.failed) return false
    }
    this.by ??= 'rank'
    if (this.limit !== -1 && this.by === 'rank') ctx.reply.fixedError(LIMIT_BY_RANK)
    else if (this.withScores && this.by === 'lex') ctx.reply.fixedError(WITHSCORES_BY_LEX)
    else return this.boundsOrReply(ctx, at)
    return false
  }

  private boundsOrReply(ctx: Context, at: number): boolean {
    if (this.by === 'rank') return this.ranks.indexesOrReply(at, at + 1)
    // A reversed range is given as <max> <min>.
    const min = ctx.args[this.reverse ? at + 1 : at]
    const max = ctx.args[this.reverse ? at : at + 1]
    return this.by === 'score' ? this.ranks.scoresOrReply(min, max) : this.ranks.membersOrReply(min, max)
  }

  /** First rank, counted from the end when reversed, and how many, in a set. */
  start = 0
  count = 0

  locate(z: ZSet): void {
    const { ranks } = this
    if (this.by === 'rank') {
      // Indexes count from whichever end the range is read.
      ranks.locate(z)
      this.start = ranks.from
      this.count = ranks.count
      return
    }
    if (this.offset < 0 || (this.offset > 0 && this.offset >= z.length)) {
      this.count = 0
      return
    }
    ranks.locate(z)
    const left = Math.max(0, ranks.count - this.offset)
    this.count = this.limit < 0 ? left : Math.min(left, this.limit)
    this.start = (this.reverse ? z.length - ranks.to : ranks.from) + this.offset
  }
}

function readRange(ctx: Context, by?: By, reverse?: boolean): void {
  const request = new RangeRequest(ctx, by, reverse)
  if (!request.parseOrReply(ctx, 2, false)) return
  const entry = ctx.readOrReply(ctx.args[1], TYPE_ZSET)
  if (entry === WRONG) return
  if (entry === 0) return ctx.reply.emptyArray()
  const z = openSet(ctx, entry)
  request.locate(z)
  replyMembers(ctx, z, request.start, request.count, request.reverse === true, request.withScores)
}

const rangeStore: Command = {
  name: 'zrangestore',
  arity: -5,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1; RO ACCESS @2',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Stores a range of members from sorted set in a key.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored into ' +
    'the destination key.',
  args: 'dst#0 src#1 min max [sortby:(BYSCORE|BYLEX)] [REV] [LIMIT limit:(offset:integer count:integer)]',
  run(ctx) {
    const { args, db, reply } = ctx
    const request = new RangeRequest(ctx, undefined, undefined)
    if (!request.parseOrReply(ctx, 3, true)) return
    const entry = ctx.readOrReply(args[2], TYPE_ZSET)
    if (entry === WRONG) return
    if (entry !== 0) {
      const z = openSet(ctx, entry)
      request.locate(z)
      if (request.count > 0) {
        const result = copyRange(ctx, z, request)
        db.put(args[1], TYPE_ZSET, result.encoding, result.value)
        ctx.touched(args[1], 'zrangestore', NOTIFY_ZSET)
        return reply.integer(request.count)
      }
    }
    deleteDestination(ctx, args[1])
    reply.integer(0)
  },
}

function copyRange(ctx: Context, z: ZSet, request: RangeRequest): ZSet {
  // As in Redis: only a range by rank is known to be small beforehand.
  const expected = request.by === 'rank' ? request.count : Number.POSITIVE_INFINITY
  const result = ZSetKind.of(ctx.keyspace).second.create(expected, 0)
  const c = cursorOf(ctx)
  z.seekRank(request.reverse ? z.length - 1 - request.start : request.start, c)
  for (let left = request.count; ; ) {
    result.add(c.member, c.score, 0)
    if (--left === 0) return result
    if (request.reverse) z.previous(c)
    else z.next(c)
  }
}

const remRangeByRank: Command = {
  name: 'zremrangebyrank',
  arity: 4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '2.0.0',
  group: 'sorted-set',
  summary:
    'Removes members in a sorted set within a range of indexes. Deletes the sorted set if all members were ' +
    'removed.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by ' +
    'the operation.',
  args: 'key#0 start:integer stop:integer',
  run(ctx) {
    const ranks = new RankRange(ctx)
    if (ranks.indexesOrReply(2, 3)) removeRange(ctx, ranks, 'zremrangebyrank')
  },
}

const remRangeByScore: Command = {
  name: 'zremrangebyscore',
  arity: 4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary:
    'Removes members in a sorted set within a range of scores. Deletes the sorted set if all members were removed.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by ' +
    'the operation.',
  args: 'key#0 min:double max:double',
  run(ctx) {
    const ranks = new RankRange(ctx)
    if (ranks.scoresOrReply(ctx.args[2], ctx.args[3])) removeRange(ctx, ranks, 'zremrangebyscore')
  },
}

const remRangeByLex: Command = {
  name: 'zremrangebylex',
  arity: 4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '2.8.9',
  group: 'sorted-set',
  summary:
    'Removes members in a sorted set within a lexicographical range. Deletes the sorted set if all members were ' +
    'removed.',
  complexity:
    'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by ' +
    'the operation.',
  args: 'key#0 min max',
  run(ctx) {
    const ranks = new RankRange(ctx)
    if (ranks.membersOrReply(ctx.args[2], ctx.args[3])) removeRange(ctx, ranks, 'zremrangebylex')
  },
}

function removeRange(ctx: Context, ranks: RankRange, event: string): void {
  const { args, reply } = ctx
  const entry = ctx.writeOrReply(args[1], TYPE_ZSET)
  if (entry === WRONG) return
  if (entry === 0) return reply.integer(0)
  const z = openSet(ctx, entry)
  const { from, count } = ranks.locate(z)
  if (count === 0) return reply.integer(0)
  z.removeRanks(from, count)
  const gone = storeBack(ctx, entry, args[1], z)
  ctx.touched(args[1], event, NOTIFY_ZSET, count)
  if (gone) ctx.notify(args[1], 'del', NOTIFY_GENERIC)
  reply.integer(count)
}

export const rangeCommands: readonly Command[] = [
  range,
  rangeByLex,
  rangeByScore,
  rangeStore,
  revRange,
  revRangeByLex,
  revRangeByScore,
  remRangeByLex,
  remRangeByRank,
  remRangeByScore,
]
