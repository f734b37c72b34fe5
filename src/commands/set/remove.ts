// SREM.

import type { Command } from '../../engine/catalog/command.ts'
import { WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_SET } from '../../engine/messaging/events.ts'
import { TYPE_SET } from '../../keyspace/types.ts'
import { openSet, storeBack } from './shared.ts'

const sRem: Command = {
  name: 'srem',
  arity: -3,
  flags: 'write fast',
  keys: 'RW DELETE @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Remove members from a set; a set without members is removed.',
  complexity: 'O(N), N = members named.',
  args: 'key#0 member...',
  history: [['2.4.0', 'More than one `member` may be given.']],
  run(ctx) {
    const { args, argc, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_SET)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const set = openSet(ctx, entry)
    let removed = 0
    for (let i = 2; i < argc && set.length > 0; i++) if (set.remove(args[i])) removed++
    if (removed === 0) return reply.integer(0)
    const gone = storeBack(ctx, entry, args[1], set)
    ctx.touched(args[1], 'srem', NOTIFY_SET, removed)
    if (gone) ctx.notify(args[1], 'del', NOTIFY_GENERIC)
    reply.integer(removed)
  },
}

export const removingCommands: readonly Command[] = [sRem]
