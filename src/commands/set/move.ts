// SMOVE.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_SET } from '../../engine/messaging/events.ts'
import { TYPE_SET } from '../../keyspace/types.ts'
import { SetType } from '../../keyspace/values/set/set-type.ts'
import type { Ref } from '../../memory/arena.ts'
import { openSet, storeBack } from './shared.ts'

const sMove: Command = {
  name: 'smove',
  arity: 4,
  flags: 'write fast',
  keys: 'RW ACCESS DELETE @1; RW INSERT @2',
  since: '1.0.0',
  group: 'set',
  summary: 'Move a member from one set to another.',
  complexity: 'O(1)',
  args: 'source#0 destination#1 member',
  run(ctx) {
    const { args, reply } = ctx
    const source = ctx.writeOrReply(args[1], TYPE_SET)
    if (source === WRONG) return
    if (source === 0) return reply.integer(0)
    const target = ctx.writeOrReply(args[2], TYPE_SET)
    if (target === WRONG) return
    const set = openSet(ctx, source)
    if (source === target) return reply.integer(set.has(args[3]) ? 1 : 0)
    if (!set.remove(args[3])) return reply.integer(0)
    const gone = storeBack(ctx, source, args[1], set)
    ctx.touched(args[1], 'srem', NOTIFY_SET)
    if (gone) ctx.notify(args[1], 'del', NOTIFY_GENERIC)
    if (addToTarget(ctx, target)) ctx.touched(args[2], 'sadd', NOTIFY_SET)
    reply.integer(1)
  },
}

/** Adds args[3] to set args[2], whose entry is `target` (0: a new set); false when it was a member. */
function addToTarget(ctx: Context, target: Ref): boolean {
  const { args, db } = ctx
  const set = SetType.of(ctx.keyspace).result
  if (target === 0) set.create(args[3], 1)
  else set.open(db.entries.encodingOf(target), db.entries.valueOf(target))
  const added = set.add(args[3])
  if (target === 0) db.add(args[2], TYPE_SET, set.encoding, set.value)
  else db.entries.setValue(target, set.encoding, set.value)
  return added
}

export const movingCommands: readonly Command[] = [sMove]
