// LPOP, RPOP, LMPOP, and the blocking BLPOP, BRPOP, BLMPOP.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_LIST } from '../../keyspace/types.ts'
import { COUNT_NOT_POSITIVE, NUMKEYS_NOT_POSITIVE } from '../../protocol/errors.ts'
import { replyElement } from '../shared/element-reply.ts'
import { countOrReply, elementOf, isLeftOrReply, openList, popped, popRange } from './shared.ts'

/** BLPOP and BRPOP: one element, not in an array. */
const SINGLE = 0

const lPop: Command = {
  name: 'lpop',
  arity: -2,
  flags: 'write fast',
  keys: 'RW ACCESS DELETE @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Take elements from the head of a list.',
  complexity: 'O(N), N = elements returned.',
  args: 'key#0 [count:integer@6.2.0]',
  history: [['6.2.0', 'A `count` may be given.']],
  run(ctx) {
    pop(ctx, true)
  },
}

const rPop: Command = {
  name: 'rpop',
  arity: -2,
  flags: 'write fast',
  keys: 'RW ACCESS DELETE @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Take elements from the tail of a list.',
  complexity: 'O(N), N = elements returned.',
  args: 'key#0 [count:integer@6.2.0]',
  history: [['6.2.0', 'A `count` may be given.']],
  run(ctx) {
    pop(ctx, false)
  },
}

function pop(ctx: Context, atHead: boolean): void {
  const { args, argc, reply } = ctx
  if (argc > 3) return reply.error(`ERR wrong number of arguments for '${ctx.command.fullName}' command`)
  const count = argc === 3 ? countOrReply(ctx, 2) : -1
  if (Number.isNaN(count)) return
  const entry = ctx.writeOrReply(args[1], TYPE_LIST)
  if (entry === WRONG) return
  if (entry === 0) return argc === 3 ? reply.nullArray() : reply.null()
  if (count === 0) return reply.emptyArray()
  const list = openList(ctx, entry)
  if (count > 0) return popRange(ctx, entry, args[1], list, atHead, count)
  const e = elementOf(ctx)
  list.peek(atHead, e)
  replyElement(reply, e)
  list.drop(atHead)
  popped(ctx, entry, args[1], list, atHead, 1)
}

const lMPop: Command = {
  name: 'lmpop',
  arity: -4,
  flags: 'write',
  keys: 'RW ACCESS DELETE @1#0+1',
  keyFinder: 'numkeys1',
  since: '7.0.0',
  group: 'list',
  summary: 'Take elements from either end of the first list that is not empty.',
  complexity: 'O(N+M), N = keys named, M = elements returned.',
  args: 'numkeys:integer key#0... where:(LEFT|RIGHT) [COUNT count:integer]',
  run(ctx) {
    const request = multiPopOrReply(ctx, 1)
    if (request !== undefined && !popFirst(ctx, 2, request.lastKey, request.atHead, request.count))
      ctx.reply.nullArray()
  },
}

interface MultiPop {
  lastKey: number
  atHead: boolean
  count: number
}

/** numkeys key … LEFT|RIGHT [COUNT count], from args[at] on. */
function multiPopOrReply(ctx: Context, at: number): MultiPop | undefined {
  const keys = ctx.longOrReply(at, NUMKEYS_NOT_POSITIVE)
  if (Number.isNaN(keys)) return undefined
  if (keys < 1) return void ctx.reply.fixedError(NUMKEYS_NOT_POSITIVE)
  const opt = ctx.options(at + keys + 1)
  if (!opt.more()) return void opt.syntaxError()
  const atHead = isLeftOrReply(ctx, opt.at++)
  if (atHead === undefined) return undefined
  let count = 0
  while (opt.more()) {
    if (count === 0 && opt.eat('count', 1)) {
      count = opt.longOrReply(COUNT_NOT_POSITIVE)
      if (!opt.failed && count < 1) opt.fail(COUNT_NOT_POSITIVE)
    } else opt.syntaxError()
    if (opt.failed) return undefined
  }
  return { lastKey: at + keys, atHead, count: count === 0 ? 1 : count }
}

/** Pops elements of the first non-empty list and replies with them; false, without a reply, when there is none. */
function popFirst(ctx: Context, firstKey: number, lastKey: number, atHead: boolean, count: number): boolean {
  const { args, reply } = ctx
  for (let i = firstKey; i <= lastKey; i++) {
    const entry = ctx.writeOrReply(args[i], TYPE_LIST)
    if (entry === WRONG) return true
    if (entry === 0) continue
    const list = openList(ctx, entry)
    const taken = Math.min(count, list.length)
    reply.array(2)
    reply.bulk(args[i])
    if (count === SINGLE) {
      const e = elementOf(ctx)
      list.peek(atHead, e)
      replyElement(reply, e)
      list.drop(atHead)
      popped(ctx, entry, args[i], list, atHead, 1)
    } else popRange(ctx, entry, args[i], list, atHead, count)
    const name = atHead ? 'LPOP' : 'RPOP'
    if (!ctx.hasSinks) return true
    if (count === SINGLE) ctx.propagateAs(name, args[i])
    else ctx.propagateAs(name, args[i], taken)
    return true
  }
  return false
}

const bLPop: Command = {
  name: 'blpop',
  arity: -3,
  flags: 'write blocking',
  keys: 'RW ACCESS DELETE @1..-2',
  since: '2.0.0',
  group: 'list',
  summary: 'Take the head of the first list that is not empty; wait while all are empty.',
  complexity: 'O(N), N = keys named.',
  args: 'key#0... timeout:double',
  history: [['6.0.0', '`timeout` may have decimals.']],
  run(ctx) {
    waitForElements(ctx, 1, ctx.argc - 2, ctx.argc - 1, true, SINGLE)
  },
}

const bRPop: Command = {
  name: 'brpop',
  arity: -3,
  flags: 'write blocking',
  keys: 'RW ACCESS DELETE @1..-2',
  since: '2.0.0',
  group: 'list',
  summary: 'Take the tail of the first list that is not empty; wait while all are empty.',
  complexity: 'O(N), N = keys named.',
  args: 'key#0... timeout:double',
  history: [['6.0.0', '`timeout` may have decimals.']],
  run(ctx) {
    waitForElements(ctx, 1, ctx.argc - 2, ctx.argc - 1, false, SINGLE)
  },
}

const bLMPop: Command = {
  name: 'blmpop',
  arity: -5,
  flags: 'write blocking',
  keys: 'RW ACCESS DELETE @2#0+1',
  keyFinder: 'numkeys2',
  since: '7.0.0',
  group: 'list',
  summary: 'Take elements from the first list that has some; wait while all are empty.',
  complexity: 'O(N+M), N = keys named, M = elements returned.',
  args: 'timeout:double numkeys:integer key#0... where:(LEFT|RIGHT) [COUNT count:integer]',
  run(ctx) {
    const request = multiPopOrReply(ctx, 2)
    if (request !== undefined) waitForElements(ctx, 3, request.lastKey, 1, request.atHead, request.count)
  },
}

function waitForElements(
  ctx: Context,
  firstKey: number,
  lastKey: number,
  timeoutIndex: number,
  atHead: boolean,
  count: number,
): void {
  const timeoutMs = ctx.timeoutOrReply(timeoutIndex)
  if (Number.isNaN(timeoutMs) || popFirst(ctx, firstKey, lastKey, atHead, count)) return
  if (ctx.canBlock) ctx.block(firstKey, lastKey, timeoutMs, TYPE_LIST, 'nullArray')
  else ctx.reply.nullArray()
}

export const poppingCommands: readonly Command[] = [lPop, rPop, lMPop, bLPop, bRPop, bLMPop]
