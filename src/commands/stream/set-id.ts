// XSETID.

import type { Command } from '../../engine/catalog/command.ts'
import { WRONG } from '../../engine/context.ts'
import { NOTIFY_STREAM } from '../../engine/messaging/events.ts'
import { TYPE_STREAM } from '../../keyspace/types.ts'
import { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import type { Long } from '../../lib/long-field.ts'
import { NO_SUCH_KEY, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { idOrReply, openStream } from './shared.ts'

const ADDED_NEGATIVE = errorBytes('ERR entries_added must be positive')
const BELOW_MAX_DELETED = errorBytes('ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id')
const BELOW_OWN_MAX_DELETED = errorBytes('ERR The ID specified in XSETID is smaller than current max_deleted_entry_id')
const BELOW_TOP = errorBytes('ERR The ID specified in XSETID is smaller than the target stream top item')
const ADDED_BELOW_LENGTH = errorBytes(
  'ERR The entries_added specified in XSETID is smaller than the target stream length',
)

const setId: Command = {
  name: 'xsetid',
  arity: -3,
  flags: 'write denyoom fast',
  keys: 'RW UPDATE @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Set the last id and the counters of a stream: written by replication and rewrites.',
  complexity: 'O(1)',
  args: 'key#0 last-id [ENTRIESADDED entries-added:integer@7.0.0] [MAXDELETEDID max-deleted-id@7.0.0]',
  history: [['7.0.0', 'New options for `entries_added` and `max_deleted_entry_id`.']],
  run(ctx) {
    const { args, reply } = ctx
    const id = new StreamId()
    const maxDeleted = new StreamId()
    const other = new StreamId()
    let added: Long = -1
    if (!idOrReply(ctx, 2, id)) return
    const opt = ctx.options(3)
    while (opt.more()) {
      if (opt.eat('entriesadded', 1)) {
        added = opt.exactLongOrReply()
        if (added < 0) opt.fail(ADDED_NEGATIVE)
      } else if (opt.eat('maxdeletedid', 1)) {
        if (!idOrReply(ctx, opt.at++, maxDeleted)) return
        if (id.compare(maxDeleted) < 0) opt.fail(BELOW_MAX_DELETED)
      } else opt.fail(SYNTAX)
      if (opt.failed) return
    }
    const entry = ctx.writeOrReply(args[1], TYPE_STREAM)
    if (entry === WRONG) return
    if (entry === 0) return reply.fixedError(NO_SUCH_KEY)
    const stream = openStream(ctx, entry)
    if (id.compare(stream.maxDeletedId(other)) < 0) return reply.fixedError(BELOW_OWN_MAX_DELETED)
    if (stream.length > 0) {
      stream.edgeId(true, false, other)
      if (id.compare(other) < 0) return reply.fixedError(BELOW_TOP)
      if (added >= 0 && stream.length > added) return reply.fixedError(ADDED_BELOW_LENGTH)
    }
    stream.setLastId(id)
    if (added >= 0) stream.entriesAdded = added
    if (!maxDeleted.isZero) stream.setMaxDeletedId(maxDeleted)
    // Not touched(): in Redis XSETID does not signal a modified key.
    ctx.keyspace.dirty++
    ctx.notify(args[1], 'xsetid', NOTIFY_STREAM)
    reply.ok()
  },
}

export const setIdCommands: readonly Command[] = [setId]
