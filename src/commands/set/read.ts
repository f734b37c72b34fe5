// SCARD, SISMEMBER, SMISMEMBER, SMEMBERS.

import type { Command } from '../../engine/catalog/command.ts'
import { WRONG } from '../../engine/context.ts'
import { TYPE_SET } from '../../keyspace/types.ts'
import { SetType } from '../../keyspace/values/set/set-type.ts'
import { replyElement } from '../shared/element-reply.ts'
import { elementOf, openSet } from './shared.ts'

const sCard: Command = {
  name: 'scard',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Count the members of a set.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_SET)
    if (entry === WRONG) return
    ctx.reply.integer(entry === 0 ? 0 : openSet(ctx, entry).length)
  },
}

const sIsMember: Command = {
  name: 'sismember',
  arity: 3,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Tell whether a set has a member.',
  complexity: 'O(1)',
  args: 'key#0 member',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_SET)
    if (entry === WRONG) return
    ctx.reply.integer(entry !== 0 && openSet(ctx, entry).has(ctx.args[2]) ? 1 : 0)
  },
}

const sMIsMember: Command = {
  name: 'smismember',
  arity: -3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '6.2.0',
  group: 'set',
  summary: 'Tell of each given member whether the set has it.',
  complexity: 'O(N), N = members named.',
  args: 'key#0 member...',
  run(ctx) {
    const { args, argc, reply } = ctx
    const entry = ctx.readOrReply(args[1], TYPE_SET)
    if (entry === WRONG) return
    const set = SetType.of(ctx.keyspace).current
    if (entry !== 0) openSet(ctx, entry)
    reply.array(argc - 2)
    for (let i = 2; i < argc; i++) reply.integer(entry !== 0 && set.has(args[i]) ? 1 : 0)
  },
}

const sMembers: Command = {
  name: 'smembers',
  arity: 2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Return the whole set.',
  complexity: 'O(N), N = members of the set.',
  args: 'key#0',
  tips: 'nondeterministic_output_order',
  run(ctx) {
    const { reply } = ctx
    const entry = ctx.readOrReply(ctx.args[1], TYPE_SET)
    if (entry === WRONG) return
    if (entry === 0) return reply.emptySet()
    const set = openSet(ctx, entry)
    reply.set(set.length)
    if (set.emitPacked(reply)) return
    const e = elementOf(ctx)
    set.rewind()
    while (set.next(e)) replyElement(reply, e)
  },
}

export const lookingCommands: readonly Command[] = [sCard, sIsMember, sMIsMember, sMembers]
