// BITCOUNT, BITPOS.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { countBits, findBit } from '../../lib/bits.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'

const NOT_A_BIT = errorBytes('ERR The bit argument must be 1 or 0.')

const bitCount: Command = {
  name: 'bitcount',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.6.0',
  group: 'bitmap',
  summary: 'Count the bits that are 1 in a string or in part of it.',
  complexity: 'O(N)',
  args: 'key#0 [range:(start:integer end:integer [unit:(BYTE|BIT)@7.0.0])]',
  history: [['7.0.0', 'Offsets may be counted by `BYTE` or by `BIT`.']],
  run(ctx) {
    const { argc, db, reply } = ctx
    const entry = ctx.readOrReply(ctx.args[1], TYPE_STRING)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const value = db.strings.textOf(entry, ctx.value)
    if (argc === 2) return reply.integer(countBits(value.u8, value.dv, value.off, 0, value.len * 8))
    if (argc !== 4 && argc !== 5) return reply.fixedError(SYNTAX)
    const start = ctx.longOrReply(2)
    if (Number.isNaN(start)) return
    const end = ctx.longOrReply(3)
    if (Number.isNaN(end)) return
    if (start < 0 && end < 0 && start > end) return reply.integer(0)
    const unitBits = argc === 5 ? unitOrReply(ctx, 4) : 8
    if (unitBits === 0) return
    const units = (value.len * 8) / unitBits
    const from = fromIndex(start, units) * unitBits
    const to = toIndex(end, units) * unitBits
    reply.integer(countBits(value.u8, value.dv, value.off, from, to))
  },
}

const bitPos: Command = {
  name: 'bitpos',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.7',
  group: 'bitmap',
  summary: 'Find where the first 0 or 1 bit of a string is.',
  complexity: 'O(N)',
  args: 'key#0 bit:integer [range:(start:integer [end-unit-block:(end:integer [unit:(BYTE|BIT)@7.0.0])])]',
  history: [['7.0.0', 'Offsets may be counted by `BYTE` or by `BIT`.']],
  run(ctx) {
    const { argc, db, reply } = ctx
    const bit = ctx.longOrReply(2)
    if (Number.isNaN(bit)) return
    if (bit !== 0 && bit !== 1) return reply.fixedError(NOT_A_BIT)
    const entry = ctx.readOrReply(ctx.args[1], TYPE_STRING)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(bit === 1 ? -1 : 0)
    const value = db.strings.textOf(entry, ctx.value)
    if (argc > 6) return reply.fixedError(SYNTAX)
    const start = argc > 3 ? ctx.longOrReply(3) : 0
    if (Number.isNaN(start)) return
    const unitBits = argc === 6 ? unitOrReply(ctx, 5) : 8
    if (unitBits === 0) return
    const end = argc > 4 ? ctx.longOrReply(4) : -1
    if (Number.isNaN(end)) return
    const units = (value.len * 8) / unitBits
    const from = fromIndex(start, units) * unitBits
    const to = toIndex(end, units) * unitBits
    const found = findBit(value.u8, value.dv, value.off, from, to, bit)
    // Without an explicit end the string is followed by infinitely many zeros.
    reply.integer(found < 0 && bit === 0 && argc < 5 && from < to ? to : found)
  },
}

/** Bits per unit named by args[i] (BYTE or BIT), or 0 after an error reply. */
function unitOrReply(ctx: Context, i: number): number {
  if (ctx.is(i, 'bit')) return 1
  if (ctx.is(i, 'byte')) return 8
  ctx.reply.fixedError(SYNTAX)
  return 0
}

/** The first index of a range, negative ones counted from the end. */
function fromIndex(start: number, length: number): number {
  return start < 0 ? Math.max(0, length + start) : start
}

/** The index after the last of a range. */
function toIndex(end: number, length: number): number {
  return Math.min(length, (end < 0 ? Math.max(0, length + end) : end) + 1)
}

export const countingCommands: readonly Command[] = [bitCount, bitPos]
