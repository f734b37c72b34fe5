// Strings that are read: GET, MGET, STRLEN, GETRANGE and its old name SUBSTR.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { Slice } from '../../lib/slice.ts'

const get: Command = {
  name: 'get',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '1.0.0',
  group: 'string',
  summary: 'Returns the string value of a key.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    replyString(ctx)
  },
}

/** Replies with the string at args[1], or null; false when the client got an error instead. */
export function replyString(ctx: Context): boolean {
  const entry = ctx.readOrReply(ctx.args[1], TYPE_STRING)
  if (entry === WRONG) return false
  if (entry === 0) ctx.reply.null()
  else ctx.reply.bulk(ctx.db.stringOf(entry, ctx.value))
  return true
}

const mGet: Command = {
  name: 'mget',
  arity: -2,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1..-1',
  since: '1.0.0',
  group: 'string',
  summary: 'Atomically returns the string values of one or more keys.',
  complexity: 'O(N) where N is the number of keys to retrieve.',
  args: 'key#0...',
  tips: 'request_policy:multi_shard',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    reply.array(argc - 1)
    for (let i = 1; i < argc; i++) {
      const entry = ctx.lookupRead(args[i])
      if (entry === 0 || db.typeOf(entry) !== TYPE_STRING) reply.null()
      else reply.bulk(db.stringOf(entry, ctx.value))
    }
  },
}

const strlen: Command = {
  name: 'strlen',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '2.2.0',
  group: 'string',
  summary: 'Returns the length of a string value.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_STRING)
    if (entry === WRONG) return
    ctx.reply.integer(entry === 0 ? 0 : ctx.db.stringLength(entry))
  },
}

const getRange: Command = {
  name: 'getrange',
  arity: 4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.4.0',
  group: 'string',
  summary: 'Returns a substring of the string stored at a key.',
  complexity:
    'O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned ' +
    'length, but because creating a substring from an existing string is very cheap, it can be considered O(1) ' +
    'for small strings.',
  args: 'key#0 start:integer end:integer',
  run: replyRange,
}

const EMPTY = new Slice()

function replyRange(ctx: Context): void {
  let start = ctx.longOrReply(2)
  if (Number.isNaN(start)) return
  let end = ctx.longOrReply(3)
  if (Number.isNaN(end)) return
  const entry = ctx.readOrReply(ctx.args[1], TYPE_STRING)
  if (entry === WRONG) return
  if (entry === 0) return ctx.reply.bulk(EMPTY)
  const value = ctx.db.stringOf(entry, ctx.value)
  if (start < 0 && end < 0 && start > end) return ctx.reply.bulk(EMPTY)
  if (start < 0) start = Math.max(0, value.len + start)
  if (end < 0) end = Math.max(0, value.len + end)
  if (end >= value.len) end = value.len - 1
  if (start > end || value.len === 0) return ctx.reply.bulk(EMPTY)
  ctx.reply.bulkAt(value.u8, value.dv, value.off + start, end - start + 1)
}

const substr: Command = {
  name: 'substr',
  arity: 4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.0.0',
  group: 'string',
  summary: 'Returns a substring from a string value.',
  complexity:
    'O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned ' +
    'length, but because creating a substring from an existing string is very cheap, it can be considered O(1) ' +
    'for small strings.',
  args: 'key#0 start:integer end:integer',
  deprecated: { since: '2.0.0', replacedBy: '`GETRANGE`' },
  run: replyRange,
}

export const readingCommands: readonly Command[] = [get, mGet, strlen, getRange, substr]
