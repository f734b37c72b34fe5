// MOVE.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC } from '../../engine/messaging/events.ts'
import type { Database } from '../../keyspace/database.ts'
import { LOOKUP_KEY, LOOKUP_WRITE } from '../../keyspace/database.ts'
import { DB_INDEX_OUT_OF_RANGE, SAME_OBJECT } from '../../protocol/errors.ts'
import { int32OrReply } from '../shared/arguments.ts'

const move: Command = {
  name: 'move',
  arity: 3,
  flags: 'write fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '1.0.0',
  group: 'generic',
  summary: 'Move a key to another database, unless that has the key already.',
  complexity: 'O(1)',
  args: 'key#0 db:integer',
  run(ctx) {
    const { args, db, reply } = ctx
    if (ctx.server.cluster !== undefined) return reply.error('ERR MOVE is not allowed in cluster mode')
    const target = databaseOrReply(ctx, 2)
    if (target === undefined) return
    if (target === db) return reply.fixedError(SAME_OBJECT)
    if (db.lookup(args[1], LOOKUP_WRITE | LOOKUP_KEY) === 0 || target.exists(args[1])) return reply.integer(0)
    db.rename(args[1], args[1], target)
    ctx.touched(args[1], 'move_from', NOTIFY_GENERIC)
    ctx.touchedIn(target, args[1], 'move_to', NOTIFY_GENERIC, 0)
    reply.integer(1)
  },
}

export function databaseOrReply(ctx: Context, i: number): Database | undefined {
  const index = int32OrReply(ctx, i)
  if (Number.isNaN(index)) return undefined
  const database = ctx.keyspace.databases[index]
  if (database === undefined) ctx.reply.fixedError(DB_INDEX_OUT_OF_RANGE)
  return database
}

export const movingCommands: readonly Command[] = [move]
