// InputBuffers: query buffers, and how bytes become commands.
//
//   bytes ─▶ run: every whole command in them ─▶ bufferInput: the rest
//
//     a short rest        client.query   [ $3 SET $1 k $2 ]                 parsed again with the next bytes
//     a long command      client.partial [ whole arguments ] ─▶ client.query [ the incomplete argument ]
//     a big argument      client.partial [ whole arguments | the incomplete argument ]
//
// One event runs a client's commands within a budget of time, bytes and replies; what is left waits in the input queue
// (input-queue.ts) behind the others.
//
// Always: a blocked or paused client's bytes stay unparsed, and a postponed command stays in the buffer. A client
// closed during its own event keeps its state until the event is over (connections.ts), and MAY_NOT_RUN is asked for
// before each command: nothing of a closed client runs.

import { releaseBuffer } from '../lib/bytes.ts'
import type { Slice } from '../lib/slice.ts'
import { COMMAND, EMPTY_COMMAND, INCOMPLETE, Parser, PROTOCOL_ERROR } from '../protocol/parser.ts'
import {
  CLIENT_BLOCKED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSING,
  CLIENT_INPUT_QUEUED,
  CLIENT_MASTER,
  CLIENT_POSTPONED,
  CLIENT_UNREAD,
  type Client,
} from './client.ts'
import type { Engine } from './engine.ts'
import { InputQueue } from './input-queue.ts'
import { clientLine } from './monitoring/client-line.ts'
import { BIG_ARGUMENT_BYTES, type PartialCommand, PartialCommands } from './partial.ts'

const COMMANDS_PER_CLOCK = 64
/** Redis's read size: replies to one read are sent before the next. */
const READ_BYTES = 16 * 1024
/** The budget of one event. Time is measured where commands are timed, and from the first COMMANDS_PER_CLOCK on. */
const BUDGET_US = 100
const BUDGET_BYTES = 128 * 1024
const BUDGET_REPLY_BYTES = 256 * 1024
/**
 * While clients wait for their next budget, a read of so many bytes is queued behind them. Query buffers of so many
 * bytes are freed when they are used up; the cron takes back shorter ones that are not used.
 */
const LONG_READ_BYTES = 64 * 1024
/** So much of an argument is read directly, and at most so much at once. */
const DIRECT_FROM_BYTES = 128 * 1024
const DIRECT_BYTES_MAX = 1024 * 1024
/** A command with so many whole arguments is not parsed again. */
const PARTIAL_FROM_ARGS = 32
/** A larger argument array of the parser is dropped after the command. */
const ARGS_RETAIN_MAX = 16 * 1024
const MAY_NOT_RUN = CLIENT_BLOCKED | CLIENT_CLOSING | CLIENT_CLOSE_AFTER_REPLY | CLIENT_POSTPONED
const NONE_LENT: number[] = []
const NO_BYTES = new Uint8Array(0)
const NO_VIEW = new DataView(NO_BYTES.buffer)

/** Runs one parsed command of a client, or postpones the client. */
interface CommandRunner {
  run(client: Client, args: Slice[], argc: number): void
}

/** Notified of commands with a large argument, whose bytes stay where they are until the command has run. */
export interface LargeArguments {
  /** One begins to arrive. */
  begin(): void
  /** The client's command has run, or never will. */
  end(client: Client): void
  /** The dataset is taken or replaced: what was made of the arguments beforehand is void. */
  forget(): void
}

export class InputBuffers {
  /** Stands between clients and the commands' execution; undefined costs nothing. */
  runner: CommandRunner | undefined
  /** Executes commands: dispatch, or who counts what it does. */
  executor: CommandRunner
  large: LargeArguments | undefined
  private readonly engine: Engine
  private readonly parser = new Parser()
  private readonly partials: PartialCommands
  /** Bytes of query buffers that were dropped and left to the collector, ever. */
  droppedBytes = 0
  private commandStart = 0
  /** Length of the command that came in pieces and is running; 0: none. */
  private wholeBytes = 0
  /** Length of the incomplete command found by the last run(); 0: not known. */
  private bytesWanted = 0
  /** The last run() ended with its budget: there is more to run. */
  private isCut = false
  private readonly waiting: InputQueue
  private runEnd = 0
  /** On a replica: bytes from the primary's last MULTI to the end of its input then; -1: none since this was set. */
  restAtMulti = -1

  constructor(engine: Engine) {
    this.engine = engine
    this.executor = engine.dispatch
    this.waiting = new InputQueue(engine)
    this.partials = new PartialCommands(engine.keyspace.strings.lent)
  }

  /**
   * Handles received bytes. `u8` and `dv` see the same buffer; it is free for reuse when this returns, unless it is
   * `given`. Runs whole commands within the budget and writes the replies.
   */
  receive(client: Client, u8: Uint8Array, dv: DataView, start: number, end: number, given = false): void {
    if (client.has(CLIENT_CLOSING)) return
    const { engine, waiting } = this
    engine.tick()
    client.lastActiveMs = engine.keyspace.nowMs
    const bytes = end - start
    client.bytesIn += bytes
    engine.stats.netInputBytes += bytes
    engine.stats.reads++
    engine.beginEvent(client)
    // In process nothing slows the sender down: its bytes are not better off in a buffer.
    const isLong = bytes >= LONG_READ_BYTES && client.connection.kind !== 'memory'
    const beganUs = isLong ? engine.machine.monotonicUs() : 0
    this.isCut = false
    const { expiryPaused } = engine.keyspace
    if (client.has(CLIENT_MASTER)) engine.keyspace.expiryPaused = true
    if (client.partial !== undefined) start = this.fillBulk(client, u8, start, end)
    const waits = client.has(CLIENT_INPUT_QUEUED) || (isLong && waiting.length > 0)
    if (waits || client.queryEnd > client.queryStart) {
      if (start < end) this.bufferInput(client, u8, dv, start, end, 0, given)
      if (!waits) this.runQuery(client)
      this.checkLimit(client, waits)
    } else {
      const rest = this.run(client, u8, dv, start, end)
      if (rest < end) this.bufferInput(client, u8, dv, rest, end, this.bytesWanted, given)
      if (rest < end || client.partial !== undefined) this.checkLimit(client, false)
    }
    client.blocked?.onInput?.()
    const isCut = this.isCut || waits
    engine.keyspace.expiryPaused = expiryPaused
    engine.finishEvent(client)
    if (given && isLong && client.query !== u8) releaseBuffer(u8.buffer)
    if (isCut) this.cut(client)
    else if (isLong && this.readsOn(client)) waiting.add(client)
    else if (isLong) waiting.countRead(client, bytes, engine.machine.monotonicUs() - beganUs)
  }

  /** The budget of an event has ended: the rest waits, and replies to others have waited long enough. */
  private cut(client: Client): void {
    this.waiting.add(client)
    this.engine.output.flushTurn()
  }

  /**
   * Runs what a client sent while it was blocked or paused, or what is left of its input. True: the budget has ended,
   * and the client is in the input queue.
   */
  continueClient(client: Client): boolean {
    if ((client.queryEnd === client.queryStart && client.partial === undefined) || client.has(CLIENT_CLOSING))
      return false
    const { keyspace } = this.engine
    const { expiryPaused } = keyspace
    this.engine.beginEvent(client)
    this.isCut = false
    if (client.has(CLIENT_MASTER)) keyspace.expiryPaused = true
    const isRead = client.has(CLIENT_INPUT_QUEUED) && client.queryEnd === client.queryStart && this.readsOn(client)
    const mayHaveMore = !isRead || this.readDirectly(client, client.partial!)
    this.runQuery(client)
    keyspace.expiryPaused = expiryPaused
    const goesOn = this.isCut || (mayHaveMore && client.has(CLIENT_INPUT_QUEUED) && this.readsOn(client))
    this.engine.finishEvent(client)
    if (!goesOn || client.has(CLIENT_CLOSING)) return false
    this.waiting.add(client)
    return true
  }

  /** Length of the command that is running, as it was sent. */
  get commandBytes(): number {
    return this.wholeBytes > 0 ? this.wholeBytes : this.parser.pos - this.commandStart
  }

  /** The primary's MULTI runs. */
  primaryBeginsTransaction(): void {
    this.restAtMulti = this.runEnd - this.commandStart
  }

  /** Received bytes of commands that have not run yet. */
  unparsedBytes(client: Client): number {
    return client.queryBytes + (client.partial?.rawBytes ?? 0)
  }

  private runQuery(client: Client): void {
    const query = client.query ?? NO_BYTES
    client.queryStart = this.run(client, query, client.queryView ?? NO_VIEW, client.queryStart, client.queryEnd)
    if (client.queryStart < client.queryEnd) return
    client.queryStart = client.queryEnd = 0
    if (query.length < LONG_READ_BYTES) return
    client.query = client.queryView = undefined
    this.droppedBytes += releaseBuffer(query.buffer)
  }

  /** Runs commands from u8[pos .. end); the offset of the first byte not used. */
  private run(client: Client, u8: Uint8Array, dv: DataView, pos: number, end: number): number {
    const { parser, engine } = this
    const { settings } = engine
    const bulkBytesMax = client.has(CLIENT_MASTER) ? Number.MAX_SAFE_INTEGER : settings.protoMaxBulkLen
    this.bytesWanted = 0
    this.runEnd = end
    engine.reply.resp = client.resp
    if (client.partial !== undefined) {
      pos = this.runPartial(client, u8, dv, pos, end, bulkBytesMax)
      if (client.partial !== undefined) return pos
    }
    this.commandStart = pos
    const { dispatch } = engine
    const runner = this.runner ?? this.executor
    const budgetUs = dispatch.timedUs + BUDGET_US
    dispatch.lastEndUs = 0
    let untilClock = COMMANDS_PER_CLOCK
    let endUs = 0
    let piece = pos
    const bytesEnd = pos + BUDGET_BYTES
    // With a limit on its replies all commands of one of Redis's reads run, so that they count together.
    const leastEnd = engine.output.isLimited ? pos + READ_BYTES : pos
    while (pos < end && (client.flags & MAY_NOT_RUN) === 0) {
      const outcome = parser.parse(u8, dv, pos, end, bulkBytesMax, client.authenticated)
      if (outcome === INCOMPLETE) return this.beginPartial(client, u8, pos, end)
      pos = parser.pos
      if (outcome === COMMAND) {
        const before = pos
        runner.run(client, parser.args, parser.argc)
        // Postponed: the command stays in the query buffer and is parsed again.
        if (client.has(CLIENT_POSTPONED)) return this.commandStart
        pos = before
        if (parser.args.length > ARGS_RETAIN_MAX) parser.args.length = ARGS_RETAIN_MAX
        if (pos - piece >= READ_BYTES) {
          engine.output.beginNextRead(client)
          dispatch.lastEndUs = 0
          piece = pos
        }
        let isOver = pos >= bytesEnd || dispatch.timedUs >= budgetUs || engine.reply.pos >= BUDGET_REPLY_BYTES
        if (--untilClock === 0) {
          untilClock = COMMANDS_PER_CLOCK
          engine.tick()
          const nowUs = engine.machine.monotonicUs()
          if (endUs === 0) endUs = nowUs + BUDGET_US
          else if (nowUs >= endUs) isOver = true
        }
        if (isOver && pos < end && pos >= leastEnd && (client.flags & MAY_NOT_RUN) === 0) {
          this.isCut = true
          return pos
        }
      } else if (outcome === PROTOCOL_ERROR) return this.refuse(client, end)
      else if (outcome !== EMPTY_COMMAND) break
      this.commandStart = pos
    }
    return pos
  }

  /** Replies to a protocol error; the rest of the input is not read. */
  private refuse(client: Client, end: number): number {
    const { engine } = this
    const from = engine.reply.pos
    engine.reply.error('ERR Protocol error: ' + this.parser.error)
    engine.dispatch.endRefusal(client, from)
    engine.stats.protocolErrors++
    engine.closeClient(client, true)
    this.dropPartial(client)
    return end
  }

  // ---- commands that arrive in pieces ----

  /** Takes the arguments of an incomplete long command at `pos` out of the buffer. */
  private beginPartial(client: Client, u8: Uint8Array, pos: number, end: number): number {
    const { parser } = this
    this.bytesWanted = parser.bytesNeeded
    if (parser.argsLeft === 0) return pos
    const isLong =
      parser.argc >= PARTIAL_FROM_ARGS || parser.bulkLength >= BIG_ARGUMENT_BYTES || end - pos >= BIG_ARGUMENT_BYTES
    if (!isLong) return pos
    client.partial = this.partials.begin(parser.argsLeft)
    return this.takeArguments(client.partial, u8, pos, end)
  }

  /** Takes the arguments that the parser found of a long command at `pos`; the offset of the first byte not taken. */
  private takeArguments(partial: PartialCommand, u8: Uint8Array, pos: number, end: number): number {
    const { parser } = this
    for (let i = 0; i < parser.argc; i++) partial.add(parser.args[i])
    partial.argsLeft = parser.argsLeft
    this.bytesWanted = parser.bytesNeeded - (parser.at - parser.pos)
    let taken = parser.at
    if (parser.bulkLength >= BIG_ARGUMENT_BYTES) {
      const { hasLarge } = partial
      partial.beginBulk(parser.bulkLength)
      if (partial.hasLarge && !hasLarge) this.large?.begin()
      taken = parser.bulkAt + partial.fill(u8, parser.bulkAt, end)
    }
    partial.rawBytes += taken - pos
    return taken
  }

  /** Copies received bytes into the incomplete big argument; the offset of the first byte after it. */
  private fillBulk(client: Client, u8: Uint8Array, start: number, end: number): number {
    const partial = client.partial!
    if (!partial.isInBulk) return start
    const filled = partial.fill(u8, start, end)
    partial.rawBytes += filled
    start += filled
    this.checkLimit(client, false)
    partial.endBulk()
    return start
  }

  /** Continues a long command; runs it when it is whole. The offset of the first byte not used. */
  private runPartial(
    client: Client,
    u8: Uint8Array,
    dv: DataView,
    pos: number,
    end: number,
    bulkBytesMax: number,
  ): number {
    const partial = client.partial!
    const { parser, engine } = this
    if ((client.flags & MAY_NOT_RUN) !== 0 || partial.isInBulk) return pos
    if (partial.argsLeft > 0) {
      const outcome = parser.parseRest(u8, dv, pos, end, partial.argsLeft, bulkBytesMax, client.authenticated)
      if (outcome === PROTOCOL_ERROR) return this.refuse(client, end)
      if (outcome === INCOMPLETE) return this.takeArguments(partial, u8, pos, end)
      for (let i = 0; i < parser.argc; i++) partial.add(parser.args[i])
      partial.argsLeft = 0
      partial.rawBytes += parser.pos - pos
      pos = parser.pos
    }
    client.partial = undefined
    const args = partial.arguments()
    const { lent } = engine.keyspace.strings
    lent.offer(partial.bigArguments)
    this.wholeBytes = partial.rawBytes
    ;(this.runner ?? this.executor).run(client, args, args.length)
    this.wholeBytes = 0
    lent.offer(NONE_LENT)
    if (client.has(CLIENT_POSTPONED)) client.partial = partial
    else {
      engine.dispatch.forgetArguments(parser.args)
      this.endPartial(client, partial)
    }
    return pos
  }

  // ---- direct reads ----

  /** So much of a big argument is missing that it is read directly, from the input queue. */
  private readsOn(client: Client): boolean {
    const { partial, connection } = client
    if (partial === undefined || partial.bulkBytesLeft < DIRECT_FROM_BYTES) return false
    if ((client.flags & (MAY_NOT_RUN | CLIENT_UNREAD)) !== 0) return false
    return connection.readInto !== undefined && connection.kind !== 'tls'
  }

  /**
   * Reads the missing bytes of a big argument to their place, and the beginning of what follows, to which the next big
   * argument may belong, into the query buffer. False: the socket is empty, or has ended.
   */
  private readDirectly(client: Client, partial: PartialCommand): boolean {
    const { stats, keyspace } = this.engine
    if (client.query === undefined || client.query.length < READ_BYTES) {
      client.query = new Uint8Array(READ_BYTES)
      client.queryView = new DataView(client.query.buffer)
    }
    const room = partial.room(DIRECT_BYTES_MAX)
    const next = room.length < partial.bulkBytesLeft ? NO_BYTES : client.query.subarray(0, READ_BYTES)
    const bytes = client.connection.readInto!(room, next)
    if (bytes === 0) return false
    client.lastActiveMs = keyspace.nowMs
    client.bytesIn += bytes
    stats.netInputBytes += bytes
    stats.reads++
    const filled = Math.min(bytes, room.length)
    partial.received(filled)
    partial.rawBytes += filled
    client.queryStart = 0
    client.queryEnd = bytes - filled
    this.checkLimit(client, false)
    partial.endBulk()
    return bytes === room.length + next.length
  }

  // ---- query buffers ----

  /**
   * Buffers bytes that are no whole command yet, or wait. `known`: minimal length of the rest; 0: capacity doubles.
   * A `given` buffer with a long rest becomes the query buffer.
   */
  private bufferInput(
    client: Client,
    u8: Uint8Array,
    dv: DataView,
    start: number,
    end: number,
    known: number,
    given: boolean,
  ): void {
    const more = end - start
    const have = client.queryEnd - client.queryStart
    if (given && have === 0 && known <= more && more >= READ_BYTES) {
      client.query = u8
      client.queryView = dv
      client.queryStart = start
      client.queryEnd = end
      return
    }
    let query = client.query
    if (query === undefined || client.queryEnd + more > query.length) {
      const wanted = known > have + more ? known : Math.max((have + more) * 2, 1024)
      if (query !== undefined && have + more <= query.length && wanted <= query.length) {
        query.copyWithin(0, client.queryStart, client.queryEnd)
      } else {
        const grown = new Uint8Array(wanted)
        if (query !== undefined) grown.set(query.subarray(client.queryStart, client.queryEnd))
        if (query !== undefined && query.length >= LONG_READ_BYTES) this.droppedBytes += releaseBuffer(query.buffer)
        client.query = query = grown
        client.queryView = new DataView(grown.buffer)
      }
      client.queryStart = 0
      client.queryEnd = have
    }
    query.set(u8.subarray(start, end), client.queryEnd)
    client.queryEnd += more
  }

  /**
   * Closes a client whose query buffer is beyond client-query-buffer-limit. What only waits for its next budget
   * (`waits`, or the last run was cut) is run first: in process nothing slows the sender down.
   */
  private checkLimit(client: Client, waits: boolean): void {
    const { engine } = this
    if (client.inputBytes > client.queryPeak) client.queryPeak = client.inputBytes
    if (client.inputBytes <= engine.settings.clientQueryBufferLimit || client.has(CLIENT_MASTER)) return
    for (this.isCut ||= waits; this.isCut; this.runQuery(client)) this.isCut = false
    if (client.inputBytes <= engine.settings.clientQueryBufferLimit || client.has(CLIENT_CLOSING)) return
    engine.stats.clientQueryBufferLimitDisconnections++
    engine.log?.(
      'warning',
      `Closing client that reached max query buffer length: ${clientLine(client, engine.keyspace.nowMs, undefined)}`,
    )
    engine.closeClient(client)
  }

  /** Drops a client's buffers. */
  drop(client: Client): void {
    this.droppedBytes += client.query?.length ?? 0
    client.query = client.queryView = undefined
    client.queryStart = client.queryEnd = 0
    this.dropPartial(client)
  }

  private dropPartial(client: Client): void {
    const { partial } = client
    client.partial = undefined
    if (partial !== undefined) this.endPartial(client, partial)
  }

  private endPartial(client: Client, partial: PartialCommand): void {
    if (partial.hasLarge) this.large?.end(client)
    this.partials.end(partial)
  }

  /** Resizes the query buffer of a client to `bytes`, or removes it. */
  resize(client: Client, bytes: number): void {
    const { query, queryStart, queryEnd } = client
    if (query === undefined) return
    client.query = bytes === 0 ? undefined : new Uint8Array(bytes)
    client.queryView = client.query === undefined ? undefined : new DataView(client.query.buffer)
    client.query?.set(query.subarray(queryStart, queryEnd))
    client.queryStart = 0
    client.queryEnd = queryEnd - queryStart
  }
}
