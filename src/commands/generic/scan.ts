// SCAN.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { globMatch } from '../../lib/glob.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { cursorOrReply } from '../shared/cursor.ts'
import { isEverything } from '../shared/scan.ts'

const COUNT_DEFAULT = 10
const ANY_TYPE = -2

const scan: Command = {
  name: 'scan',
  arity: -2,
  flags: 'readonly touches_arbitrary_keys',
  since: '2.8.0',
  group: 'generic',
  summary: 'Go through the keys of the database in steps, with a cursor.',
  complexity: 'O(1) for one call, O(N) from cursor 0 back to 0, N = keys of the database.',
  args: 'cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type@6.0.0]',
  history: [['6.0.0', 'New filter `TYPE`.']],
  tips: 'nondeterministic_output request_policy:special response_policy:special',
  run(ctx) {
    const { db, reply } = ctx
    let cursor = cursorOrReply(ctx, 1, ctx.keyspace.slotTables === undefined ? 32 : 46)
    if (Number.isNaN(cursor)) return
    let count = COUNT_DEFAULT
    let pattern: Slice | undefined
    let type = ANY_TYPE
    const opt = ctx.options(2)
    while (opt.more()) {
      if (opt.eat('count', 1)) {
        count = opt.longOrReply()
        if (count < 1) opt.syntaxError()
      } else if (opt.eat('match', 1)) pattern = opt.next()
      else if (opt.eat('type', 1)) type = ctx.keyspace.types.numberOf(opt.next())
      else opt.syntaxError()
      if (opt.failed) return
    }
    if (pattern !== undefined && isEverything(pattern)) pattern = undefined
    const found: Ref[] = []
    let seen = 0
    const visit = (entry: Ref) => {
      seen++
      if (pattern === undefined || globMatch(pattern, db.entries.keyOf(entry, ctx.value))) found.push(entry)
    }
    let bucketsLeft = count * 10 // a sparse table must not stall the server
    do cursor = db.scan(cursor, visit)
    while (cursor !== 0 && bucketsLeft-- > 0 && seen < count)
    reply.array(2)
    reply.bulkInteger(cursor)
    replyFound(ctx, found, type)
  },
}

/** Replies with the keys that are of `type` and not expired. */
function replyFound(ctx: Context, found: Ref[], type: number): void {
  const { db, reply } = ctx
  const mark = reply.beginDeferredArray()
  let count = 0
  const { keyspace } = ctx
  for (const entry of found) {
    const isDue = db.entries.isDue(entry)
    // Asking for the type is a lookup.
    if (type !== ANY_TYPE) {
      if (isDue) keyspace.misses++
      else keyspace.hits++
    }
    if (isDue) db.expireNow(entry)
    else if (type === ANY_TYPE || db.entries.typeOf(entry) === type) {
      reply.bulk(db.entries.keyOf(entry, ctx.value))
      count++
    }
  }
  reply.endArray(mark, count)
}

export const scanningCommands: readonly Command[] = [scan]
