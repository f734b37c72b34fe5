// Shared by the stream commands: opening the stream of an entry, ids in arguments and replies, entries in replies.

import type { Context } from '../../engine/context.ts'
import { TYPE_STREAM } from '../../keyspace/types.ts'
import type { Stream } from '../../keyspace/values/stream/stream.ts'
import type { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import type { StreamIterator } from '../../keyspace/values/stream/stream-iterator.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { MINUS, OPEN, PLUS } from '../../lib/ascii.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { errorBytes, type Reply } from '../../protocol/reply.ts'
import { errorText } from '../shared/arguments.ts'

const INVALID_ID = errorBytes('ERR Invalid stream ID specified as stream command argument')
const INVALID_START = errorBytes('ERR invalid start ID for the interval')
const INVALID_END = errorBytes('ERR invalid end ID for the interval')

/** The stream of an entry. One object per server: the next call reuses it. */
export function openStream(ctx: Context, entry: Ref): Stream {
  return StreamType.of(ctx.keyspace).stream.open(ctx.db.entries.valueOf(entry))
}

/** True when args[i], a C string, is exactly this one character. */
export function isMark(s: Slice, mark: number): boolean {
  return s.byte(0) === mark && (s.len === 1 || (s.len > 1 && s.byte(1) === 0))
}

// ---- ids in arguments: false after an error reply ----

/** Reads args[i], <ms>-<seq> or <ms> alone. */
export function idOrReply(ctx: Context, i: number, out: StreamId): boolean {
  if (out.parse(ctx.args[i])) return true
  ctx.reply.fixedError(INVALID_ID)
  return false
}

/** Reads the first id of a range from args[i]: also - and +, and an exclusive id with (. */
export function rangeStartOrReply(ctx: Context, i: number, out: StreamId): boolean {
  const exclusive = boundOrReply(ctx, i, out, false)
  if (exclusive === undefined) return false
  if (!exclusive || out.increment()) return true
  ctx.reply.fixedError(INVALID_START)
  return false
}

/** Reads the last id of a range; an id without sequence includes all of its millisecond. */
export function rangeEndOrReply(ctx: Context, i: number, out: StreamId): boolean {
  const exclusive = boundOrReply(ctx, i, out, true)
  if (exclusive === undefined) return false
  if (!exclusive || out.decrement()) return true
  ctx.reply.fixedError(INVALID_END)
  return false
}

/** True when the bound is exclusive; undefined after an error reply. */
function boundOrReply(ctx: Context, i: number, out: StreamId, missingSeqMax: boolean): boolean | undefined {
  const s = ctx.args[i]
  if (isMark(s, MINUS)) {
    out.setMin()
    return false
  }
  if (isMark(s, PLUS)) {
    out.setMax()
    return false
  }
  const exclusive = s.len > 1 && s.byte(0) === OPEN
  const text = exclusive ? ctx.value.set(s.u8, s.dv, s.off + 1, s.len - 1) : s
  if (out.parse(text, missingSeqMax)) return exclusive
  ctx.reply.fixedError(INVALID_ID)
  return undefined
}

// ---- replies ----

export function replyId(ctx: Context, id: StreamId): void {
  const { text } = StreamType.of(ctx.keyspace)
  text.len = id.format(text.u8, 0)
  ctx.reply.bulk(text)
}

/** A count as an integer reply, exact also beyond 2^53. */
export function replyLong(reply: Reply, n: number): void {
  if (Number.isSafeInteger(n)) reply.integer(n)
  else reply.bigint(n >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(n))
}

/** The entry at the iterator: id, then fields and values. */
export function replyEntry(ctx: Context, it: StreamIterator): void {
  const { reply } = ctx
  reply.array(2)
  replyId(ctx, it.id)
  reply.array(it.fields * 2)
  for (let left = it.fields; left > 0; left--) {
    it.nextField()
    reply.bulk(it.field)
    reply.bulk(it.value)
  }
}

/** At most `count` entries (0: all) of a range; returns their number. */
export function replyRange(
  ctx: Context,
  stream: Stream,
  from: StreamId,
  to: StreamId,
  reverse: boolean,
  count: number,
): void {
  const { reply } = ctx
  const it = StreamType.of(ctx.keyspace).iterator.start(stream.tree, from, to, reverse)
  const mark = reply.beginDeferredArray()
  let sent = 0
  while ((count === 0 || sent < count) && it.next()) {
    replyEntry(ctx, it)
    sent++
  }
  reply.endArray(mark, sent)
}

/** The entry with this id; false, without a reply, when there is none. */
export function replyEntryAt(ctx: Context, stream: Stream, id: StreamId): boolean {
  const it = StreamType.of(ctx.keyspace).iterator.start(stream.tree, id, id, false)
  if (!it.next()) return false
  replyEntry(ctx, it)
  return true
}

/** A stream entry and one of its groups. */
export interface GroupAt {
  entry: Ref
  group: Ref
}

/** The stream args[1], of which `entry` is what a lookup found, and its group args[2], or a NOGROUP error. */
export function groupOrReply(ctx: Context, entry: Ref = ctx.lookupRead(ctx.args[1])): GroupAt | undefined {
  const { args } = ctx
  if (ctx.hasWrongType(entry, TYPE_STREAM)) return undefined
  const group = entry === 0 ? 0 : StreamType.of(ctx.keyspace).groups.find(openStream(ctx, entry).groups, args[2])
  if (group !== 0) return { entry, group }
  ctx.reply.error(`NOGROUP No such key '${errorText(args[1])}' or consumer group '${errorText(args[2])}'`)
  return undefined
}
