// StreamId: <milliseconds>-<sequence>, two unsigned 64-bit integers, as four 32-bit halves so that nothing is
// allocated and nothing is rounded.
//
//   in the arena   16 bytes, big-endian: memcmp orders them

import { MINUS, PLUS, ZERO } from '../../../lib/ascii.ts'
import { TWO_32 } from '../../../lib/bits.ts'
import { writeInt, writeText } from '../../../lib/number.ts'
import type { Slice } from '../../../lib/slice.ts'

const MAX = 0xffffffff
const NINE = 0x39
const TEXT_BYTES_MAX = 127

export class StreamId {
  msHigh = 0
  msLow = 0
  seqHigh = 0
  seqLow = 0

  set(id: StreamId): this {
    this.msHigh = id.msHigh
    this.msLow = id.msLow
    this.seqHigh = id.seqHigh
    this.seqLow = id.seqLow
    return this
  }

  /** `ms` and `seq` are safe integers. */
  setNumbers(ms: number, seq: number): this {
    this.msHigh = Math.floor(ms / TWO_32)
    this.msLow = ms >>> 0
    this.seqHigh = Math.floor(seq / TWO_32)
    this.seqLow = seq >>> 0
    return this
  }

  setMin(): this {
    this.msHigh = this.msLow = this.seqHigh = this.seqLow = 0
    return this
  }

  setMax(): this {
    this.msHigh = this.msLow = this.seqHigh = this.seqLow = MAX
    return this
  }

  get isZero(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0
  }

  get isMax(): boolean {
    return (this.msHigh & this.msLow & this.seqHigh & this.seqLow) === -1
  }

  /** Milliseconds as a double: rounded past 2^53, yet never out of order. */
  get ms(): number {
    return this.msHigh * TWO_32 + this.msLow
  }

  get seqIsMax(): boolean {
    return (this.seqHigh & this.seqLow) === -1
  }

  /** Negative, zero or positive. */
  compare(other: StreamId): number {
    if (this.msHigh !== other.msHigh) return this.msHigh - other.msHigh
    if (this.msLow !== other.msLow) return this.msLow - other.msLow
    if (this.seqHigh !== other.seqHigh) return this.seqHigh - other.seqHigh
    return this.seqLow - other.seqLow
  }

  /** The next id; false, and 0-0, after the last one. */
  increment(): boolean {
    if (this.isMax) {
      this.setMin()
      return false
    }
    this.seqLow = (this.seqLow + 1) >>> 0
    if (this.seqLow !== 0) return true
    this.seqHigh = (this.seqHigh + 1) >>> 0
    if (this.seqHigh !== 0) return true
    this.msLow = (this.msLow + 1) >>> 0
    if (this.msLow === 0) this.msHigh = (this.msHigh + 1) >>> 0
    return true
  }

  /** The id before; false, and the last id, before 0-0. */
  decrement(): boolean {
    if (this.isZero) {
      this.setMax()
      return false
    }
    this.seqLow = (this.seqLow - 1) >>> 0
    if (this.seqLow !== MAX) return true
    this.seqHigh = (this.seqHigh - 1) >>> 0
    if (this.seqHigh !== MAX) return true
    this.msLow = (this.msLow - 1) >>> 0
    if (this.msLow === MAX) this.msHigh = (this.msHigh - 1) >>> 0
    return true
  }

  read(dv: DataView, at: number): this {
    this.msHigh = dv.getUint32(at)
    this.msLow = dv.getUint32(at + 4)
    this.seqHigh = dv.getUint32(at + 8)
    this.seqLow = dv.getUint32(at + 12)
    return this
  }

  write(dv: DataView, at: number): void {
    // As signed integers, which the compilers keep in registers.
    dv.setInt32(at, this.msHigh | 0)
    dv.setInt32(at + 4, this.msLow | 0)
    dv.setInt32(at + 8, this.seqHigh | 0)
    dv.setInt32(at + 12, this.seqLow | 0)
  }

  /** Writes <ms>-<seq>, at most 41 bytes; returns the length. */
  format(u8: Uint8Array, at: number): number {
    const start = at
    at += writeUint64(u8, at, this.msHigh, this.msLow)
    u8[at++] = MINUS
    at += writeUint64(u8, at, this.seqHigh, this.seqLow)
    return at - start
  }

  toString(): string {
    return `${uint64(this.msHigh, this.msLow)}-${uint64(this.seqHigh, this.seqLow)}`
  }

  /**
   * Parses <ms>-<seq>, or <ms> alone with the largest sequence where `missingSeqMax`, else 0. False for a malformed id.
   * The caller handles `-` and `+`, the ends of a range. A NUL ends the text.
   */
  parse(s: Slice, missingSeqMax = false): boolean {
    const dash = this.parseMs(s)
    if (dash < 0) return false
    if (dash < s.len && s.byte(dash) === MINUS) return this.parseSeq(s, dash + 1)
    this.seqHigh = this.seqLow = missingSeqMax ? MAX : 0
    return true
  }

  /** Parses the milliseconds; the index of the dash, or of the end where there is none; -1 when malformed. */
  parseMs(s: Slice): number {
    if (s.len > TEXT_BYTES_MAX) return -1
    let dash = 0
    while (dash < s.len && s.u8[s.off + dash] !== MINUS && s.u8[s.off + dash] !== 0) dash++
    const ms = parseUint64(s.u8, s.off, s.off + dash)
    if (Number.isNaN(ms)) return -1
    if (ms <= Number.MAX_SAFE_INTEGER) {
      this.msHigh = Math.floor(ms / TWO_32)
      this.msLow = ms >>> 0
    } else {
      const n = exactUint64(s.u8, s.off, s.off + dash)
      this.msHigh = Number(n >> 32n)
      this.msLow = Number(n & 0xffffffffn)
    }
    return dash
  }

  /** Reads the sequence from s[from ..]. */
  parseSeq(s: Slice, from: number): boolean {
    const at = s.off + from
    const end = s.off + s.cLength
    const seq = parseUint64(s.u8, at, end)
    if (Number.isNaN(seq)) return false
    if (seq <= Number.MAX_SAFE_INTEGER) {
      this.seqHigh = Math.floor(seq / TWO_32)
      this.seqLow = seq >>> 0
    } else {
      const n = exactUint64(s.u8, at, end)
      this.seqHigh = Number(n >> 32n)
      this.seqLow = Number(n & 0xffffffffn)
    }
    return true
  }
}

/** The unsigned 64-bit integer u8[at .. end) spells, rounded past 2^53; NaN when it is none. */
function parseUint64(u8: Uint8Array, at: number, end: number): number {
  if (at >= end) return Number.NaN
  let n = 0
  for (let i = at; i < end; i++) {
    const digit = u8[i] - ZERO
    if (digit < 0 || digit > 9) return oddUint64(u8, at, end)
    n = n * 10 + digit
  }
  if (n <= Number.MAX_SAFE_INTEGER) return n
  return exactUint64(u8, at, end) > 0xffffffffffffffffn ? Number.NaN : n
}

/**
 * As parseUint64(), with the leading white space and sign that C's strtoull accepts. A minus sign counts down from
 * 2^64; canonical negative integers (-1, not -01) are malformed, since string2ll accepts those first.
 */
function oddUint64(u8: Uint8Array, at: number, end: number): number {
  const start = at
  while (at < end && (u8[at] === 32 || (u8[at] >= 9 && u8[at] <= 13))) at++
  const negative = at < end && u8[at] === MINUS
  if (negative || (at < end && u8[at] === PLUS)) at++
  if (at === start || at === end || u8[at] < ZERO || u8[at] > NINE) return Number.NaN
  const size = parseUint64(u8, at, end)
  if (!negative || Number.isNaN(size)) return size
  const isInt64 = at === start + 1 && u8[at] !== ZERO && exactUint64(u8, at, end) <= 2n ** 63n
  return isInt64 ? Number.NaN : Number(exactUint64(u8, start, end))
}

/** The exact integer u8[at .. end) that parseUint64() accepted. */
function exactUint64(u8: Uint8Array, at: number, end: number): bigint {
  let text = ''
  for (; at < end; at++) text += String.fromCharCode(u8[at])
  const n = BigInt(text.replace('+', ''))
  return n < 0n ? BigInt.asUintN(64, n) : n
}

function uint64(high: number, low: number): string {
  return ((BigInt(high) << 32n) | BigInt(low)).toString()
}

function writeUint64(u8: Uint8Array, at: number, high: number, low: number): number {
  if (high < 0x200000) return writeInt(u8, at, high * TWO_32 + low)
  return writeText(u8, at, uint64(high, low))
}

/** A stream id in the order of its bytes: milliseconds and sequence, 64 bits each. */
export const ID_BYTES = 16
