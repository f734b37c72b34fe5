// RENAME, RENAMENX.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC } from '../../engine/messaging/events.ts'
import { LOOKUP_KEY, LOOKUP_WRITE } from '../../keyspace/database.ts'
import { NO_SUCH_KEY } from '../../protocol/errors.ts'

const rename: Command = {
  name: 'rename',
  arity: 3,
  flags: 'write',
  keys: 'RW ACCESS DELETE @1; OW UPDATE @2',
  since: '1.0.0',
  group: 'generic',
  summary: 'Give a key another name, replacing what is there.',
  complexity: 'O(1)',
  args: 'key#0 newkey#1',
  run(ctx) {
    if (renamed(ctx, false) > 0) ctx.reply.ok()
  },
}

const renameNx: Command = {
  name: 'renamenx',
  arity: 3,
  flags: 'write fast',
  keys: 'RW ACCESS DELETE @1; OW INSERT @2',
  since: '1.0.0',
  group: 'generic',
  summary: 'Give a key another name unless that is taken.',
  complexity: 'O(1)',
  args: 'key#0 newkey#1',
  history: [['3.2.0', 'Two equal names are no error any more.']],
  run(ctx) {
    const outcome = renamed(ctx, true)
    if (outcome !== 0) ctx.reply.integer(outcome === 1 ? 1 : 0)
  },
}

const REFUSED = 0
const RENAMED = 1
const SAME_NAME = 2
const EXISTS = -1

/** REFUSED after an error reply. */
function renamed(ctx: Context, onlyIfNew: boolean): number {
  const { args, db } = ctx
  const from = args[1]
  const to = args[2]
  if (db.lookup(from, LOOKUP_WRITE | LOOKUP_KEY) === 0) {
    ctx.reply.fixedError(NO_SUCH_KEY)
    return REFUSED
  }
  if (from.equals(to)) return SAME_NAME
  if (db.exists(to)) {
    if (onlyIfNew) return EXISTS
    db.delete(to)
  }
  db.rename(from, to, db)
  ctx.touched(from, 'rename_from', NOTIFY_GENERIC)
  ctx.touched(to, 'rename_to', NOTIFY_GENERIC, 0)
  return RENAMED
}

export const renamingCommands: readonly Command[] = [rename, renameNx]
