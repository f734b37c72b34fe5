// RdbOutput: a growing buffer and the primitives of the RDB format (format.ts). Its owner consumes u8[0 .. pos) and
// resets pos to 0.
//
// Always: `dv` sees the same bytes as `u8`; both change when the buffer grows.

import { TWO_32 } from '../../lib/bits.ts'
import { copyBytes, writeLatin1 } from '../../lib/bytes.ts'
import type { Int64 } from '../../lib/int64.ts'
import type { Long } from '../../lib/long-field.ts'
import { LzfCompressor } from '../../lib/lzf.ts'
import { parseInt64 } from '../../lib/number.ts'
import type { Slice } from '../../lib/slice.ts'
import { LENGTH_14, LENGTH_32, LENGTH_64, STRING_INT8, STRING_INT16, STRING_INT32, STRING_LZF } from './format.ts'
import { LongString, PIECE_BYTES } from './long-string.ts'

const INTEGER_TEXT_MAX = 11
/** Shorter strings are never compressed. */
const COMPRESS_MIN = 20
/** Compression must save this many bytes. */
const GAIN_MIN = 4
const LENGTH_BYTES_MAX = 9

export class RdbOutput {
  u8: Uint8Array
  dv: DataView
  pos = 0
  /** rdbcompression. */
  compress = true
  private readonly lzf = new LzfCompressor()
  private readonly long = new LongString(this.lzf)

  constructor(bytes = 64 * 1024) {
    this.u8 = new Uint8Array(bytes)
    this.dv = new DataView(this.u8.buffer)
  }

  /** Ensures capacity for `bytes` more bytes. */
  reserve(bytes: number): void {
    if (this.pos + bytes <= this.u8.length) return
    const grown = new Uint8Array(Math.max(this.pos + bytes, Math.min(this.u8.length * 2, this.u8.length + (16 << 20))))
    grown.set(this.u8.subarray(0, this.pos))
    this.u8 = grown
    this.dv = new DataView(grown.buffer)
  }

  /** Replaces the buffer by a new one: the old one has been handed over. */
  renew(bytes: number): void {
    this.u8 = new Uint8Array(bytes)
    this.dv = new DataView(this.u8.buffer)
    this.pos = 0
  }

  /** Replaces the buffer by an empty one from the caller. */
  use(u8: Uint8Array): void {
    this.u8 = u8
    this.dv = new DataView(u8.buffer)
    this.pos = 0
  }

  byte(n: number): void {
    this.reserve(1)
    this.u8[this.pos++] = n
  }

  bytes(u8: Uint8Array, dv: DataView, off: number, len: number): void {
    this.reserve(len)
    copyBytes(this.u8, this.dv, this.pos, u8, dv, off, len)
    this.pos += len
  }

  slice(s: Slice): void {
    this.bytes(s.u8, s.dv, s.off, s.len)
  }

  text(latin1: string): void {
    this.reserve(latin1.length)
    writeLatin1(this.u8, this.pos, latin1)
    this.pos += latin1.length
  }

  /** An integer from 0 to 2^53. */
  length(n: number): void {
    this.reserve(LENGTH_BYTES_MAX)
    const { u8, dv, pos } = this
    if (n < 64) {
      u8[pos] = n
      this.pos = pos + 1
    } else if (n < 16384) {
      u8[pos] = LENGTH_14 | (n >> 8)
      u8[pos + 1] = n
      this.pos = pos + 2
    } else if (n < TWO_32) {
      u8[pos] = LENGTH_32
      dv.setUint32(pos + 1, n)
      this.pos = pos + 5
    } else this.length64(Math.floor(n / TWO_32), n % TWO_32)
  }

  /** A length of up to 64 bits; negative ones as in C. */
  longLength(n: Long): void {
    if (typeof n === 'number' && n >= 0) this.length(n)
    else {
      const bits = BigInt.asUintN(64, BigInt(n))
      this.length64(Number(bits >> 32n), Number(bits & 0xffffffffn))
    }
  }

  /** An unsigned 64-bit number as two halves. */
  length64(high: number, low: number): void {
    if (high === 0) return this.length(low)
    this.reserve(LENGTH_BYTES_MAX)
    this.u8[this.pos] = LENGTH_64
    this.dv.setUint32(this.pos + 1, high)
    this.dv.setUint32(this.pos + 5, low)
    this.pos += LENGTH_BYTES_MAX
  }

  string(s: Slice): void {
    const len = s.len
    if (len <= INTEGER_TEXT_MAX) {
      const n = parseInt64(s)
      if (n >= -0x80000000 && n < 0x80000000 && this.smallInteger(n)) return
    } else if (len > COMPRESS_MIN && this.compress && this.packed(s)) return
    this.length(len)
    this.bytes(s.u8, s.dv, s.off, len)
  }

  /**
   * As string(), but a long string is only begun: ready() writes its pieces, and nothing else may be written until that
   * returns true.
   */
  element(s: Slice): void {
    while (this.long.isUnderWay) this.long.step(this)
    if (s.len <= PIECE_BYTES) this.string(s)
    else this.long.begin(s, this)
  }

  /** Continues a long string; true when none is in progress and pos has not passed `until`. */
  ready(until: number): boolean {
    if (this.long.isUnderWay && !this.writePieces(until)) return false
    return this.pos <= until
  }

  /** Writes pieces up to `until`, at least one; true after the last. */
  private writePieces(until: number): boolean {
    const { long } = this
    let left = until - this.pos
    do {
      long.step(this)
      left -= PIECE_BYTES
    } while (long.isUnderWay && left >= 0)
    return !long.isUnderWay
  }

  /** A string without integer encoding or compression. */
  plainString(s: Slice): void {
    this.length(s.len)
    this.bytes(s.u8, s.dv, s.off, s.len)
  }

  textString(latin1: string): void {
    const n = latin1.length <= INTEGER_TEXT_MAX && /^(0|-?[1-9][0-9]*)$/.test(latin1) ? Number(latin1) : Number.NaN
    if (n >= -0x80000000 && n < 0x80000000 && this.smallInteger(n)) return
    this.length(latin1.length)
    this.text(latin1)
  }

  /** A 32-bit integer encoding of the string. */
  private smallInteger(n: number): boolean {
    this.reserve(5)
    const { u8, dv, pos } = this
    if (n >= -128 && n < 128) {
      u8[pos] = STRING_INT8
      u8[pos + 1] = n
      this.pos = pos + 2
    } else if (n >= -32768 && n < 32768) {
      u8[pos] = STRING_INT16
      dv.setInt16(pos + 1, n, true)
      this.pos = pos + 3
    } else {
      u8[pos] = STRING_INT32
      dv.setInt32(pos + 1, n, true)
      this.pos = pos + 5
    }
    return true
  }

  /** The string compressed; false, and nothing written, when that is not shorter. */
  private packed(s: Slice): boolean {
    const len = s.len
    // The compressed length comes first, so the data is written after the longest possible header.
    this.reserve(1 + LENGTH_BYTES_MAX * 2 + len)
    const from = this.pos
    const room = from + 1 + LENGTH_BYTES_MAX * 2
    const packedLen = this.lzf.compress(s.u8, s.off, s.off + len, this.u8, room, room + len - GAIN_MIN)
    if (packedLen === 0) return false
    this.u8[this.pos++] = STRING_LZF
    this.length(packedLen)
    this.length(len)
    this.u8.copyWithin(this.pos, room, room + packedLen)
    this.pos += packedLen
    return true
  }

  double(n: number): void {
    this.reserve(8)
    this.dv.setFloat64(this.pos, n, true)
    this.pos += 8
  }

  /** A signed integer as 64 bits: milliseconds. */
  int64(n: Long): void {
    this.reserve(8)
    if (typeof n === 'bigint') {
      this.dv.setBigInt64(this.pos, n, true)
      this.pos += 8
      return
    }
    const high = Math.floor(n / TWO_32)
    this.dv.setUint32(this.pos, n - high * TWO_32, true)
    this.dv.setInt32(this.pos + 4, high, true)
    this.pos += 8
  }

  exactInt64(n: Int64): void {
    this.reserve(8)
    n.write(this.dv, this.pos)
    this.pos += 8
  }

  uint16(n: number): void {
    this.reserve(2)
    this.dv.setUint16(this.pos, n, true)
    this.pos += 2
  }
}
