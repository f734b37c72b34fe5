// XADD.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STREAM } from '../../engine/messaging/events.ts'
import { ENC_STREAM, TYPE_STREAM } from '../../keyspace/types.ts'
import { ENTRY_BYTES_MAX, type Stream } from '../../keyspace/values/stream/stream.ts'
import type { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { STAR } from '../../lib/ascii.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { isMark, openStream, replyId } from './shared.ts'
import { AddOrTrim, propagate } from './trim.ts'

const ZERO_ID = errorBytes('ERR The ID specified in XADD must be greater than 0-0')
const EXHAUSTED = errorBytes('ERR The stream has exhausted the last possible ID, unable to add more items')
const SMALL_ID = errorBytes('ERR The ID specified in XADD is equal or smaller than the target stream top item')
const TOO_LARGE = errorBytes('ERR Elements are too large to be stored')
const add: Command = {
  name: 'xadd',
  arity: -5,
  flags: 'write denyoom fast',
  keys: 'RW UPDATE @1 (trimming removes entries)',
  since: '5.0.0',
  group: 'stream',
  summary: 'Append an entry to a stream, which is made if the key is missing.',
  complexity: 'O(1); with trimming O(N), N = entries removed.',
  args:
    'key#0 [NOMKSTREAM@6.2.0] [trim:(strategy:(MAXLEN|MINID@6.2.0) [operator:(equal="="|approximately="~")] ' +
    'threshold [LIMIT count:integer@6.2.0])] id-selector:(auto-id="*"|id) data:(field value)...',
  history: [
    ['6.2.0', 'New option `NOMKSTREAM`; trimming by `MINID`, and its `LIMIT`.'],
    ['7.0.0', '`<ms>-*` generates the second part of an id alone.'],
  ],
  tips: 'nondeterministic_output',
  run(ctx) {
    // The common form, XADD key * …, has no options.
    if (isMark(ctx.args[2], STAR)) return addEntry(ctx, 3, undefined)
    const request = new AddOrTrim()
    if (request.parseOrReply(ctx, true)) addEntry(ctx, request.idIndex + 1, request)
  },
}

/** Appends the entry with the fields args[from ..]; without a request its id is generated. */
function addEntry(ctx: Context, from: number, request: AddOrTrim | undefined): void {
  const { args, argc, db, reply } = ctx
  const kind = StreamType.of(ctx.keyspace)
  if (argc - from < 2 || (argc - from) % 2 !== 0) {
    return reply.error(`ERR wrong number of arguments for '${ctx.command.fullName}' command`)
  }
  if (request?.idGiven && request.seqGiven && request.id.isZero) return reply.fixedError(ZERO_ID)
  const entry = ctx.writeOrReply(args[1], TYPE_STREAM)
  if (entry === WRONG) return
  if (entry === 0 && request?.createMissing === false) return reply.null()
  const stream = entry === 0 ? kind.stream.create() : openStream(ctx, entry)
  if (entry === 0) db.add(args[1], TYPE_STREAM, ENC_STREAM, stream.value)
  const id = request?.id ?? kind.to
  if (!newIdOrReply(ctx, stream, id, request)) return
  let bytes = 0
  for (let i = from; i < argc; i++) bytes += args[i].len
  if (bytes > ENTRY_BYTES_MAX) return reply.fixedError(TOO_LARGE)
  stream.append(id, args, from, (argc - from) / 2)
  replyId(ctx, id)
  ctx.touched(args[1], 'xadd', NOTIFY_STREAM)
  if (request !== undefined && request.strategy !== 'none' && stream.trim(request.trim) > 0)
    ctx.notify(args[1], 'xtrim', NOTIFY_STREAM)
  if (ctx.hasSinks) propagate(ctx, stream, id, from - 1, request)
  if (entry !== 0) ctx.keyReady(args[1], TYPE_STREAM)
}

/** Completes the id of the new entry, which must be greater than the last one. */
function newIdOrReply(ctx: Context, stream: Stream, id: StreamId, request: AddOrTrim | undefined): boolean {
  const last = stream.lastId(StreamType.of(ctx.keyspace).from)
  if (last.isMax) {
    ctx.reply.fixedError(EXHAUSTED)
    return false
  }
  if (!request?.idGiven) {
    id.setNumbers(ctx.nowMs, 0)
    if (id.ms <= last.ms) id.set(last).increment()
  } else if (!request.seqGiven) {
    id.seqHigh = id.seqLow = 0
    if (id.msHigh === last.msHigh && id.msLow === last.msLow) {
      id.set(last)
      if (!last.seqIsMax) id.increment()
    }
  }
  if (id.compare(last) > 0) return true
  ctx.reply.fixedError(SMALL_ID)
  return false
}

export const addingCommands: readonly Command[] = [add]
