// ReplyReader: parses replies, RESP2 and RESP3, into values, from bytes as they arrive.
//
//   feed(bytes) ─▶ u8 [ consumed | pos … the incomplete value … end | free ]  ─▶ next() ─▶ value
//
//   +OK → text          :1 → number, or bigint beyond 2^53        *3 ~3 → list           #t → boolean
//   -ERR … !9 → error   $3 =7 → bytes (=: without its "txt:")     %2 → list of 2 × 2     ,1.5 → number
//   _ $-1 *-1 → null    (123 → text                               |1 → left out          >2 → Push
//
// Maps are flat lists as in RESP2, so that callers need not know which protocol is spoken; with `mapOf` they are
// what it makes of the list.
//
// Always: bytes are scanned a bounded number of times, however they are split; a false count or length allocates
// nothing before its elements or bytes have come; after an error next() throws the same error again.

import { CR, LF, MINUS, PLUS, ZERO } from '../lib/ascii.ts'
import { latin1Text } from '../lib/bytes.ts'
import { Push, ReplyError, type Value } from './value.ts'

export interface ReplyLimits {
  /** Of a simple string or an error. */
  lineBytesMax: number
  bulkBytesMax: number
  /** Lists within lists. */
  depthMax: number
  /** Of one reply with all its elements. */
  replyBytesMax: number
}

const REPLY_LIMITS: ReplyLimits = {
  lineBytesMax: 1 << 20,
  bulkBytesMax: 2 ** 32 - 2 ** 16,
  depthMax: 128,
  replyBytesMax: Number.POSITIVE_INFINITY,
}

const START_BYTES = 64 * 1024
/** A larger buffer is dropped when it is empty. */
const BUFFER_RETAIN_BYTES = 4 << 20
/** A bulk string of at least this length that fills half of the buffer takes the buffer over instead of a copy. */
const HANDOVER_BYTES_MIN = 1 << 20
const COUNT_MAX = 2 ** 31 - 1
/** Characters of a length, a count or a 64-bit integer. */
const INTEGER_CHARS_MAX = 20
/** The prefix of a verbatim string: "txt:". */
const FORMAT_BYTES = 4

/** A list that is incomplete. */
interface Frame {
  type: number
  items: Value[]
  left: number
  outer: Frame | undefined
}

/** Returned by element() when a list has begun, or an element without a value was skipped. */
const NO_VALUE = Symbol('no value')

export class ReplyReader {
  /** None before the first bytes: many servers never call commands of their own. */
  private u8 = new Uint8Array(0)
  private pos = 0
  private end = 0
  /** Bytes from `pos` that the next element has at least. */
  private wanted = 0
  /** Bytes of the line at `pos` that were searched for its end. */
  private scanned = 0
  private frame: Frame | undefined
  private depth = 0
  private replyStart = 0
  private readonly limits: ReplyLimits
  /** Bytes parsed, ever. After next() returned a value: up to its last byte. */
  consumed = 0

  private readonly mapOf: ((flat: Value[]) => Value) | undefined

  constructor(limits: Partial<ReplyLimits> = REPLY_LIMITS, mapOf?: (flat: Value[]) => Value) {
    this.limits = { ...REPLY_LIMITS, ...limits }
    this.mapOf = mapOf
  }

  /** Appends a copy of received bytes. */
  feed(bytes: Uint8Array): void {
    if (this.end + bytes.length > this.u8.length) this.makeSpace(bytes.length)
    this.u8.set(bytes, this.end)
    this.end += bytes.length
  }

  private makeSpace(more: number): void {
    const { u8, pos, end } = this
    const keep = end - pos
    const room = keep + more
    // Bytes are moved only when they fill at most half of the buffer, so that as much must arrive before the next move.
    if (room <= u8.length && keep * 2 <= u8.length && (keep > 0 || u8.length <= BUFFER_RETAIN_BYTES))
      u8.copyWithin(0, pos, end)
    else {
      const doubled = Math.max(START_BYTES, keep === 0 ? room : room * 2)
      const enough = this.wanted + START_BYTES // an announced string: no more is needed
      this.u8 = new Uint8Array(this.wanted > 0 && room <= enough ? Math.min(doubled, enough) : doubled)
      this.u8.set(u8.subarray(pos, end))
    }
    this.pos = 0
    this.end = keep
  }

  /** Returns and removes the bytes that are not parsed. Between replies only. */
  rest(): Uint8Array {
    const bytes = this.u8.slice(this.pos, this.end)
    this.pos = this.end = this.scanned = this.wanted = 0
    return bytes
  }

  /** The next whole value; undefined: incomplete. Throws an Error for malformed RESP, or beyond the limits. */
  next(): Value | Push | undefined {
    for (;;) {
      const element = this.element()
      if (element === undefined) return undefined
      if (element === NO_VALUE) continue
      const whole = this.place(element)
      if (whole !== undefined) return whole
    }
  }

  /** Adds an element to its list; returns the reply if it is whole now. */
  private place(element: Value): Value | Push | undefined {
    let value: Value | Push = element
    for (;;) {
      const { frame } = this
      if (frame === undefined) {
        this.replyStart = this.consumed
        return value
      }
      frame.items.push(value as Value)
      if (--frame.left > 0) return undefined
      this.frame = frame.outer
      this.depth--
      if (frame.type === ATTRIBUTE) return undefined
      if (frame.type === PUSH) value = new Push(frame.items)
      else value = frame.type === MAP && this.mapOf !== undefined ? this.mapOf(frame.items) : frame.items
    }
  }

  private element(): Value | typeof NO_VALUE | undefined {
    // A server that waits for a snapshot sends empty lines as keepalive.
    if (this.frame === undefined) this.skipEmptyLines()
    if (this.pos === this.end) return undefined
    const { u8, pos } = this
    const type = u8[pos]
    switch (type) {
      case BULK:
      case VERBATIM:
      case BLOB_ERROR:
        return this.bulk(type)
      case INTEGER:
        return this.integer()
      case LIST:
      case SET:
      case MAP:
      case PUSH:
      case ATTRIBUTE:
        return this.list(type)
    }
    if (!IS_LINE[type]) throw new Error('the server answers what is no Redis protocol')
    const eol = this.endOfLine(this.limits.lineBytesMax)
    return eol < 0 ? undefined : this.line(type, eol)
  }

  private skipEmptyLines(): void {
    while (this.pos < this.end && this.u8[this.pos] === LF) {
      this.take(1)
      this.replyStart = this.consumed
    }
  }

  /** Advances by `bytes` bytes. */
  private take(bytes: number): void {
    this.consumed += bytes
    this.pos += bytes
    this.scanned = this.wanted = 0
  }

  /** Where the CRLF of the line at `pos` is, at most `bytesMax` away; -1: it has not come yet. */
  private endOfLine(bytesMax: number): number {
    const { u8, pos, end } = this
    let at = pos + 1 + this.scanned
    while (at < end && u8[at] !== CR && u8[at] !== LF) at++
    this.scanned = at - pos - 1
    this.mayTake(at - pos)
    if (this.scanned > bytesMax) throw new Error('the server answers a line that is too long')
    if (at === end || (u8[at] === CR && at + 1 === end)) return -1
    if (u8[at] !== CR || u8[at + 1] !== LF) throw new Error('the server answers a line without its end')
    this.mayTake(at + 2 - pos)
    return at
  }

  private mayTake(bytes: number): void {
    if (this.consumed - this.replyStart + bytes > this.limits.replyBytesMax)
      throw new Error('the server answers more than is allowed')
  }

  private line(type: number, eol: number): Value {
    const text = latin1Text(this.u8, this.pos + 1, eol)
    const value = lineValue(type, text)
    this.take(eol + 2 - this.pos)
    return value
  }

  private integer(): Value | undefined {
    const eol = this.endOfLine(INTEGER_CHARS_MAX)
    if (eol < 0) return undefined
    let value: number | bigint = this.number(eol)
    if (!Number.isSafeInteger(value)) value = BigInt(latin1Text(this.u8, this.pos + 1, eol))
    this.take(eol + 2 - this.pos)
    return value
  }

  /** The integer of the line at `pos`; rounded beyond 2^53. */
  private number(eol: number): number {
    const { u8 } = this
    let at = this.pos + 1
    const sign = u8[at]
    if (sign === MINUS || sign === PLUS) at++
    let n = at < eol ? 0 : Number.NaN
    for (; at < eol; at++) {
      const digit = u8[at] - ZERO
      n = digit >= 0 && digit <= 9 ? n * 10 + digit : Number.NaN
    }
    if (Number.isNaN(n)) throw new Error('the server answers what is no number')
    return sign === MINUS && n !== 0 ? -n : n
  }

  /** The length or count of the line at `pos`; -1: null. */
  private size(eol: number, max: number): number {
    const n = this.number(eol)
    if (n < -1 || n > max) throw new Error('the server answers a length beyond all bounds')
    return n
  }

  private bulk(type: number): Value | undefined {
    const eol = this.endOfLine(INTEGER_CHARS_MAX)
    if (eol < 0) return undefined
    const length = this.size(eol, this.limits.bulkBytesMax)
    const from = eol + 2
    if (length < 0) {
      this.take(from - this.pos)
      return null
    }
    const to = from + length
    this.mayTake(to + 2 - this.pos)
    if (to + 2 > this.end) {
      this.wanted = to + 2 - this.pos
      return undefined
    }
    const { u8 } = this
    if (u8[to] !== CR || u8[to + 1] !== LF) throw new Error('the server answers a string without its end')
    if (type === VERBATIM && length < FORMAT_BYTES) throw new Error('the server answers a text without its format')
    const bytes = to + 2 - this.pos
    const value =
      type === BLOB_ERROR
        ? new ReplyError(latin1Text(u8, from, to))
        : this.cut(type === VERBATIM ? from + FORMAT_BYTES : from, to)
    this.take(bytes)
    return value
  }

  /** The bytes from .. to, owned by the caller. */
  private cut(from: number, to: number): Uint8Array {
    const { u8 } = this
    if (to - from < HANDOVER_BYTES_MIN || (to - from) * 2 < u8.length) return u8.slice(from, to)
    // The bytes after the string move to a new buffer; `pos` stays as far before it as it was.
    const remains = this.end - to
    this.u8 = new Uint8Array(Math.max(START_BYTES, remains))
    this.u8.set(u8.subarray(to, this.end))
    this.pos -= to
    this.end = remains
    return u8.subarray(from, to)
  }

  private list(type: number): Value | typeof NO_VALUE | undefined {
    const eol = this.endOfLine(INTEGER_CHARS_MAX)
    if (eol < 0) return undefined
    const count = this.size(eol, COUNT_MAX)
    if (type === PUSH && (this.frame !== undefined || count < 1)) throw new Error('the server pushes within a reply')
    if (count > 0 && this.depth === this.limits.depthMax) throw new Error('the server answers lists within lists')
    this.take(eol + 2 - this.pos)
    if (count < 0) return null
    if (count === 0 && type === MAP && this.mapOf !== undefined) return this.mapOf([])
    if (count === 0) return type === ATTRIBUTE ? NO_VALUE : []
    const left = type === MAP || type === ATTRIBUTE ? count * 2 : count
    this.frame = { type, items: [], left, outer: this.frame }
    this.depth++
    return NO_VALUE
  }
}

const BULK = 0x24 // $
const VERBATIM = 0x3d // =
const BLOB_ERROR = 0x21 // !
const INTEGER = 0x3a // :
const LIST = 0x2a // *
const SET = 0x7e // ~
const MAP = 0x25 // %
const PUSH = 0x3e // >
const ATTRIBUTE = 0x7c // |
const SIMPLE = 0x2b // +
const ERROR = 0x2d // -
const NULL = 0x5f // _
const BOOLEAN = 0x23 // #
const DOUBLE = 0x2c // ,
const BIG_NUMBER = 0x28 // (

/** By type byte: the value is the rest of the line. */
const IS_LINE = new Uint8Array(256)
for (const type of [SIMPLE, ERROR, NULL, BOOLEAN, DOUBLE, BIG_NUMBER]) IS_LINE[type] = 1

function lineValue(type: number, text: string): Value {
  if (type === SIMPLE) return text
  if (type === ERROR) return new ReplyError(text)
  if (type === NULL && text === '') return null
  if (type === BOOLEAN && (text === 't' || text === 'f')) return text === 't'
  if (type === BIG_NUMBER && /^[+-]?\d+$/.test(text)) return text
  if (type === DOUBLE && DECIMAL.test(text)) return Number(text)
  const named = type === DOUBLE ? DOUBLES.get(text) : undefined
  if (named !== undefined) return named
  throw new Error('the server answers what is no value')
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/
const DOUBLES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    inf: Number.POSITIVE_INFINITY,
    '-inf': Number.NEGATIVE_INFINITY,
    '-nan': Number.NaN,
    nan: Number.NaN,
  }),
)
