// Fields by chance, and all of them bit by bit: HRANDFIELD, HSCAN.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import type { Hash } from '../../keyspace/hash.ts'
import { HashKind } from '../../keyspace/hash-kind.ts'
import { ENC_HASHTABLE, TYPE_HASH } from '../../keyspace/types.ts'
import type { Ref } from '../../memory/arena.ts'
import { OUT_OF_RANGE, SYNTAX } from '../../protocol/errors.ts'
import { symmetricLongOrReply } from '../shared/arguments.ts'
import { replyElement } from '../shared/element-reply.ts'
import { BUCKETS_PER_COUNT, ScanOptions, scannedOrReply } from '../shared/scan.ts'
import { openHash } from './shared.ts'

const INT64_HALF = 2 ** 62

const hRandField: Command = {
  name: 'hrandfield',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '6.2.0',
  group: 'hash',
  summary: 'Returns one or more random fields from a hash.',
  complexity: 'O(N) where N is the number of fields returned',
  args: 'key#0 [options:(count:integer [WITHVALUES])]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const { args, argc, reply } = ctx
    let count = 1
    if (argc > 2) {
      count = symmetricLongOrReply(ctx, 2)
      if (Number.isNaN(count)) return
      if (argc > 4 || (argc === 4 && !ctx.is(3, 'withvalues'))) return reply.fixedError(SYNTAX)
      if (argc === 4 && Math.abs(count) > INT64_HALF) return reply.fixedError(OUT_OF_RANGE)
    }
    const entry = ctx.readOrReply(args[1], TYPE_HASH)
    if (entry === WRONG) return
    if (entry === 0) return argc === 2 ? reply.null() : reply.emptyArray()
    const hash = openHash(ctx, entry)
    if (argc > 2) return replySome(ctx, hash, count, argc === 4)
    const { field, text } = HashKind.of(ctx.keyspace)
    hash.sample(field, text)
    replyElement(reply, field)
  },
}

/** `count` different fields, or, when negative, as many with repetitions. */
function replySome(ctx: Context, hash: Hash, count: number, withValues: boolean): void {
  const { reply } = ctx
  const { field, text } = HashKind.of(ctx.keyspace)
  const n = count < 0 ? -count : Math.min(count, hash.length)
  reply.array(withValues && reply.resp === 2 ? n * 2 : n)
  if (count < 0) {
    for (let left = n; left > 0; left--) {
      hash.sample(field, text)
      replyPair(ctx, withValues)
    }
  } else if (n === hash.length) {
    hash.rewind()
    while (hash.next(field, text)) replyPair(ctx, withValues)
  } else if (n > 0) hash.sampleDistinct(n, field, text, () => replyPair(ctx, withValues))
}

function replyPair(ctx: Context, withValues: boolean): void {
  const { reply } = ctx
  const { field, text } = HashKind.of(ctx.keyspace)
  if (withValues && reply.resp > 2) reply.array(2)
  replyElement(reply, field)
  if (withValues) replyElement(reply, text)
}

const hScan: Command = {
  name: 'hscan',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.0',
  group: 'hash',
  summary: 'Iterates over fields and values of a hash.',
  complexity:
    'O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return ' +
    'back to 0. N is the number of elements inside the collection.',
  args: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const options = new ScanOptions()
    const entry = scannedOrReply(ctx, TYPE_HASH, options)
    if (entry === 0) return
    const hash = openHash(ctx, entry)
    if (hash.encoding === ENC_HASHTABLE) scanTable(ctx, hash, options)
    else scanListpack(ctx, hash, options)
  },
}

function scanListpack(ctx: Context, hash: Hash, options: ScanOptions): void {
  const { reply } = ctx
  const { field, text } = HashKind.of(ctx.keyspace)
  reply.array(2)
  reply.bulkInteger(0)
  const mark = reply.defer()
  let words = 0
  hash.rewind()
  while (hash.next(field, text)) {
    if (!options.matches(field.text())) continue
    reply.bulk(field.bytes)
    replyElement(reply, text)
    words += 2
  }
  reply.endArray(mark, words)
}

function scanTable(ctx: Context, hash: Hash, options: ScanOptions): void {
  const { reply } = ctx
  const { field, text } = HashKind.of(ctx.keyspace)
  const found: Ref[] = []
  let { cursor } = options
  let seen = 0
  let bucketsLeft = options.count * BUCKETS_PER_COUNT
  do {
    cursor = hash.scan(cursor, entry => {
      seen++
      hash.readEntry(entry, field, text)
      if (options.matches(field.bytes)) found.push(entry)
    })
  } while (cursor !== 0 && bucketsLeft-- > 0 && seen < options.count)
  reply.array(2)
  reply.bulkInteger(cursor)
  reply.array(found.length * 2)
  for (const entry of found) {
    hash.readEntry(entry, field, text)
    reply.bulk(field.bytes)
    reply.bulk(text.bytes)
  }
}

export const samplingCommands: readonly Command[] = [hRandField, hScan]
