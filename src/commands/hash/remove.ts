// HDEL.

import type { Command } from '../../engine/catalog/command.ts'
import { WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_HASH } from '../../engine/messaging/events.ts'
import { TYPE_HASH } from '../../keyspace/types.ts'
import { openHash, storeHash } from './shared.ts'

const hDel: Command = {
  name: 'hdel',
  arity: -3,
  flags: 'write fast',
  keys: 'RW DELETE @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Remove fields from a hash; a hash without fields is removed.',
  complexity: 'O(N), N = fields named.',
  args: 'key#0 field...',
  history: [['2.4.0', 'More than one `field` may be given.']],
  run(ctx) {
    const { args, argc, db, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_HASH)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const hash = openHash(ctx, entry)
    let deleted = 0
    for (let i = 2; i < argc && hash.length > 0; i++) if (hash.remove(args[i])) deleted++
    if (deleted === 0) return reply.integer(0)
    const gone = hash.length === 0
    if (gone) {
      hash.discard()
      db.deleteEmptied(args[1])
    } else storeHash(ctx, entry, args[1], hash)
    ctx.touched(args[1], 'hdel', NOTIFY_HASH, deleted)
    if (gone) ctx.notify(args[1], 'del', NOTIFY_GENERIC)
    reply.integer(deleted)
  },
}

export const removingCommands: readonly Command[] = [hDel]
