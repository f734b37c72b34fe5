// LMOVE, RPOPLPUSH, and the blocking BLMOVE, BRPOPLPUSH.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../../engine/messaging/events.ts'
import { TYPE_LIST } from '../../keyspace/types.ts'
import type { List } from '../../keyspace/values/list/list.ts'
import { ListType } from '../../keyspace/values/list/list-type.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { isLeftOrReply, openList, storeBack } from './shared.ts'

const lMove: Command = {
  name: 'lmove',
  arity: 5,
  flags: 'write denyoom',
  keys: 'RW ACCESS DELETE @1; RW INSERT @2',
  since: '6.2.0',
  group: 'list',
  summary: 'Move an element from an end of one list to an end of another and return it.',
  complexity: 'O(1)',
  args: 'source#0 destination#1 wherefrom:(LEFT|RIGHT) whereto:(LEFT|RIGHT)',
  run(ctx) {
    const fromHead = isLeftOrReply(ctx, 3)
    const toHead = fromHead === undefined ? undefined : isLeftOrReply(ctx, 4)
    if (toHead !== undefined && move(ctx, fromHead!, toHead) === NOTHING) ctx.reply.null()
  },
}

const rPopLPush: Command = {
  name: 'rpoplpush',
  arity: 3,
  flags: 'write denyoom',
  keys: 'RW ACCESS DELETE @1; RW INSERT @2',
  since: '1.2.0',
  group: 'list',
  summary: 'Move the tail of one list to the head of another and return it.',
  complexity: 'O(1)',
  args: 'source#0 destination#1',
  deprecated: { since: '6.2.0', replacedBy: '`LMOVE` with the `RIGHT` and `LEFT` arguments' },
  run(ctx) {
    if (move(ctx, false, true) === NOTHING) ctx.reply.null()
  },
}

const bLMove: Command = {
  name: 'blmove',
  arity: 6,
  flags: 'write denyoom blocking',
  keys: 'RW ACCESS DELETE @1; RW INSERT @2',
  since: '6.2.0',
  group: 'list',
  summary:
    'Move an element from an end of one list to an end of another and return it; wait while the source is empty.',
  complexity: 'O(1)',
  args: 'source#0 destination#1 wherefrom:(LEFT|RIGHT) whereto:(LEFT|RIGHT) timeout:double',
  run(ctx) {
    const { args } = ctx
    const fromHead = isLeftOrReply(ctx, 3)
    const toHead = fromHead === undefined ? undefined : isLeftOrReply(ctx, 4)
    if (toHead === undefined) return
    const timeoutMs = ctx.timeoutOrReply(5)
    if (Number.isNaN(timeoutMs)) return
    const outcome = move(ctx, fromHead!, toHead)
    if (outcome === NOTHING) waitForSource(ctx, timeoutMs)
    else if (outcome === MOVED) ctx.propagateAs('LMOVE', args[1], args[2], args[3], args[4])
  },
}

const bRPopLPush: Command = {
  name: 'brpoplpush',
  arity: 4,
  flags: 'write denyoom blocking',
  keys: 'RW ACCESS DELETE @1; RW INSERT @2',
  since: '2.2.0',
  group: 'list',
  summary: 'Move the tail of one list to the head of another and return it; wait while the source is empty.',
  complexity: 'O(1)',
  args: 'source#0 destination#1 timeout:double',
  history: [['6.0.0', '`timeout` may have decimals.']],
  deprecated: { since: '6.2.0', replacedBy: '`BLMOVE` with the `RIGHT` and `LEFT` arguments' },
  run(ctx) {
    const timeoutMs = ctx.timeoutOrReply(3)
    if (Number.isNaN(timeoutMs)) return
    const outcome = move(ctx, false, true)
    if (outcome === NOTHING) waitForSource(ctx, timeoutMs)
    else if (outcome === MOVED) ctx.propagateAs('RPOPLPUSH', ctx.args[1], ctx.args[2])
  },
}

function waitForSource(ctx: Context, timeoutMs: number): void {
  if (ctx.canBlock) ctx.block(1, 1, timeoutMs, TYPE_LIST, 'nullArray')
  else ctx.reply.null()
}

const REFUSED = 0
const NOTHING = 1
const MOVED = 2

/** Moves an element from list args[1] to args[2] and replies with it; NOTHING, without a reply, when there is none. */
function move(ctx: Context, fromHead: boolean, toHead: boolean): number {
  const { args, db, reply } = ctx
  const source = ctx.writeOrReply(args[1], TYPE_LIST)
  if (source === WRONG) return REFUSED
  if (source === 0) return NOTHING
  const isSame = args[1].equals(args[2])
  const target = isSame ? source : ctx.writeOrReply(args[2], TYPE_LIST)
  if (target === WRONG) return REFUSED
  const kind = ListType.of(ctx.keyspace)
  const list = openList(ctx, source)
  list.peek(fromHead, kind.element)
  const element = kind.copyOf(kind.element.text())
  list.drop(fromHead)
  if (isSame) push(list, element, toHead)
  db.entries.setValue(source, list.encoding, list.value)
  if (!isSame) pushTo(ctx, target, element, toHead)
  reply.bulk(element)
  ctx.touched(args[2], toHead ? 'lpush' : 'rpush', NOTIFY_LIST, 0)
  const gone = storeBack(ctx, source, args[1], openList(ctx, source))
  ctx.touched(args[1], fromHead ? 'lpop' : 'rpop', NOTIFY_LIST)
  if (gone) ctx.notify(args[1], 'del', NOTIFY_GENERIC)
  return MOVED
}

/** Pushes `element` to list args[2], whose entry is `target` (0: a new list). */
function pushTo(ctx: Context, target: Ref, element: Slice, toHead: boolean): void {
  const { db } = ctx
  const list = ListType.of(ctx.keyspace).destination
  if (target === 0) list.create()
  else list.open(db.entries.encodingOf(target), db.entries.valueOf(target))
  push(list, element, toHead)
  if (target === 0) db.add(ctx.args[2], TYPE_LIST, list.encoding, list.value)
  else db.entries.setValue(target, list.encoding, list.value)
}

function push(list: List, element: Slice, toHead: boolean): void {
  list.tryConversion(1, element.len)
  list.push(element, toHead)
}

export const movingCommands: readonly Command[] = [lMove, rPopLPush, bLMove, bRPopLPush]
