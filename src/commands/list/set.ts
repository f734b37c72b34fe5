// LSET.

import type { Command } from '../../engine/catalog/command.ts'
import { WRONG } from '../../engine/context.ts'
import { NOTIFY_LIST } from '../../engine/messaging/events.ts'
import { TYPE_LIST } from '../../keyspace/types.ts'
import { parseBigInt64 } from '../../lib/number.ts'
import { INDEX_OUT_OF_RANGE, NO_SUCH_KEY } from '../../protocol/errors.ts'
import { elementOf, openList } from './shared.ts'

const lSet: Command = {
  name: 'lset',
  arity: 4,
  flags: 'write denyoom',
  keys: 'RW UPDATE @1',
  since: '1.0.0',
  group: 'list',
  summary: 'Replace the element at an index of a list.',
  complexity: 'O(N), N = elements of the list; O(1) at both ends.',
  args: 'key#0 index:integer element',
  run(ctx) {
    const { args, db, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_LIST)
    if (entry === WRONG) return
    if (entry === 0) return reply.fixedError(NO_SUCH_KEY)
    const wide = ctx.longOrReply(2)
    if (Number.isNaN(wide)) return
    // Redis truncates this index to 32 bits, so a very large one can be in the list again.
    let index = Number.isSafeInteger(wide) ? wide | 0 : Number(BigInt.asIntN(32, parseBigInt64(args[2])))
    const list = openList(ctx, entry)
    list.tryConversion(1, args[3].len)
    const length = list.length
    if (index < 0) index += length
    const inside = index >= 0 && index < length
    if (inside) {
      list.replace(index, args[3], elementOf(ctx))
      list.shrink()
    }
    db.entries.setValue(entry, list.encoding, list.value)
    if (!inside) return reply.fixedError(INDEX_OUT_OF_RANGE)
    ctx.touched(args[1], 'lset', NOTIFY_LIST)
    reply.ok()
  },
}

export const settingCommands: readonly Command[] = [lSet]
