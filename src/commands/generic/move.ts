// Keys that change their name or place: RENAME, RENAMENX, MOVE, COPY.

import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC } from '../../engine/events.ts'
import type { Database } from '../../keyspace/database.ts'
import { DB_INDEX_OUT_OF_RANGE, NO_SUCH_KEY, SAME_OBJECT } from '../../protocol/errors.ts'
import { int32OrReply } from '../shared/arguments.ts'

const rename: Command = {
  name: 'rename',
  arity: 3,
  flags: 'write',
  keys: 'RW ACCESS DELETE @1; OW UPDATE @2',
  since: '1.0.0',
  group: 'generic',
  summary: 'Renames a key and overwrites the destination.',
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
  summary: "Renames a key only when the target key name doesn't exist.",
  complexity: 'O(1)',
  args: 'key#0 newkey#1',
  history: [['3.2.0', 'The command no longer returns an error when source and destination names are the same.']],
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
  if (db.lookupWrite(from) === 0) {
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

const move: Command = {
  name: 'move',
  arity: 3,
  flags: 'write fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '1.0.0',
  group: 'generic',
  summary: 'Moves a key to another database.',
  complexity: 'O(1)',
  args: 'key#0 db:integer',
  run(ctx) {
    const { args, db, reply } = ctx
    const target = databaseOrReply(ctx, 2)
    if (target === undefined) return
    if (target === db) return reply.fixedError(SAME_OBJECT)
    if (db.lookupWrite(args[1]) === 0 || target.exists(args[1])) return reply.integer(0)
    db.rename(args[1], args[1], target)
    ctx.touched(args[1], 'move_from', NOTIFY_GENERIC)
    ctx.touchedIn(target, args[1], 'move_to', NOTIFY_GENERIC, 0)
    reply.integer(1)
  },
}

const copy: Command = {
  name: 'copy',
  arity: -3,
  flags: 'write denyoom',
  keys: 'RO ACCESS @1; OW UPDATE @2',
  since: '6.2.0',
  group: 'generic',
  summary: 'Copies the value of a key to a new key.',
  complexity: 'O(N) worst case for collections, where N is the number of nested items. O(1) for string values.',
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
    if (target.exists(to)) {
      if (!replace) return reply.integer(0)
      target.delete(to)
    }
    db.copyTo(entry, to, target)
    ctx.touchedIn(target, to, 'copy_to', NOTIFY_GENERIC)
    reply.integer(1)
  },
}

function databaseOrReply(ctx: Context, i: number): Database | undefined {
  const index = int32OrReply(ctx, i)
  if (Number.isNaN(index)) return undefined
  const database = ctx.keyspace.databases[index]
  if (database === undefined) ctx.reply.fixedError(DB_INDEX_OUT_OF_RANGE)
  return database
}

export const movingCommands: readonly Command[] = [rename, renameNx, move, copy]
