// SADD.

import type { Command } from '../../engine/catalog/command.ts'
import { WRONG } from '../../engine/context.ts'
import { NOTIFY_SET } from '../../engine/messaging/events.ts'
import { TYPE_SET } from '../../keyspace/types.ts'
import { SetType } from '../../keyspace/values/set/set-type.ts'

const sAdd: Command = {
  name: 'sadd',
  arity: -3,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Add members to a set, which is made if the key is missing.',
  complexity: 'O(N), N = members named.',
  args: 'key#0 member...',
  history: [['2.4.0', 'More than one `member` may be given.']],
  run(ctx) {
    const { args, argc, db, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_SET)
    if (entry === WRONG) return
    const set = SetType.of(ctx.keyspace).current
    if (entry === 0) set.create(args[2], argc - 2)
    else {
      set.open(db.entries.encodingOf(entry), db.entries.valueOf(entry))
      set.tryConversion(argc - 2)
    }
    let added = 0
    for (let i = 2; i < argc; i++) if (set.add(args[i])) added++
    if (entry === 0) db.add(args[1], TYPE_SET, set.encoding, set.value)
    else db.entries.setValue(entry, set.encoding, set.value)
    if (added > 0) ctx.touched(args[1], 'sadd', NOTIFY_SET, added)
    reply.integer(added)
  },
}

export const changingCommands: readonly Command[] = [sAdd]
