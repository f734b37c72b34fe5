// What consumer groups do, told to replicas and files in words that do the same there: claims that name time, count
// and the group's position. Call these only where somebody listens (ctx.hasSinks).

import type { Context } from '../../engine/context.ts'
import { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'

/** This entry is pending, as it stands. */
export function propagateClaim(
  ctx: Context,
  key: Slice,
  groupName: Slice,
  group: Ref,
  id: StreamId,
  pending: Ref,
): void {
  const { groups, index } = StreamType.of(ctx.keyspace)
  const words: (Slice | string | number)[] = ['XCLAIM', key, groupName]
  words.push(index.nameOf(groups.owner(pending), new Slice()), '0', id.toString(), 'TIME', groups.deliveredMs(pending))
  words.push('RETRYCOUNT', groups.deliveries(pending), 'FORCE', 'JUSTID', 'LASTID')
  ctx.propagateAs(...words, groups.lastId(group, new StreamId()).toString())
}

/** The group has read up to its last id without anything being pending. */
export function propagateGroupId(ctx: Context, key: Slice, groupName: Slice, group: Ref): void {
  const { groups } = StreamType.of(ctx.keyspace)
  const lastId = groups.lastId(group, new StreamId()).toString()
  ctx.propagateAs('XGROUP', 'SETID', key, groupName, lastId, 'ENTRIESREAD', groups.entriesRead(group))
}

export function propagateNewConsumer(ctx: Context, key: Slice, groupName: Slice, name: Slice): void {
  ctx.propagateAs('XGROUP', 'CREATECONSUMER', key, groupName, name)
}
