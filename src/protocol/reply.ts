// Reply: writes replies, RESP2 or RESP3, into one growing buffer. This is the only place that knows how the two differ.
//
//   u8  [ reply of command 1 | reply of command 2 … pos | free ]
//
// Always: a full buffer grows, up to FLUSH_BYTES; beyond that `onFull` takes what is written so far (never inside an
// open deferred aggregate). An output limit (`onLimit`) costs no more than the check of the buffer's end.
// Numbers, bulks and fixed texts allocate nothing.

import { CR, LF, POINT } from '../lib/ascii.ts'
import { bytesOf, copyBytes, releaseBuffer, writeLatin1 } from '../lib/bytes.ts'
import { formatDouble } from '../lib/double.ts'
import type { Long } from '../lib/long-field.ts'
import { digits, writeInt } from '../lib/number.ts'
import type { Slice } from '../lib/slice.ts'
import { oneLine, withoutCr } from '../lib/text.ts'

const START_BYTES = 64 * 1024
/** A start for buffers that are used seldom, or for a message at a time. */
export const SMALL_REPLY_BYTES = 1024
const FLUSH_BYTES = 1024 * 1024
const NO_LIMIT = Number.MAX_SAFE_INTEGER

const PONG = bytesOf('+PONG\r\n')
const QUEUED = bytesOf('+QUEUED\r\n')
const NULL_BULK = bytesOf('$-1\r\n')
const NULL_ARRAY = bytesOf('*-1\r\n')
const NULL3 = bytesOf('_\r\n')
const EMPTY_ARRAY = bytesOf('*0\r\n')
const EMPTY_MAP = bytesOf('%0\r\n')
const EMPTY_SET = bytesOf('~0\r\n')
const TRUE3 = bytesOf('#t\r\n')
const FALSE3 = bytesOf('#f\r\n')

const ARRAY = 0x2a
const BULK = 0x24
const INTEGER = 0x3a
const ERROR = 0x2d
const SIMPLE = 0x2b
const MAP = 0x25
const SET = 0x7e
const PUSH = 0x3e
const ATTRIBUTE = 0x7c

export class Reply {
  u8: Uint8Array<ArrayBuffer>
  dv: DataView
  pos = 0
  /** 2 or 3: the protocol of the client being answered. */
  resp = 2
  /** Errors written since it was last reset; dispatch sees from it whether a command failed. */
  errors = 0
  /** Where the last error starts, for error statistics. */
  lastErrorAt = 0
  /** Sends u8[0 .. pos) when the buffer should not grow further. */
  onFull: (() => void) | undefined
  /** Called when a reply is about to pass the limit, with the bytes to come; sets another limit, or truncates. */
  onLimit: ((more: number) => void) | undefined
  /** Output is being dropped: loops that write much should stop. */
  isCutOff = false
  private cutOffAt = 0
  /** It is cut off for good. */
  private isDropped = false
  private limit = NO_LIMIT
  /** Writes up to here need no check: the buffer's end, or the limit. */
  private end: number
  private deferred = 0

  /** `startBytes`: for the buffer, which grows. */
  constructor(startBytes = START_BYTES) {
    this.u8 = new Uint8Array(startBytes)
    this.dv = new DataView(this.u8.buffer)
    this.end = startBytes
  }

  ok(): void {
    if (this.pos + 5 > this.end) this.grow(5)
    const dv = this.dv
    dv.setInt32(this.pos, 0x0d4b4f2b, true)
    this.u8[this.pos + 4] = LF
    this.pos += 5
  }

  pong(): void {
    this.fixed(PONG)
  }

  queued(): void {
    this.fixed(QUEUED)
  }

  /** A whole reply encoded beforehand. */
  fixed(bytes: Uint8Array): void {
    const n = bytes.length
    if (this.pos + n > this.end) this.grow(n)
    const u8 = this.u8
    let at = this.pos
    for (let i = 0; i < n; i++) u8[at++] = bytes[i]
    this.pos = at
  }

  /** One or more whole replies, encoded in the right protocol. */
  raw(s: Slice): void {
    if (this.pos + s.len > this.end) this.grow(s.len)
    copyBytes(this.u8, this.dv, this.pos, s.u8, s.dv, s.off, s.len)
    this.pos += s.len
  }

  integer(n: number): void {
    if (this.pos + 24 > this.end) this.grow(24)
    const u8 = this.u8
    u8[this.pos++] = INTEGER
    if (n >= 0 && n < 10) u8[this.pos++] = 48 + n
    else this.pos += writeInt(u8, this.pos, n)
    this.crlf()
  }

  /** An integer of up to 64 bits. */
  long(n: Long): void {
    if (typeof n === 'number') this.integer(n)
    else this.bigint(n)
  }

  bigint(n: bigint): void {
    this.line(INTEGER, n.toString())
  }

  bulk(s: Slice): void {
    this.bulkAt(s.u8, s.dv, s.off, s.len)
  }

  /** A bulk string of bytes [off, off + len) of the buffer that u8 and dv both see. */
  bulkAt(u8: Uint8Array, dv: DataView, off: number, len: number): void {
    if (this.pos + len + 24 > this.end) {
      if (this.isDropped) len = 0
      this.grow(len + 24)
    }
    this.header(BULK, len)
    copyBytes(this.u8, this.dv, this.pos, u8, dv, off, len)
    this.pos += len
    this.crlf()
  }

  /** A bulk string of all of a short array, for which no view of it is worth its price. */
  bulkBytes(bytes: Uint8Array): void {
    const n = bytes.length
    if (this.pos + n + 24 > this.end) this.grow(n + 24)
    this.header(BULK, n)
    const { u8, pos } = this
    for (let i = 0; i < n; i++) u8[pos + i] = bytes[i]
    this.pos += n
    this.crlf()
  }

  /** A bulk string of latin1 text. */
  bulkText(text: string): void {
    const n = text.length
    if (this.pos + n + 24 > this.end) this.grow(n + 24)
    this.header(BULK, n)
    this.text(text)
    this.crlf()
  }

  /** A bulk string of UTF-8 text. */
  bulkUtf8(text: string): void {
    const bytes = new TextEncoder().encode(text)
    this.bulkAt(bytes, new DataView(bytes.buffer), 0, bytes.length)
  }

  /** An integer as a bulk string. `n` is a safe integer. */
  bulkInteger(n: number): void {
    if (this.pos + 48 > this.end) this.grow(48)
    this.header(BULK, digits(n))
    this.pos += writeInt(this.u8, this.pos, n)
    this.crlf()
  }

  /** n / 10,000 with four decimals, as a bulk string. `n` is a safe integer, not negative. */
  bulkTenThousandths(n: number): void {
    if (this.pos + 48 > this.end) this.grow(48)
    const whole = Math.floor(n / 10000)
    const rest = n - whole * 10000
    this.header(BULK, digits(whole) + 5)
    const { u8 } = this
    this.pos += writeInt(u8, this.pos, whole)
    // The digit before the last four gives way to the point.
    writeInt(u8, this.pos, 10000 + rest)
    u8[this.pos] = POINT
    this.pos += 5
    this.crlf()
  }

  /** RESP2: the text as a bulk string; RESP3: a verbatim string of the three-letter format. */
  verbatim(format: 'txt' | 'mkd', text: string): void {
    if (this.resp === 2) return this.bulkText(text)
    if (this.pos + text.length + 32 > this.end) this.grow(text.length + 32)
    this.header(0x3d, text.length + 4)
    this.text(format)
    this.u8[this.pos++] = 0x3a
    this.text(text)
    this.crlf()
  }

  simple(text: string): void {
    this.line(SIMPLE, text)
  }

  /** An error reply; `text` starts with its code: 'ERR syntax error'. CR and LF inside become spaces. */
  error(text: string): void {
    this.errors++
    this.lastErrorAt = this.pos
    this.line(ERROR, oneLine(text))
  }

  /** An error whose line feeds are sent as they are, as Redis sends those of a script's error. */
  raisedError(text: string): void {
    this.errors++
    this.lastErrorAt = this.pos
    this.line(ERROR, withoutCr(text))
  }

  /** An error encoded by errorBytes(). */
  fixedError(bytes: Uint8Array): void {
    this.errors++
    this.lastErrorAt = this.pos
    this.fixed(bytes)
  }

  null(): void {
    this.fixed(this.resp === 2 ? NULL_BULK : NULL3)
  }

  nullArray(): void {
    this.fixed(this.resp === 2 ? NULL_ARRAY : NULL3)
  }

  emptyArray(): void {
    this.fixed(EMPTY_ARRAY)
  }

  emptyMap(): void {
    this.fixed(this.resp === 2 ? EMPTY_ARRAY : EMPTY_MAP)
  }

  emptySet(): void {
    this.fixed(this.resp === 2 ? EMPTY_ARRAY : EMPTY_SET)
  }

  boolean(b: boolean): void {
    if (this.resp === 2) this.integer(b ? 1 : 0)
    else this.fixed(b ? TRUE3 : FALSE3)
  }

  /** RESP2: a bulk string; RESP3: a double. */
  double(n: number): void {
    if (this.resp === 2 && Number.isSafeInteger(n) && (n !== 0 || 1 / n > 0)) return this.bulkInteger(n)
    const text = formatDouble(n)
    if (this.resp === 2) this.bulkText(text)
    else this.line(0x2c, text)
  }

  /** RESP2: a bulk string; RESP3: a big number. */
  bigNumber(text: string): void {
    if (this.resp === 2) this.bulkText(text)
    else this.line(0x28, text)
  }

  array(n: number): void {
    this.aggregate(ARRAY, n)
  }

  /** Before a member and its score: an array of the two in RESP3, nothing in RESP2. */
  beginScored(): void {
    if (this.resp > 2) this.aggregate(ARRAY, 2)
  }

  /** `n` pairs; RESP2: an array of 2 n elements. */
  map(n: number): void {
    if (this.resp === 2) this.aggregate(ARRAY, n * 2)
    else this.aggregate(MAP, n)
  }

  set(n: number): void {
    this.aggregate(this.resp === 2 ? ARRAY : SET, n)
  }

  push(n: number): void {
    this.aggregate(this.resp === 2 ? ARRAY : PUSH, n)
  }

  /** RESP3 only. */
  attribute(n: number): void {
    this.aggregate(ATTRIBUTE, n)
  }

  /**
   * Opens an aggregate whose length is not known yet; returns the position for endArray() and the like. Nests.
   */
  beginDeferredArray(): number {
    this.deferred++
    return this.pos
  }

  endArray(mark: number, n: number): void {
    this.insertHeader(mark, ARRAY, n)
  }

  endMap(mark: number, n: number): void {
    if (this.resp === 2) this.insertHeader(mark, ARRAY, n * 2)
    else this.insertHeader(mark, MAP, n)
  }

  endSet(mark: number, n: number): void {
    this.insertHeader(mark, this.resp === 2 ? ARRAY : SET, n)
  }

  /** Removes a deferred aggregate and everything written since. */
  cancelDeferred(mark: number): void {
    this.deferred--
    this.pos = mark
  }

  /** Removes everything from `from` on, open aggregates included. */
  rollBack(from: number, errors: number): void {
    this.deferred = 0
    this.pos = from
    this.errors = errors
  }

  /** Ensures space for `n` more bytes. */
  reserve(n: number): void {
    if (this.pos + n > this.end) this.grow(n)
  }

  private aggregate(type: number, n: number): void {
    if (this.pos + 24 > this.end) this.grow(24)
    this.header(type, n)
  }

  private insertHeader(mark: number, type: number, n: number): void {
    const width = 3 + digits(n)
    if (this.pos + width > this.end) this.grow(width)
    this.deferred--
    this.u8.copyWithin(mark + width, mark, this.pos)
    const end = this.pos + width
    this.pos = mark
    this.header(type, n)
    this.pos = end
  }

  private header(type: number, n: number): void {
    const u8 = this.u8
    let at = this.pos
    u8[at++] = type
    if (n < 10) u8[at++] = 48 + n
    else if (n < 100) {
      const tens = (n / 10) | 0
      u8[at++] = 48 + tens
      u8[at++] = 48 + n - tens * 10
    } else at += writeInt(u8, at, n)
    u8[at] = CR
    u8[at + 1] = LF
    this.pos = at + 2
  }

  private line(type: number, text: string): void {
    const n = text.length
    if (this.pos + n + 3 > this.end) this.grow(n + 3)
    this.u8[this.pos++] = type
    this.text(text)
    this.crlf()
  }

  private text(text: string): void {
    writeLatin1(this.u8, this.pos, text)
    this.pos += text.length
  }

  private crlf(): void {
    this.u8[this.pos] = CR
    this.u8[this.pos + 1] = LF
    this.pos += 2
  }

  private grow(n: number): void {
    if (this.isCutOff) this.pos = this.cutOffAt
    else if (this.pos + n > this.limit) this.onLimit?.(n)
    if (this.pos + n <= this.u8.length) return
    if (
      this.onFull !== undefined &&
      !this.isCutOff &&
      this.deferred === 0 &&
      this.pos > 0 &&
      this.pos + n > FLUSH_BYTES
    ) {
      this.onFull()
      if (this.pos + n <= this.u8.length) return
    }
    let size = this.u8.length * 2
    while (size < this.pos + n) size *= 2
    const u8 = new Uint8Array(size)
    u8.set(this.u8.subarray(0, this.pos))
    this.use(u8)
  }

  /** Calls onLimit when the output passes `at`; absent: no limit. Ends cutOff(). */
  limitTo(at = NO_LIMIT): void {
    this.isCutOff = this.isDropped = false
    this.limit = at
    this.end = Math.min(at, this.u8.length)
  }

  /** Drops the output after `from`, and all that follows. `forGood`: none of it is wanted, and long text not copied. */
  cutOff(from: number, forGood = false): void {
    this.limitTo()
    this.isCutOff = true
    this.cutOffAt = this.pos = from
    this.isDropped = forGood
    if (forGood) this.end = 0
  }

  private use(u8: Uint8Array<ArrayBuffer>): void {
    this.u8 = u8
    this.dv = new DataView(u8.buffer)
    this.end = this.isDropped ? 0 : Math.min(this.limit, u8.length)
  }

  /** Shrinks the buffer after a huge reply. Only when empty. */
  trim(): void {
    if (this.u8.length <= FLUSH_BYTES * 2) return
    const { buffer } = this.u8
    this.renew()
    releaseBuffer(buffer)
  }

  /**
   * Replaces the buffer, because a socket still uses the old one. Only when empty. `goesOn`: in the middle of a large
   * reply, which will fill another buffer of the largest size.
   */
  renew(goesOn = false): void {
    this.use(new Uint8Array(goesOn ? FLUSH_BYTES : START_BYTES))
  }
}

/** A whole error reply, encoded at load. */
export function errorBytes(text: string): Uint8Array {
  return bytesOf(`-${text}\r\n`)
}
