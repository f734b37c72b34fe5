// COPY.

import type { Command } from '../../engine/catalog/command.ts'
import { NOTIFY_GENERIC } from '../../engine/messaging/events.ts'
import type { Database } from '../../keyspace/database.ts'
import { SAME_OBJECT } from '../../protocol/errors.ts'
import { databaseOrReply } from './move.ts'

const copy: Command = {
  name: 'copy',
  arity: -3,
  flags: 'write denyoom',
  keys: 'RO ACCESS @1; OW UPDATE @2',
  since: '6.2.0',
  group: 'generic',
  summary: 'Copy a value to another key, which may be in another database.',
  complexity: 'O(N) at worst, N = elements of the value; O(1) for a string.',
  args: 'source#0 destination#1 [DB destination-db:integer] [REPLACE]',
  run(ctx) {
    const { args, db, reply } = ctx
    let target: Database | undefined = db
    let replace = false
    const opt = ctx.options(3)
    while (opt.more()) {
      if (opt.eat('replace')) replace = true
      else if (opt.eat('db', 1)) {
        target = databaseOrReply(ctx, opt.at++)
        if (target === undefined) return
      } else return opt.syntaxError()
    }
    const to = args[2]
    if (target === db && args[1].equals(to)) return reply.fixedError(SAME_OBJECT)
    const entry = ctx.lookupRead(args[1])
    if (entry === 0) return reply.integer(0)
    if (!replace && target.exists(to)) return reply.integer(0)
    const refusal = db.entries.refusesCopy(entry)
    if (refusal !== undefined) return reply.error(`ERR ${refusal}`)
    if (replace) target.delete(to)
    db.copyTo(entry, to, target)
    ctx.touchedIn(target, to, 'copy_to', NOTIFY_GENERIC)
    reply.integer(1)
  },
}

export const copyingCommands: readonly Command[] = [copy]
