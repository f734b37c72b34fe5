// GET, MGET, STRLEN, GETSET, GETDEL, GETEX.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../../engine/messaging/events.ts'
import { LOOKUP_WRITE } from '../../keyspace/database.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import type { Long } from '../../lib/long-field.ts'
import type { Slice } from '../../lib/slice.ts'
import { eatTimeUnit, expireTimeOrReply, isPast, type TimeUnit } from '../shared/expire-time.ts'

const get: Command = {
  name: 'get',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '1.0.0',
  group: 'string',
  summary: 'Return a string.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    replyString(ctx)
  },
}

/** Replies with the string at args[1], or null; false after an error reply. */
export function replyString(ctx: Context): boolean {
  const entry = ctx.readOrReply(ctx.args[1], TYPE_STRING)
  if (entry === WRONG) return false
  if (entry === 0) ctx.reply.null()
  else ctx.reply.bulk(ctx.db.strings.textOf(entry, ctx.value))
  return true
}

const mGet: Command = {
  name: 'mget',
  arity: -2,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1..-1',
  since: '1.0.0',
  group: 'string',
  summary: 'Return several strings, null for keys that are missing or of another type.',
  complexity: 'O(N), N = keys named.',
  args: 'key#0...',
  tips: 'request_policy:multi_shard',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    reply.array(argc - 1)
    for (let i = 1; i < argc; i++) {
      const entry = ctx.lookupRead(args[i])
      if (entry === 0 || db.entries.typeOf(entry) !== TYPE_STRING) reply.null()
      else reply.bulk(db.strings.textOf(entry, ctx.value))
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
  summary: 'Return how many bytes a string has.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_STRING)
    if (entry === WRONG) return
    ctx.reply.integer(entry === 0 ? 0 : ctx.db.strings.lengthOf(entry))
  },
}

const getSet: Command = {
  name: 'getset',
  arity: 3,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '1.0.0',
  group: 'string',
  summary: 'Store a string and return the one that was there before.',
  complexity: 'O(1)',
  args: 'key#0 value',
  deprecated: { since: '6.2.0', replacedBy: '`SET` with the `!GET` argument' },
  run(ctx) {
    const { args, db } = ctx
    if (!replyString(ctx)) return
    db.strings.set(db, args[1], args[2])
    ctx.touched(args[1], 'set', NOTIFY_STRING)
    if (ctx.hasSinks) ctx.propagateAs('SET', args[1], args[2])
  },
}

const getDel: Command = {
  name: 'getdel',
  arity: 2,
  flags: 'write fast',
  keys: 'RW ACCESS DELETE @1',
  since: '6.2.0',
  group: 'string',
  summary: 'Return a string and remove its key.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const key = ctx.args[1]
    if (!replyString(ctx) || !ctx.db.delete(key)) return
    ctx.touched(key, 'del', NOTIFY_GENERIC)
    if (ctx.hasSinks) ctx.propagateAs(ctx.settings.lazyfreeLazyUserDel ? 'UNLINK' : 'DEL', key)
  },
}

const getEx: Command = {
  name: 'getex',
  arity: -2,
  flags: 'write fast',
  keys: 'RW ACCESS UPDATE @1 (a changed expiry is an update)',
  since: '6.2.0',
  group: 'string',
  summary: 'Return a string and set, change or remove its expiry.',
  complexity: 'O(1)',
  args:
    'key#0 [expiration:(EX seconds:integer|PX milliseconds:integer|EXAT unix-time-seconds:unix-time|' +
    'PXAT unix-time-milliseconds:unix-time|PERSIST)]',
  run(ctx) {
    let persist = false
    let unit: TimeUnit | undefined
    let timeAt = 0
    const opt = ctx.options(2)
    while (opt.more()) {
      if (unit === undefined && opt.eat('persist')) persist = true
      else {
        unit = persist ? undefined : eatTimeUnit(opt, unit)
        if (unit === undefined) return opt.syntaxError()
        timeAt = opt.at++
      }
    }
    const key = ctx.args[1]
    const entry = ctx.readOrReply(key, TYPE_STRING)
    if (entry === WRONG) return
    if (entry === 0) return ctx.reply.null()
    const whenMs = unit === undefined ? -1 : expireTimeOrReply(ctx, timeAt, unit)
    if (Number.isNaN(whenMs)) return
    ctx.reply.bulk(ctx.db.strings.textOf(entry, ctx.value))
    if (unit !== undefined) expireAfterRead(ctx, key, whenMs, unit)
    else if (persist && ctx.db.entries.expiryOf(entry) >= 0) {
      ctx.db.setExpiry(key, ctx.db.lookup(key, LOOKUP_WRITE), -1)
      ctx.touched(key, 'persist', NOTIFY_GENERIC)
      if (ctx.hasSinks) ctx.propagateAs('PERSIST', key)
    }
  },
}

function expireAfterRead(ctx: Context, key: Slice, whenMs: Long, unit: TimeUnit): void {
  if (!unit.fromNow && isPast(ctx, whenMs)) {
    ctx.db.delete(key)
    ctx.touched(key, 'del', NOTIFY_GENERIC)
    if (ctx.hasSinks) ctx.propagateAs(ctx.settings.lazyfreeLazyExpire ? 'UNLINK' : 'DEL', key)
    return
  }
  ctx.db.setExpiry(key, ctx.db.lookup(key, LOOKUP_WRITE), whenMs)
  ctx.touched(key, 'expire', NOTIFY_GENERIC)
  if (ctx.hasSinks) ctx.propagateAs('PEXPIREAT', key, String(whenMs))
}

export const readingCommands: readonly Command[] = [get, mGet, strlen, getSet, getDel, getEx]
