// Members that come and go: SADD, SREM, SMOVE.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_SET } from '../../engine/events.ts'
import { SetKind } from '../../keyspace/set-kind.ts'
import { TYPE_SET } from '../../keyspace/types.ts'
import type { Ref } from '../../memory/arena.ts'
import { openSet, storeBack } from './shared.ts'

const sAdd: Command = {
  name: 'sadd',
  arity: -3,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '1.0.0',
  group: 'set',
  summary: "Adds one or more members to a set. Creates the key if it doesn't exist.",
  complexity:
    'O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.',
  args: 'key#0 member...',
  history: [['2.4.0', 'Accepts multiple `member` arguments.']],
  run(ctx) {
    const { args, argc, db, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_SET)
    if (entry === WRONG) return
    const set = SetKind.of(ctx.keyspace).first
    if (entry === 0) set.create(args[2], argc - 2)
    else {
      set.open(db.encodingOf(entry), db.valueOf(entry))
      set.makeRoom(argc - 2)
    }
    let added = 0
    for (let i = 2; i < argc; i++) if (set.add(args[i])) added++
    if (entry === 0) db.add(args[1], TYPE_SET, set.encoding, set.value)
    else db.setValue(entry, set.encoding, set.value)
    if (added > 0) ctx.touched(args[1], 'sadd', NOTIFY_SET, added)
    reply.integer(added)
  },
}

const sRem: Command = {
  name: 'srem',
  arity: -3,
  flags: 'write fast',
  keys: 'RW DELETE @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Removes one or more members from a set. Deletes the set if the last member was removed.',
  complexity: 'O(N) where N is the number of members to be removed.',
  args: 'key#0 member...',
  history: [['2.4.0', 'Accepts multiple `member` arguments.']],
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

const sMove: Command = {
  name: 'smove',
  arity: 4,
  flags: 'write fast',
  keys: 'RW ACCESS DELETE @1; RW INSERT @2',
  since: '1.0.0',
  group: 'set',
  summary: 'Moves a member from one set to another.',
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

/** Adds args[3] to the set args[2], whose entry is `target` (0: it is made); false when it was there. */
function addToTarget(ctx: Context, target: Ref): boolean {
  const { args, db } = ctx
  const set = SetKind.of(ctx.keyspace).made
  if (target === 0) set.create(args[3], 1)
  else set.open(db.encodingOf(target), db.valueOf(target))
  const added = set.add(args[3])
  if (target === 0) db.add(args[2], TYPE_SET, set.encoding, set.value)
  else db.setValue(target, set.encoding, set.value)
  return added
}

export const changingCommands: readonly Command[] = [sAdd, sRem, sMove]
