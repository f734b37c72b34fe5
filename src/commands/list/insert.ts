// LINSERT.

import type { Command } from '../../engine/catalog/command.ts'
import { WRONG } from '../../engine/context.ts'
import { NOTIFY_LIST } from '../../engine/messaging/events.ts'
import { TYPE_LIST } from '../../keyspace/types.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { openList } from './shared.ts'

const lInsert: Command = {
  name: 'linsert',
  arity: 5,
  flags: 'write denyoom',
  keys: 'RW INSERT @1',
  since: '2.2.0',
  group: 'list',
  summary: 'Put an element before or after the first one that equals a pivot.',
  complexity: 'O(N), N = elements before the pivot: O(1) near the head, O(N) near the tail.',
  args: 'key#0 where:(BEFORE|AFTER) pivot element',
  run(ctx) {
    const { args, db, reply } = ctx
    const after = ctx.is(2, 'after')
    if (!after && !ctx.is(2, 'before')) return reply.fixedError(SYNTAX)
    const entry = ctx.writeOrReply(args[1], TYPE_LIST)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const list = openList(ctx, entry)
    list.tryConversion(1, args[4].len)
    list.seek(0, true)
    const found = list.nextEqual(args[3])
    if (found) list.insertHere(args[4], after)
    db.entries.setValue(entry, list.encoding, list.value)
    if (!found) return reply.integer(-1)
    ctx.touched(args[1], 'linsert', NOTIFY_LIST)
    reply.integer(list.length)
  },
}

export const insertingCommands: readonly Command[] = [lInsert]
