// Element: one element of a collection as it is read: bytes, or a small integer not formatted yet, so that a reply can
// print it directly.
//
// Always: an element is valid until its collection changes or its reader moves on.

import type { Int64 } from '../lib/int64.ts'
import { writeInt } from '../lib/number.ts'
import { Slice } from '../lib/slice.ts'

const DIGITS_MAX = 24

export class Element {
  /** The element is the safe integer `n`; `bytes` is set only after text(). */
  isInteger = false
  n = 0
  /** The element, when it is no integer. */
  readonly bytes = new Slice()
  private readonly digits = new Slice(new Uint8Array(DIGITS_MAX))

  setInteger(n: number): void {
    this.isInteger = true
    this.n = n
  }

  /** Integers beyond 2^53 become bytes. */
  setInt64(v: Int64): void {
    if (v.isSafe) return this.setInteger(v.toNumber())
    this.isInteger = false
    const d = this.digits
    this.bytes.set(d.u8, d.dv, 0, v.render(d.u8, 0))
  }

  setBytes(u8: Uint8Array, dv: DataView, off: number, len: number): void {
    this.isInteger = false
    this.bytes.set(u8, dv, off, len)
  }

  setSlice(s: Slice): void {
    this.isInteger = false
    this.bytes.alias(s)
  }

  /** The element as bytes; an integer is formatted. */
  text(): Slice {
    if (!this.isInteger) return this.bytes
    const d = this.digits
    return this.bytes.set(d.u8, d.dv, 0, writeInt(d.u8, 0, this.n))
  }
}

/** Receives elements where they are, before any collection changes: a reply. */
export interface ElementSink {
  bulkAt(u8: Uint8Array, dv: DataView, off: number, len: number): void
  bulkInteger(n: number): void
}

/** And the scores of a sorted set's. */
export interface ScoredSink extends ElementSink {
  /** Precedes a member and its score: opens what holds the two. */
  beginScored(): void
  double(n: number): void
}
