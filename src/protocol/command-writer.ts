// CommandWriter: commands as arrays of bulk strings, one after the other in one growing buffer. Used for the
// append-only file, the replication stream and all client connections of our own.
//
//   *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n
//   └ count ┴ word / argument / integer …            a long argument: beginArgument, part …, endArgument
//
// Always: u8[0..len) is what was written and not dropped; `dv` views the same bytes; after count(n) follow n words.
// Both are valid until something is written or dropped.

import { CR, DOLLAR, LF, STAR, ZERO } from '../lib/ascii.ts'
import { copyBytes, releaseBuffer, writeLatin1 } from '../lib/bytes.ts'
import { writeInt } from '../lib/number.ts'
import type { Slice } from '../lib/slice.ts'

const HEAD_BYTES_MAX = 24
const START_BYTES = 16 * 1024
const KEEP_BYTES = 1 << 20
/** The collector frees smaller buffers for less than releasing each costs. */
const RELEASED_FROM_BYTES = 64 * 1024

export class CommandWriter {
  /** Made for the first command: many writers never write. */
  u8: Uint8Array = new Uint8Array(0)
  dv: DataView = new DataView(this.u8.buffer)
  len = 0

  reserve(bytes: number): void {
    if (this.len + bytes <= this.u8.length) return
    const grown = new Uint8Array(Math.max(this.len + bytes, this.u8.length * 2, START_BYTES))
    grown.set(this.u8.subarray(0, this.len))
    this.use(grown)
  }

  /** The buffer before is released: the log's doubles up to megabytes within a second, again and again. */
  private use(u8: Uint8Array): void {
    const { buffer } = this.u8
    this.u8 = u8
    this.dv = new DataView(u8.buffer)
    if (buffer.byteLength >= RELEASED_FROM_BYTES) releaseBuffer(buffer)
  }

  /** Removes the first `bytes` bytes. */
  drop(bytes: number): void {
    if (bytes < this.len) this.u8.copyWithin(0, bytes, this.len)
    this.len -= bytes
    if (this.len > 0 || this.u8.length <= KEEP_BYTES) return
    this.use(new Uint8Array(START_BYTES))
  }

  /** Returns the written bytes, which the caller owns; the buffer is empty afterwards. */
  take(): Uint8Array {
    const bytes = this.u8.slice(0, this.len)
    this.drop(this.len)
    return bytes
  }

  /** Appends a copy of another writer's bytes. */
  append(other: CommandWriter): void {
    this.reserve(other.len)
    this.u8.set(other.u8.subarray(0, other.len), this.len)
    this.len += other.len
  }

  command(args: readonly Slice[]): void {
    const count = args.length
    let bytes = HEAD_BYTES_MAX * (count + 1)
    for (let i = 0; i < count; i++) bytes += args[i].len
    this.reserve(bytes)
    const { u8, dv } = this
    let at = putHead(u8, this.len, STAR, count)
    for (let i = 0; i < count; i++) at = putArgument(u8, dv, at, args[i])
    this.len = at
  }

  private head(mark: number, n: number): void {
    this.reserve(HEAD_BYTES_MAX)
    this.len = putHead(this.u8, this.len, mark, n)
  }

  /** Begins a command of `n` words. */
  count(n: number): void {
    this.head(STAR, n)
  }

  argument(s: Slice): void {
    this.reserve(HEAD_BYTES_MAX + s.len)
    this.len = putArgument(this.u8, this.dv, this.len, s)
  }

  /** An argument of these bytes. */
  bytes(bytes: Uint8Array): void {
    const { length } = bytes
    this.reserve(HEAD_BYTES_MAX + length)
    const at = putHead(this.u8, this.len, DOLLAR, length)
    this.u8.set(bytes, at)
    this.u8[at + length] = CR
    this.u8[at + length + 1] = LF
    this.len = at + length + 2
  }

  /** An argument in parts: its length, the parts, its end. */
  beginArgument(len: number): void {
    this.head(DOLLAR, len)
  }

  part(u8: Uint8Array, dv: DataView, off: number, len: number): void {
    this.reserve(len)
    copyBytes(this.u8, this.dv, this.len, u8, dv, off, len)
    this.len += len
  }

  endArgument(): void {
    this.plain('\r\n')
  }

  /** A word of latin1 text. */
  word(text: string): void {
    this.reserve(HEAD_BYTES_MAX + text.length)
    this.head(DOLLAR, text.length)
    this.plain(`${text}\r\n`)
  }

  integer(n: number | bigint): void {
    this.word(String(n))
  }

  /** Bytes of whole commands. */
  raw(u8: Uint8Array, length: number): void {
    this.reserve(length)
    this.u8.set(u8.subarray(0, length), this.len)
    this.len += length
  }

  /** Text without a bulk header. */
  plain(text: string): void {
    this.reserve(text.length)
    writeLatin1(this.u8, this.len, text)
    this.len += text.length
  }
}

function putHead(u8: Uint8Array, at: number, mark: number, n: number): number {
  u8[at] = mark
  if (n < 10) u8[at + 1] = ZERO + n
  else if (n < 100) {
    const tens = (n * 205) >>> 11 // n / 10 for what is below 100
    u8[at + 1] = ZERO + tens
    u8[at + 2] = ZERO + n - tens * 10
    at++
  } else at += writeInt(u8, at + 1, n) - 1
  u8[at + 2] = CR
  u8[at + 3] = LF
  return at + 4
}

function putArgument(u8: Uint8Array, dv: DataView, at: number, s: Slice): number {
  const { len } = s
  const from = putHead(u8, at, DOLLAR, len)
  copyBytes(u8, dv, from, s.u8, s.dv, s.off, len)
  const end = from + len
  u8[end] = CR
  u8[end + 1] = LF
  return end + 2
}
