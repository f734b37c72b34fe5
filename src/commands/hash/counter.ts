// HINCRBY on 64-bit integers, HINCRBYFLOAT on long doubles.
//
// Always: integers within ±2^53 are computed without bigints; others exactly with them.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_HASH } from '../../engine/messaging/events.ts'
import { TYPE_HASH } from '../../keyspace/types.ts'
import type { Hash } from '../../keyspace/values/hash/hash.ts'
import { HashType } from '../../keyspace/values/hash/hash-type.ts'
import { parseLongDouble } from '../../lib/longdouble.ts'
import { INT64_MAX, INT64_MIN, parseBigInt64, parseDouble, parseInt64 } from '../../lib/number.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { INCR_OVERFLOW, NOT_A_FLOAT, NOT_AN_INTEGER } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { floatSumOrReply } from '../shared/float-sum.ts'
import { openHash, storeHash } from './shared.ts'

const HASH_NOT_AN_INTEGER = errorBytes('ERR hash value is not an integer')
const HASH_NOT_A_FLOAT = errorBytes('ERR hash value is not a float')
const INFINITE = errorBytes('ERR value is NaN or Infinity')

const hIncrBy: Command = {
  name: 'hincrby',
  arity: 4,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Add an integer to a field; a missing field counts as 0.',
  complexity: 'O(1)',
  args: 'key#0 field increment:integer',
  run(ctx) {
    const { args, reply } = ctx
    const increment = parseInt64(args[3])
    if (Number.isNaN(increment)) return reply.fixedError(NOT_AN_INTEGER)
    const entry = ctx.writeOrReply(args[1], TYPE_HASH)
    if (entry === WRONG) return
    const { text } = HashType.of(ctx.keyspace)
    const hash = HashType.of(ctx.keyspace).current
    const found = entry !== 0 && openHash(ctx, entry).get(args[2], text)
    let before = 0
    if (found) before = text.isInteger ? text.n : parseInt64(text.bytes)
    if (Number.isNaN(before)) return reply.fixedError(HASH_NOT_AN_INTEGER)
    const after = before + increment
    if (!Number.isSafeInteger(after)) {
      const exact = (found ? parseBigInt64(text.text()) : 0n) + parseBigInt64(args[3])
      if (exact > INT64_MAX || exact < INT64_MIN) return reply.fixedError(INCR_OVERFLOW)
      if (entry === 0) hash.create()
      store(ctx, entry, hash, Slice.of(exact.toString()), 'hincrby')
      return reply.bigint(exact)
    }
    if (entry === 0) hash.create()
    // The scratch space of the old text is reused for the new one.
    text.setInteger(after)
    store(ctx, entry, hash, text.text(), 'hincrby')
    reply.integer(after)
  },
}

const hIncrByFloat: Command = {
  name: 'hincrbyfloat',
  arity: 4,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '2.6.0',
  group: 'hash',
  summary: 'Add a decimal number to a field; a missing field counts as 0.',
  complexity: 'O(1)',
  args: 'key#0 field increment:double',
  run(ctx) {
    const { args, reply } = ctx
    if (!isFiniteOrReply(ctx, args[3])) return
    const entry = ctx.writeOrReply(args[1], TYPE_HASH)
    if (entry === WRONG) return
    const { text } = HashType.of(ctx.keyspace)
    const found = entry !== 0 && openHash(ctx, entry).get(args[2], text)
    const sum = floatSumOrReply(ctx, found ? text.text() : undefined, args[3], HASH_NOT_A_FLOAT)
    if (sum === undefined) return
    const hash = HashType.of(ctx.keyspace).current
    if (entry === 0) hash.create()
    store(ctx, entry, hash, sum, 'hincrbyfloat')
    // Propagated as a value: another machine may round differently.
    if (ctx.hasSinks) ctx.propagateAs('HSET', args[1], args[2], sum)
    reply.bulk(sum)
  },
}

/** A number so short is no larger as a double than as a long double. */
const SHORT_BYTES = 32

/** False after an error reply when the increment is no finite number. */
function isFiniteOrReply(ctx: Context, s: Slice): boolean {
  if (s.len <= SHORT_BYTES && Number.isFinite(parseDouble(s))) return true
  const increment = parseLongDouble(s)
  if (increment === undefined) ctx.reply.fixedError(NOT_A_FLOAT)
  else if (increment.infinite !== 0) ctx.reply.fixedError(INFINITE)
  else return true
  return false
}

function store(ctx: Context, entry: Ref, hash: Hash, value: Slice, event: string): void {
  const { args } = ctx
  hash.set(args[2], value)
  storeHash(ctx, entry, args[1], hash)
  ctx.touched(args[1], event, NOTIFY_HASH)
}

export const countingCommands: readonly Command[] = [hIncrBy, hIncrByFloat]
