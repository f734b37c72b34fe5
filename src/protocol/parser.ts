// Parser: finds the arguments of one command in a query buffer, without copying them.
//
//   *2\r\n $3\r\n GET\r\n $1\r\n k\r\n        or inline:   GET k\r\n
//              ^args[0]          ^args[1]
//
// Always: the parsed buffer is never written to, so that a postponed command can be parsed again; args[0 .. argc)
// point into it, words of an inline command that had quotes into `unquoted`; INCOMPLETE leaves `pos` at the start of
// the command, so that it can be parsed again when more bytes have come. Of a long command the caller removes
// args[0 .. argc) instead and continues at `at`, by parseRest().
// Source: the Redis serialization protocol; error texts and limits are Redis 7.2's.

import { BACKSLASH, CR, LF } from '../lib/ascii.ts'
import { Slice } from '../lib/slice.ts'

export const INCOMPLETE = 0
export const COMMAND = 1
export const PROTOCOL_ERROR = 2
/** An empty command ("*0", an empty line): nothing to run. */
export const EMPTY_COMMAND = 3

export const INLINE_BYTES_MAX = 64 * 1024
const MULTIBULK_MAX = 2147483647
const UNAUTHENTICATED_MULTIBULK_MAX = 10
const UNAUTHENTICATED_BULK_MAX = 16384

const DOUBLE_QUOTE = 0x22
const SINGLE_QUOTE = 0x27

export class Parser {
  args: Slice[] = []
  argc = 0
  /** After a call: first byte not consumed. */
  pos = 0
  /** After INCOMPLETE: minimal length of the command from `pos`. */
  bytesNeeded = 0
  /** After INCOMPLETE: arguments that are incomplete; 0: an inline command, or their number is not known yet. */
  argsLeft = 0
  /** After INCOMPLETE with arguments left: where the first of them begins, "$…" included. */
  at = 0
  /** Its length, -1: not known yet; and where its bytes begin. */
  bulkLength = -1
  bulkAt = 0
  /** The words of an inline command that have quotes, without them. */
  private unquoted = new Uint8Array(0)
  private unquotedView = new DataView(this.unquoted.buffer)
  /** After PROTOCOL_ERROR: the error text, without "-ERR Protocol error: ". */
  error = ''

  /** Parses one command from u8[pos .. end). */
  parse(u8: Uint8Array, dv: DataView, pos: number, end: number, bulkBytesMax: number, authenticated: boolean): number {
    this.pos = pos
    this.argc = 0
    this.argsLeft = 0
    this.bytesNeeded = 0
    if (pos >= end) return INCOMPLETE
    if (u8[pos] !== 0x2a) return this.parseInline(u8, dv, pos, end)
    const line = this.findLineEnd(u8, pos + 1, end)
    if (line < 0) {
      return end - pos > INLINE_BYTES_MAX ? this.fail('too big mbulk count string') : INCOMPLETE
    }
    const left = this.readLength(u8, pos + 1, line)
    if (Number.isNaN(left) || left > MULTIBULK_MAX) return this.fail('invalid multibulk length')
    if (left > UNAUTHENTICATED_MULTIBULK_MAX && !authenticated) return this.fail('unauthenticated multibulk length')
    if (left <= 0) {
      this.pos = line + 2
      return EMPTY_COMMAND
    }
    return this.parseBulks(u8, dv, line + 2, end, left, bulkBytesMax, authenticated)
  }

  /** Parses the remaining `left` arguments of a command. */
  parseRest(
    u8: Uint8Array,
    dv: DataView,
    pos: number,
    end: number,
    left: number,
    bulkBytesMax: number,
    authenticated: boolean,
  ): number {
    this.pos = pos
    this.argc = 0
    return this.parseBulks(u8, dv, pos, end, left, bulkBytesMax, authenticated)
  }

  private parseBulks(
    u8: Uint8Array,
    dv: DataView,
    at: number,
    end: number,
    left: number,
    bulkBytesMax: number,
    authenticated: boolean,
  ): number {
    let argc = this.argc
    const args = this.args
    while (left > 0) {
      if (at >= end) return this.incomplete(at, left, argc, end + 4)
      if (u8[at] !== 0x24) {
        // Redis looks at this byte only when the whole line is there.
        if (this.findLineEnd(u8, at, end) < 0) return this.unfinishedLength(at, end, left, argc)
        return this.fail(`expected '$', got '${String.fromCharCode(u8[at])}'`)
      }
      // The common case, one to four digits and \r\n at hand, needs no search.
      let len = 0
      let p = at + 1
      let c = p < end ? u8[p] - 48 : -1
      if (c >= 0 && c <= 9) {
        do {
          len = len * 10 + c
          c = ++p < end ? u8[p] - 48 : -1
        } while (c >= 0 && c <= 9 && p - at < 11)
      } else p = -1
      if (p < 0 || p + 1 >= end || u8[p] !== CR) {
        p = this.findLineEnd(u8, at + 1, end)
        if (p < 0) return this.unfinishedLength(at, end, left, argc)
        len = this.readLength(u8, at + 1, p)
      } else if (u8[at + 1] === 48 && p - at > 2) len = Number.NaN
      if (Number.isNaN(len) || len < 0 || len > bulkBytesMax) return this.fail('invalid bulk length')
      if (len > UNAUTHENTICATED_BULK_MAX && !authenticated) return this.fail('unauthenticated bulk length')
      p += 2
      if (p + len + 2 > end) {
        this.incomplete(at, left, argc, p + len + 2)
        this.bulkLength = len
        this.bulkAt = p
        return INCOMPLETE
      }
      if (argc === args.length) args.push(new Slice())
      const arg = args[argc++]
      arg.u8 = u8
      arg.dv = dv
      arg.off = p
      arg.len = len
      at = p + len + 2
      left--
    }
    this.argc = argc
    this.pos = at
    return COMMAND
  }

  private unfinishedLength(at: number, end: number, left: number, argc: number): number {
    if (end - at > INLINE_BYTES_MAX) return this.fail('too big bulk count string')
    return this.incomplete(at, left, argc, end + 1)
  }

  private incomplete(at: number, left: number, argc: number, wanted: number): number {
    this.argc = argc
    this.at = at
    this.argsLeft = left
    this.bulkLength = -1
    this.bytesNeeded = wanted - this.pos
    return INCOMPLETE
  }

  private fail(text: string): number {
    this.error = text
    return PROTOCOL_ERROR
  }

  /** Offset of the CR that ends a line, or -1. As in Redis, the byte after it must be there but is not checked. */
  private findLineEnd(u8: Uint8Array, at: number, end: number): number {
    for (const last = end - 1; at < last; at++) if (u8[at] === CR) return at
    return -1
  }

  /** A strict decimal integer (string2ll), NaN where it is none. */
  private readLength(u8: Uint8Array, at: number, end: number): number {
    let negative = false
    if (at < end && u8[at] === 0x2d) {
      negative = true
      at++
    }
    if (at >= end || end - at > 15) return Number.NaN
    if (u8[at] === 48 && (end - at > 1 || negative)) return Number.NaN
    let n = 0
    for (; at < end; at++) {
      const c = u8[at] - 48
      if (c < 0 || c > 9) return Number.NaN
      n = n * 10 + c
    }
    return negative ? -n : n
  }

  private parseInline(u8: Uint8Array, dv: DataView, pos: number, end: number): number {
    let line = pos
    while (line < end && u8[line] !== LF) line++
    if (line === end) return end - pos > INLINE_BYTES_MAX ? this.fail('too big inline request') : INCOMPLETE
    const stop = line > pos && u8[line - 1] === CR ? line - 1 : line
    if (!this.splitWords(u8, dv, pos, stop)) return this.fail('unbalanced quotes in request')
    this.pos = line + 1
    return this.argc > 0 ? COMMAND : EMPTY_COMMAND
  }

  /** Splits a line into words as redis-cli does ("…" with escapes, '…' with \'). False where quotes do not match. */
  private splitWords(u8: Uint8Array, dv: DataView, at: number, end: number): boolean {
    this.argc = 0
    let unquotedEnd = 0
    for (;;) {
      while (at < end && isSpace(u8[at])) at++
      if (at >= end) return true
      const start = at
      while (at < end && !endsWord(u8[at]) && u8[at] !== DOUBLE_QUOTE && u8[at] !== SINGLE_QUOTE) at++
      if (this.argc === this.args.length) this.args.push(new Slice())
      const arg = this.args[this.argc++]
      if (at === end || endsWord(u8[at])) {
        arg.set(u8, dv, start, at - start)
        continue
      }
      this.reserveUnquoted(end - start, unquotedEnd)
      at = this.unquote(u8, start, end, unquotedEnd)
      if (at < 0) return false
      arg.set(this.unquoted, this.unquotedView, unquotedEnd, this.wordEnd - unquotedEnd)
      unquotedEnd = this.wordEnd
    }
  }

  /** After unquote(): where the word in `unquoted` ends. */
  private wordEnd = 0

  /** Writes the word that begins at `at`, unquoted, to `unquoted` at `out`; returns where it ends, -1: unbalanced. */
  private unquote(u8: Uint8Array, at: number, end: number, out: number): number {
    const word = this.unquoted
    let quote = 0
    for (; at < end; at++) {
      let c = u8[at]
      if (quote === 0) {
        if (endsWord(c)) break
        if (c === DOUBLE_QUOTE || c === SINGLE_QUOTE) {
          quote = c
          continue
        }
      } else if (c === quote) {
        at++
        if (at < end && !isSpace(u8[at])) return -1
        this.wordEnd = out
        return at
      } else if (c === BACKSLASH && at + 1 < end) {
        if (quote === DOUBLE_QUOTE) {
          const hex = at + 3 < end && u8[at + 1] === 0x78 ? hexByte(u8[at + 2], u8[at + 3]) : -1
          c = hex >= 0 ? hex : unescape(u8[at + 1])
          at += hex >= 0 ? 3 : 1
        } else if (u8[at + 1] === SINGLE_QUOTE) {
          c = SINGLE_QUOTE
          at++
        }
      }
      word[out++] = c
    }
    this.wordEnd = out
    return quote === 0 ? at : -1
  }

  /** Reserves space for the rest of a line after the words that are in `unquoted`; a word never gets longer. */
  private reserveUnquoted(bytes: number, have: number): void {
    if (have === 0 && this.unquoted.length > INLINE_BYTES_MAX) this.unquoted = new Uint8Array(0)
    if (have + bytes <= this.unquoted.length) return
    // Words already there fit by construction: the first of them reserved space for the whole line.
    this.unquoted = new Uint8Array(Math.max(bytes, 256))
    this.unquotedView = new DataView(this.unquoted.buffer)
  }
}

function isSpace(c: number): boolean {
  return c === 32 || (c >= 9 && c <= 13) || c === 0
}

/** As in Redis, a vertical tab or form feed within a word belongs to it. */
function endsWord(c: number): boolean {
  return isSpace(c) && c !== 0x0b && c !== 0x0c
}

function hexByte(high: number, low: number): number {
  const h = hexDigit(high)
  const l = hexDigit(low)
  return h < 0 || l < 0 ? -1 : h * 16 + l
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48
  c |= 32
  return c >= 97 && c <= 102 ? c - 87 : -1
}

function unescape(c: number): number {
  if (c === 0x6e) return 10
  if (c === 0x72) return 13
  if (c === 0x74) return 9
  if (c === 0x62) return 8
  if (c === 0x61) return 7
  return c
}
