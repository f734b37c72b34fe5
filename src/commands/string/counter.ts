// INCR, DECR, INCRBY, DECRBY on 64-bit integers, INCRBYFLOAT on long doubles.
//
// Always: integers within ±2^53 are computed without bigints; others exactly with them.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STRING } from '../../engine/messaging/events.ts'
import { ENC_INT, TYPE_STRING } from '../../keyspace/types.ts'
import { INT64_MAX, INT64_MIN, parseBigInt64, parseInt64 } from '../../lib/number.ts'
import { Slice } from '../../lib/slice.ts'
import { INCR_OVERFLOW, NOT_A_FLOAT, NOT_AN_INTEGER } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { floatSumOrReply } from '../shared/float-sum.ts'

const DECR_OVERFLOW = errorBytes('ERR decrement would overflow')

const incr: Command = {
  name: 'incr',
  arity: 2,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '1.0.0',
  group: 'string',
  summary: 'Add one to an integer; a missing key counts as 0.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    add(ctx, 1)
  },
}

const decr: Command = {
  name: 'decr',
  arity: 2,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '1.0.0',
  group: 'string',
  summary: 'Subtract one from an integer; a missing key counts as 0.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    add(ctx, -1)
  },
}

const incrBy: Command = {
  name: 'incrby',
  arity: 3,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '1.0.0',
  group: 'string',
  summary: 'Add a number to an integer; a missing key counts as 0.',
  complexity: 'O(1)',
  args: 'key#0 increment:integer',
  run(ctx) {
    const increment = parseInt64(ctx.args[2])
    if (Number.isNaN(increment)) ctx.reply.fixedError(NOT_AN_INTEGER)
    else if (Number.isFinite(increment)) add(ctx, increment)
    else addExactly(ctx, parseBigInt64(ctx.args[2]))
  },
}

const decrBy: Command = {
  name: 'decrby',
  arity: 3,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '1.0.0',
  group: 'string',
  summary: 'Subtract a number from an integer; a missing key counts as 0.',
  complexity: 'O(1)',
  args: 'key#0 decrement:integer',
  run(ctx) {
    const decrement = parseInt64(ctx.args[2])
    if (Number.isNaN(decrement)) return ctx.reply.fixedError(NOT_AN_INTEGER)
    if (Number.isFinite(decrement)) return add(ctx, -decrement)
    const exact = parseBigInt64(ctx.args[2])
    if (exact === INT64_MIN) return ctx.reply.fixedError(DECR_OVERFLOW)
    addExactly(ctx, -exact)
  },
}

function add(ctx: Context, increment: number): void {
  const { db } = ctx
  const key = ctx.args[1]
  const entry = ctx.writeOrReply(key, TYPE_STRING)
  if (entry === WRONG) return
  const before = entry === 0 ? 0 : db.strings.integerOf(entry)
  if (Number.isNaN(before)) return ctx.reply.fixedError(NOT_AN_INTEGER)
  const after = before + increment
  if (!Number.isSafeInteger(after)) return addExactly(ctx, BigInt(increment))
  if (entry !== 0 && db.entries.encodingOf(entry) === ENC_INT) db.strings.storeInteger(entry, after)
  else db.strings.setInteger(db, key, after, true)
  ctx.touched(key, 'incrby', NOTIFY_STRING)
  ctx.reply.integer(after)
}

/** add() for numbers beyond ±2^53. */
function addExactly(ctx: Context, increment: bigint): void {
  const { db } = ctx
  const key = ctx.args[1]
  const entry = ctx.writeOrReply(key, TYPE_STRING)
  if (entry === WRONG) return
  if (entry !== 0 && Number.isNaN(db.strings.integerOf(entry))) return ctx.reply.fixedError(NOT_AN_INTEGER)
  const after = (entry === 0 ? 0n : db.strings.bigIntOf(entry)) + increment
  if (after > INT64_MAX || after < INT64_MIN) return ctx.reply.fixedError(INCR_OVERFLOW)
  db.strings.set(db, key, Slice.of(after.toString()), true)
  ctx.touched(key, 'incrby', NOTIFY_STRING)
  ctx.reply.bigint(after)
}

const incrByFloat: Command = {
  name: 'incrbyfloat',
  arity: 3,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '2.6.0',
  group: 'string',
  summary: 'Add a decimal number to a number; a missing key counts as 0.',
  complexity: 'O(1)',
  args: 'key#0 increment:double',
  run(ctx) {
    const { args, db } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_STRING)
    if (entry === WRONG) return
    const before = entry === 0 ? undefined : db.strings.textOf(entry, ctx.value)
    const text = floatSumOrReply(ctx, before, args[2], NOT_A_FLOAT)
    if (text === undefined) return
    db.strings.setText(db, args[1], text, true)
    ctx.touched(args[1], 'incrbyfloat', NOTIFY_STRING)
    // Propagated as a value: another machine may round differently.
    if (ctx.hasSinks) ctx.propagateAs('SET', args[1], text, 'KEEPTTL')
    ctx.reply.bulk(text)
  },
}

export const countingCommands: readonly Command[] = [incr, decr, incrBy, decrBy, incrByFloat]
