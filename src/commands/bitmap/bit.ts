// SETBIT, GETBIT.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_INTERNAL, CLIENT_MASTER } from '../../engine/client.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STRING } from '../../engine/messaging/events.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { errorBytes } from '../../protocol/reply.ts'

/** BITFIELD's error, too. */
export const BAD_OFFSET = errorBytes('ERR bit offset is not an integer or out of range')
const BAD_BIT = errorBytes('ERR bit is not an integer or out of range')

const setBit: Command = {
  name: 'setbit',
  arity: 4,
  flags: 'write denyoom',
  keys: 'RW ACCESS UPDATE @1',
  since: '2.2.0',
  group: 'bitmap',
  summary: 'Set one bit of a string, which grows as needed, and return what it was.',
  complexity: 'O(1)',
  args: 'key#0 offset:integer value:integer',
  run(ctx) {
    const { args, db, reply } = ctx
    const offset = bitOffsetOrReply(ctx, ctx.integerOrReply(2, BAD_OFFSET))
    if (Number.isNaN(offset)) return
    const bit = ctx.integerOrReply(3, BAD_BIT)
    if (Number.isNaN(bit)) return
    if (bit !== 0 && bit !== 1) return reply.fixedError(BAD_BIT)
    const entry = ctx.writeOrReply(args[1], TYPE_STRING)
    if (entry === WRONG) return
    const byte = Math.floor(offset / 8)
    const length = entry === 0 ? 0 : db.strings.lengthOf(entry)
    const grows = byte >= length
    const value = db.strings.textOf(db.strings.resize(db, args[1], entry, grows ? byte + 1 : length), ctx.value)
    const at = value.off + byte
    const mask = 0x80 >>> (offset & 7)
    const before = (value.u8[at] & mask) === 0 ? 0 : 1
    if (bit !== before) value.u8[at] ^= mask
    if (grows || bit !== before) ctx.touched(args[1], 'setbit', NOTIFY_STRING)
    reply.integer(before)
  },
}

const getBit: Command = {
  name: 'getbit',
  arity: 3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '2.2.0',
  group: 'bitmap',
  summary: 'Return one bit of a string; past its end bits are 0.',
  complexity: 'O(1)',
  args: 'key#0 offset:integer',
  run(ctx) {
    const { db, reply } = ctx
    const offset = bitOffsetOrReply(ctx, ctx.integerOrReply(2, BAD_OFFSET))
    if (Number.isNaN(offset)) return
    const entry = ctx.readOrReply(ctx.args[1], TYPE_STRING)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const value = db.strings.textOf(entry, ctx.value)
    const byte = Math.floor(offset / 8)
    reply.integer(byte < value.len && (value.byte(byte) & (0x80 >>> (offset & 7))) !== 0 ? 1 : 0)
  },
}

/** `offset`, or NaN after an error reply when it exceeds the longest string. NaN is passed through. */
export function bitOffsetOrReply(ctx: Context, offset: number): number {
  if (Number.isNaN(offset)) return offset
  const bitsMax = ctx.client.has(CLIENT_MASTER | CLIENT_INTERNAL)
    ? Number.POSITIVE_INFINITY
    : ctx.settings.protoMaxBulkLen * 8
  if (offset >= 0 && offset < bitsMax) return offset
  ctx.reply.fixedError(BAD_OFFSET)
  return Number.NaN
}

export const bitCommands: readonly Command[] = [setBit, getBit]
