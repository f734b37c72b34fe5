// ZPOPMIN, ZPOPMAX, ZMPOP, and the blocking BZPOPMIN, BZPOPMAX, BZMPOP.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../../engine/messaging/events.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSet } from '../../keyspace/values/zset/zset.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { COUNT_NOT_POSITIVE, MUST_BE_POSITIVE, NUMKEYS_NOT_POSITIVE, SYNTAX } from '../../protocol/errors.ts'
import { cursorOf, openSet, removeRanks } from './shared.ts'

const popMin: Command = {
  name: 'zpopmin',
  arity: -2,
  flags: 'write fast',
  keys: 'RW ACCESS DELETE @1',
  since: '5.0.0',
  group: 'sorted-set',
  summary: 'Take the members with the lowest scores.',
  complexity: 'O(log(N)*M), N = members of the sorted set, M = members taken.',
  args: 'key#0 [count:integer]',
  run(ctx) {
    popOne(ctx, false)
  },
}

const popMax: Command = {
  name: 'zpopmax',
  arity: -2,
  flags: 'write fast',
  keys: 'RW ACCESS DELETE @1',
  since: '5.0.0',
  group: 'sorted-set',
  summary: 'Take the members with the highest scores.',
  complexity: 'O(log(N)*M), N = members of the sorted set, M = members taken.',
  args: 'key#0 [count:integer]',
  run(ctx) {
    popOne(ctx, true)
  },
}

/** ZPOPMIN and ZPOPMAX. */
function popOne(ctx: Context, max: boolean): void {
  const { args, argc, reply } = ctx
  if (argc > 3) return reply.fixedError(SYNTAX)
  let count = 1
  if (argc === 3) {
    count = ctx.longOrReply(2, MUST_BE_POSITIVE)
    if (Number.isNaN(count)) return
    if (count < 0) return reply.fixedError(MUST_BE_POSITIVE)
  }
  const entry = ctx.writeOrReply(args[1], TYPE_ZSET)
  if (entry === WRONG) return
  if (entry === 0 || count === 0) return reply.emptyArray()
  const z = openSet(ctx, entry)
  const taken = Math.min(count, z.length)
  const nested = argc === 3 && reply.resp > 2
  reply.array(nested ? taken : taken * 2)
  take(ctx, entry, z, args[1], max, taken, nested)
}

/** Pops the first or last `count` members and replies with them. */
function take(ctx: Context, entry: Ref, z: ZSet, key: Slice, max: boolean, count: number, nested: boolean): void {
  const { reply } = ctx
  const c = cursorOf(ctx)
  const length = z.length
  z.seekRank(max ? length - 1 : 0, c)
  for (let left = count; ; ) {
    if (nested) reply.array(2)
    reply.bulk(c.member)
    reply.double(c.score)
    if (--left === 0) break
    if (max) z.previous(c)
    else z.next(c)
  }
  const gone = removeRanks(ctx, entry, key, z, max ? length - count : 0, count)
  ctx.touched(key, max ? 'zpopmax' : 'zpopmin', NOTIFY_ZSET, count)
  if (gone) ctx.notify(key, 'del', NOTIFY_GENERIC)
}

const mPop: Command = {
  name: 'zmpop',
  arity: -4,
  flags: 'write',
  keys: 'RW ACCESS DELETE @1#0+1',
  keyFinder: 'numkeys1',
  since: '7.0.0',
  group: 'sorted-set',
  summary: 'Take members with the lowest or highest scores from the first sorted set that is not empty.',
  complexity: 'O(K) + O(M*log(N)), K = keys named, N = members of the sorted set, M = members taken.',
  args: 'numkeys:integer key#0... where:(MIN|MAX) [COUNT count:integer]',
  run(ctx) {
    const request = multiPopOrReply(ctx, 1)
    if (request === undefined) return
    if (!takeFromFirst(ctx, 2, request.lastKey, request.max, request.count)) ctx.reply.nullArray()
  },
}

interface MultiPop {
  lastKey: number
  max: boolean
  count: number
}

/** numkeys key … MIN|MAX [COUNT count], from args[at] on. */
function multiPopOrReply(ctx: Context, at: number): MultiPop | undefined {
  const { reply } = ctx
  const keys = ctx.longOrReply(at, NUMKEYS_NOT_POSITIVE)
  if (Number.isNaN(keys)) return undefined
  if (keys < 1) return void reply.fixedError(NUMKEYS_NOT_POSITIVE)
  const lastKey = at + keys
  const opt = ctx.options(lastKey + 1)
  if (!opt.more()) return void opt.syntaxError()
  const max = opt.eat('max')
  if (!max && !opt.eat('min')) return void opt.syntaxError()
  let count = -1
  while (opt.more()) {
    if (count < 0 && opt.eat('count', 1)) {
      count = opt.longOrReply(COUNT_NOT_POSITIVE)
      if (!opt.failed && count < 1) opt.fail(COUNT_NOT_POSITIVE)
    } else opt.syntaxError()
    if (opt.failed) return undefined
  }
  return { lastKey, max, count: count < 0 ? 1 : count }
}

/**
 * Pops members of the first non-empty set and replies with them; false, without a reply, when there is none. `count` 0:
 * one member in BZPOPMIN's flat form.
 */
function takeFromFirst(ctx: Context, firstKey: number, lastKey: number, max: boolean, count: number): boolean {
  const { args, reply } = ctx
  for (let i = firstKey; i <= lastKey; i++) {
    const entry = ctx.writeOrReply(args[i], TYPE_ZSET)
    if (entry === WRONG) return true
    if (entry === 0) continue
    const z = openSet(ctx, entry)
    const taken = count === 0 ? 1 : Math.min(count, z.length)
    reply.array(count === 0 ? 3 : 2)
    reply.bulk(args[i])
    if (count > 0) reply.array(taken)
    take(ctx, entry, z, args[i], max, taken, count > 0)
    if (ctx.hasSinks) {
      const name = max ? 'ZPOPMAX' : 'ZPOPMIN'
      if (count === 0) ctx.propagateAs(name, args[i])
      else ctx.propagateAs(name, args[i], taken)
    }
    return true
  }
  return false
}

const bPopMin: Command = {
  name: 'bzpopmin',
  arity: -3,
  flags: 'write fast blocking',
  keys: 'RW ACCESS DELETE @1..-2',
  since: '5.0.0',
  group: 'sorted-set',
  summary:
    'Take the member with the lowest score from the first sorted set that is not empty; wait while all are empty.',
  complexity: 'O(log(N)), N = members of the sorted set.',
  args: 'key#0... timeout:double',
  history: [['6.0.0', '`timeout` may have decimals.']],
  run(ctx) {
    waitForMembers(ctx, 1, ctx.argc - 2, ctx.argc - 1, false, 0)
  },
}

const bPopMax: Command = {
  name: 'bzpopmax',
  arity: -3,
  flags: 'write fast blocking',
  keys: 'RW ACCESS DELETE @1..-2',
  since: '5.0.0',
  group: 'sorted-set',
  summary:
    'Take the member with the highest score from the first sorted set that is not empty; wait while all are empty.',
  complexity: 'O(log(N)), N = members of the sorted set.',
  args: 'key#0... timeout:double',
  history: [['6.0.0', '`timeout` may have decimals.']],
  run(ctx) {
    waitForMembers(ctx, 1, ctx.argc - 2, ctx.argc - 1, true, 0)
  },
}

const bMPop: Command = {
  name: 'bzmpop',
  arity: -5,
  flags: 'write blocking',
  keys: 'RW ACCESS DELETE @2#0+1',
  keyFinder: 'numkeys2',
  since: '7.0.0',
  group: 'sorted-set',
  summary:
    'Take members with the lowest or highest scores from the first sorted set that has some; wait while all are empty.',
  complexity: 'O(K) + O(M*log(N)), K = keys named, N = members of the sorted set, M = members taken.',
  args: 'timeout:double numkeys:integer key#0... where:(MIN|MAX) [COUNT count:integer]',
  run(ctx) {
    const request = multiPopOrReply(ctx, 2)
    if (request !== undefined) waitForMembers(ctx, 3, request.lastKey, 1, request.max, request.count)
  },
}

function waitForMembers(
  ctx: Context,
  firstKey: number,
  lastKey: number,
  timeoutIndex: number,
  max: boolean,
  count: number,
): void {
  const timeoutMs = ctx.timeoutOrReply(timeoutIndex)
  if (Number.isNaN(timeoutMs) || takeFromFirst(ctx, firstKey, lastKey, max, count)) return
  if (ctx.canBlock) ctx.block(firstKey, lastKey, timeoutMs, TYPE_ZSET, 'nullArray')
  else ctx.reply.nullArray()
}

export const poppingCommands: readonly Command[] = [popMin, popMax, mPop, bPopMin, bPopMax, bMPop]
