// ZUNION, ZINTER, ZDIFF, their ...STORE forms, and ZINTERCARD. A plain set counts as a sorted set with scores of 1.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { NOTIFY_ZSET } from '../../engine/messaging/events.ts'
import { TYPE_SET, TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSet } from '../../keyspace/values/zset/zset.ts'
import { ZSetType } from '../../keyspace/values/zset/zset-type.ts'
import { NOT_AN_INTEGER, SYNTAX, WRONG_TYPE } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { deleteDestination, replyMembers } from './shared.ts'
import { openSource, type Source } from './source.ts'

const WEIGHT = errorBytes('ERR weight value is not a float')
const LIMIT = errorBytes("ERR LIMIT can't be negative")

type Operation = 'union' | 'inter' | 'diff'
type Aggregate = (a: number, b: number) => number

/** +inf plus -inf is 0, not NaN. */
const sum: Aggregate = (a, b) => (Number.isNaN(a + b) ? 0 : a + b)
/** Unlike Math.min: NaN never wins. */
const min: Aggregate = (a, b) => {
  if (b < a) return b
  return a
}
const max: Aggregate = (a, b) => {
  if (b > a) return b
  return a
}

const union: Command = {
  name: 'zunion',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1#0+1',
  keyFinder: 'numkeys1',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Return the members that any of the sorted sets has, their scores combined.',
  complexity: 'O(N)+O(M*log(M)), N = members of all the sets together, M = members returned.',
  args: 'numkeys:integer key#0... [WEIGHTS weight:integer...] [AGGREGATE aggregate:(SUM|MIN|MAX)] [WITHSCORES]',
  run(ctx) {
    combine(ctx, 'union')
  },
}

const inter: Command = {
  name: 'zinter',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1#0+1',
  keyFinder: 'numkeys1',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Return the members that all the sorted sets have, their scores combined.',
  complexity: 'O(N*K)+O(M*log(M)) at worst, N = members of the smallest set, K = sets, M = members returned.',
  args: 'numkeys:integer key#0... [WEIGHTS weight:integer...] [AGGREGATE aggregate:(SUM|MIN|MAX)] [WITHSCORES]',
  run(ctx) {
    combine(ctx, 'inter')
  },
}

const diff: Command = {
  name: 'zdiff',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1#0+1',
  keyFinder: 'numkeys1',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Return the members of the first sorted set that are in none of the others.',
  complexity:
    'O(L + (N-K)log(N)) at worst, L = members of all the sets, N = members of the first, K = members returned.',
  args: 'numkeys:integer key#0... [WITHSCORES]',
  run(ctx) {
    combine(ctx, 'diff')
  },
}

const unionStore: Command = {
  name: 'zunionstore',
  arity: -4,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1; RO ACCESS @2#0+1',
  keyFinder: 'store-numkeys',
  since: '2.0.0',
  group: 'sorted-set',
  summary: 'Store the members that any of the sorted sets has, their scores combined.',
  complexity: 'O(N)+O(M log(M)), N = members of all the sets together, M = members stored.',
  args: 'destination#0 numkeys:integer key#1... [WEIGHTS weight:integer...] [AGGREGATE aggregate:(SUM|MIN|MAX)]',
  run(ctx) {
    combineInto(ctx, 'union')
  },
}

const interStore: Command = {
  name: 'zinterstore',
  arity: -4,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1; RO ACCESS @2#0+1',
  keyFinder: 'store-numkeys',
  since: '2.0.0',
  group: 'sorted-set',
  summary: 'Store the members that all the sorted sets have, their scores combined.',
  complexity: 'O(N*K)+O(M*log(M)) at worst, N = members of the smallest set, K = sets, M = members stored.',
  args: 'destination#0 numkeys:integer key#1... [WEIGHTS weight:integer...] [AGGREGATE aggregate:(SUM|MIN|MAX)]',
  run(ctx) {
    combineInto(ctx, 'inter')
  },
}

const diffStore: Command = {
  name: 'zdiffstore',
  arity: -4,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1; RO ACCESS @2#0+1',
  keyFinder: 'store-numkeys',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Store the members of the first sorted set that are in none of the others.',
  complexity: 'O(L + (N-K)log(N)) at worst, L = members of all the sets, N = members of the first, K = members stored.',
  args: 'destination#0 numkeys:integer key#1...',
  run(ctx) {
    combineInto(ctx, 'diff')
  },
}

const interCard: Command = {
  name: 'zintercard',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1#0+1',
  keyFinder: 'numkeys1',
  since: '7.0.0',
  group: 'sorted-set',
  summary: 'Count the members that all the sorted sets have, up to a limit.',
  complexity: 'O(N*K) at worst, N = members of the smallest set, K = sets.',
  args: 'numkeys:integer key#0... [LIMIT limit:integer]',
  run(ctx) {
    const request = new Request(ctx, 'inter', 'card')
    if (!request.parseOrReply(1)) return
    let count = 0
    request.each(() => ++count !== request.limit)
    ctx.reply.integer(count)
  },
}

/** The arguments of a command, and its execution. */
class Request {
  withScores = false
  /** 0: no limit. */
  limit = 0
  /** Length of the longest member of the result, and of all. */
  memberBytesMax = 0
  memberBytes = 0
  private aggregate = sum
  private sources: Source[] = []
  private readonly ctx: Context
  private readonly operation: Operation
  private readonly form: 'reply' | 'store' | 'card'

  constructor(ctx: Context, operation: Operation, form: 'reply' | 'store' | 'card') {
    this.ctx = ctx
    this.operation = operation
    this.form = form
  }

  /** Reads numkeys key … and the options from args[at] on, and opens the sets; false after an error reply. */
  parseOrReply(at: number): boolean {
    const { ctx } = this
    const keys = ctx.longOrReply(at, NOT_AN_INTEGER)
    if (Number.isNaN(keys)) return false
    if (keys < 1) {
      ctx.reply.error(`ERR at least 1 input key is needed for '${ctx.command.fullName}' command`)
      return false
    }
    if (keys > ctx.argc - at - 1) {
      ctx.reply.fixedError(SYNTAX)
      return false
    }
    for (let i = at + 1; i <= at + keys; i++) {
      const entry = ctx.lookupRead(ctx.args[i])
      const type = entry === 0 ? TYPE_ZSET : ctx.db.entries.typeOf(entry)
      if (type !== TYPE_ZSET && type !== TYPE_SET) {
        ctx.reply.fixedError(WRONG_TYPE)
        return false
      }
      this.sources.push(openSource(ctx, entry, type))
    }
    if (!this.optionsOrReply(at + 1 + keys, keys)) return false
    // From the smallest to the largest, as in Redis: sums of fractions depend on the order.
    if (this.operation !== 'diff') this.sources.sort((a, b) => a.length - b.length)
    return true
  }

  private optionsOrReply(from: number, keys: number): boolean {
    const opt = this.ctx.options(from)
    const weighted = this.operation !== 'diff' && this.form !== 'card'
    while (opt.more()) {
      if (weighted && opt.eat('weights', keys)) {
        for (let i = 0; i < keys && !opt.failed; i++) this.sources[i].weight = opt.doubleOrReply(WEIGHT)
      } else if (weighted && opt.eat('aggregate', 1)) {
        if (opt.eat('sum')) this.aggregate = sum
        else if (opt.eat('min')) this.aggregate = min
        else if (opt.eat('max')) this.aggregate = max
        else opt.syntaxError()
      } else if (this.form === 'reply' && opt.eat('withscores')) this.withScores = true
      else if (this.form === 'card' && opt.eat('limit', 1)) {
        this.limit = opt.longOrReply(LIMIT)
        if (this.limit < 0) opt.fail(LIMIT)
      } else opt.syntaxError()
      if (opt.failed) return false
    }
    return true
  }

  /** Calls `visit` for each member of an intersection or difference until it returns false. */
  each(visit: (source: Source, score: number) => boolean): void {
    const [first, ...others] = this.sources
    if (this.operation === 'diff' && others.some(other => other.isSame(first))) return
    for (let more = first.start(); more; more = first.next()) {
      const score = this.operation === 'inter' ? this.common(first, others) : this.only(first, others)
      if (!Number.isNaN(score) && !visit(first, score)) return
    }
  }

  /** The aggregated score of `first`'s current member if all others have it too, else NaN. */
  private common(first: Source, others: Source[]): number {
    let score = weigh(first.weight, first.score)
    for (const other of others) {
      const found = other.isSame(first) ? first.score : other.scoreOf(first.member)
      if (Number.isNaN(found)) return Number.NaN
      score = this.aggregate(score, found * other.weight)
    }
    return score
  }

  /** The score of `first`'s current member if no other has it, else NaN. */
  private only(first: Source, others: Source[]): number {
    for (const other of others) if (!Number.isNaN(other.scoreOf(first.member))) return Number.NaN
    return first.score
  }

  /** Builds the result with skiplist encoding. */
  result(): ZSet {
    const z = ZSetType.of(this.ctx.keyspace).destination.createTree()
    if (this.operation !== 'union') {
      this.each((source, score) => {
        z.insert(source.member, score)
        this.note(source.member.len)
        return true
      })
      return z
    }
    for (const source of this.sources) {
      for (let more = source.start(); more; more = source.next()) {
        const score = weigh(source.weight, source.score)
        if (z.merge(source.member, score, this.aggregate)) this.note(source.member.len)
      }
    }
    return z
  }

  private note(memberBytes: number): void {
    this.memberBytes += memberBytes
    if (memberBytes > this.memberBytesMax) this.memberBytesMax = memberBytes
  }
}

function weigh(weight: number, score: number): number {
  const n = weight * score
  return Number.isNaN(n) ? 0 : n
}

function combine(ctx: Context, operation: Operation): void {
  const request = new Request(ctx, operation, 'reply')
  if (!request.parseOrReply(1)) return
  const z = request.result()
  replyMembers(ctx, z, 0, z.length, false, request.withScores)
  z.discard()
}

function combineInto(ctx: Context, operation: Operation): void {
  const key = ctx.args[1]
  const request = new Request(ctx, operation, 'store')
  if (!request.parseOrReply(2)) return
  const z = request.result()
  const count = z.length
  if (count === 0) {
    z.discard()
    deleteDestination(ctx, key)
  } else {
    z.packIfSmall(request.memberBytesMax, request.memberBytes)
    ctx.db.put(key, TYPE_ZSET, z.encoding, z.value)
    ctx.touched(key, `z${operation}store`, NOTIFY_ZSET)
  }
  ctx.reply.integer(count)
}

export const combiningCommands: readonly Command[] = [union, unionStore, inter, interStore, interCard, diff, diffStore]
