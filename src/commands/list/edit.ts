// Lists changed in the middle: LINSERT, LSET, LREM, LTRIM.

import type { Command } from '../../engine/command.ts'
import { WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../../engine/events.ts'
import { TYPE_LIST } from '../../keyspace/types.ts'
import { parseBigInt64 } from '../../lib/number.ts'
import { INDEX_OUT_OF_RANGE, NO_SUCH_KEY, SYNTAX } from '../../protocol/errors.ts'
import { elementOf, openList, storeBack } from './shared.ts'

const lInsert: Command = {
  name: 'linsert',
  arity: 5,
  flags: 'write denyoom',
  keys: 'RW INSERT @1',
  since: '2.2.0',
  group: 'list',
  summary: 'Inserts an element before or after another element in a list.',
  complexity:
    'O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting ' +
    'somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end ' +
    '(tail) is O(N).',
  args: 'key#0 where:(BEFORE|AFTER) pivot element',
  run(ctx) {
    const { args, db, reply } = ctx
    const after = ctx.is(2, 'after')
    if (!after && !ctx.is(2, 'before')) return reply.fixedError(SYNTAX)
    const entry = ctx.writeOrReply(args[1], TYPE_LIST)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const list = openList(ctx, entry)
    list.makeRoom(1, args[4].len)
    list.seek(0, true)
    const found = list.nextEqual(args[3])
    if (found) list.insertHere(args[4], after)
    db.setValue(entry, list.encoding, list.value)
    if (!found) return reply.integer(-1)
    ctx.touched(args[1], 'linsert', NOTIFY_LIST)
    reply.integer(list.length)
  },
}

const lSet: Command = {
  name: 'lset',
  arity: 4,
  flags: 'write denyoom',
  keys: 'RW UPDATE @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Sets the value of an element in a list by its index.',
  complexity:
    'O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).',
  args: 'key#0 index:integer element',
  run(ctx) {
    const { args, db, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_LIST)
    if (entry === WRONG) return
    if (entry === 0) return reply.fixedError(NO_SUCH_KEY)
    const wide = ctx.longOrReply(2)
    if (Number.isNaN(wide)) return
    // Redis takes the low 32 bits of this index, so that one far outside comes round to the list again.
    let index = Number.isSafeInteger(wide) ? wide | 0 : Number(BigInt.asIntN(32, parseBigInt64(args[2])))
    const list = openList(ctx, entry)
    list.makeRoom(1, args[3].len)
    const length = list.length
    if (index < 0) index += length
    const inside = index >= 0 && index < length
    if (inside) {
      list.replace(index, args[3], elementOf(ctx))
      list.shrink()
    }
    db.setValue(entry, list.encoding, list.value)
    if (!inside) return reply.fixedError(INDEX_OUT_OF_RANGE)
    ctx.touched(args[1], 'lset', NOTIFY_LIST)
    reply.ok()
  },
}

const lRem: Command = {
  name: 'lrem',
  arity: 4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Removes elements from a list. Deletes the list if the last element was removed.',
  complexity: 'O(N+M) where N is the length of the list and M is the number of elements removed.',
  args: 'key#0 count:integer element',
  run(ctx) {
    const { args, reply } = ctx
    const count = ctx.longOrReply(2)
    if (Number.isNaN(count)) return
    const entry = ctx.writeOrReply(args[1], TYPE_LIST)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const list = openList(ctx, entry)
    const limit = count === 0 ? list.length : Math.abs(count)
    let removed = 0
    list.seek(count < 0 ? list.length - 1 : 0, count >= 0)
    for (; removed < limit && list.nextEqual(args[3]); removed++) list.removeHere()
    if (removed === 0) return reply.integer(0)
    list.settle()
    const gone = storeBack(ctx, entry, args[1], list)
    ctx.touched(args[1], 'lrem', NOTIFY_LIST, removed)
    if (gone) ctx.notify(args[1], 'del', NOTIFY_GENERIC)
    reply.integer(removed)
  },
}

const lTrim: Command = {
  name: 'ltrim',
  arity: 4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Removes elements from both ends a list. Deletes the list if all elements were trimmed.',
  complexity: 'O(N) where N is the number of elements to be removed by the operation.',
  args: 'key#0 start:integer stop:integer',
  run(ctx) {
    const { args, reply } = ctx
    let start = ctx.longOrReply(2)
    if (Number.isNaN(start)) return
    let stop = ctx.longOrReply(3)
    if (Number.isNaN(stop)) return
    const entry = ctx.writeOrReply(args[1], TYPE_LIST)
    if (entry === WRONG) return
    if (entry === 0) return reply.ok()
    const list = openList(ctx, entry)
    const length = list.length
    if (start < 0) start = Math.max(0, start + length)
    if (stop < 0) stop += length
    if (stop >= length) stop = length - 1
    const kept = start > stop ? 0 : stop - start + 1
    const before = kept === 0 ? length : start
    list.removeRange(0, before)
    list.removeRange(kept, length - before - kept)
    const gone = storeBack(ctx, entry, args[1], list)
    ctx.touched(args[1], 'ltrim', NOTIFY_LIST, length - kept)
    if (gone) ctx.notify(args[1], 'del', NOTIFY_GENERIC)
    reply.ok()
  },
}

export const editingCommands: readonly Command[] = [lInsert, lSet, lRem, lTrim]
