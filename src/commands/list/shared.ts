// Shared by the list commands: opening the list of an entry, storing it, and the LEFT or RIGHT argument.

import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../../engine/messaging/events.ts'
import type { List } from '../../keyspace/values/list/list.ts'
import { ListType } from '../../keyspace/values/list/list-type.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import type { Element } from '../../memory/element.ts'
import { MUST_BE_POSITIVE, SYNTAX } from '../../protocol/errors.ts'
import { replyElement } from '../shared/element-reply.ts'

/** The list of an entry. One object per server: the next call reuses it. */
export function openList(ctx: Context, entry: Ref): List {
  return ListType.of(ctx.keyspace).current.open(ctx.db.entries.encodingOf(entry), ctx.db.entries.valueOf(entry))
}

export function elementOf(ctx: Context): Element {
  return ListType.of(ctx.keyspace).element
}

/** args[i] as a count, or NaN after an error reply. */
export function countOrReply(ctx: Context, i: number, error: Uint8Array = MUST_BE_POSITIVE): number {
  const count = ctx.longOrReply(i, error)
  if (!(count < 0)) return count
  ctx.reply.fixedError(error)
  return Number.NaN
}

/** True for LEFT, false for RIGHT, undefined after an error reply. */
export function isLeftOrReply(ctx: Context, i: number): boolean | undefined {
  if (ctx.is(i, 'right')) return false
  if (ctx.is(i, 'left')) return true
  ctx.reply.fixedError(SYNTAX)
  return undefined
}

/** After a removal: stores the value reference in the entry, or deletes the key of an empty list and returns true. */
export function storeBack(ctx: Context, entry: Ref, key: Slice, list: List): boolean {
  if (list.length > 0) {
    list.shrink()
    ctx.db.entries.setValue(entry, list.encoding, list.value)
    return false
  }
  list.discard()
  ctx.db.deleteEmptied(key)
  return true
}

/** The events of LPOP and RPOP; stores the list. */
export function popped(ctx: Context, entry: Ref, key: Slice, list: List, atHead: boolean, count: number): void {
  const gone = storeBack(ctx, entry, key, list)
  ctx.touched(key, atHead ? 'lpop' : 'rpop', NOTIFY_LIST, count)
  if (gone) ctx.notify(key, 'del', NOTIFY_GENERIC)
}

/** Pops the first or last `count` elements and replies with them in that order. */
export function popRange(ctx: Context, entry: Ref, key: Slice, list: List, atHead: boolean, count: number): void {
  const length = list.length
  const n = Math.min(count, length)
  replyRange(ctx, list, atHead ? 0 : length - 1, n, atHead)
  list.removeRange(atHead ? 0 : length - n, n)
  popped(ctx, entry, key, list, atHead, n)
}

/** An array of `count` elements from element `from` on, forward or backward. */
export function replyRange(ctx: Context, list: List, from: number, count: number, forward: boolean): void {
  const { reply } = ctx
  const e = elementOf(ctx)
  reply.array(count)
  if (forward && count > 0) return list.emit(from, count, reply)
  list.seek(from, forward)
  for (let left = count; left > 0 && list.next(e); left--) replyElement(reply, e)
}
