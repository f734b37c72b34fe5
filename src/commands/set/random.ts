// SRANDMEMBER.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_SET } from '../../keyspace/types.ts'
import type { MemberSet } from '../../keyspace/values/set/set.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { symmetricLongOrReply } from '../shared/arguments.ts'
import { replyElement } from '../shared/element-reply.ts'
import { elementOf, openSet } from './shared.ts'

const sRandMember: Command = {
  name: 'srandmember',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Return members picked at random, and leave them in the set.',
  complexity: 'O(N), N = the count given, without its sign; O(1) without one.',
  args: 'key#0 [count:integer@2.6.0]',
  history: [['2.6.0', 'A `count` may be given.']],
  tips: 'nondeterministic_output',
  run(ctx) {
    const { args, argc, reply } = ctx
    if (argc > 3) return reply.fixedError(SYNTAX)
    const count = argc === 3 ? symmetricLongOrReply(ctx, 2) : 1
    if (Number.isNaN(count)) return
    const entry = ctx.readOrReply(args[1], TYPE_SET)
    if (entry === WRONG) return
    if (entry === 0) return argc === 3 ? reply.emptyArray() : reply.null()
    const set = openSet(ctx, entry)
    const e = elementOf(ctx)
    if (argc === 3) return replySome(ctx, set, count)
    set.sample(e)
    replyElement(reply, e)
  },
}

/** `count` different members, or, when negative, as many with repetitions. */
function replySome(ctx: Context, set: MemberSet, count: number): void {
  const { reply } = ctx
  const e = elementOf(ctx)
  const n = count < 0 ? -count : Math.min(count, set.length)
  reply.array(n)
  if (count < 0) {
    for (let left = n; left > 0 && !reply.isCutOff; left--) {
      set.sample(e)
      replyElement(reply, e)
    }
  } else if (n === set.length) replyAll(ctx, set)
  else if (n > 0) set.sampleDistinct(n, e, () => replyElement(reply, e))
}

export function replyAll(ctx: Context, set: MemberSet): void {
  const e = elementOf(ctx)
  set.rewind()
  while (set.next(e)) replyElement(ctx.reply, e)
}

export const samplingCommands: readonly Command[] = [sRandMember]
