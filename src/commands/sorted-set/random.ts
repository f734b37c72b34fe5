// ZRANDMEMBER.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSet } from '../../keyspace/values/zset/zset.ts'
import { randomCountOrReply } from '../shared/arguments.ts'
import { cursorOf, openSet, replyMembers } from './shared.ts'

const randMember: Command = {
  name: 'zrandmember',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '6.2.0',
  group: 'sorted-set',
  summary: 'Return members picked at random, with their scores if wished.',
  complexity: 'O(N), N = members returned.',
  args: 'key#0 [options:(count:integer [WITHSCORES])]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const { args, argc, reply } = ctx
    let count = 1
    if (argc > 2) {
      count = randomCountOrReply(ctx, 'withscores')
      if (Number.isNaN(count)) return
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

/** `count` members, with repetitions. */
function replyAnyOf(ctx: Context, z: ZSet, count: number, withScores: boolean): void {
  startMembers(ctx, count, withScores)
  for (let i = 0; i < count && !ctx.reply.isCutOff; i++) replyRank(ctx, z, ctx.keyspace.random() % z.length, withScores)
}

/** `count` different members, fewer than there are. */
function replyDistinct(ctx: Context, z: ZSet, count: number, withScores: boolean): void {
  startMembers(ctx, count, withScores)
  // Robert Floyd's sampling: each set of ranks is equally likely.
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
  if (withScores) reply.double(c.score)
}

export const samplingCommands: readonly Command[] = [randMember]
