// XTRIM, and the options it shares with XADD.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_INTERNAL, CLIENT_MASTER } from '../../engine/client.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STREAM } from '../../engine/messaging/events.ts'
import type { Options } from '../../engine/options.ts'
import { TYPE_STREAM } from '../../keyspace/types.ts'
import type { Stream, Trim } from '../../keyspace/values/stream/stream.ts'
import { StreamId } from '../../keyspace/values/stream/stream-id.ts'
import { MINUS, STAR } from '../../lib/ascii.ts'
import type { Slice } from '../../lib/slice.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { idOrReply, isMark, openStream } from './shared.ts'

const BOTH_STRATEGIES = errorBytes('ERR syntax error, MAXLEN and MINID options at the same time are not compatible')
const MAXLEN_NEGATIVE = errorBytes('ERR The MAXLEN argument must be >= 0.')
const LIMIT_NEGATIVE = errorBytes('ERR The LIMIT argument must be >= 0.')
const LIMIT_ALONE = errorBytes('ERR syntax error, LIMIT cannot be used without specifying a trimming strategy')
const LIMIT_EXACT = errorBytes('ERR syntax error, LIMIT cannot be used without the special ~ option')
const NO_STRATEGY = errorBytes('ERR syntax error, XTRIM must be called with a trimming strategy')
const TILDE = 0x7e
const EQUALS = 0x3d
const LIMIT_DEFAULT = 10000
const LIMIT_MAX = 1000000
const LIMIT_NODES = 100

/** The options of XADD and XTRIM. */
export class AddOrTrim {
  /** XADD: index of the id. */
  idIndex = 0
  readonly id = new StreamId()
  idGiven = false
  /** False for <ms>-*. */
  seqGiven = true
  createMissing = true
  strategy: 'none' | 'maxlen' | 'minid' = 'none'
  /** Index of the strategy's number or id. */
  strategyIndex = 0
  readonly trim: Trim = { length: 0, minId: undefined, approximate: false, limit: 0 }
  private limitGiven = false

  /** Reads args from [2] on; false after an error reply. */
  parseOrReply(ctx: Context, add: boolean): boolean {
    const { args } = ctx
    const opt = ctx.options(2)
    while (opt.more()) {
      if (add && isMark(args[opt.at], STAR)) break
      if (opt.eat('maxlen', 1)) {
        if (!this.strategyOrReply(ctx, opt, 'maxlen')) return false
      } else if (opt.eat('minid', 1)) {
        if (!this.strategyOrReply(ctx, opt, 'minid')) return false
      } else if (opt.eat('limit', 1)) {
        this.trim.limit = opt.longOrReply()
        if (this.trim.limit < 0) opt.fail(LIMIT_NEGATIVE)
        if (opt.failed) return false
        this.limitGiven = true
      } else if (!add) {
        opt.syntaxError()
        return false
      } else if (opt.eat('nomkstream')) this.createMissing = false
      else {
        if (!this.idOrReply(ctx, opt.at)) return false
        break
      }
    }
    this.idIndex = opt.at
    return this.limitOrReply(ctx, add)
  }

  private strategyOrReply(ctx: Context, opt: Options, strategy: 'maxlen' | 'minid'): boolean {
    const { args } = ctx
    if (this.strategy !== 'none') {
      opt.fail(BOTH_STRATEGIES)
      return false
    }
    this.trim.approximate = false
    if (opt.left >= 2 && isMark(args[opt.at], TILDE)) {
      this.trim.approximate = true
      opt.at++
    } else if (opt.left >= 2 && isMark(args[opt.at], EQUALS)) opt.at++
    this.strategy = strategy
    this.strategyIndex = opt.at
    if (strategy === 'maxlen') {
      this.trim.length = opt.longOrReply()
      if (this.trim.length < 0) opt.fail(MAXLEN_NEGATIVE)
      return !opt.failed
    }
    this.trim.minId = new StreamId()
    return idOrReply(ctx, opt.at++, this.trim.minId)
  }

  private idOrReply(ctx: Context, i: number): boolean {
    const s = ctx.args[i]
    this.idGiven = true
    const dash = this.id.parseMs(s)
    if (dash >= 0 && isAnySeq(s, dash)) {
      this.seqGiven = false
      return true
    }
    return idOrReply(ctx, i, this.id)
  }

  private limitOrReply(ctx: Context, add: boolean): boolean {
    const { reply } = ctx
    const { trim } = this
    if (trim.limit !== 0 && this.strategy === 'none') reply.fixedError(LIMIT_ALONE)
    else if (!add && this.strategy === 'none') reply.fixedError(NO_STRATEGY)
    else if (ctx.client.has(CLIENT_MASTER | CLIENT_INTERNAL)) {
      // Commands of a primary or an AOF are executed without this limit.
      trim.limit = 0
      return true
    } else if (this.limitGiven && !trim.approximate) reply.fixedError(LIMIT_EXACT)
    else {
      if (!this.limitGiven) trim.limit = trim.approximate ? defaultLimit(ctx) : 0
      return true
    }
    return false
  }
}

/** Whether a C string goes on with -*, from the end of its milliseconds on. */
function isAnySeq(s: Slice, dash: number): boolean {
  const star = dash + 1
  return s.cLength === star + 1 && s.byte(dash) === MINUS && s.byte(star) === STAR
}

/** The number of entries in a hundred nodes: bounds the time of a trim. */
function defaultLimit(ctx: Context): number {
  const limit = LIMIT_NODES * ctx.settings.streamNodeMaxEntries
  return limit <= 0 ? LIMIT_DEFAULT : Math.min(limit, LIMIT_MAX)
}

/**
 * Propagates the generated id and the exact result of an approximate trim, which would differ elsewhere. `idIndex` is 0
 * for XTRIM.
 */
export function propagate(ctx: Context, stream: Stream, id: StreamId, idIndex: number, request?: AddOrTrim): void {
  const generated = idIndex > 0 && !(request?.idGiven && request.seqGiven)
  const approximate = request !== undefined && request.strategy !== 'none' && request.trim.approximate
  if (!approximate && !generated) return
  const words: (Slice | string)[] = ctx.args.slice(0, ctx.argc)
  if (approximate) {
    words[request.strategyIndex - 1] = '='
    if (request.strategy === 'maxlen') words[request.strategyIndex] = String(stream.length)
    else {
      const first = new StreamId()
      if (!stream.edgeId(false, true, first)) first.setMax()
      words[request.strategyIndex] = first.toString()
    }
  }
  if (generated) words[idIndex] = id.toString()
  ctx.propagateAs(...words)
}

const trim: Command = {
  name: 'xtrim',
  arity: -4,
  flags: 'write',
  keys: 'RW DELETE @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Remove the oldest entries of a stream, down to a length or an id.',
  complexity: 'O(N), N = entries removed; whole nodes of entries go at once.',
  args:
    'key#0 trim:(strategy:(MAXLEN|MINID@6.2.0) [operator:(equal="="|approximately="~")] threshold ' +
    '[LIMIT count:integer@6.2.0])',
  history: [['6.2.0', 'Trimming by `MINID`, and its `LIMIT`.']],
  tips: 'nondeterministic_output',
  run(ctx) {
    const { args, reply } = ctx
    const request = new AddOrTrim()
    if (!request.parseOrReply(ctx, false)) return
    const entry = ctx.writeOrReply(args[1], TYPE_STREAM)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const stream = openStream(ctx, entry)
    const deleted = stream.trim(request.trim)
    if (deleted > 0) {
      ctx.touched(args[1], 'xtrim', NOTIFY_STREAM, deleted)
      if (ctx.hasSinks) propagate(ctx, stream, request.id, 0, request)
    }
    reply.integer(deleted)
  },
}

export const trimmingCommands: readonly Command[] = [trim]
