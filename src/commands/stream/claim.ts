// XCLAIM, XAUTOCLAIM.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { OrderedCursor } from '../../keyspace/values/stream/stream.ts'
import { ID_BYTES, StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { StreamType } from '../../keyspace/values/stream/stream-type.ts'
import { INT64_MAX } from '../../lib/number.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { COUNT_OPTION_NOT_POSITIVE } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { errorText } from '../shared/arguments.ts'
import { propagateClaim, propagateGroupId, propagateNewConsumer } from './propagate.ts'
import { createConsumer } from './read.ts'
import {
  type GroupAt,
  groupOrReply,
  idOrReply,
  openStream,
  rangeStartOrReply,
  replyEntryAt,
  replyId,
} from './shared.ts'

const MIN_IDLE_XCLAIM = errorBytes('ERR Invalid min-idle-time argument for XCLAIM')
const MIN_IDLE_XAUTOCLAIM = errorBytes('ERR Invalid min-idle-time argument for XAUTOCLAIM')
const IDLE = errorBytes('ERR Invalid IDLE option argument for XCLAIM')
const TIME = errorBytes('ERR Invalid TIME option argument for XCLAIM')
const RETRYCOUNT = errorBytes('ERR Invalid RETRYCOUNT option argument for XCLAIM')
const AUTOCLAIM_COUNT = 100
const AUTOCLAIM_COUNT_MAX = INT64_MAX / BigInt(ID_BYTES)
/** Redis allocates that many IDs beforehand: more than an address space has are refused. */
const IDS_BYTES_MAX = 2 ** 47
const TOO_MANY_IDS = errorBytes('ERR Insufficient memory, failed allocating transient memory, COUNT too high.')

/** XAUTOCLAIM scans up to ten entries per requested one, the rest at its next call. */
const ATTEMPTS_PER_COUNT = 10

/** XCLAIM's options; XAUTOCLAIM uses some of them. */
class ClaimRequest {
  minIdleMs = 0
  /** XCLAIM: the ids are args[5 .. idsEnd). */
  idsEnd = 5
  retryCount = -1
  deliveredMs = -1
  force = false
  justId = false
  readonly lastId = new StreamId()

  parseOrReply(ctx: Context): boolean {
    const { from: id } = StreamType.of(ctx.keyspace)
    this.minIdleMs = Math.max(0, ctx.longOrReply(4, MIN_IDLE_XCLAIM))
    if (Number.isNaN(this.minIdleMs)) return false
    while (this.idsEnd < ctx.argc && id.parse(ctx.args[this.idsEnd])) this.idsEnd++
    const opt = ctx.options(this.idsEnd)
    while (opt.more()) {
      if (opt.eat('force')) this.force = true
      else if (opt.eat('justid')) this.justId = true
      else if (opt.eat('idle', 1)) this.deliveredMs = ctx.nowMs - opt.longOrReply(IDLE)
      else if (opt.eat('time', 1)) this.deliveredMs = opt.longOrReply(TIME)
      else if (opt.eat('retrycount', 1)) this.retryCount = opt.longOrReply(RETRYCOUNT)
      else if (opt.eat('lastid', 1)) {
        if (!idOrReply(ctx, opt.at++, this.lastId)) return false
      } else {
        ctx.reply.error(`ERR Unrecognized XCLAIM option '${errorText(opt.next())}'`)
        return false
      }
      if (opt.failed) return false
    }
    // A time in the future, or before 1970, becomes the present.
    if (this.deliveredMs < 0 || this.deliveredMs > ctx.nowMs) this.deliveredMs = ctx.nowMs
    return true
  }
}

const claim: Command = {
  name: 'xclaim',
  arity: -6,
  flags: 'write fast',
  keys: 'RW UPDATE @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Take over given pending entries that have been idle long enough, for another consumer.',
  complexity: 'O(log N), N = pending entries of the group.',
  args:
    'key#0 group consumer min-idle-time id... [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time] ' +
    '[RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID lastid]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const { args, db, reply } = ctx
    const found = groupOrReply(ctx)
    if (found === undefined) return
    const request = new ClaimRequest()
    if (!request.parseOrReply(ctx)) return
    const { groups, from: id } = StreamType.of(ctx.keyspace)
    const { group } = found
    db.beforeChange(found.entry)
    let moved = false
    if (request.lastId.compare(groups.lastId(group, id)) > 0) {
      groups.setLastId(group, request.lastId)
      moved = true
    }
    const claiming = new Claiming(ctx, found.entry, group, request)
    const mark = reply.beginDeferredArray()
    let claimed = 0
    for (let i = 5; i < request.idsEnd; i++) {
      id.parse(args[i])
      if (claiming.take(id, args[i])) claimed++
    }
    claiming.notifyNewConsumer()
    if (moved && !claiming.propagated) {
      ctx.keyspace.dirty++
      if (ctx.hasSinks) propagateGroupId(ctx, args[1], args[2], group)
    }
    reply.endArray(mark, claimed)
    if (ctx.hasSinks) ctx.effect.replaced = true
  },
}

/** One XCLAIM or XAUTOCLAIM for the consumer args[3], which is created if need be. */
class Claiming {
  /** Claims were propagated, or would have been. */
  propagated = false
  /** An entry was claimed. */
  private claimed = false
  private readonly isNew: boolean
  private readonly ctx: Context
  private readonly entry: Ref
  private readonly group: Ref
  private readonly consumer: Ref
  private readonly request: ClaimRequest

  constructor(ctx: Context, entry: Ref, group: Ref, request: ClaimRequest) {
    const { groups } = StreamType.of(ctx.keyspace)
    const { args } = ctx
    const consumer = groups.findConsumer(group, args[3])
    this.ctx = ctx
    this.entry = entry
    this.group = group
    this.isNew = consumer === 0
    this.consumer = this.isNew ? createConsumer(ctx, args[1], group, args[3]) : consumer
    this.request = request
    groups.setSeenMs(this.consumer, ctx.nowMs)
  }

  /** Propagates the creation of a consumer that claimed nothing. */
  notifyNewConsumer(): void {
    const { ctx } = this
    const { args } = ctx
    if (this.isNew && !this.claimed && ctx.hasSinks) propagateNewConsumer(ctx, args[1], args[2], args[3])
  }

  /**
   * Claims the entry of this id and replies with it; false, without a reply, when that is not possible. `given`: the id
   * as it is propagated.
   */
  take(id: StreamId, given?: Slice): boolean {
    const { ctx, group, consumer, request } = this
    const { groups } = StreamType.of(ctx.keyspace)
    const stream = openStream(ctx, this.entry)
    let pending = groups.findPending(group, id)
    if (!stream.exists(id)) {
      if (pending !== 0) this.forget(id, pending, given)
      return false
    }
    if (pending === 0) {
      if (!request.force) return false
      pending = groups.addPending(group, consumer, id, ctx.nowMs, 1)
    } else if (request.minIdleMs > 0 && ctx.nowMs - groups.deliveredMs(pending) < request.minIdleMs) return false
    groups.setOwner(pending, consumer)
    let deliveries = groups.deliveries(pending)
    if (request.retryCount >= 0) deliveries = request.retryCount
    else if (!request.justId) deliveries++
    groups.setDelivery(pending, request.deliveredMs, deliveries)
    if (request.justId) replyId(ctx, id)
    else replyEntryAt(ctx, stream, id)
    groups.setActiveMs(consumer, ctx.nowMs)
    this.claimed = true
    this.propagate(id, pending, given)
    return true
  }

  /** Removes a pending entry whose entry in the stream was deleted. */
  private forget(id: StreamId, pending: Ref, given: Slice | undefined): void {
    this.propagate(id, pending, given)
    StreamType.of(this.ctx.keyspace).groups.removePending(this.group, pending)
  }

  private propagate(id: StreamId, pending: Ref, given: Slice | undefined): void {
    const { ctx } = this
    this.propagated = true
    ctx.keyspace.dirty++
    if (ctx.hasSinks) propagateClaim(ctx, ctx.args[1], ctx.args[2], this.group, given ?? id.toString(), pending)
  }
}

const autoClaim: Command = {
  name: 'xautoclaim',
  arity: -6,
  flags: 'write fast',
  keys: 'RW DELETE @1',
  since: '6.2.0',
  group: 'stream',
  summary: 'Take over entries that have been pending too long, in steps with a cursor.',
  complexity: 'O(1) for a small COUNT.',
  args: 'key#0 group consumer min-idle-time start [COUNT count:integer] [JUSTID]',
  history: [['7.0.0', 'The reply has a third element: ids of deleted entries, which are no longer pending.']],
  tips: 'nondeterministic_output',
  run(ctx) {
    const { db, reply } = ctx
    const request = new ClaimRequest()
    const start = new StreamId()
    // A hit or a miss, whatever the arguments are.
    const entry = ctx.lookupRead(ctx.args[1])
    request.minIdleMs = Math.max(0, ctx.longOrReply(4, MIN_IDLE_XAUTOCLAIM))
    if (Number.isNaN(request.minIdleMs) || !rangeStartOrReply(ctx, 5, start)) return
    let count = AUTOCLAIM_COUNT
    const opt = ctx.options(6)
    while (opt.more()) {
      if (opt.eat('count', 1)) {
        const exact = opt.exactLongOrReply(COUNT_OPTION_NOT_POSITIVE)
        count = Number(exact)
        if (exact < 1 || exact > AUTOCLAIM_COUNT_MAX) opt.fail(COUNT_OPTION_NOT_POSITIVE)
      } else if (opt.eat('justid')) request.justId = true
      else opt.syntaxError()
      if (opt.failed) return
    }
    const found = groupOrReply(ctx, entry)
    if (found === undefined) return
    if (count * ID_BYTES >= IDS_BYTES_MAX) return reply.fixedError(TOO_MANY_IDS)
    db.beforeChange(found.entry)
    request.deliveredMs = ctx.nowMs
    const claiming = new Claiming(ctx, found.entry, found.group, request)
    const next = new StreamId()
    const chosen = choose(ctx, found, start, count, request.minIdleMs, next)
    reply.array(3)
    replyId(ctx, next)
    reply.array(chosen.ids.length - chosen.deleted.length)
    for (const id of chosen.ids) claiming.take(id)
    reply.array(chosen.deleted.length)
    for (const id of chosen.deleted) replyId(ctx, id)
    claiming.notifyNewConsumer()
    if (ctx.hasSinks) ctx.effect.replaced = true
  },
}

interface Chosen {
  /** In order, as the claims are propagated. */
  ids: StreamId[]
  /** Those of them that are deleted from the stream: no longer pending, and not claimed. */
  deleted: StreamId[]
}

/**
 * At most `count` pending entries from `start` on that are idle enough or deleted; `next` is where to continue, 0-0 at
 * the end.
 */
function choose(ctx: Context, at: GroupAt, start: StreamId, count: number, minIdleMs: number, next: StreamId): Chosen {
  const { groups, index } = StreamType.of(ctx.keyspace)
  const stream = openStream(ctx, at.entry)
  const chosen: Chosen = { ids: [], deleted: [] }
  const cursor = new OrderedCursor()
  index.seek(groups.pending(at.group), start, false, cursor)
  let attemptsLeft = count * ATTEMPTS_PER_COUNT // entries that are not idle yet must not stall the server
  for (let left = count; left > 0 && attemptsLeft > 0 && cursor.leaf !== 0; attemptsLeft--) {
    const pending = index.trees.entryAt(cursor)
    index.trees.next(cursor)
    const id = index.idOf(pending, new StreamId())
    if (!stream.exists(id)) chosen.deleted.push(id)
    else if (minIdleMs > 0 && ctx.nowMs - groups.deliveredMs(pending) < minIdleMs) continue
    chosen.ids.push(id)
    left--
  }
  if (cursor.leaf === 0) next.setMin()
  else index.idOf(index.trees.entryAt(cursor), next)
  return chosen
}

export const claimingCommands: readonly Command[] = [claim, autoClaim]
