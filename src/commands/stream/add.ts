// Writing entries: XADD, XTRIM, XDEL, XSETID, and XLEN.

import { CLIENT_INTERNAL, CLIENT_MASTER } from '../../engine/client.ts'
import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STREAM } from '../../engine/events.ts'
import type { Options } from '../../engine/options.ts'
import { ENTRY_BYTES_MAX, type Stream, type Trim } from '../../keyspace/stream.ts'
import { StreamId } from '../../keyspace/stream-id.ts'
import { StreamKind } from '../../keyspace/stream-kind.ts'
import { ENC_STREAM, TYPE_STREAM } from '../../keyspace/types.ts'
import type { Slice } from '../../lib/slice.ts'
import { NO_SUCH_KEY, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { idOrReply, isMark, openStream, replyId } from './shared.ts'

const BOTH_STRATEGIES = errorBytes('ERR syntax error, MAXLEN and MINID options at the same time are not compatible')
const MAXLEN_NEGATIVE = errorBytes('ERR The MAXLEN argument must be >= 0.')
const LIMIT_NEGATIVE = errorBytes('ERR The LIMIT argument must be >= 0.')
const LIMIT_ALONE = errorBytes('ERR syntax error, LIMIT cannot be used without specifying a trimming strategy')
const LIMIT_EXACT = errorBytes('ERR syntax error, LIMIT cannot be used without the special ~ option')
const NO_STRATEGY = errorBytes('ERR syntax error, XTRIM must be called with a trimming strategy')
const ZERO_ID = errorBytes('ERR The ID specified in XADD must be greater than 0-0')
const EXHAUSTED = errorBytes('ERR The stream has exhausted the last possible ID, unable to add more items')
const SMALL_ID = errorBytes('ERR The ID specified in XADD is equal or smaller than the target stream top item')
const TOO_LARGE = errorBytes('ERR Elements are too large to be stored')

const STAR = 0x2a
const TILDE = 0x7e
const EQUALS = 0x3d

const LIMIT_DEFAULT = 10000
const LIMIT_MAX = 1000000
const LIMIT_NODES = 100

/** What XADD and XTRIM are asked to do. */
class AddOrTrim {
  /** XADD: where the id stands. */
  idIndex = 0
  readonly id = new StreamId()
  idGiven = false
  /** False for <ms>-*. */
  seqGiven = true
  createMissing = true
  strategy: 'none' | 'maxlen' | 'minid' = 'none'
  /** Where the number or id of the strategy stands. */
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
    if (dash >= 0 && s.len === dash + 2 && s.byte(dash + 1) === STAR) {
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
      // What a primary or a file tells is done to the letter.
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

/** So many entries as make a hundred nodes: trimming must not stall the server. */
function defaultLimit(ctx: Context): number {
  const limit = LIMIT_NODES * ctx.settings.streamNodeMaxEntries
  return limit <= 0 ? LIMIT_DEFAULT : Math.min(limit, LIMIT_MAX)
}

const add: Command = {
  name: 'xadd',
  arity: -5,
  flags: 'write denyoom fast',
  keys: 'RW UPDATE @1 (UPDATE instead of INSERT because of the optional trimming feature)',
  since: '5.0.0',
  group: 'stream',
  summary: "Appends a new message to a stream. Creates the key if it doesn't exist.",
  complexity: 'O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.',
  args:
    'key#0 [NOMKSTREAM@6.2.0] [trim:(strategy:(MAXLEN|MINID@6.2.0) [operator:(equal="="|approximately="~")] ' +
    'threshold [LIMIT count:integer@6.2.0])] id-selector:(auto-id="*"|id) data:(field value)...',
  history: [
    ['6.2.0', 'Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option.'],
    ['7.0.0', 'Added support for the `<ms>-*` explicit ID form.'],
  ],
  tips: 'nondeterministic_output',
  run(ctx) {
    // The usual form, XADD key * …, has nothing to parse.
    if (isMark(ctx.args[2], STAR)) return addEntry(ctx, 3, undefined)
    const request = new AddOrTrim()
    if (request.parseOrReply(ctx, true)) addEntry(ctx, request.idIndex + 1, request)
  },
}

/** Appends the entry whose fields stand in args[from ..]; without a request its id is generated. */
function addEntry(ctx: Context, from: number, request: AddOrTrim | undefined): void {
  const { args, argc, db, reply } = ctx
  const kind = StreamKind.of(ctx.keyspace)
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
  const { blocking } = ctx.engine
  if (entry !== 0 && blocking.waiting !== 0) blocking.keyReady(db, args[1], TYPE_STREAM)
}

/** Completes the id of the new entry, which must be above the last one. */
function newIdOrReply(ctx: Context, stream: Stream, id: StreamId, request: AddOrTrim | undefined): boolean {
  const last = stream.lastId(StreamKind.of(ctx.keyspace).from)
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

/**
 * A generated id, and what an approximate trim came to, are told in full: elsewhere they would come out differently.
 * `idIndex` is 0 for XTRIM.
 */
function propagate(ctx: Context, stream: Stream, id: StreamId, idIndex: number, request?: AddOrTrim): void {
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
  summary: 'Deletes messages from the beginning of a stream.',
  complexity:
    'O(N), with N being the number of evicted entries. Constant times are very small however, since entries are ' +
    'organized in macro nodes containing multiple entries that can be released with a single deallocation.',
  args:
    'key#0 trim:(strategy:(MAXLEN|MINID@6.2.0) [operator:(equal="="|approximately="~")] threshold ' +
    '[LIMIT count:integer@6.2.0])',
  history: [['6.2.0', 'Added the `MINID` trimming strategy and the `LIMIT` option.']],
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

const del: Command = {
  name: 'xdel',
  arity: -3,
  flags: 'write fast',
  keys: 'RW DELETE @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Returns the number of messages after removing them from a stream.',
  complexity: 'O(1) for each single item to delete in the stream, regardless of the stream size.',
  args: 'key#0 id...',
  run(ctx) {
    const { args, argc, reply } = ctx
    const entry = ctx.writeOrReply(args[1], TYPE_STREAM)
    if (entry === WRONG) return
    if (entry === 0) return reply.integer(0)
    const { from: id, to: other } = StreamKind.of(ctx.keyspace)
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
      if (firstGone || stream.length === 0) stream.renewFirstId()
      ctx.touched(args[1], 'xdel', NOTIFY_STREAM, deleted)
    }
    reply.integer(deleted)
  },
}

const len: Command = {
  name: 'xlen',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '5.0.0',
  group: 'stream',
  summary: 'Return the number of messages in a stream.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_STREAM)
    if (entry !== WRONG) ctx.reply.integer(entry === 0 ? 0 : openStream(ctx, entry).length)
  },
}

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
  summary: 'An internal command for replicating stream values.',
  complexity: 'O(1)',
  args: 'key#0 last-id [ENTRIESADDED entries-added:integer@7.0.0] [MAXDELETEDID max-deleted-id@7.0.0]',
  history: [['7.0.0', 'Added the `entries_added` and `max_deleted_entry_id` arguments.']],
  run(ctx) {
    const { args, reply } = ctx
    const id = new StreamId()
    const maxDeleted = new StreamId()
    const other = new StreamId()
    let added = -1
    if (!idOrReply(ctx, 2, id)) return
    const opt = ctx.options(3)
    while (opt.more()) {
      if (opt.eat('entriesadded', 1)) {
        added = opt.longOrReply()
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
    // Not touched(): Redis does not count this as a change of the key for those who watch it.
    ctx.keyspace.dirty++
    ctx.notify(args[1], 'xsetid', NOTIFY_STREAM)
    reply.ok()
  },
}

export const addingCommands: readonly Command[] = [add, trim, del, len, setId]
