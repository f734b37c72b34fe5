// CLUSTER SLOT-STATS, as in Valkey 8 and Redis 8.2.

import type { Context } from '../engine/context.ts'
import { parseInt64 } from '../lib/number.ts'
import { SYNTAX } from '../protocol/errors.ts'
import { type Field, replyFields } from '../protocol/fields.ts'
import { SLOTS, slotsIn } from './bitmap.ts'
import type { Cluster } from './cluster.ts'
import { rangeAt } from './slot-arguments.ts'
import { METERED, type Metered } from './slot-meter.ts'

const KEY_COUNT = 'key-count'
const TWICE = 'ERR Multiple filters of the same type are disallowed.'
const BAD_METRIC = 'ERR Unrecognized sort metric for ORDERBY.'
const BAD_LIMIT = 'ERR Limit has to lie in between 1 and 16384 (maximum number of slots).'

/** SLOTSRANGE first last | ORDERBY metric [LIMIT n] [ASC | DESC] */
export function slotStats(cluster: Cluster, ctx: Context): void {
  const { reply, argc } = ctx
  const mine = slotsIn((cluster.me.primary ?? cluster.me).slots.bitmap)
  if (ctx.is(2, 'slotsrange') && argc === 5) {
    const range = rangeAt(ctx, 3)
    if (typeof range === 'string') return reply.error(range)
    const [first, last] = range
    return replySlots(
      cluster,
      ctx,
      mine.filter(slot => slot >= first && slot <= last),
    )
  }
  if (!ctx.is(2, 'orderby') || argc < 4) return reply.fixedError(SYNTAX)
  const metric = metricAt(cluster, ctx, 3)
  if (metric === undefined) return reply.error(BAD_METRIC)
  let limit = 0
  let sign = 0
  for (let i = 4; i < argc; i++) {
    const isOrder = ctx.is(i, 'asc') || ctx.is(i, 'desc')
    const isLimit = ctx.is(i, 'limit') && i + 1 < argc
    if (!isOrder && !isLimit) return reply.fixedError(SYNTAX)
    if (isOrder ? sign !== 0 : limit !== 0) return reply.error(TWICE)
    if (isOrder) sign = ctx.is(i, 'asc') ? 1 : -1
    else {
      limit = parseInt64(ctx.args[++i])
      if (!(limit >= 1 && limit <= SLOTS)) return reply.error(BAD_LIMIT)
    }
  }
  mine.sort((a, b) => (sign || -1) * (metric(a) - metric(b)) || a - b)
  replySlots(cluster, ctx, mine.slice(0, limit || SLOTS))
}

/** The number that a slot is sorted by; undefined: there is none of this name, or it is not counted. */
function metricAt(cluster: Cluster, ctx: Context, i: number): ((slot: number) => number) | undefined {
  const { keys, meter } = cluster.host
  if (ctx.is(i, KEY_COUNT)) return slot => keys.count(slot)
  const name: Metered | undefined = METERED.find(one => ctx.is(i, one))
  const counter = name === undefined ? undefined : meter?.counters[name]
  return counter && (slot => counter[slot])
}

function replySlots({ host }: Cluster, { reply }: Context, slots: readonly number[]): void {
  const { keys, meter } = host
  reply.array(slots.length)
  for (const slot of slots) {
    const fields: Field[] = [[KEY_COUNT, keys.count(slot)]]
    if (meter !== undefined) for (const name of METERED) fields.push([name, Math.floor(meter.counters[name][slot])])
    reply.array(2)
    reply.integer(slot)
    replyFields(reply, fields)
  }
}
