// Expiry: EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, TTL and its variants, PERSIST.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC } from '../../engine/messaging/events.ts'
import { LOOKUP_KEY, LOOKUP_WRITE } from '../../keyspace/database.ts'
import { addLong, type Long } from '../../lib/long-field.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { absoluteOrReply, EX, EXAT, isPast, PX, PXAT, type TimeUnit } from '../shared/expire-time.ts'
import { peek } from './peek.ts'

const NX = 1
const XX = 2
const GT = 4
const LT = 8
const NX_WITH_OTHERS = errorBytes('ERR NX and XX, GT or LT options at the same time are not compatible')
const GT_AND_LT = errorBytes('ERR GT and LT options at the same time are not compatible')

const expire: Command = {
  name: 'expire',
  arity: -3,
  flags: 'write fast',
  keys: 'RW UPDATE @1',
  since: '1.0.0',
  group: 'generic',
  summary: 'Let a key expire in so many seconds.',
  complexity: 'O(1)',
  args: 'key#0 seconds:integer [condition:(NX|XX|GT|LT)@7.0.0]',
  history: [['7.0.0', 'New conditions `NX`, `XX`, `GT` and `LT`.']],
  run(ctx) {
    setExpiry(ctx, EX)
  },
}

const pExpire: Command = {
  name: 'pexpire',
  arity: -3,
  flags: 'write fast',
  keys: 'RW UPDATE @1',
  since: '2.6.0',
  group: 'generic',
  summary: 'Let a key expire in so many milliseconds.',
  complexity: 'O(1)',
  args: 'key#0 milliseconds:integer [condition:(NX|XX|GT|LT)@7.0.0]',
  history: [['7.0.0', 'New conditions `NX`, `XX`, `GT` and `LT`.']],
  run(ctx) {
    setExpiry(ctx, PX)
  },
}

const expireAt: Command = {
  name: 'expireat',
  arity: -3,
  flags: 'write fast',
  keys: 'RW UPDATE @1',
  since: '1.2.0',
  group: 'generic',
  summary: 'Let a key expire at a time given in seconds since 1970.',
  complexity: 'O(1)',
  args: 'key#0 unix-time-seconds:unix-time [condition:(NX|XX|GT|LT)@7.0.0]',
  history: [['7.0.0', 'New conditions `NX`, `XX`, `GT` and `LT`.']],
  run(ctx) {
    setExpiry(ctx, EXAT)
  },
}

const pExpireAt: Command = {
  name: 'pexpireat',
  arity: -3,
  flags: 'write fast',
  keys: 'RW UPDATE @1',
  since: '2.6.0',
  group: 'generic',
  summary: 'Let a key expire at a time given in milliseconds since 1970.',
  complexity: 'O(1)',
  args: 'key#0 unix-time-milliseconds:unix-time [condition:(NX|XX|GT|LT)@7.0.0]',
  history: [['7.0.0', 'New conditions `NX`, `XX`, `GT` and `LT`.']],
  run(ctx) {
    setExpiry(ctx, PXAT)
  },
}

function setExpiry(ctx: Context, unit: TimeUnit): void {
  const { args, argc, db, reply } = ctx
  const key = args[1]
  const condition = conditionOrReply(ctx)
  if (condition < 0) return
  const time = ctx.longOrReply(2)
  if (Number.isNaN(time)) return
  const whenMs = absoluteOrReply(ctx, 2, time, unit)
  if (Number.isNaN(whenMs)) return
  const entry = db.lookup(key, LOOKUP_WRITE | LOOKUP_KEY)
  if (entry === 0 || !isMet(condition, db.entries.exactExpiryOf(entry), whenMs)) return reply.integer(0)
  if (isPast(ctx, whenMs)) {
    db.delete(key)
    ctx.touched(key, 'del', NOTIFY_GENERIC)
    if (ctx.hasSinks) ctx.propagateAs(ctx.settings.lazyfreeLazyExpire ? 'UNLINK' : 'DEL', key)
  } else {
    db.setExpiry(key, entry, whenMs < 0 ? 0 : whenMs)
    ctx.touched(key, 'expire', NOTIFY_GENERIC)
    if (ctx.hasSinks && unit !== PXAT) ctx.propagateAs('PEXPIREAT', key, String(whenMs), ...args.slice(3, argc))
  }
  reply.integer(1)
}

/** Bits of NX, XX, GT and LT, or -1 after an error reply. */
function conditionOrReply(ctx: Context): number {
  let condition = 0
  const opt = ctx.options(3)
  while (opt.more()) {
    if (opt.eat('nx')) condition |= NX
    else if (opt.eat('xx')) condition |= XX
    else if (opt.eat('gt')) condition |= GT
    else if (opt.eat('lt')) condition |= LT
    else {
      ctx.reply.error(`ERR Unsupported option ${opt.next().latin1()}`)
      return -1
    }
  }
  if ((condition & NX) !== 0 && condition !== NX) {
    ctx.reply.fixedError(NX_WITH_OTHERS)
    return -1
  }
  if ((condition & (GT | LT)) === (GT | LT)) {
    ctx.reply.fixedError(GT_AND_LT)
    return -1
  }
  return condition
}

/** A key without expiry (`before` -1) counts as infinite: nothing is later, everything is earlier. */
function isMet(condition: number, before: Long, whenMs: Long): boolean {
  if ((condition & NX) !== 0 && before >= 0) return false
  if ((condition & XX) !== 0 && before < 0) return false
  if ((condition & GT) !== 0 && (before < 0 || whenMs <= before)) return false
  return (condition & LT) === 0 || before < 0 || whenMs < before
}

const persist: Command = {
  name: 'persist',
  arity: 2,
  flags: 'write fast',
  keys: 'RW UPDATE @1',
  since: '2.2.0',
  group: 'generic',
  summary: 'Take the expiry from a key.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const { args, db, reply } = ctx
    const entry = db.lookup(args[1], LOOKUP_WRITE | LOOKUP_KEY)
    if (entry === 0 || db.entries.expiryOf(entry) < 0) return reply.integer(0)
    db.setExpiry(args[1], entry, -1)
    ctx.touched(args[1], 'persist', NOTIFY_GENERIC)
    reply.integer(1)
  },
}

const ttl: Command = {
  name: 'ttl',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '1.0.0',
  group: 'generic',
  summary: 'Return for how many more seconds a key lives.',
  complexity: 'O(1)',
  args: 'key#0',
  history: [['2.8.0', 'Replies -2 for a missing key.']],
  tips: 'nondeterministic_output',
  run(ctx) {
    replyTime(ctx, EX)
  },
}

const pTtl: Command = {
  name: 'pttl',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '2.6.0',
  group: 'generic',
  summary: 'Return for how many more milliseconds a key lives.',
  complexity: 'O(1)',
  args: 'key#0',
  history: [['2.8.0', 'Replies -2 for a missing key.']],
  tips: 'nondeterministic_output',
  run(ctx) {
    replyTime(ctx, PX)
  },
}

const expireTime: Command = {
  name: 'expiretime',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '7.0.0',
  group: 'generic',
  summary: 'Return when a key expires, in seconds since 1970.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    replyTime(ctx, EXAT)
  },
}

const pExpireTime: Command = {
  name: 'pexpiretime',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '7.0.0',
  group: 'generic',
  summary: 'Return when a key expires, in milliseconds since 1970.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    replyTime(ctx, PXAT)
  },
}

/** Replies with the expiry of args[1] in `unit`; -1: none, -2: no such key. */
function replyTime(ctx: Context, unit: TimeUnit): void {
  const { reply } = ctx
  const entry = peek(ctx, ctx.args[1])
  if (entry === 0) return reply.integer(-2)
  const whenMs = ctx.db.entries.exactExpiryOf(entry)
  if (whenMs < 0) return reply.integer(-1)
  const left = unit.fromNow ? addLong(whenMs, -ctx.nowMs) : whenMs
  const ms = left < 0 ? 0 : left
  if (unit.ms === 1) reply.long(ms)
  else reply.long(typeof ms === 'number' ? Math.floor((ms + 500) / 1000) : (ms + 500n) / 1000n)
}

export const expiryCommands: readonly Command[] = [
  expire,
  pExpire,
  expireAt,
  pExpireAt,
  persist,
  ttl,
  pTtl,
  expireTime,
  pExpireTime,
]
