// Int64: a signed 64-bit integer as two halves, for exact values beyond 2^53 without BigInt.
//
//   value = hi * 2^32 + lo      hi signed, lo unsigned
//
// Always: parse(), setNumber() and read() leave both halves set; nothing here allocates.

import { MINUS, ZERO } from './ascii.ts'
import { TWO_32 } from './bits.ts'
import { parseInt64, writeInt } from './number.ts'
import type { Slice } from './slice.ts'

const BILLION = 1e9
const LOW_DIGITS = 9

export class Int64 {
  hi = 0
  lo = 0

  /** `n` is an integer within ±2^53. */
  setNumber(n: number): void {
    const hi = Math.floor(n / TWO_32)
    this.hi = hi
    this.lo = n - hi * TWO_32
  }

  /** Parses all of `s` by parseInt64's rules; false when it is not an integer. */
  parse(s: Slice): boolean {
    const n = parseInt64(s)
    if (Number.isNaN(n)) return false
    if (Number.isFinite(n)) this.setNumber(n)
    else this.parseLong(s)
    return true
  }

  /** parse() of text in which parseInt64 has found an integer beyond 2^53. */
  parseLong(s: Slice): void {
    const negative = s.u8[s.off] === MINUS
    const end = s.off + s.len
    const middle = end - LOW_DIGITS
    let high = 0
    for (let i = negative ? s.off + 1 : s.off; i < middle; i++) high = high * 10 + s.u8[i] - ZERO
    let low = 0
    for (let i = middle; i < end; i++) low = low * 10 + s.u8[i] - ZERO
    // high * 10^9 + low in two steps that each stay below 2^53.
    const upper = Math.floor(high / 0x10000) * BILLION
    const t = (upper % 0x10000) * 0x10000 + (high % 0x10000) * BILLION + low
    const carry = Math.floor(t / TWO_32)
    this.lo = t - carry * TWO_32
    this.hi = (Math.floor(upper / 0x10000) + carry) | 0
    if (negative) this.negate()
  }

  private negate(): void {
    this.lo = -this.lo >>> 0
    this.hi = (~this.hi + (this.lo === 0 ? 1 : 0)) | 0
  }

  read(dv: DataView, at: number): void {
    this.lo = dv.getUint32(at, true)
    this.hi = dv.getInt32(at + 4, true)
  }

  write(dv: DataView, at: number): void {
    dv.setInt32(at, this.lo | 0, true)
    dv.setInt32(at + 4, this.hi, true)
  }

  copyFrom(other: Int64): void {
    this.hi = other.hi
    this.lo = other.lo
  }

  /** Negative, zero or positive. */
  compare(other: Int64): number {
    return this.hi !== other.hi ? this.hi - other.hi : this.lo - other.lo
  }

  /** toNumber() is exact and a safe integer. */
  get isSafe(): boolean {
    return this.hi >= -0x200000 && this.hi < 0x200000 && (this.hi !== -0x200000 || this.lo !== 0)
  }

  /** The nearest double. */
  toNumber(): number {
    return this.hi * TWO_32 + this.lo
  }

  /** Writes the integer in decimal at u8[off] (20 bytes at most); returns the number of bytes written. */
  render(u8: Uint8Array, off: number): number {
    if (this.isSafe) return writeInt(u8, off, this.toNumber())
    const negative = this.hi < 0
    let hi = this.hi >>> 0
    let lo = this.lo
    if (negative) {
      lo = -lo >>> 0
      hi = (~hi + (lo === 0 ? 1 : 0)) >>> 0
    }
    // Long division by 10^9, sixteen bits at a time.
    const q2 = Math.floor(hi / BILLION)
    let t = (hi - q2 * BILLION) * 0x10000 + (lo >>> 16)
    const q1 = Math.floor(t / BILLION)
    t = (t - q1 * BILLION) * 0x10000 + (lo & 0xffff)
    const q0 = Math.floor(t / BILLION)
    let rest = t - q0 * BILLION
    const head = (q2 * 0x10000 + q1) * 0x10000 + q0
    let at = off
    if (negative) u8[at++] = MINUS
    at += writeInt(u8, at, head)
    for (let i = LOW_DIGITS - 1; i >= 0; i--) {
      const next = Math.floor(rest / 10)
      u8[at + i] = ZERO + rest - next * 10
      rest = next
    }
    return at + LOW_DIGITS - off
  }
}
