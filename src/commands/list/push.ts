// LPUSH, RPUSH, LPUSHX, RPUSHX.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_LIST } from '../../engine/messaging/events.ts'
import { TYPE_LIST } from '../../keyspace/types.ts'
import { ListType } from '../../keyspace/values/list/list-type.ts'

const lPush: Command = {
  name: 'lpush',
  arity: -3,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Add elements at the head of a list, which is made if the key is missing.',
  complexity: 'O(N), N = elements given.',
  args: 'key#0 element...',
  history: [['2.4.0', 'More than one `element` may be given.']],
  run(ctx) {
    push(ctx, true, false)
  },
}

const rPush: Command = {
  name: 'rpush',
  arity: -3,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Add elements at the tail of a list, which is made if the key is missing.',
  complexity: 'O(N), N = elements given.',
  args: 'key#0 element...',
  history: [['2.4.0', 'More than one `element` may be given.']],
  run(ctx) {
    push(ctx, false, false)
  },
}

const lPushX: Command = {
  name: 'lpushx',
  arity: -3,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '2.2.0',
  group: 'list',
  summary: 'Add elements at the head of a list that exists.',
  complexity: 'O(N), N = elements given.',
  args: 'key#0 element...',
  history: [['4.0.0', 'More than one `element` may be given.']],
  run(ctx) {
    push(ctx, true, true)
  },
}

const rPushX: Command = {
  name: 'rpushx',
  arity: -3,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '2.2.0',
  group: 'list',
  summary: 'Add elements at the tail of a list that exists.',
  complexity: 'O(N), N = elements given.',
  args: 'key#0 element...',
  history: [['4.0.0', 'More than one `element` may be given.']],
  run(ctx) {
    push(ctx, false, true)
  },
}

function push(ctx: Context, atHead: boolean, onlyExisting: boolean): void {
  const { args, argc, db, reply } = ctx
  const entry = ctx.writeOrReply(args[1], TYPE_LIST)
  if (entry === WRONG) return
  if (entry === 0 && onlyExisting) return reply.integer(0)
  const list = ListType.of(ctx.keyspace).current
  if (entry === 0) list.create()
  else list.open(db.entries.encodingOf(entry), db.entries.valueOf(entry))
  const before = list.value
  let bytes = 0
  for (let i = 2; i < argc; i++) bytes += args[i].len
  list.tryConversion(argc - 2, bytes)
  for (let i = 2; i < argc; i++) list.push(args[i], atHead)
  if (entry === 0) db.add(args[1], TYPE_LIST, list.encoding, list.value)
  else if (list.value !== before) db.entries.setValue(entry, list.encoding, list.value)
  ctx.touched(args[1], atHead ? 'lpush' : 'rpush', NOTIFY_LIST, argc - 2)
  reply.integer(list.length)
}

export const pushingCommands: readonly Command[] = [lPush, rPush, lPushX, rPushX]
