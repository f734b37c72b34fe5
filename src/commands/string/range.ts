// GETRANGE and its alias SUBSTR, APPEND, SETRANGE.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_INTERNAL, CLIENT_MASTER } from '../../engine/client.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STRING } from '../../engine/messaging/events.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { copySlice } from '../../lib/bytes.ts'
import { Slice } from '../../lib/slice.ts'
import { STRING_TOO_LONG } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'

const getRange: Command = {
  name: 'getrange',
  arity: 4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.4.0',
  group: 'string',
  summary: 'Return the bytes of a string between two offsets.',
  complexity: 'O(1) for short ranges, in effect; O(N), N = bytes returned.',
  args: 'key#0 start:integer end:integer',
  run: replyRange,
}

const EMPTY = new Slice()

function replyRange(ctx: Context): void {
  // Two offsets from the end are compared as they are, also beyond 2^53.
  const first = ctx.exactLongOrReply(2)
  if (Number.isNaN(first)) return
  const last = ctx.exactLongOrReply(3)
  if (Number.isNaN(last)) return
  const entry = ctx.readOrReply(ctx.args[1], TYPE_STRING)
  if (entry === WRONG) return
  if (entry === 0) return ctx.reply.bulk(EMPTY)
  const value = ctx.db.strings.textOf(entry, ctx.value)
  if (first < 0 && last < 0 && first > last) return ctx.reply.bulk(EMPTY)
  let start = Number(first)
  let end = Number(last)
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
  summary: 'Return the bytes of a string between two offsets: the old name of GETRANGE.',
  complexity: 'O(1) for short ranges, in effect; O(N), N = bytes returned.',
  args: 'key#0 start:integer end:integer',
  deprecated: { since: '2.0.0', replacedBy: '`GETRANGE`' },
  run: replyRange,
}

const BAD_OFFSET = errorBytes('ERR offset is out of range')

const append: Command = {
  name: 'append',
  arity: 3,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '2.0.0',
  group: 'string',
  summary: 'Add bytes to the end of a string, starting from an empty one if the key is missing.',
  complexity: 'O(1) amortized, as long as what is added is short: strings grow with room to spare.',
  args: 'key#0 value',
  run(ctx) {
    const { args, db, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_STRING)
    if (entry === WRONG) return
    let length = args[2].len
    if (entry === 0) db.strings.set(db, args[1], args[2])
    else {
      const before = db.strings.lengthOf(entry)
      length += before
      if (!lengthAllowedOrReply(ctx, length)) return
      const value = db.strings.textOf(db.strings.resize(db, args[1], entry, length), ctx.value)
      copySlice(value.u8, value.dv, value.off + before, args[2])
    }
    ctx.touched(args[1], 'append', NOTIFY_STRING)
    reply.integer(length)
  },
}

const setRange: Command = {
  name: 'setrange',
  arity: 4,
  flags: 'write denyoom',
  keys: 'RW UPDATE @1',
  since: '2.2.0',
  group: 'string',
  summary: 'Overwrite a string from an offset on, filling a gap with zero bytes.',
  complexity: 'O(M), M = bytes written; in effect O(1) for short ones.',
  args: 'key#0 offset:integer value',
  run(ctx) {
    const { args, db, reply } = ctx
    const offset = ctx.longOrReply(2)
    if (Number.isNaN(offset)) return
    if (offset < 0) return reply.fixedError(BAD_OFFSET)
    const entry = ctx.writeOrReply(args[1], TYPE_STRING)
    if (entry === WRONG) return
    const before = entry === 0 ? 0 : db.strings.lengthOf(entry)
    if (args[3].len === 0) return reply.integer(before)
    const length = Math.max(before, offset + args[3].len)
    if (!lengthAllowedOrReply(ctx, offset + args[3].len)) return
    const value = db.strings.textOf(db.strings.resize(db, args[1], entry, length), ctx.value)
    copySlice(value.u8, value.dv, value.off + offset, args[3])
    ctx.touched(args[1], 'setrange', NOTIFY_STRING)
    reply.integer(length)
  },
}

/** False after an error reply when `length` exceeds the longest string. */
function lengthAllowedOrReply(ctx: Context, length: number): boolean {
  if (length <= ctx.settings.protoMaxBulkLen || ctx.client.has(CLIENT_MASTER | CLIENT_INTERNAL)) return true
  ctx.reply.fixedError(STRING_TOO_LONG)
  return false
}

export const rangeCommands: readonly Command[] = [getRange, substr, append, setRange]
