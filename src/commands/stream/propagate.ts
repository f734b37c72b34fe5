// Propagation of consumer group changes as deterministic commands: claims with time, delivery count and the group's
// last id. Call these only with ctx.hasSinks.

import type { Context } from '../../engine/context.ts'
import { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'

/** Propagates a pending entry in its current state; `id` as it is written. */
export function propagateClaim(
  ctx: Context,
  key: Slice,
  groupName: Slice,
  group: Ref,
  id: Slice | string,
  pending: Ref,
): void {
  const { groups, index } = StreamType.of(ctx.keyspace)
  const words: (Slice | string | number)[] = ['XCLAIM', key, groupName]
  words.push(index.nameOf(groups.owner(pending), new Slice()), '0', id, 'TIME', groups.deliveredMs(pending))
  words.push('RETRYCOUNT', groups.deliveries(pending), 'FORCE', 'JUSTID', 'LASTID')
  propagateInstead(ctx, ...words, groups.lastId(group, new StreamId()).toString())
}

/** Propagates the group's last id when nothing became pending. */
export function propagateGroupId(ctx: Context, key: Slice, groupName: Slice, group: Ref): void {
  const { groups } = StreamType.of(ctx.keyspace)
  const lastId = groups.lastId(group, new StreamId()).toString()
  propagateInstead(ctx, 'XGROUP', 'SETID', key, groupName, lastId, 'ENTRIESREAD', String(groups.entriesRead(group)))
}

export function propagateNewConsumer(ctx: Context, key: Slice, groupName: Slice, name: Slice): void {
  propagateInstead(ctx, 'XGROUP', 'CREATECONSUMER', key, groupName, name)
}

/** Not limited by redis.set_repl(), as in Redis. */
function propagateInstead(ctx: Context, ...words: (Slice | string | number)[]): void {
  ctx.effect.replaced = true
  ctx.alsoPropagate(ctx.db, ...words)
}
