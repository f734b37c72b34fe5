// What the sorted-set commands share: opening the set of an entry, writing it back, ranges, and scores in replies.

import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC } from '../../engine/events.ts'
import type { ZSet, ZSetCursor } from '../../keyspace/zset.ts'
import { ZSetKind } from '../../keyspace/zset-kind.ts'
import { parseDouble } from '../../lib/number.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { errorBytes, type Reply } from '../../protocol/reply.ts'

export const NOT_A_FLOAT_RANGE = errorBytes('ERR min or max is not a float')
export const NOT_A_LEX_RANGE = errorBytes('ERR min or max not valid string range item')

/** The sorted set of an entry. One at a time: the next call points the same object elsewhere. */
export function openSet(ctx: Context, entry: Ref): ZSet {
  return ZSetKind.of(ctx.keyspace).first.open(ctx.db.encodingOf(entry), ctx.db.valueOf(entry))
}

export function cursorOf(ctx: Context): ZSetCursor {
  return ZSetKind.of(ctx.keyspace).cursor
}

/** After a change: the entry learns of a moved value; an emptied set goes with its key. True when it is gone. */
export function storeBack(ctx: Context, entry: Ref, key: Slice, z: ZSet): boolean {
  if (z.length > 0) {
    ctx.db.setValue(entry, z.encoding, z.value)
    return false
  }
  z.discard()
  ctx.db.deleteEmptied(key)
  return true
}

/** Removes a key that a ...STORE command leaves without a result. */
export function deleteDestination(ctx: Context, key: Slice): void {
  if (ctx.db.delete(key)) ctx.touched(key, 'del', NOTIFY_GENERIC)
}

/** A score as a reply: integers, the usual case, allocate nothing. */
export function replyScore(reply: Reply, score: number): void {
  if (reply.resp === 2 && Number.isSafeInteger(score) && (score !== 0 || 1 / score > 0)) reply.bulkInteger(score)
  else reply.double(score)
}

/** `count` members from `rank` on (counted from the end when `reverse`), with or without scores, behind their header. */
export function replyMembers(
  ctx: Context,
  z: ZSet,
  rank: number,
  count: number,
  reverse: boolean,
  withScores: boolean,
): void {
  const { reply } = ctx
  const nested = withScores && reply.resp > 2
  reply.array(withScores && !nested ? count * 2 : count)
  if (count === 0) return
  const c = cursorOf(ctx)
  z.seekRank(reverse ? z.length - 1 - rank : rank, c)
  for (let left = count; ; ) {
    if (nested) reply.array(2)
    reply.bulk(c.member)
    if (withScores) replyScore(reply, c.score)
    if (--left === 0) return
    if (reverse) z.previous(c)
    else z.next(c)
  }
}

/** Part of a set: ranks from `from` up to, without, `to`; set by the methods below. */
export class RankRange {
  from = 0
  to = 0
  private min = 0
  private max = 0
  private minExcluded = false
  private maxExcluded = false
  private minAt: Slice | undefined
  private maxAt: Slice | undefined
  private readonly ctx: Context
  private kind: 'rank' | 'score' | 'lex' = 'rank'

  constructor(ctx: Context) {
    this.ctx = ctx
  }

  get count(): number {
    return this.to > this.from ? this.to - this.from : 0
  }

  /** Reads two indexes; negative ones count from the end. */
  indexesOrReply(startIndex: number, stopIndex: number): boolean {
    const start = this.ctx.longOrReply(startIndex)
    if (Number.isNaN(start)) return false
    const stop = this.ctx.longOrReply(stopIndex)
    if (Number.isNaN(stop)) return false
    this.kind = 'rank'
    this.min = start
    this.max = stop
    return true
  }

  /** Reads a range of scores: 1, (1, -inf … */
  scoresOrReply(min: Slice, max: Slice): boolean {
    this.kind = 'score'
    this.minExcluded = isOpen(min)
    this.maxExcluded = isOpen(max)
    this.min = parseBound(min, this.minExcluded)
    this.max = parseBound(max, this.maxExcluded)
    if (!Number.isNaN(this.min) && !Number.isNaN(this.max)) return true
    this.ctx.reply.fixedError(NOT_A_FLOAT_RANGE)
    return false
  }

  /** Reads a range of members: [a, (a, -, + */
  membersOrReply(min: Slice, max: Slice): boolean {
    this.kind = 'lex'
    if (!isLexBound(min) || !isLexBound(max)) {
      this.ctx.reply.fixedError(NOT_A_LEX_RANGE)
      return false
    }
    this.minAt = min
    this.maxAt = max
    return true
  }

  /** Finds the ranks in a set. */
  locate(z: ZSet): this {
    if (this.kind === 'rank') {
      const length = z.length
      this.from = Math.max(0, this.min < 0 ? length + this.min : this.min)
      this.to = Math.min(length, (this.max < 0 ? length + this.max : this.max) + 1)
    } else if (this.kind === 'score') {
      this.from = z.countBelow(this.min, this.minExcluded)
      this.to = z.countBelow(this.max, !this.maxExcluded)
    } else {
      this.from = this.countBefore(z, this.minAt!, OPEN)
      this.to = this.countBefore(z, this.maxAt!, CLOSED)
    }
    return this
  }

  /** Members before a bound of a range by member; also the bound itself when it starts with `inclusive`. */
  private countBefore(z: ZSet, bound: Slice, inclusive: number): number {
    const mark = bound.byte(0)
    if (mark === MINUS) return 0
    if (mark === PLUS) return z.length
    const probe = ZSetKind.of(this.ctx.keyspace).bound
    return z.countBefore(probe.set(bound.u8, bound.dv, bound.off + 1, bound.len - 1), mark === inclusive)
  }
}

const OPEN = 0x28
const CLOSED = 0x5b
const MINUS = 0x2d
const PLUS = 0x2b

function isOpen(bound: Slice): boolean {
  return bound.len > 0 && bound.byte(0) === OPEN
}

function isLexBound(bound: Slice): boolean {
  if (bound.len === 0) return false
  const mark = bound.byte(0)
  return mark === OPEN || mark === CLOSED || (bound.len === 1 && (mark === MINUS || mark === PLUS))
}

/** A bound as strtod reads it: nothing is zero, overflow is infinite. */
function parseBound(s: Slice, open: boolean): number {
  if (open) {
    s.off++
    s.len--
  }
  let n = s.len === 0 ? 0 : parseDouble(s)
  if (Number.isNaN(n)) {
    const text = s.latin1().replace(/^[ \t-\r]+/, '')
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) n = Number(text)
  }
  if (open) {
    s.off--
    s.len++
  }
  return n
}
