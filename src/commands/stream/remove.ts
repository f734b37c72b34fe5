// XDEL.

import type { Command } from '../../engine/catalog/command.ts'
import { WRONG } from '../../engine/context.ts'
import { NOTIFY_STREAM } from '../../engine/messaging/events.ts'
import { TYPE_STREAM } from '../../keyspace/types.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { idOrReply, openStream } from './shared.ts'

const del: Command = {
  name: 'xdel',
  arity: -3,
  flags: 'write fast',
  keys: 'RW DELETE @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Remove entries from a stream by their ids.',
  complexity: 'O(1) for each id, however long the stream is.',
  args: 'key#0 id...',
  run(ctx) {
    const { args, argc, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_STREAM)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const { from: id, to: other } = StreamType.of(ctx.keyspace)
    for (let i = 2; i < argc; i++) if (!idOrReply(ctx, i, id)) return
    const stream = openStream(ctx, entry)
    let deleted = 0
    let firstGone = false
    for (let i = 2; i < argc; i++) {
      id.parse(args[i])
      if (!stream.delete(id)) continue
      if (id.compare(stream.firstId(other)) === 0) firstGone = true
      if (id.compare(stream.maxDeletedId(other)) > 0) stream.setMaxDeletedId(id)
      deleted++
    }
    if (deleted > 0) {
      if (firstGone || stream.length === 0) stream.updateFirstId()
      ctx.touched(args[1], 'xdel', NOTIFY_STREAM, deleted)
    }
    reply.integer(deleted)
  },
}

export const removingCommands: readonly Command[] = [del]
