// Members by chance, and all of them bit by bit: ZRANDMEMBER, ZSCAN.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { ENC_LISTPACK, TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSet } from '../../keyspace/zset.ts'
import { equalsNoCase } from '../../lib/bytes.ts'
import { formatG17 } from '../../lib/double.ts'
import { Slice } from '../../lib/slice.ts'
import { OUT_OF_RANGE, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { ScanOptions, scannedOrReply } from '../shared/scan.ts'
import { cursorOf, openSet, replyMembers, replyScore } from './shared.ts'

const COUNT_RANGE = errorBytes(
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
)
const INT64_MIN = '-9223372036854775808'
const INT64_HALF = 2 ** 62
// ZSCAN looks at ten buckets a member it was asked for before it gives up finding more.
const BUCKETS_PER_COUNT = 10

const randMember: Command = {
  name: 'zrandmember',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Returns one or more random members from a sorted set.',
  complexity: 'O(N) where N is the number of members returned',
  args: 'key#0 [options:(count:integer [WITHSCORES])]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const { args, argc, reply } = ctx
    let count = 1
    if (argc > 2) {
      count = ctx.longOrReply(2)
      if (Number.isNaN(count)) return
      if (equalsNoCase(args[2], INT64_MIN)) return reply.fixedError(COUNT_RANGE)
      if (argc > 4 || (argc === 4 && !ctx.is(3, 'withscores'))) return reply.fixedError(SYNTAX)
      if (argc === 4 && Math.abs(count) > INT64_HALF) return reply.fixedError(OUT_OF_RANGE)
    }
    const entry = ctx.readOrReply(args[1], TYPE_ZSET)
    if (entry === WRONG) return
    if (argc === 2) {
      if (entry === 0) return reply.null()
      const z = openSet(ctx, entry)
      const c = cursorOf(ctx)
      z.seekRank(ctx.keyspace.random() % z.length, c)
      return reply.bulk(c.member)
    }
    if (entry === 0 || count === 0) return reply.emptyArray()
    const z = openSet(ctx, entry)
    if (count < 0) replyAnyOf(ctx, z, -count, argc === 4)
    // As in Redis, from the end.
    else if (count >= z.length) replyMembers(ctx, z, 0, z.length, true, argc === 4)
    else replyDistinct(ctx, z, count, argc === 4)
  },
}

/** `count` members, each chosen from all. */
function replyAnyOf(ctx: Context, z: ZSet, count: number, withScores: boolean): void {
  startMembers(ctx, count, withScores)
  for (let i = 0; i < count; i++) replyRank(ctx, z, ctx.keyspace.random() % z.length, withScores)
}

/** `count` different members, fewer than there are. */
function replyDistinct(ctx: Context, z: ZSet, count: number, withScores: boolean): void {
  startMembers(ctx, count, withScores)
  // Robert Floyd's sample: each set of ranks has the same chance.
  const chosen = new Set<number>()
  for (let limit = z.length - count; limit < z.length; limit++) {
    const rank = ctx.keyspace.random() % (limit + 1)
    chosen.add(chosen.has(rank) ? limit : rank)
  }
  for (const rank of chosen) replyRank(ctx, z, rank, withScores)
}

function startMembers(ctx: Context, count: number, withScores: boolean): void {
  ctx.reply.array(withScores && ctx.reply.resp === 2 ? count * 2 : count)
}

function replyRank(ctx: Context, z: ZSet, rank: number, withScores: boolean): void {
  const { reply } = ctx
  const c = cursorOf(ctx)
  z.seekRank(rank, c)
  if (withScores && reply.resp > 2) reply.array(2)
  reply.bulk(c.member)
  if (withScores) replyScore(reply, c.score)
}

const scan: Command = {
  name: 'zscan',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.0',
  group: 'sorted-set',
  summary: 'Iterates over members and scores of a sorted set.',
  complexity:
    'O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return ' +
    'back to 0. N is the number of elements inside the collection.',
  args: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const options = new ScanOptions()
    const entry = scannedOrReply(ctx, TYPE_ZSET, options)
    if (entry === 0) return
    const z = openSet(ctx, entry)
    if (z.encoding === ENC_LISTPACK) replyAll(ctx, z, options)
    else replySome(ctx, z, options)
  },
}

function replyAll(ctx: Context, z: ZSet, options: ScanOptions): void {
  const { reply } = ctx
  reply.array(2)
  reply.bulkInteger(0)
  const mark = reply.defer()
  let words = 0
  const c = cursorOf(ctx)
  for (let more = z.seekRank(0, c); more; more = z.next(c)) {
    if (!options.matches(c.member)) continue
    reply.bulk(c.member)
    replyScoreText(ctx, c.score)
    words += 2
  }
  reply.endArray(mark, words)
}

function replySome(ctx: Context, z: ZSet, options: ScanOptions): void {
  const { reply } = ctx
  const found: { member: Slice; score: number }[] = []
  let { cursor } = options
  let seen = 0
  let bucketsLeft = options.count * BUCKETS_PER_COUNT
  do {
    cursor = z.scan(cursor, (member, score) => {
      seen++
      if (options.matches(member)) found.push({ member: new Slice().alias(member), score })
    })
  } while (cursor !== 0 && bucketsLeft-- > 0 && seen < options.count)
  reply.array(2)
  reply.bulkInteger(cursor)
  reply.array(found.length * 2)
  for (const { member, score } of found) {
    reply.bulk(member)
    reply.bulkText(formatG17(score)) // as Redis writes it here, and only here
  }
}

/** A score as a bulk string in either protocol. */
function replyScoreText(ctx: Context, score: number): void {
  const { reply } = ctx
  const resp = reply.resp
  reply.resp = 2
  replyScore(reply, score)
  reply.resp = resp
}

export const samplingCommands: readonly Command[] = [randMember, scan]
