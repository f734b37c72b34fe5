// EXISTS, TYPE, TOUCH.

import type { Command } from '../../engine/catalog/command.ts'
import { LOOKUP_KEY, LOOKUP_TOUCH } from '../../keyspace/database.ts'
import { bytesOf } from '../../lib/bytes.ts'
import { peek } from './peek.ts'

const exists: Command = {
  name: 'exists',
  arity: -2,
  flags: 'readonly fast',
  keys: 'RO @1..-1',
  since: '1.0.0',
  group: 'generic',
  summary: 'Count how many of the given keys there are.',
  complexity: 'O(N), N = keys named.',
  args: 'key#0...',
  history: [['3.0.3', 'More than one `key` may be given.']],
  tips: 'request_policy:multi_shard response_policy:agg_sum',
  run(ctx) {
    let count = 0
    for (let i = 1; i < ctx.argc; i++) if (peek(ctx, ctx.args[i]) !== 0) count++
    ctx.reply.integer(count)
  },
}

const NONE = bytesOf('+none\r\n')

const type: Command = {
  name: 'type',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '1.0.0',
  group: 'generic',
  summary: 'Name the type of the value that a key holds.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = peek(ctx, ctx.args[1])
    if (entry === 0) ctx.reply.fixed(NONE)
    else ctx.reply.simple(ctx.keyspace.types.nameOf(ctx.db.entries, entry))
  },
}

const touch: Command = {
  name: 'touch',
  arity: -2,
  flags: 'readonly fast',
  keys: 'RO @1..-1',
  since: '3.2.1',
  group: 'generic',
  summary: 'Renew the access times of keys, and count those that there are.',
  complexity: 'O(N), N = keys named.',
  args: 'key#0...',
  tips: 'request_policy:multi_shard response_policy:agg_sum',
  run(ctx) {
    let count = 0
    // The only read that updates the access time in spite of CLIENT NO-TOUCH.
    for (let i = 1; i < ctx.argc; i++) if (ctx.lookupRead(ctx.args[i], LOOKUP_TOUCH | LOOKUP_KEY) !== 0) count++
    ctx.reply.integer(count)
  },
}

export const existenceCommands: readonly Command[] = [exists, type, touch]
