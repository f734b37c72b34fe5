// DEBUG OBJECT's figures of quicklists, and DEBUG QUICKLIST-PACKED-THRESHOLD.

import type { Context } from '../../../engine/context.ts'
import { ENC_QUICKLIST } from '../../../keyspace/types.ts'
import { ListType } from '../../../keyspace/values/list/list-type.ts'
import { memoryUnits } from '../../../lib/number.ts'
import type { Ref } from '../../../memory/arena.ts'
import { errorBytes } from '../../../protocol/reply.ts'

const BAD_THRESHOLD = errorBytes('ERR argument must be a memory value bigger than 1 and smaller than 4gb')
const THRESHOLD_MAX = 2 ** 32 - 2 ** 20
const THRESHOLD_DEFAULT = 1 << 30

/** The end of DEBUG OBJECT's line for a quicklist, empty for any other value. */
export function quicklistFacts(ctx: Context, entry: Ref): string {
  const { db } = ctx
  if (db.entries.encodingOf(entry) !== ENC_QUICKLIST) return ''
  const { quicklists } = ListType.of(ctx.keyspace)
  const q = db.entries.valueOf(entry)
  const nodes = quicklists.nodes(q)
  let bytes = 0
  for (let node = quicklists.firstNode(q); node !== 0; node = quicklists.nextNode(node))
    bytes += quicklists.nodeBytes(node)
  return (
    ` ql_nodes:${nodes} ql_avg_node:${twoDecimals(quicklists.count(q) / nodes)} ` +
    `ql_listpack_max:${quicklists.fill(q)} ql_compressed:${quicklists.depth(q) === 0 ? 0 : 1} ` +
    `ql_uncompressed_size:${bytes}`
  )
}

/** printf's %.2f: an exact half, which only odd eighths are, is rounded to even. */
function twoDecimals(x: number): string {
  const below = Math.floor(x * 100)
  return (x * 8) % 2 === 1 && below % 2 === 0 ? (below / 100).toFixed(2) : x.toFixed(2)
}

/** Elements of so many bytes get a node of their own; 0: the default of a gigabyte. */
export function setPackedThreshold(ctx: Context): void {
  const bytes = memoryUnits(ctx.args[2].latin1())
  if (Number.isNaN(bytes) || bytes > THRESHOLD_MAX) return ctx.reply.fixedError(BAD_THRESHOLD)
  ListType.of(ctx.keyspace).quicklists.packedThreshold = bytes === 0 ? THRESHOLD_DEFAULT : bytes
  ctx.reply.ok()
}
