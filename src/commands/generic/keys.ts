// KEYS, RANDOMKEY.

import type { Command } from '../../engine/catalog/command.ts'
import { globMatch } from '../../lib/glob.ts'
import type { Ref } from '../../memory/arena.ts'
import { isEverything } from '../shared/scan.ts'

const keys: Command = {
  name: 'keys',
  arity: 2,
  flags: 'readonly',
  since: '1.0.0',
  group: 'generic',
  summary: 'List all keys of the database that match a pattern.',
  complexity: 'O(N), N = keys of the database, for names and patterns of bounded length.',
  args: 'pattern:pattern',
  tips: 'request_policy:all_shards nondeterministic_output_order',
  acl: 'keyspace dangerous',
  run(ctx) {
    const { db, reply } = ctx
    const pattern = isEverything(ctx.args[1]) ? undefined : ctx.args[1]
    const key = ctx.value
    const mark = reply.beginDeferredArray()
    let count = 0
    const visit = (entry: Ref) => {
      if (db.entries.isDue(entry)) return
      db.entries.keyOf(entry, key)
      if (pattern !== undefined && !globMatch(pattern, key)) return
      reply.bulk(key)
      count++
    }
    let cursor = 0
    do cursor = db.scan(cursor, visit)
    while (cursor !== 0 && !reply.isCutOff)
    reply.endArray(mark, count)
  },
}

const randomKey: Command = {
  name: 'randomkey',
  arity: 1,
  flags: 'readonly touches_arbitrary_keys',
  since: '1.0.0',
  group: 'generic',
  summary: 'Return a key of the database, picked at random.',
  complexity: 'O(1)',
  tips: 'request_policy:all_shards response_policy:special nondeterministic_output',
  run(ctx) {
    const entry = ctx.db.randomEntry()
    if (entry === 0) ctx.reply.null()
    else ctx.reply.bulk(ctx.db.entries.keyOf(entry, ctx.value))
  },
}

export const browsingCommands: readonly Command[] = [keys, randomKey]
