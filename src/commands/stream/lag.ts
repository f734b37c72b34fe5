// The lag of consumer groups, computed from the counters of stream and group unless deletions make them uncertain.
// Source: the rules of Redis's XINFO, which these must match.

import type { Stream } from '../../keyspace/values/stream/stream.ts'
import type { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { addLong, type Long } from '../../lib/long-field.ts'

/** A counter of entries read that is not known. Other negative ones are those of counters that have passed 2^63. */
export const UNKNOWN_READ = -1

/** True when an entry from `id` on may have been deleted by XDEL. */
export function hasDeletedAfter(stream: Stream, id: StreamId): boolean {
  if (stream.length === 0) return false
  const maxDeleted = stream.maxDeletedId(stream.scratch2)
  if (maxDeleted.isZero || stream.firstId(stream.scratch).compare(maxDeleted) > 0) return false
  return id.compare(maxDeleted) <= 0
}

/** How many entries were ever added up to `id`, or UNKNOWN_READ. */
export function distanceFromFirst(stream: Stream, id: StreamId): Long {
  const added = stream.entriesAdded
  if (added === 0) return 0
  const toLast = id.compare(stream.lastId(stream.scratch))
  if (stream.length === 0 && toLast <= 0) return added
  if (toLast === 0) return added
  if (toLast > 0) return UNKNOWN_READ
  const first = stream.firstId(stream.scratch)
  const maxDeleted = stream.maxDeletedId(stream.scratch2)
  if (maxDeleted.isZero || maxDeleted.compare(first) < 0) {
    const toFirst = id.compare(first)
    if (toFirst < 0) return addLong(added, -stream.length)
    if (toFirst === 0) return addLong(added, 1 - stream.length)
  }
  return UNKNOWN_READ
}

/** Entries that a group has not read yet; NaN when unknown. */
export function lagOf(stream: Stream, lastId: StreamId, entriesRead: Long): Long {
  const added = stream.entriesAdded
  if (added === 0) return 0
  if (entriesRead !== UNKNOWN_READ && !hasDeletedAfter(stream, lastId)) return addLong(added, -entriesRead)
  const read = distanceFromFirst(stream, lastId)
  return read === UNKNOWN_READ ? Number.NaN : addLong(added, -read)
}
