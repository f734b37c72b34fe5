// GEOADD.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { ADD_NX, ADD_XX } from '../../keyspace/values/zset/zset.ts'
import { ZSetType } from '../../keyspace/values/zset/zset-type.ts'
import type { Slice } from '../../lib/slice.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { addScored } from '../sorted-set/add.ts'
import { placeOrReply } from './arguments.ts'
import { type Place, scoreOfPlace } from './geo-hash.ts'

const WORDS_PER_MEMBER = 3

const add: Command = {
  name: 'geoadd',
  arity: -5,
  flags: 'write denyoom',
  keys: 'RW UPDATE @1',
  since: '3.2.0',
  group: 'geo',
  summary: 'Add places to a sorted set, or move those that are there.',
  complexity: 'O(log(N)) for each place, N = members of the sorted set.',
  args: 'key#0 [condition:(NX|XX)@6.2.0] [change=CH@6.2.0] data:(longitude:double latitude:double member)...',
  history: [['6.2.0', 'New options `CH`, `NX` and `XX`.']],
  run(ctx) {
    let flags = 0
    let changes = false
    const opt = ctx.options(2)
    while (opt.more()) {
      if (opt.eat('nx')) flags |= ADD_NX
      else if (opt.eat('xx')) flags |= ADD_XX
      else if (opt.eat('ch')) changes = true
      else break
    }
    const count = opt.left / WORDS_PER_MEMBER
    if (count === 0 || !Number.isInteger(count) || flags === (ADD_NX | ADD_XX)) return ctx.reply.fixedError(SYNTAX)
    const kind = ZSetType.of(ctx.keyspace)
    const place: Place = { longitude: 0, latitude: 0 }
    kind.makeScores(count)
    for (let i = 0; i < count; i++) {
      if (!placeOrReply(ctx, opt.at + i * WORDS_PER_MEMBER, place)) return
      kind.scores[i] = scoreOfPlace(place.longitude, place.latitude)
    }
    const first = opt.at + 2
    const { dirty } = ctx.keyspace
    addScored(ctx, first, WORDS_PER_MEMBER, count, flags, changes)
    if (ctx.hasSinks && ctx.keyspace.dirty !== dirty) propagateAsScores(ctx, opt.at, first, count)
  },
}

function propagateAsScores(ctx: Context, options: number, first: number, count: number): void {
  const { scores } = ZSetType.of(ctx.keyspace)
  const words: (Slice | string)[] = ['zadd', ...ctx.args.slice(1, options)]
  for (let i = 0; i < count; i++) words.push(String(scores[i]), ctx.args[first + i * WORDS_PER_MEMBER])
  ctx.propagateAs(...words)
}

export const addingCommands: readonly Command[] = [add]
