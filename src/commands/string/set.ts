// SET and its predecessors SETNX, SETEX, PSETEX.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../../engine/messaging/events.ts'
import { equalsNoCase } from '../../lib/bytes.ts'
import type { Long } from '../../lib/long-field.ts'
import type { Slice } from '../../lib/slice.ts'
import { EX, eatTimeUnit, expireTimeOrReply, PX, PXAT, type TimeUnit } from '../shared/expire-time.ts'
import { replyString } from './get.ts'

const NX = 1
const XX = 2
const GET = 4
const KEEPTTL = 8
const ABSOLUTE = 16

const set: Command = {
  name: 'set',
  arity: -3,
  flags: 'write denyoom',
  keys: 'RW ACCESS UPDATE VARIABLE_FLAGS @1 (read only with GET)',
  keyFinder: 'set',
  since: '1.0.0',
  group: 'string',
  summary: 'Store a string, whatever the key held before; options add conditions, an expiry and the old value.',
  complexity: 'O(1)',
  args:
    'key#0 value [condition:(NX|XX)@2.6.12] [GET@6.2.0] [expiration:(EX seconds:integer@2.6.12|' +
    'PX milliseconds:integer@2.6.12|EXAT unix-time-seconds:unix-time@6.2.0|' +
    'PXAT unix-time-milliseconds:unix-time@6.2.0|KEEPTTL@6.0.0)]',
  history: [
    ['2.6.12', 'New options `EX`, `PX`, `NX` and `XX`.'],
    ['6.0.0', 'New option `KEEPTTL`.'],
    ['6.2.0', 'New options `GET`, `EXAT` and `PXAT`.'],
    ['7.0.0', '`NX` and `GET` may stand together.'],
  ],
  run(ctx) {
    const { args, argc } = ctx
    if (argc === 3) {
      setOne(ctx, args[1], args[2])
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
  if (unit === PXAT) flags |= ABSOLUTE
  setGeneric(ctx, ctx.args[2], flags, whenMs)
}

/** SET with all its options; `whenMs` -1: no expiry. */
function setGeneric(ctx: Context, value: Slice, flags: number, whenMs: Long): void {
  const { args, db, reply } = ctx
  const key = args[1]
  if ((flags & GET) !== 0 && !replyString(ctx)) return
  if ((flags & (NX | XX)) !== 0 && db.exists(key) !== ((flags & XX) !== 0)) {
    if ((flags & GET) === 0) reply.null()
    return
  }
  setOne(ctx, key, value, (flags & KEEPTTL) !== 0, whenMs)
  // With PXAT it is propagated as it came.
  if ((flags & ABSOLUTE) === 0 && whenMs >= 0 && ctx.hasSinks)
    ctx.propagateAs('SET', key, value, 'PXAT', String(whenMs))
  else if (whenMs < 0 && (flags & GET) !== 0 && ctx.hasSinks) propagateWithoutGet(ctx)
  if ((flags & GET) === 0) reply.ok()
}

/**
 * Sets one key to a string, with its events; `whenMs` -1: no expiry. The caller propagates: a relative time must be
 * rewritten to PXAT.
 */
export function setOne(ctx: Context, key: Slice, value: Slice, keepTtl = false, whenMs: Long = -1): void {
  const { db } = ctx
  db.strings.set(db, key, value, keepTtl, whenMs)
  ctx.touched(key, 'set', NOTIFY_STRING)
  if (whenMs >= 0) ctx.notify(key, 'expire', NOTIFY_GENERIC)
}

/** Propagates SET without GET. */
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
  summary: 'Store a string only if the key is missing.',
  complexity: 'O(1)',
  args: 'key#0 value',
  deprecated: { since: '2.6.12', replacedBy: '`SET` with the `NX` argument' },
  run(ctx) {
    const { args, db, reply } = ctx
    if (db.exists(args[1])) return reply.integer(0)
    setOne(ctx, args[1], args[2])
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
  summary: 'Store a string that expires in so many seconds.',
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
  summary: 'Store a string that expires in so many milliseconds.',
  complexity: 'O(1)',
  args: 'key#0 milliseconds:integer value',
  deprecated: { since: '2.6.12', replacedBy: '`SET` with the `PX` argument' },
  run(ctx) {
    const whenMs = expireTimeOrReply(ctx, 2, PX)
    if (!Number.isNaN(whenMs)) setGeneric(ctx, ctx.args[3], 0, whenMs)
  },
}

export const settingCommands: readonly Command[] = [set, setNx, setEx, pSetEx]
