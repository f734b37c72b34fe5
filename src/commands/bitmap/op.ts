// BITOP: AND, OR, XOR and NOT of strings.
//
// Always: shorter strings and missing keys are padded with zeros to the length of the longest.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../../engine/messaging/events.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { copySlice } from '../../lib/bytes.ts'
import { Slice } from '../../lib/slice.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { setRawString } from '../shared/raw-string.ts'

const NOT_TAKES_ONE = errorBytes('ERR BITOP NOT must be called with a single source key.')
const AND = 1
const OR = 2
const XOR = 3
const NOT = 4

const bitOp: Command = {
  name: 'bitop',
  arity: -4,
  flags: 'write denyoom',
  keys: 'OW UPDATE @2; RO ACCESS @3..-1',
  since: '2.6.0',
  group: 'bitmap',
  summary: 'Combine strings bit by bit with AND, OR, XOR or NOT, and store the outcome.',
  complexity: 'O(N)',
  args: 'operation:(AND|OR|XOR|NOT) destkey#0 key#1...',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    const operation = ctx.is(1, 'and')
      ? AND
      : ctx.is(1, 'or')
        ? OR
        : ctx.is(1, 'xor')
          ? XOR
          : ctx.is(1, 'not')
            ? NOT
            : 0
    if (operation === 0) return reply.fixedError(SYNTAX)
    if (operation === NOT && argc !== 4) return reply.fixedError(NOT_TAKES_ONE)
    const sources: Slice[] = []
    let length = 0
    for (let i = 3; i < argc; i++) {
      const entry = ctx.readOrReply(args[i], TYPE_STRING)
      if (entry === WRONG) return
      const source = new Slice()
      // A short string may be an integer formatted in a scratch buffer that the next one reuses.
      if (entry !== 0 && db.strings.textOf(entry, source).len < 32) source.alias(source.copy())
      if (source.len > length) length = source.len
      sources.push(source)
    }
    const target = args[2]
    if (length > 0) {
      setResult(ctx, operation, sources, length)
      ctx.touched(target, 'set', NOTIFY_STRING)
    } else if (db.delete(target)) ctx.touched(target, 'del', NOTIFY_GENERIC)
    reply.integer(length)
  },
}

/** Computes the result in an allocation that the string takes over when it is long. */
function setResult(ctx: Context, operation: number, sources: readonly Slice[], length: number): void {
  const { db, args } = ctx
  const { lent } = db.strings
  const refs = [lent.lend(length)]
  const result = lent.slice(refs[0], length, new Slice())
  copySlice(result.u8, result.dv, result.off, sources[0])
  result.u8.fill(0, result.off + sources[0].len, result.off + length)
  if (operation === NOT) invert(result)
  for (let i = 1; i < sources.length; i++) combine(operation, result, sources[i])
  const before = lent.offer(refs)
  setRawString(ctx, args[2], result)
  lent.offer(before)
  if (refs[0] !== 0) lent.giveBack(refs[0])
}

function invert(result: Slice): void {
  const { u8, dv, off, len } = result
  const end = off + len
  const words = end - (len & 3)
  for (let at = off; at < words; at += 4) dv.setInt32(at, ~dv.getInt32(at, true), true)
  for (let at = words; at < end; at++) u8[at] = ~u8[at]
}

/** result = result `operation` source, word by word. */
function combine(operation: number, result: Slice, source: Slice): void {
  const { u8, dv } = result
  const { u8: from, dv: fromDv, off, len } = source
  const end = result.off + len
  const words = end - (len & 3)
  let at = result.off
  let i = off
  switch (operation) {
    case AND:
      for (; at < words; at += 4, i += 4) dv.setInt32(at, dv.getInt32(at, true) & fromDv.getInt32(i, true), true)
      for (; at < end; at++, i++) u8[at] &= from[i]
      u8.fill(0, end, result.off + result.len)
      return
    case OR:
      for (; at < words; at += 4, i += 4) dv.setInt32(at, dv.getInt32(at, true) | fromDv.getInt32(i, true), true)
      for (; at < end; at++, i++) u8[at] |= from[i]
      return
    case XOR:
      for (; at < words; at += 4, i += 4) dv.setInt32(at, dv.getInt32(at, true) ^ fromDv.getInt32(i, true), true)
      for (; at < end; at++, i++) u8[at] ^= from[i]
  }
}

export const operatingCommands: readonly Command[] = [bitOp]
