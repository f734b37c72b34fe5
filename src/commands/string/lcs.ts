// LCS: the longest common subsequence of two strings: itself, its length, or its matching ranges.
//
//   lengths[i * width + j]  is the length of the LCS of a[0..i) and b[0..j); the path back from the last cell
//                           gives the bytes and the ranges.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { errorBytes } from '../../protocol/reply.ts'

const NOT_STRINGS = errorBytes('ERR The specified keys must contain string values')
const LEN_AND_IDX = errorBytes('ERR If you want both the length and indexes, please just use IDX.')
const TABLE_TOO_LARGE = errorBytes('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len')
const CELL_BYTES = 4

const lcs: Command = {
  name: 'lcs',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1..+1',
  since: '7.0.0',
  group: 'string',
  summary: 'Find the longest common subsequence of two strings.',
  complexity: 'O(N*M), N and M = lengths of the two strings.',
  args: 'key1#0 key2#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]',
  run(ctx) {
    const { args, db, reply } = ctx
    const first = ctx.lookupRead(args[1])
    const second = ctx.lookupRead(args[2])
    if (
      (first !== 0 && db.entries.typeOf(first) !== TYPE_STRING) ||
      (second !== 0 && db.entries.typeOf(second) !== TYPE_STRING)
    ) {
      return reply.fixedError(NOT_STRINGS)
    }
    let wantLength = false
    let wantRuns = false
    let withLengths = false
    let lengthMin = 0
    const opt = ctx.options(3)
    while (opt.more()) {
      if (opt.eat('idx')) wantRuns = true
      else if (opt.eat('len')) wantLength = true
      else if (opt.eat('withmatchlen')) withLengths = true
      else if (opt.eat('minmatchlen', 1)) lengthMin = opt.longOrReply()
      else return opt.syntaxError()
      if (opt.failed) return
    }
    if (wantLength && wantRuns) return reply.fixedError(LEN_AND_IDX)
    const a = bytesOf(ctx, first)
    const b = bytesOf(ctx, second)
    if ((a.length + 1) * (b.length + 1) * CELL_BYTES > ctx.settings.protoMaxBulkLen) {
      return reply.fixedError(TABLE_TOO_LARGE)
    }
    const lengths = lengthsOf(a, b)
    if (wantRuns) replyRuns(ctx, a, b, lengths, lengthMin, withLengths)
    else if (wantLength) reply.integer(lengths[lengths.length - 1])
    else reply.bulk(subsequence(a, b, lengths))
  },
}

function bytesOf(ctx: Context, entry: Ref): Uint8Array {
  return entry === 0 ? new Uint8Array(0) : ctx.db.strings.textOf(entry, ctx.value).copy().u8
}

function lengthsOf(a: Uint8Array, b: Uint8Array): Uint32Array {
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  for (let i = 1; i <= a.length; i++) {
    const byte = a[i - 1]
    let at = i * width + 1
    let left = 0
    for (let j = 0; j < b.length; j++, at++) {
      const above = lengths[at - width]
      left = byte === b[j] ? lengths[at - width - 1] + 1 : Math.max(above, left)
      lengths[at] = left
    }
  }
  return lengths
}

function subsequence(a: Uint8Array, b: Uint8Array, lengths: Uint32Array): Slice {
  const width = b.length + 1
  let left = lengths[lengths.length - 1]
  const found = new Slice(new Uint8Array(left), 0, left)
  for (let i = a.length, j = b.length; i > 0 && j > 0; ) {
    if (a[i - 1] === b[j - 1]) {
      found.u8[--left] = a[--i]
      j--
    } else if (lengths[(i - 1) * width + j] > lengths[i * width + j - 1]) i--
    else j--
  }
  return found
}

/** The ranges from last to first, each in `a` and in `b`. */
function replyRuns(
  ctx: Context,
  a: Uint8Array,
  b: Uint8Array,
  lengths: Uint32Array,
  lengthMin: number,
  withLengths: boolean,
): void {
  const { reply } = ctx
  const width = b.length + 1
  reply.map(2)
  reply.bulkText('matches')
  const mark = reply.beginDeferredArray()
  let count = 0
  for (let i = a.length, j = b.length; i > 0 && j > 0; ) {
    if (a[i - 1] !== b[j - 1]) {
      if (lengths[(i - 1) * width + j] > lengths[i * width + j - 1]) i--
      else j--
      continue
    }
    let run = 0
    while (i > 0 && j > 0 && a[i - 1] === b[j - 1]) {
      i--
      j--
      run++
    }
    if (run < lengthMin) continue
    reply.array(withLengths ? 3 : 2)
    replyRange(ctx, i, run)
    replyRange(ctx, j, run)
    if (withLengths) reply.integer(run)
    count++
  }
  reply.endArray(mark, count)
  reply.bulkText('len')
  reply.integer(lengths[lengths.length - 1])
}

function replyRange(ctx: Context, from: number, length: number): void {
  ctx.reply.array(2)
  ctx.reply.integer(from)
  ctx.reply.integer(from + length - 1)
}

export const comparingCommands: readonly Command[] = [lcs]
