// ZADD, ZINCRBY.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_ZSET } from '../../engine/messaging/events.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import {
  ADD_GT,
  ADD_INCR,
  ADD_LT,
  ADD_NX,
  ADD_XX,
  ADDED,
  NOT_A_NUMBER,
  REFUSED,
  UPDATED,
} from '../../keyspace/values/zset/zset.ts'
import { ZSetType } from '../../keyspace/values/zset/zset-type.ts'
import type { Ref } from '../../memory/arena.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { openSet } from './shared.ts'

const NX_AND_XX = errorBytes('ERR XX and NX options at the same time are not compatible')
const GT_LT_NX = errorBytes('ERR GT, LT, and/or NX options at the same time are not compatible')
const INCR_PAIRS = errorBytes('ERR INCR option supports a single increment-element pair')
const NAN_RESULT = errorBytes('ERR resulting score is not a number (NaN)')

const add: Command = {
  name: 'zadd',
  arity: -4,
  flags: 'write denyoom fast',
  keys: 'RW UPDATE @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Add members to a sorted set, which is made if the key is missing, or change their scores.',
  complexity: 'O(log(N)) for each member, N = members of the sorted set.',
  args:
    'key#0 [condition:(NX|XX)@3.0.2] [comparison:(GT|LT)@6.2.0] [change=CH@3.0.2] [increment=INCR@3.0.2] ' +
    'data:(score:double member)...',
  history: [
    ['2.4.0', 'More than one member may be given.'],
    ['3.0.2', 'New options `XX`, `NX`, `CH` and `INCR`.'],
    ['6.2.0', 'New conditions `GT` and `LT`.'],
  ],
  run(ctx) {
    addMembers(ctx, 0)
  },
}

const incrBy: Command = {
  name: 'zincrby',
  arity: 4,
  flags: 'write denyoom fast',
  keys: 'RW ACCESS UPDATE @1',
  since: '1.2.0',
  group: 'sorted-set',
  summary: 'Add a number to the score of a member, which is added if it is missing.',
  complexity: 'O(log(N)), N = members of the sorted set.',
  args: 'key#0 increment:integer member',
  run(ctx) {
    addMembers(ctx, ADD_INCR)
  },
}

/** ZADD's syntax from args[2] on; `flags` are ADD_ flags set beforehand. */
function addMembers(ctx: Context, flags: number): void {
  const opt = ctx.options(2)
  let changes = false
  while (opt.more()) {
    const word = ctx.args[opt.at]
    // A score begins with a digit, a sign, a point or "inf".
    if (word.len === 0 || word.byte(0) < 0x3a) break
    if (opt.eat('nx')) flags |= ADD_NX
    else if (opt.eat('xx')) flags |= ADD_XX
    else if (opt.eat('ch')) changes = true
    else if (opt.eat('incr')) flags |= ADD_INCR
    else if (opt.eat('gt')) flags |= ADD_GT
    else if (opt.eat('lt')) flags |= ADD_LT
    else break
  }
  const words = ctx.argc - opt.at
  if (words === 0 || words % 2 !== 0) return ctx.reply.fixedError(SYNTAX)
  const nx = (flags & ADD_NX) !== 0
  const gt = (flags & ADD_GT) !== 0
  const lt = (flags & ADD_LT) !== 0
  if (nx && (flags & ADD_XX) !== 0) return ctx.reply.fixedError(NX_AND_XX)
  if ((gt && nx) || (lt && nx) || (gt && lt)) return ctx.reply.fixedError(GT_LT_NX)
  const pairs = words / 2
  if ((flags & ADD_INCR) !== 0 && pairs > 1) return ctx.reply.fixedError(INCR_PAIRS)
  if (readScoresOrReply(ctx, opt.at, pairs)) addScored(ctx, opt.at + 1, 2, pairs, flags, changes)
}

/** Reads all scores before the first is used, so that the command has all its effects or none. */
function readScoresOrReply(ctx: Context, from: number, pairs: number): boolean {
  const kind = ZSetType.of(ctx.keyspace)
  kind.makeScores(pairs)
  for (let i = 0; i < pairs; i++) {
    const score = ctx.doubleOrReply(from + i * 2)
    if (Number.isNaN(score)) return false
    kind.scores[i] = score
  }
  return true
}

/** Adds `count` members, every `step`th word from args[first] on, with the scores in ZSetType.scores. */
export function addScored(
  ctx: Context,
  first: number,
  step: number,
  count: number,
  flags: number,
  changes: boolean,
): void {
  const { args, reply } = ctx
  const key = args[1]
  let entry = ctx.writeOrReply(key, TYPE_ZSET)
  if (entry === WRONG) return
  const incr = (flags & ADD_INCR) !== 0
  if (entry === 0 && (flags & ADD_XX) !== 0) return incr ? reply.null() : reply.integer(0)
  const kind = ZSetType.of(ctx.keyspace)
  const z = entry === 0 ? kind.current.create(count, args[first].len) : openSet(ctx, entry)
  if (entry !== 0) z.reserveEncoding(count)
  let added = 0
  let updated = 0
  let outcome = 0
  for (let i = 0; i < count; i++) {
    outcome = z.add(args[first + i * step], kind.scores[i], flags)
    if (outcome === ADDED) added++
    else if (outcome === UPDATED) updated++
  }
  if (entry === 0) entry = addKey(ctx)
  // The encoding may have changed too, so the entry is set unconditionally.
  else ctx.db.entries.setValue(entry, z.encoding, z.value)
  if (added + updated > 0) ctx.touched(key, incr ? 'zincr' : 'zadd', NOTIFY_ZSET, added + updated)
  if (outcome === NOT_A_NUMBER) return reply.fixedError(NAN_RESULT)
  if (!incr) reply.integer(changes ? added + updated : added)
  else if (outcome === REFUSED) reply.null()
  else reply.double(z.score)
}

function addKey(ctx: Context): Ref {
  const z = ZSetType.of(ctx.keyspace).current
  return ctx.db.add(ctx.args[1], TYPE_ZSET, z.encoding, z.value)
}

export const addingCommands: readonly Command[] = [add, incrBy]
