// LLEN, LINDEX, LRANGE, LPOS.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_LIST } from '../../keyspace/types.ts'
import type { List } from '../../keyspace/values/list/list.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import type { Element } from '../../memory/element.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { symmetricLongOrReply } from '../shared/arguments.ts'
import { replyElement } from '../shared/element-reply.ts'
import { countOrReply, elementOf, openList, replyRange } from './shared.ts'

const RANK_ZERO = errorBytes(
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from " +
    'the end of the list',
)
const COUNT_NEGATIVE = errorBytes("ERR COUNT can't be negative")
const MAXLEN_NEGATIVE = errorBytes("ERR MAXLEN can't be negative")

const lLen: Command = {
  name: 'llen',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Count the elements of a list.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_LIST)
    if (entry === WRONG) return
    ctx.reply.integer(entry === 0 ? 0 : openList(ctx, entry).length)
  },
}

const lIndex: Command = {
  name: 'lindex',
  arity: 3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Return the element at an index of a list, from the tail if negative.',
  complexity: 'O(N), N = elements passed on the way; O(1) at both ends.',
  args: 'key#0 index:integer',
  run(ctx) {
    const { args, reply } = ctx
    const entry = ctx.readOrReply(args[1], TYPE_LIST)
    if (entry === WRONG) return
    if (entry === 0) return reply.null()
    let index = ctx.longOrReply(2)
    if (Number.isNaN(index)) return
    const list = openList(ctx, entry)
    const length = list.length
    if (index < 0) index += length
    if (index < 0 || index >= length) return reply.null()
    const e = elementOf(ctx)
    list.seek(index, true)
    list.next(e)
    replyElement(reply, e)
  },
}

const lRange: Command = {
  name: 'lrange',
  arity: 4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Return the elements of a list between two indexes.',
  complexity:
    'O(S+N), S = distance of the first from the head, or in long lists from the nearer end, N = elements returned.',
  args: 'key#0 start:integer stop:integer',
  run(ctx) {
    const { args, reply } = ctx
    let start = ctx.longOrReply(2)
    if (Number.isNaN(start)) return
    let stop = ctx.longOrReply(3)
    if (Number.isNaN(stop)) return
    const entry = ctx.readOrReply(args[1], TYPE_LIST)
    if (entry === WRONG) return
    if (entry === 0) return reply.emptyArray()
    const list = openList(ctx, entry)
    const length = list.length
    if (start < 0) start = Math.max(0, start + length)
    if (stop < 0) stop += length
    if (stop >= length) stop = length - 1
    if (start > stop) return reply.emptyArray()
    replyRange(ctx, list, start, stop - start + 1, true)
  },
}

const lPos: Command = {
  name: 'lpos',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '6.0.6',
  group: 'list',
  summary: 'Find at which indexes of a list an element is.',
  complexity: 'O(N), N = elements of the list; less near the end where the search begins, or with MAXLEN.',
  args: 'key#0 element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]',
  run(ctx) {
    const { args, reply } = ctx
    let rank = 1
    let count = -1
    let lengthMax = 0
    const opt = ctx.options(3)
    while (opt.more()) {
      if (opt.eat('rank', 1)) {
        rank = symmetricLongOrReply(ctx, opt.at++)
        if (rank === 0) return reply.fixedError(RANK_ZERO)
      } else if (opt.eat('count', 1)) count = countOrReply(ctx, opt.at++, COUNT_NEGATIVE)
      else if (opt.eat('maxlen', 1)) lengthMax = countOrReply(ctx, opt.at++, MAXLEN_NEGATIVE)
      else return opt.syntaxError()
      if (Number.isNaN(rank) || Number.isNaN(count) || Number.isNaN(lengthMax)) return
    }
    const entry = ctx.readOrReply(args[1], TYPE_LIST)
    if (entry === WRONG) return
    if (entry === 0) return count < 0 ? reply.null() : reply.emptyArray()
    if (count >= 0) return replyPositions(ctx, entry, rank, count, lengthMax)
    let found = -1
    findPositions(ctx, entry, rank, 1, lengthMax, index => {
      found = index
    })
    if (found < 0) reply.null()
    else reply.integer(found)
  },
}

function replyPositions(ctx: Context, entry: Ref, rank: number, count: number, lengthMax: number): void {
  const { reply } = ctx
  const mark = reply.beginDeferredArray()
  let found = 0
  findPositions(ctx, entry, rank, count, lengthMax, index => {
    reply.integer(index)
    found++
  })
  reply.endArray(mark, found)
}

/**
 * Calls `visit` with the index of each match of args[2], starting with match number `rank` (negative: from the end),
 * until `count` (0: all) were found or `lengthMax` (0: all) elements were compared.
 */
function findPositions(
  ctx: Context,
  entry: Ref,
  rank: number,
  count: number,
  lengthMax: number,
  visit: (index: number) => void,
): void {
  const list = openList(ctx, entry)
  const e = elementOf(ctx)
  const length = list.length
  const forward = rank > 0
  const compared = lengthMax === 0 ? length : Math.min(length, lengthMax)
  let skipped = Math.abs(rank) - 1
  let found = 0
  list.seek(forward ? 0 : length - 1, forward)
  while (compared === length ? list.nextEqual(ctx.args[2]) : nextWithin(list, e, compared, ctx.args[2])) {
    if (skipped-- > 0) continue
    visit(forward ? list.passed : length - 1 - list.passed)
    if (++found === count) return
  }
}

/** As nextEqual(), among the first `compared` elements. */
function nextWithin(list: List, e: Element, compared: number, s: Slice): boolean {
  while (list.next(e) && list.passed < compared) if (list.isAt(s)) return true
  return false
}

export const lookingCommands: readonly Command[] = [lLen, lIndex, lRange, lPos]
