// Shared by the sorted-set commands: opening the set of an entry, storing it, ranges, and scores in replies.

import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC } from '../../engine/messaging/events.ts'
import { ENC_LISTPACK } from '../../keyspace/types.ts'
import type { ZSet, ZSetCursor } from '../../keyspace/values/zset/zset.ts'
import type { ZSetRange } from '../../keyspace/values/zset/zset-range.ts'
import { ZSetType } from '../../keyspace/values/zset/zset-type.ts'
import { MINUS, OPEN, PLUS } from '../../lib/ascii.ts'
import { parseLooseDouble } from '../../lib/number.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { errorBytes } from '../../protocol/reply.ts'

const NOT_A_FLOAT_RANGE = errorBytes('ERR min or max is not a float')
const NOT_A_LEX_RANGE = errorBytes('ERR min or max not valid string range item')

/** The sorted set of an entry. One object per server: the next call reuses it. */
export function openSet(ctx: Context, entry: Ref): ZSet {
  return ZSetType.of(ctx.keyspace).current.open(ctx.db.entries.encodingOf(entry), ctx.db.entries.valueOf(entry))
}

export function cursorOf(ctx: Context): ZSetCursor {
  return ZSetType.of(ctx.keyspace).cursor
}

/** After a removal: stores the value reference in the entry, or deletes the key of an empty set and returns true. */
export function storeBack(ctx: Context, entry: Ref, key: Slice, z: ZSet): boolean {
  if (z.length > 0) {
    if (z.encoding === ENC_LISTPACK) ctx.db.entries.setValue(entry, z.encoding, z.value)
    return false
  }
  z.discard()
  ctx.db.deleteEmptied(key)
  return true
}

/** Removes `count` members from `rank` on. True: all, and so the key; a large value is freed in slices. */
export function removeRanks(ctx: Context, entry: Ref, key: Slice, z: ZSet, rank: number, count: number): boolean {
  if (count === z.length) return ctx.db.delete(key)
  z.removeRanks(rank, count)
  return storeBack(ctx, entry, key, z)
}

/** Deletes the destination key of a ...STORE command with an empty result. */
export function deleteDestination(ctx: Context, key: Slice): void {
  if (ctx.db.delete(key)) ctx.touched(key, 'del', NOTIFY_GENERIC)
}

/** An array of `count` members from `rank` on (from the end when `reverse`), with or without scores. */
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
  if (count > 0) z.emit(reverse ? z.length - 1 - rank : rank, count, reverse, withScores, reply)
}

/** The range read from a command's arguments: one object per server. */
export function rangeOf(ctx: Context): ZSetRange {
  return ZSetType.of(ctx.keyspace).range.reset()
}

// ---- bounds: false after an error reply ----

/** Reads two ranks from args[i] and args[i + 1]. */
export function ranksOrReply(ctx: Context, range: ZSetRange, i: number): boolean {
  const start = ctx.longOrReply(i)
  if (Number.isNaN(start)) return false
  const stop = ctx.longOrReply(i + 1)
  if (Number.isNaN(stop)) return false
  range.setRanks(start, stop)
  return true
}

/** Reads a range of scores: 1, (1, -inf … */
export function scoresOrReply(ctx: Context, range: ZSetRange, min: Slice, max: Slice): boolean {
  const minOpen = isOpen(min)
  const maxOpen = isOpen(max)
  const low = parseBound(min, minOpen)
  const high = Number.isNaN(low) ? low : parseBound(max, maxOpen)
  if (Number.isNaN(high)) {
    ctx.reply.fixedError(NOT_A_FLOAT_RANGE)
    return false
  }
  range.setScores(low, minOpen, high, maxOpen)
  return true
}

/** Reads a lexicographic range: [a, (a, -, + */
export function membersOrReply(ctx: Context, range: ZSetRange, min: Slice, max: Slice): boolean {
  if (!isLexBound(min) || !isLexBound(max)) {
    ctx.reply.fixedError(NOT_A_LEX_RANGE)
    return false
  }
  range.setMembers(min, max)
  return true
}

const CLOSED = 0x5b

function isOpen(bound: Slice): boolean {
  return bound.len > 0 && bound.byte(0) === OPEN
}

function isLexBound(bound: Slice): boolean {
  if (bound.len === 0) return false
  const mark = bound.byte(0)
  return mark === OPEN || mark === CLOSED || (bound.len === 1 && (mark === MINUS || mark === PLUS))
}

/** A bound read by strtod: an empty string is zero, overflow is infinite. */
function parseBound(s: Slice, open: boolean): number {
  if (open) {
    s.off++
    s.len--
  }
  const n = parseLooseDouble(s)
  if (open) {
    s.off--
    s.len++
  }
  return n
}
