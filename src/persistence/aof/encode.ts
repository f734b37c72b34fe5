// CommandBuffer: commands as the append-only log and replicas read them, gathered in one growing buffer.
//
//   *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n

import { copyBytes } from '../../lib/bytes.ts'
import { writeInt } from '../../lib/number.ts'
import type { Slice } from '../../lib/slice.ts'

const CR = 13
const LF = 10
const STAR = 42
const DOLLAR = 36
const HEAD_BYTES_MAX = 24
const START_BYTES = 16 * 1024
const KEEP_BYTES = 1 << 20

export class CommandBuffer {
  u8: Uint8Array = new Uint8Array(START_BYTES)
  dv: DataView = new DataView(this.u8.buffer)
  len = 0

  reserve(bytes: number): void {
    if (this.len + bytes <= this.u8.length) return
    const grown = new Uint8Array(Math.max(this.len + bytes, this.u8.length * 2))
    grown.set(this.u8.subarray(0, this.len))
    this.u8 = grown
    this.dv = new DataView(grown.buffer)
  }

  /** Forgets the first `bytes` bytes. */
  drop(bytes: number): void {
    if (bytes < this.len) this.u8.copyWithin(0, bytes, this.len)
    this.len -= bytes
    if (this.len > 0 || this.u8.length <= KEEP_BYTES) return
    this.u8 = new Uint8Array(START_BYTES)
    this.dv = new DataView(this.u8.buffer)
  }

  /** Takes over what another buffer holds. */
  append(other: CommandBuffer): void {
    this.reserve(other.len)
    this.u8.set(other.u8.subarray(0, other.len), this.len)
    this.len += other.len
  }

  command(args: readonly Slice[]): void {
    this.head(STAR, args.length)
    for (let i = 0; i < args.length; i++) this.argument(args[i])
  }

  private head(mark: number, n: number): void {
    this.reserve(HEAD_BYTES_MAX)
    const { u8 } = this
    let at = this.len
    u8[at++] = mark
    if (n < 10) u8[at++] = 48 + n
    else at += writeInt(u8, at, n)
    u8[at++] = CR
    u8[at++] = LF
    this.len = at
  }

  /** Begins a command of so many words. */
  count(n: number): void {
    this.head(STAR, n)
  }

  argument(s: Slice): void {
    this.reserve(HEAD_BYTES_MAX + s.len)
    this.head(DOLLAR, s.len)
    const { u8 } = this
    copyBytes(u8, this.dv, this.len, s.u8, s.dv, s.off, s.len)
    const end = this.len + s.len
    u8[end] = CR
    u8[end + 1] = LF
    this.len = end + 2
  }

  /** A word of latin1 text. */
  word(text: string): void {
    this.reserve(HEAD_BYTES_MAX + text.length)
    this.head(DOLLAR, text.length)
    this.plain(`${text}\r\n`)
  }

  integer(n: number): void {
    this.word(String(n))
  }

  /** Text as it is. */
  plain(text: string): void {
    this.reserve(text.length)
    for (let i = 0; i < text.length; i++) this.u8[this.len++] = text.charCodeAt(i)
  }
}
