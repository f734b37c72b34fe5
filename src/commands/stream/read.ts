// XREAD, XREADGROUP.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_SCRIPT } from '../../engine/client.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STREAM } from '../../engine/messaging/events.ts'
import { TYPE_STREAM } from '../../keyspace/types.ts'
import type { Stream } from '../../keyspace/values/stream/stream.ts'
import { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { DOLLAR } from '../../lib/ascii.ts'
import { addLong } from '../../lib/long-field.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { SYNTAX, TIMEOUT_NEGATIVE, TIMEOUT_NOT_INTEGER, TIMEOUT_OUT_OF_RANGE } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { errorText } from '../shared/arguments.ts'
import { distanceFromFirst, hasDeletedAfter, UNKNOWN_READ } from './lag.ts'
import { propagateClaim, propagateGroupId, propagateNewConsumer } from './propagate.ts'
import { idOrReply, isMark, openStream, replyEntry, replyId, replyRange } from './shared.ts'

const GROUP_IN_XREAD = errorBytes('ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.')
const NOACK_IN_XREAD = errorBytes('ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.')
const MISSING_GROUP = errorBytes('ERR Missing GROUP option for XREADGROUP')
const DOLLAR_IN_GROUP = errorBytes(
  'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by ' +
    'specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.',
)

const GREATER_IN_XREAD = errorBytes(
  'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
)

const GREATER = 0x3e
const INT64_MAX = 2 ** 63

const read: Command = {
  name: 'xread',
  arity: -4,
  flags: 'blocking readonly',
  keys: 'RO ACCESS @STREAMS:1..-1%2',
  keyFinder: 'xread',
  since: '5.0.0',
  group: 'stream',
  summary: 'Return entries after given ids from several streams; with BLOCK, wait for some.',
  args: '[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS streams:(key#0... id...)',
  run(ctx) {
    readStreams(ctx, false)
  },
}

const readGroup: Command = {
  name: 'xreadgroup',
  arity: -7,
  flags: 'blocking write',
  keys: 'RO ACCESS @STREAMS:4..-1%2',
  keyFinder: 'xread',
  since: '5.0.0',
  group: 'stream',
  summary:
    'Return entries that a consumer group has not delivered yet, or what this consumer has pending; with BLOCK, ' +
    'wait for some.',
  complexity:
    'O(M) for each stream, M = entries returned, or O(1) with a fixed COUNT. XADD takes O(N) to serve N waiting ' +
    'clients.',
  args:
    'GROUP group-block:(group consumer) [COUNT count:integer] [BLOCK milliseconds:integer] [NOACK] ' +
    'STREAMS streams:(key#0... id...)',
  run(ctx) {
    readStreams(ctx, true)
    // XREADGROUP is propagated as a claim for each entry, never as itself.
    if (ctx.hasSinks) ctx.effect.replaced = true
  },
}

/** The arguments of XREAD and XREADGROUP. */
class ReadRequest {
  timeoutMs = -1
  count = 0
  /** Index of the first key; the ids follow the keys. */
  first = 0
  streams = 0
  group: Slice | undefined
  consumer: Slice | undefined
  noAck = false
  /** For each stream: the id after which to read. All ones: `>`, what the group has not read. */
  readonly after: StreamId[] = []

  parseOrReply(ctx: Context, grouped: boolean): boolean {
    const { args, argc, reply } = ctx
    const opt = ctx.options(1)
    while (opt.more() && this.first === 0) {
      if (opt.eat('block', 1)) {
        if (!this.timeoutOrReply(ctx, opt.at++)) return false
      } else if (opt.eat('count', 1)) this.count = Math.max(0, opt.longOrReply())
      else if (opt.eat('streams', 1)) {
        this.first = opt.at
        this.streams = (argc - opt.at) / 2
        if (Number.isInteger(this.streams)) break
        const mark = grouped ? '>' : '$'
        reply.error(
          `ERR Unbalanced '${ctx.command.fullName}' list of streams: for each stream key an ID or '${mark}' must be ` +
            'specified.',
        )
        return false
      } else if (opt.eat('group', 2)) {
        this.group = opt.next()
        this.consumer = opt.next()
        if (!grouped) opt.fail(GROUP_IN_XREAD)
      } else if (opt.eat('noack')) {
        this.noAck = true
        if (!grouped) opt.fail(NOACK_IN_XREAD)
      } else opt.syntaxError()
      if (opt.failed) return false
    }
    if (this.first === 0) reply.fixedError(SYNTAX)
    else if (grouped && this.group === undefined) reply.fixedError(MISSING_GROUP)
    else return this.idsOrReply(ctx, args)
    return false
  }

  private timeoutOrReply(ctx: Context, i: number): boolean {
    const { reply } = ctx
    if (ctx.client.has(CLIENT_SCRIPT)) {
      reply.error(`ERR ${errorText(ctx.args[0])} command is not allowed with BLOCK option from scripts`)
      return false
    }
    const ms = ctx.longOrReply(i, TIMEOUT_NOT_INTEGER)
    if (Number.isNaN(ms)) return false
    if (ms < 0) reply.fixedError(TIMEOUT_NEGATIVE)
    else if (ms + ctx.nowMs >= INT64_MAX) reply.fixedError(TIMEOUT_OUT_OF_RANGE)
    else {
      this.timeoutMs = ms
      return true
    }
    return false
  }

  private idsOrReply(ctx: Context, args: readonly Slice[]): boolean {
    for (let i = 0; i < this.streams; i++) {
      const key = args[this.first + i]
      const idIndex = this.first + this.streams + i
      const entry = ctx.readOrReply(key, TYPE_STREAM)
      if (entry === WRONG) return false
      if (this.group !== undefined && !this.groupExistsOrReply(ctx, key, entry)) return false
      const id = new StreamId()
      this.after.push(id)
      if (isMark(args[idIndex], DOLLAR)) {
        if (this.group !== undefined) {
          ctx.reply.fixedError(DOLLAR_IN_GROUP)
          return false
        }
        if (entry !== 0) openStream(ctx, entry).lastId(id)
      } else if (isMark(args[idIndex], GREATER)) {
        if (this.group === undefined) {
          ctx.reply.fixedError(GREATER_IN_XREAD)
          return false
        }
        id.setMax()
      } else if (!idOrReply(ctx, idIndex, id)) return false
    }
    return true
  }

  private groupExistsOrReply(ctx: Context, key: Slice, entry: Ref): boolean {
    const { groups } = StreamType.of(ctx.keyspace)
    if (entry !== 0 && groups.find(openStream(ctx, entry).groups, this.group!) !== 0) return true
    ctx.reply.error(
      `NOGROUP No such key '${errorText(key)}' or consumer group '${errorText(this.group!)}' in XREADGROUP with ` +
        'GROUP option',
    )
    return false
  }
}

function readStreams(ctx: Context, grouped: boolean): void {
  const { args, reply, db } = ctx
  const request = new ReadRequest()
  if (!request.parseOrReply(ctx, grouped)) return
  const mark = reply.beginDeferredArray()
  let served = 0
  for (let i = 0; i < request.streams; i++) {
    const key = args[request.first + i]
    const entry = ctx.lookupRead(key)
    if (entry === 0) continue
    if (grouped) db.beforeChange(entry)
    if (grouped ? serveGroup(ctx, request, i, entry) : serveStream(ctx, request, i, entry)) served++
  }
  if (served > 0) {
    if (reply.resp === 2) reply.endArray(mark, served)
    else reply.endMap(mark, served)
    return
  }
  reply.cancelDeferred(mark)
  if (request.timeoutMs < 0 || !ctx.canBlock) return reply.nullArray()
  let asked: Slice[] | undefined
  // When the command is reprocessed, $ must still mean the present last id.
  for (let i = 0; i < request.streams; i++) {
    const word = args[request.first + request.streams + i]
    if (!isMark(word, DOLLAR)) continue
    asked ??= args.slice(0, ctx.argc).map(one => one.copy())
    word.alias(Slice.of(request.after[i].toString()))
  }
  ctx.block(request.first, request.first + request.streams - 1, request.timeoutMs, TYPE_STREAM, 'nullArray', grouped)
  if (asked !== undefined) ctx.showBlockedAs(asked)
}

/** Replies with the entries of stream `i` after the requested id; false, without a reply, when there are none. */
function serveStream(ctx: Context, request: ReadRequest, i: number, entry: Ref): boolean {
  const stream = openStream(ctx, entry)
  const { from, to } = StreamType.of(ctx.keyspace)
  if (stream.length === 0) return false
  if (!stream.edgeId(true, false, from) || from.compare(request.after[i]) <= 0) return false
  startStream(ctx, request, i)
  from.set(request.after[i]).increment()
  replyRange(ctx, stream, from, to.setMax(), false, request.count)
  return true
}

function startStream(ctx: Context, request: ReadRequest, i: number): void {
  if (ctx.reply.resp === 2) ctx.reply.array(2)
  ctx.reply.bulk(ctx.args[request.first + i])
}

/** serveStream() for the group's consumer, which is created if need be. */
function serveGroup(ctx: Context, request: ReadRequest, i: number, entry: Ref): boolean {
  const { groups, from } = StreamType.of(ctx.keyspace)
  const stream = openStream(ctx, entry)
  const key = ctx.args[request.first + i]
  const group = groups.find(stream.groups, request.group!)
  const after = request.after[i]
  const history = !after.isMax
  let serve = history
  if (!history && stream.length > 0 && stream.edgeId(true, false, from)) {
    serve = from.compare(groups.lastId(group, after)) > 0
    if (!serve) after.setMax()
  }
  let consumer = groups.findConsumer(group, request.consumer!)
  const isNew = consumer === 0
  if (isNew) consumer = createConsumer(ctx, key, group, request.consumer!)
  // Claims create the consumer on replicas; without any, its creation must be propagated.
  const claims = serve && !history && !request.noAck
  if (isNew && !claims && ctx.hasSinks) propagateNewConsumer(ctx, key, request.group!, request.consumer!)
  groups.setSeenMs(consumer, ctx.nowMs)
  if (!serve) return false
  startStream(ctx, request, i)
  if (history) replyHistory(ctx, stream, consumer, after, request.count)
  else deliver(ctx, stream, key, group, consumer, request, after)
  ctx.keyspace.dirty++
  return true
}

/** Creates a consumer in the group, with its event. */
export function createConsumer(ctx: Context, key: Slice, group: Ref, name: Slice): Ref {
  const consumer = StreamType.of(ctx.keyspace).groups.createConsumer(group, name, ctx.nowMs)
  ctx.keyspace.dirty++
  ctx.notify(key, 'xgroup-createconsumer', NOTIFY_STREAM)
  return consumer
}

/** Replies with the consumer's pending entries after `after`, and counts one more delivery of each. */
function replyHistory(ctx: Context, stream: Stream, consumer: Ref, after: StreamId, count: number): void {
  const { reply } = ctx
  const { groups, index, iterator, cursor, from } = StreamType.of(ctx.keyspace)
  const mark = reply.beginDeferredArray()
  let sent = 0
  // After the last id there is nothing; as in Redis the next one is 0-0, so all are returned.
  from.set(after).increment()
  index.seek(groups.consumerPending(consumer), from, false, cursor)
  iterator.reset()
  while (cursor.leaf !== 0 && (count === 0 || sent < count)) {
    const pending = index.trees.entryAt(cursor)
    index.idOf(pending, from)
    if (iterator.find(stream.tree, from)) {
      replyEntry(ctx, iterator)
      groups.setDelivery(pending, ctx.nowMs, groups.deliveries(pending) + 1)
    } else {
      reply.array(2)
      replyId(ctx, from)
      reply.nullArray()
    }
    sent++
    index.trees.next(cursor)
  }
  reply.endArray(mark, sent)
}

/** Replies with entries that the group has not read, and makes them pending unless `noAck`. */
function deliver(
  ctx: Context,
  stream: Stream,
  key: Slice,
  group: Ref,
  consumer: Ref,
  request: ReadRequest,
  after: StreamId,
): void {
  const { reply } = ctx
  const { groups, iterator: it, from, to } = StreamType.of(ctx.keyspace)
  const mark = reply.beginDeferredArray()
  let sent = 0
  let moved = false
  from.set(after).increment()
  it.start(stream.tree, from, to.setMax(), false)
  while ((request.count === 0 || sent < request.count) && it.next()) {
    if (it.id.compare(groups.lastId(group, to)) > 0) {
      const read = groups.entriesRead(group)
      if (read !== UNKNOWN_READ && !hasDeletedAfter(stream, it.id)) groups.setEntriesRead(group, addLong(read, 1))
      else if (stream.entriesAdded !== 0) groups.setEntriesRead(group, distanceFromFirst(stream, it.id))
      groups.setLastId(group, it.id)
      moved = true
    }
    replyEntry(ctx, it)
    sent++
    if (request.noAck) continue
    let pending = groups.findPending(group, it.id)
    if (pending === 0) pending = groups.addPending(group, consumer, it.id, ctx.nowMs, 1)
    else {
      groups.setOwner(pending, consumer)
      groups.setDelivery(pending, ctx.nowMs, 1)
    }
    groups.setActiveMs(consumer, ctx.nowMs)
    if (ctx.hasSinks) propagateClaim(ctx, key, request.group!, group, it.id.toString(), pending)
  }
  if (request.noAck && moved && ctx.hasSinks) propagateGroupId(ctx, key, request.group!, group)
  reply.endArray(mark, sent)
}

export const readingCommands: readonly Command[] = [read, readGroup]
