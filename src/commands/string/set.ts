// Strings that are set whole: SET and what came before its options, MSET, and the readers that write: GETSET, GETDEL,
// GETEX.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../../engine/events.ts'
import type { Options } from '../../engine/options.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { equalsNoCase } from '../../lib/bytes.ts'
import type { Slice } from '../../lib/slice.ts'
import { EX, EXAT, expireTimeOrReply, isPast, msWord, PX, PXAT, type TimeUnit } from '../shared/expire-time.ts'
import { replyString } from './get.ts'

const NX = 1
const XX = 2
const GET = 4
const KEEPTTL = 8

const set: Command = {
  name: 'set',
  arity: -3,
  flags: 'write denyoom',
  keys: 'RW ACCESS UPDATE VARIABLE_FLAGS @1 (RW and ACCESS due to the optional `GET` argument)',
  keyFinder: 'set',
  since: '1.0.0',
  group: 'string',
  summary: "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
  complexity: 'O(1)',
  args:
    'key#0 value [condition:(NX|XX)@2.6.12] [GET@6.2.0] [expiration:(EX seconds:integer@2.6.12|' +
    'PX milliseconds:integer@2.6.12|EXAT unix-time-seconds:unix-time@6.2.0|' +
    'PXAT unix-time-milliseconds:unix-time@6.2.0|KEEPTTL@6.0.0)]',
  history: [
    ['2.6.12', 'Added the `EX`, `PX`, `NX` and `XX` options.'],
    ['6.0.0', 'Added the `KEEPTTL` option.'],
    ['6.2.0', 'Added the `GET`, `EXAT` and `PXAT` option.'],
    ['7.0.0', 'Allowed the `NX` and `GET` options to be used together.'],
  ],
  run(ctx) {
    const { args, argc, db } = ctx
    if (argc === 3) {
      db.setString(args[1], args[2])
      ctx.touched(args[1], 'set', NOTIFY_STRING)
      ctx.reply.ok()
    } else setWithOptions(ctx)
  },
}

function setWithOptions(ctx: Context): void {
  let flags = 0
  let unit: TimeUnit | undefined
  let timeAt = 0
  const opt = ctx.options(3)
  while (opt.more()) {
    if ((flags & XX) === 0 && opt.eat('nx')) flags |= NX
    else if ((flags & NX) === 0 && opt.eat('xx')) flags |= XX
    else if (opt.eat('get')) flags |= GET
    else if (unit === undefined && opt.eat('keepttl')) flags |= KEEPTTL
    else {
      unit = (flags & KEEPTTL) === 0 ? eatTimeUnit(opt, unit) : undefined
      if (unit === undefined) return opt.syntaxError()
      timeAt = opt.at++
    }
  }
  const whenMs = unit === undefined ? -1 : expireTimeOrReply(ctx, timeAt, unit)
  if (Number.isNaN(whenMs)) return
  setGeneric(ctx, ctx.args[2], flags, whenMs)
}

/** Takes one of EX, PX, EXAT and PXAT if an operand follows; a unit may be repeated but not exchanged. */
function eatTimeUnit(opt: Options, before: TimeUnit | undefined): TimeUnit | undefined {
  const unit = opt.eat('ex', 1)
    ? EX
    : opt.eat('px', 1)
      ? PX
      : opt.eat('exat', 1)
        ? EXAT
        : opt.eat('pxat', 1)
          ? PXAT
          : undefined
  return before === undefined || before === unit ? unit : undefined
}

/** SET with everything it can do; `whenMs` -1: no expiry is given. */
function setGeneric(ctx: Context, value: Slice, flags: number, whenMs: number): void {
  const { args, db, reply } = ctx
  const key = args[1]
  if ((flags & GET) !== 0 && !replyString(ctx)) return
  if ((flags & (NX | XX)) !== 0 && db.exists(key) !== ((flags & XX) !== 0)) {
    if ((flags & GET) === 0) reply.null()
    return
  }
  db.setString(key, value, (flags & KEEPTTL) !== 0, whenMs)
  ctx.touched(key, 'set', NOTIFY_STRING)
  if (whenMs >= 0) {
    ctx.notify(key, 'expire', NOTIFY_GENERIC)
    if (ctx.hasSinks) ctx.propagateAs('SET', key, value, 'PXAT', msWord(whenMs))
  } else if ((flags & GET) !== 0 && ctx.hasSinks) propagateWithoutGet(ctx)
  if ((flags & GET) === 0) reply.ok()
}

/** Whoever repeats the command asks for no reply. */
function propagateWithoutGet(ctx: Context): void {
  const { args, argc } = ctx
  ctx.propagateAs(...args.slice(0, argc).filter((word, i) => i < 3 || !equalsNoCase(word, 'get')))
}

const setNx: Command = {
  name: 'setnx',
  arity: 3,
  flags: 'write denyoom fast',
  keys: 'OW INSERT @1',
  since: '1.0.0',
  group: 'string',
  summary: "Set the string value of a key only when the key doesn't exist.",
  complexity: 'O(1)',
  args: 'key#0 value',
  deprecated: { since: '2.6.12', replacedBy: '`SET` with the `NX` argument' },
  run(ctx) {
    const { args, db, reply } = ctx
    if (db.exists(args[1])) return reply.integer(0)
    db.setString(args[1], args[2])
    ctx.touched(args[1], 'set', NOTIFY_STRING)
    reply.integer(1)
  },
}

const setEx: Command = {
  name: 'setex',
  arity: 4,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1',
  since: '2.0.0',
  group: 'string',
  summary: "Sets the string value and expiration time of a key. Creates the key if it doesn't exist.",
  complexity: 'O(1)',
  args: 'key#0 seconds:integer value',
  deprecated: { since: '2.6.12', replacedBy: '`SET` with the `EX` argument' },
  run(ctx) {
    const whenMs = expireTimeOrReply(ctx, 2, EX)
    if (!Number.isNaN(whenMs)) setGeneric(ctx, ctx.args[3], 0, whenMs)
  },
}

const pSetEx: Command = {
  name: 'psetex',
  arity: 4,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1',
  since: '2.6.0',
  group: 'string',
  summary:
    "Sets both string value and expiration time in milliseconds of a key. The key is created if it doesn't exist.",
  complexity: 'O(1)',
  args: 'key#0 milliseconds:integer value',
  deprecated: { since: '2.6.12', replacedBy: '`SET` with the `PX` argument' },
  run(ctx) {
    const whenMs = expireTimeOrReply(ctx, 2, PX)
    if (!Number.isNaN(whenMs)) setGeneric(ctx, ctx.args[3], 0, whenMs)
  },
}

const mSet: Command = {
  name: 'mset',
  arity: -3,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1..-1/2',
  since: '1.0.1',
  group: 'string',
  summary: 'Atomically creates or modifies the string values of one or more keys.',
  complexity: 'O(N) where N is the number of keys to set.',
  args: 'data:(key#0 value)...',
  tips: 'request_policy:multi_shard response_policy:all_succeeded',
  run(ctx) {
    if (!pairsOrReply(ctx)) return
    setPairs(ctx)
    ctx.reply.ok()
  },
}

const mSetNx: Command = {
  name: 'msetnx',
  arity: -3,
  flags: 'write denyoom',
  keys: 'OW INSERT @1..-1/2',
  since: '1.0.1',
  group: 'string',
  summary: "Atomically modifies the string values of one or more keys only when all keys don't exist.",
  complexity: 'O(N) where N is the number of keys to set.',
  args: 'data:(key#0 value)...',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    if (!pairsOrReply(ctx)) return
    for (let i = 1; i < argc; i += 2) if (db.exists(args[i])) return reply.integer(0)
    setPairs(ctx)
    reply.integer(1)
  },
}

function pairsOrReply(ctx: Context): boolean {
  if (ctx.argc % 2 === 1) return true
  ctx.reply.error(`ERR wrong number of arguments for '${ctx.command.fullName}' command`)
  return false
}

function setPairs(ctx: Context): void {
  const { args, argc, db } = ctx
  for (let i = 1; i < argc; i += 2) {
    db.setString(args[i], args[i + 1])
    ctx.touched(args[i], 'set', NOTIFY_STRING)
  }
}

const getSet: Command = {
  name: 'getset',
  arity: 3,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '1.0.0',
  group: 'string',
  summary: 'Returns the previous string value of a key after setting it to a new value.',
  complexity: 'O(1)',
  args: 'key#0 value',
  deprecated: { since: '6.2.0', replacedBy: '`SET` with the `!GET` argument' },
  run(ctx) {
    const { args, db } = ctx
    if (!replyString(ctx)) return
    db.setString(args[1], args[2])
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
  summary: 'Returns the string value of a key after deleting the key.',
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
  keys: 'RW ACCESS UPDATE @1 (RW and UPDATE because it changes the TTL)',
  since: '6.2.0',
  group: 'string',
  summary: 'Returns the string value of a key after setting its expiration time.',
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
    ctx.reply.bulk(ctx.db.stringOf(entry, ctx.value))
    if (unit !== undefined) expireAfterRead(ctx, key, whenMs, unit)
    else if (persist && ctx.db.expiryOf(entry) >= 0) {
      ctx.db.setExpiry(key, ctx.db.lookupWrite(key), -1)
      ctx.touched(key, 'persist', NOTIFY_GENERIC)
      if (ctx.hasSinks) ctx.propagateAs('PERSIST', key)
    }
  },
}

function expireAfterRead(ctx: Context, key: Slice, whenMs: number, unit: TimeUnit): void {
  if (!unit.fromNow && isPast(ctx, whenMs)) {
    ctx.db.delete(key)
    ctx.touched(key, 'del', NOTIFY_GENERIC)
    if (ctx.hasSinks) ctx.propagateAs(ctx.settings.lazyfreeLazyExpire ? 'UNLINK' : 'DEL', key)
    return
  }
  ctx.db.setExpiry(key, ctx.db.lookupWrite(key), whenMs)
  ctx.touched(key, 'expire', NOTIFY_GENERIC)
  if (ctx.hasSinks) ctx.propagateAs('PEXPIREAT', key, msWord(whenMs))
}

export const settingCommands: readonly Command[] = [set, setNx, setEx, pSetEx, mSet, mSetNx, getSet, getDel, getEx]
