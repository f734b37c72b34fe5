// SCAN.

import type { Command } from '../../engine/catalog/command.ts'
import { cursorOrReply } from '../shared/cursor.ts'
import { KeyScan } from '../shared/key-scan.ts'

const scan: Command = {
  name: 'scan',
  arity: -2,
  flags: 'readonly touches_arbitrary_keys',
  since: '2.8.0',
  group: 'generic',
  summary: 'Go through the keys of the database in steps, with a cursor.',
  complexity: 'O(1) for one call, O(N) from cursor 0 back to 0, N = keys of the database.',
  args: 'cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type@6.0.0]',
  history: [['6.0.0', 'New filter `TYPE`.']],
  tips: 'nondeterministic_output request_policy:special response_policy:special',
  run(ctx) {
    const { db, reply } = ctx
    const cursor = cursorOrReply(ctx, 1, ctx.keyspace.slotTables === undefined ? 32 : 46)
    if (Number.isNaN(cursor)) return
    const keys = new KeyScan(ctx)
    const opt = ctx.options(2)
    while (opt.more()) {
      if (!keys.eat(opt)) opt.syntaxError()
      if (opt.failed) return
    }
    const next = keys.walk(cursor, (at, visit) => db.scan(at, visit))
    reply.array(2)
    reply.bulkInteger(next)
    keys.replyFound()
  },
}

export const scanningCommands: readonly Command[] = [scan]
