// XRANGE, XREVRANGE, XLEN.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_STREAM } from '../../keyspace/types.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { openStream, rangeEndOrReply, rangeStartOrReply, replyRange } from './shared.ts'

const range: Command = {
  name: 'xrange',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Return the entries of a stream between two ids.',
  complexity: 'O(N), N = entries returned; O(1) with a fixed COUNT.',
  args: 'key#0 start end [COUNT count:integer]',
  history: [['6.2.0', 'An id after `(` is left out of the range.']],
  run(ctx) {
    readRange(ctx, false)
  },
}

const revRange: Command = {
  name: 'xrevrange',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Return the entries of a stream between two ids, the newest first.',
  complexity: 'O(N), N = entries returned; O(1) with a fixed COUNT.',
  args: 'key#0 end start [COUNT count:integer]',
  history: [['6.2.0', 'An id after `(` is left out of the range.']],
  run(ctx) {
    readRange(ctx, true)
  },
}

function readRange(ctx: Context, reverse: boolean): void {
  const { args, reply } = ctx
  const { from, to } = StreamType.of(ctx.keyspace)
  if (!rangeStartOrReply(ctx, reverse ? 3 : 2, from) || !rangeEndOrReply(ctx, reverse ? 2 : 3, to)) return
  let count = -1
  const opt = ctx.options(4)
  while (opt.more()) {
    if (opt.eat('count', 1)) count = Math.max(0, opt.longOrReply())
    else opt.syntaxError()
    if (opt.failed) return
  }
  const entry = ctx.readOrReply(args[1], TYPE_STREAM)
  if (entry === WRONG) return
  if (entry === 0) return reply.emptyArray()
  if (count === 0) return reply.nullArray()
  replyRange(ctx, openStream(ctx, entry), from, to, reverse, Math.max(0, count))
}

const len: Command = {
  name: 'xlen',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Count the entries of a stream.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_STREAM)
    if (entry !== WRONG) ctx.reply.integer(entry === 0 ? 0 : openStream(ctx, entry).length)
  },
}

export const rangeCommands: readonly Command[] = [range, revRange, len]
