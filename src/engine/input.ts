// InputBuffers: the way of commands in.
//
//   bytes ─▶ run: every whole command in them ─▶ keep: the rest, in the client's own buffer ─▶ run, with what comes next
//
// Always: a client that is blocked or paused keeps its bytes unparsed.

import { COMMAND, INCOMPLETE, NOTHING, Parser, PROTOCOL_ERROR } from '../protocol/parser.ts'
import { CLIENT_BLOCKED, CLIENT_CLOSE_AFTER_REPLY, CLIENT_CLOSING, CLIENT_POSTPONED, type Client } from './client.ts'
import type { Engine } from './engine.ts'

const COMMANDS_PER_CLOCK = 64
/** Input buffers up to this are kept for the next long command; the cron takes back what is not used. */
const QUERY_KEEP_BYTES = 1024 * 1024
/** A command that promises more than this gets room as its bytes come. */
const PROMISE_BYTES_MAX = 16 * 1024 * 1024

export class InputBuffers {
  private readonly engine: Engine
  private readonly parser = new Parser()

  constructor(engine: Engine) {
    this.engine = engine
  }

  /**
   * Bytes have come. `u8` and `dv` see the same buffer; it is free for reuse when this returns. Runs every whole
   * command and writes the replies.
   */
  receive(client: Client, u8: Uint8Array, dv: DataView, start: number, end: number): void {
    if (client.has(CLIENT_CLOSING)) return
    this.engine.tick()
    client.lastActiveMs = this.engine.keyspace.nowMs
    client.bytesIn += end - start
    this.engine.stats.netInputBytes += end - start
    this.engine.stats.reads++
    if (client.query !== undefined && client.queryEnd > client.queryStart) {
      this.keep(client, u8, start, end, 0)
      this.runQuery(client)
    } else {
      const rest = this.run(client, u8, dv, start, end)
      if (rest < end && !client.has(CLIENT_CLOSING)) this.keep(client, u8, rest, end, this.bytesWanted)
    }
    this.engine.finishEvent(client)
  }

  /** Goes on with what a client sent while it was blocked or paused. */
  continueClient(client: Client): void {
    if (client.query === undefined || client.queryEnd === client.queryStart || client.has(CLIENT_CLOSING)) return
    this.runQuery(client)
    this.engine.finishEvent(client)
  }

  private runQuery(client: Client): void {
    const query = client.query!
    client.queryStart = this.run(client, query, client.queryView!, client.queryStart, client.queryEnd)
    if (client.queryStart < client.queryEnd) {
      const wanted = Math.min(this.bytesWanted, PROMISE_BYTES_MAX)
      if (wanted > query.length && !client.has(CLIENT_CLOSING)) this.resize(client, wanted)
      return
    }
    client.queryStart = client.queryEnd = 0
    if (query.length > QUERY_KEEP_BYTES) client.query = client.queryView = undefined
  }

  /** Runs commands from u8[pos .. end); the offset of the first byte not used. */
  private run(client: Client, u8: Uint8Array, dv: DataView, pos: number, end: number): number {
    const parser = this.parser
    const settings = this.engine.settings
    this.engine.current = client
    this.commandStart = pos
    this.bytesWanted = 0
    this.engine.reply.resp = client.resp
    let untilClock = COMMANDS_PER_CLOCK
    while (
      pos < end &&
      (client.flags & (CLIENT_BLOCKED | CLIENT_CLOSING | CLIENT_CLOSE_AFTER_REPLY | CLIENT_POSTPONED)) === 0
    ) {
      const outcome = parser.parse(u8, dv, pos, end, settings.protoMaxBulkLen, client.authenticated, client.resume)
      client.resume = undefined
      if (outcome === INCOMPLETE) {
        client.resume = parser.resume
        this.bytesWanted = parser.bytesWanted
        break
      }
      pos = parser.pos
      if (outcome === COMMAND) {
        const before = pos
        this.engine.dispatch.run(client, parser.args, parser.argc)
        // Held back by a pause: the command stays in the query and is parsed again.
        if (client.has(CLIENT_POSTPONED)) return this.commandStart
        pos = before
        if (--untilClock === 0) {
          untilClock = COMMANDS_PER_CLOCK
          this.engine.tick()
        }
      } else if (outcome === PROTOCOL_ERROR) {
        this.engine.reply.error('ERR Protocol error: ' + parser.error)
        this.engine.stats.protocolErrors++
        client.flags |= CLIENT_CLOSE_AFTER_REPLY
        return end
      } else if (outcome !== NOTHING) break
      this.commandStart = pos
    }
    return pos
  }

  private commandStart = 0
  /** How long the command will be that the last run() found half of; 0: not known. */
  private bytesWanted = 0

  /** Keeps bytes that make no whole command yet. `known`: how long the command will be at least; 0: the room doubles. */
  private keep(client: Client, u8: Uint8Array, start: number, end: number, known: number): void {
    const more = end - start
    const have = client.queryEnd - client.queryStart
    if (have + more > this.engine.settings.clientQueryBufferLimit) {
      this.engine.stats.clientQueryBufferLimitDisconnections++
      this.engine.log?.(
        'warning',
        `Closing client that reached max query buffer length: id=${client.id} addr=${client.connection.peer}`,
      )
      return this.engine.closeClient(client)
    }
    let query = client.query
    if (query === undefined || client.queryEnd + more > query.length) {
      const wanted = roomFor(have + more, known)
      if (query !== undefined && have + more <= query.length && wanted <= query.length) {
        query.copyWithin(0, client.queryStart, client.queryEnd)
      } else {
        const grown = new Uint8Array(wanted)
        if (query !== undefined) grown.set(query.subarray(client.queryStart, client.queryEnd))
        client.query = query = grown
        client.queryView = new DataView(grown.buffer)
      }
      client.queryStart = 0
      client.queryEnd = have
    }
    query.set(u8.subarray(start, end), client.queryEnd)
    client.queryEnd += more
    if (have + more > client.queryPeak) client.queryPeak = have + more
  }

  /** Gives the input buffer of a client just the room for `bytes`, or takes it away. */
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

/** How large an input buffer should be that holds `have` bytes of a command of at least `known` bytes. */
function roomFor(have: number, known: number): number {
  const doubled = Math.max(have * 2, 1024)
  if (known <= have) return doubled
  return known <= PROMISE_BYTES_MAX ? known : Math.min(known, Math.max(doubled, PROMISE_BYTES_MAX))
}
