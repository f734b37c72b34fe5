// LREM, LTRIM.

import type { Command } from '../../engine/catalog/command.ts'
import { WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../../engine/messaging/events.ts'
import { TYPE_LIST } from '../../keyspace/types.ts'
import { openList, storeBack } from './shared.ts'

const lRem: Command = {
  name: 'lrem',
  arity: 4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Remove elements that equal a value, from the head or from the tail.',
  complexity: 'O(N+M), N = elements of the list, M = elements removed.',
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
  summary: 'Keep only the elements of a list between two indexes.',
  complexity: 'O(N), N = elements removed.',
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

export const removingCommands: readonly Command[] = [lRem, lTrim]
