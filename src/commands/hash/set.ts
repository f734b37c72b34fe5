// HSET, HMSET, HSETNX.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_HASH } from '../../engine/messaging/events.ts'
import { TYPE_HASH } from '../../keyspace/types.ts'
import { openHash, storeHash } from './shared.ts'

const hSet: Command = {
  name: 'hset',
  arity: -4,
  flags: 'write denyoom fast',
  keys: 'RW UPDATE @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Set fields of a hash, which is made if the key is missing.',
  complexity: 'O(N), N = fields named.',
  args: 'key#0 data:(field value)...',
  history: [['4.0.0', 'More than one pair of `field` and `value` may be given.']],
  run(ctx) {
    const created = setOrReply(ctx)
    if (created >= 0) ctx.reply.integer(created)
  },
}

const hMSet: Command = {
  name: 'hmset',
  arity: -4,
  flags: 'write denyoom fast',
  keys: 'RW UPDATE @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Set fields of a hash: HSET in its old form.',
  complexity: 'O(N), N = fields named.',
  args: 'key#0 data:(field value)...',
  deprecated: { since: '4.0.0', replacedBy: '`HSET` with multiple field-value pairs' },
  run(ctx) {
    if (setOrReply(ctx) >= 0) ctx.reply.ok()
  },
}

/** Sets args[2] to args[3] and so on; how many fields are new, or -1 after an error reply. */
function setOrReply(ctx: Context): number {
  const { args, argc, reply } = ctx
  if (argc % 2 === 1) {
    reply.error(`ERR wrong number of arguments for '${ctx.command.fullName}' command`)
    return -1
  }
  const entry = ctx.writeOrReply(args[1], TYPE_HASH)
  if (entry === WRONG) return -1
  const hash = openHash(ctx, entry)
  let longest = 0
  let bytes = 0
  for (let i = 2; i < argc; i++) {
    const { len } = args[i]
    bytes += len
    if (len > longest) longest = len
  }
  hash.tryConversion((argc - 2) >>> 1, longest, bytes)
  let created = 0
  for (let i = 2; i < argc; i += 2) if (hash.set(args[i], args[i + 1])) created++
  storeHash(ctx, entry, args[1], hash)
  ctx.touched(args[1], 'hset', NOTIFY_HASH, (argc - 2) >>> 1)
  return created
}

const hSetNx: Command = {
  name: 'hsetnx',
  arity: 4,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Set a field only if the hash does not have it.',
  complexity: 'O(1)',
  args: 'key#0 field value',
  run(ctx) {
    const { args, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_HASH)
    if (entry === WRONG) return
    const hash = openHash(ctx, entry)
    if (entry !== 0 && hash.has(args[2])) return reply.integer(0)
    hash.tryConversion(1, Math.max(args[2].len, args[3].len), args[2].len + args[3].len)
    hash.set(args[2], args[3])
    storeHash(ctx, entry, args[1], hash)
    ctx.touched(args[1], 'hset', NOTIFY_HASH)
    reply.integer(1)
  },
}

export const settingCommands: readonly Command[] = [hSet, hMSet, hSetNx]
