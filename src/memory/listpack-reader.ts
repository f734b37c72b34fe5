// ListpackReader: positions in a listpack, and reading its elements; Listpack (listpack.ts) adds writing.
//
// Always: a position is a byte offset from the listpack's start and belongs to an element, or is -1.

import { Int64 } from '../lib/int64.ts'
import { parseInt64 } from '../lib/number.ts'
import { compareBytes, Slice } from '../lib/slice.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import type { Element, ElementSink } from './element.ts'
import {
  backlenBytes,
  COUNT_AT,
  COUNT_UNKNOWN,
  ENC_6BIT_STR,
  ENC_13BIT_INT,
  ENC_64BIT_INT,
  EOF,
  encodedBytes,
  HEADER_BYTES,
  isString,
  readInteger,
  seekIn,
  skip,
  skipBack,
  skipElements,
  stringHead,
} from './listpack-format.ts'

const INTEGER_TEXT_MAX = 20
const EMPTY_BYTES = HEADER_BYTES + 1

export class ListpackReader {
  protected readonly arena: Arena
  private readonly probe = new Int64()
  private readonly text = new Slice()
  private readonly digits = new Slice(new Uint8Array(24), 0, 0)

  constructor(arena: Arena) {
    this.arena = arena
  }

  /** Length of the listpack in bytes. */
  bytes(lp: Ref): number {
    return this.arena.segments[lp >>> SEGMENT_SHIFT].dv.getUint32((lp & GRANULE_MASK) << 4, true)
  }

  /** Number of elements; traverses them when there are more than 65534. */
  count(lp: Ref): number {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const at = (lp & GRANULE_MASK) << 4
    const told = seg.dv.getUint16(at + COUNT_AT, true)
    if (told !== COUNT_UNKNOWN) return told
    let count = 0
    for (let p = at + HEADER_BYTES; seg.u8[p] !== EOF; p = skip(seg.u8, p)) count++
    if (count < COUNT_UNKNOWN) seg.dv.setUint16(at + COUNT_AT, count, true)
    return count
  }

  // ---- positions ----

  first(lp: Ref): number {
    const u8 = this.arena.segments[lp >>> SEGMENT_SHIFT].u8
    return u8[((lp & GRANULE_MASK) << 4) + HEADER_BYTES] === EOF ? -1 : HEADER_BYTES
  }

  last(lp: Ref): number {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const at = (lp & GRANULE_MASK) << 4
    const bytes = seg.dv.getUint32(at, true)
    return bytes === EMPTY_BYTES ? -1 : skipBack(seg.u8, at + bytes - 1) - at
  }

  next(lp: Ref, pos: number): number {
    const u8 = this.arena.segments[lp >>> SEGMENT_SHIFT].u8
    const at = (lp & GRANULE_MASK) << 4
    const p = skip(u8, at + pos)
    return u8[p] === EOF ? -1 : p - at
  }

  prev(lp: Ref, pos: number): number {
    if (pos === HEADER_BYTES) return -1
    const at = (lp & GRANULE_MASK) << 4
    return skipBack(this.arena.segments[lp >>> SEGMENT_SHIFT].u8, at + pos) - at
  }

  /** The position `count` elements after the one at `pos`, which exists. */
  forward(lp: Ref, pos: number, count: number): number {
    const u8 = this.arena.segments[lp >>> SEGMENT_SHIFT].u8
    const at = (lp & GRANULE_MASK) << 4
    return skipElements(u8, at + pos, count) - at
  }

  /** The position of element `index` (negative: from the end), or -1. */
  seek(lp: Ref, index: number): number {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const at = (lp & GRANULE_MASK) << 4
    return seekIn(seg.u8, seg.dv, at, index, this.count(lp))
  }

  /** `pos`, or -1 at the end: the element after a deleted one. */
  elementAt(lp: Ref, pos: number): number {
    return this.arena.segments[lp >>> SEGMENT_SHIFT].u8[((lp & GRANULE_MASK) << 4) + pos] === EOF ? -1 : pos
  }

  // ---- reading ----

  /** Fills `e` with the element at `pos`. */
  read(lp: Ref, pos: number, e: Element): void {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    this.readAt(seg.u8, seg.dv, ((lp & GRANULE_MASK) << 4) + pos, e)
  }

  /** As read(), for an element at byte `at` of any buffer. */
  readAt(u8: Uint8Array, dv: DataView, at: number, e: Element): void {
    const b = u8[at]
    if (b >= ENC_6BIT_STR && b < ENC_13BIT_INT) return e.setBytes(u8, dv, at + 1, b & 0x3f)
    if (isString(u8, at)) {
      const head = stringHead(u8, at)
      return e.setBytes(u8, dv, at + head, encodedBytes(u8, at) - head)
    }
    if (b !== ENC_64BIT_INT) return e.setInteger(readInteger(u8, dv, at))
    this.probe.read(dv, at + 1)
    e.setInt64(this.probe)
  }

  /** Passes `count` elements (fewer at the end) from `pos` on. */
  emit(lp: Ref, pos: number, count: number, sink: ElementSink): void {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    this.emitAt(seg.u8, seg.dv, ((lp & GRANULE_MASK) << 4) + pos, count, sink)
  }

  /** Passes all elements. */
  emitAll(lp: Ref, sink: ElementSink): void {
    this.emit(lp, HEADER_BYTES, this.count(lp), sink)
  }

  /** As emit(), for elements from byte `at` of any buffer; returns the offset after them. */
  emitAt(u8: Uint8Array, dv: DataView, at: number, count: number, sink: ElementSink): number {
    for (; count > 0; count--) {
      const b = u8[at]
      if (b >= ENC_6BIT_STR && b < ENC_13BIT_INT) {
        const len = b & 0x3f
        sink.bulkAt(u8, dv, at + 1, len)
        at += len + 2
      } else if (b < ENC_6BIT_STR) {
        sink.bulkInteger(b)
        at += 2
      } else if (b === EOF) break
      else at = this.emitLong(u8, dv, at, sink)
    }
    return at
  }

  private emitLong(u8: Uint8Array, dv: DataView, at: number, sink: ElementSink): number {
    const encoded = encodedBytes(u8, at)
    if (isString(u8, at)) {
      const head = stringHead(u8, at)
      sink.bulkAt(u8, dv, at + head, encoded - head)
    } else if (u8[at] !== ENC_64BIT_INT) sink.bulkInteger(readInteger(u8, dv, at))
    else {
      const { digits, probe } = this
      probe.read(dv, at + 1)
      sink.bulkAt(digits.u8, digits.dv, 0, probe.render(digits.u8, 0))
    }
    return at + encoded + backlenBytes(encoded)
  }

  /** Points `out` at the element at `pos`; an integer is written into `scratch` (24 bytes). */
  get(lp: Ref, pos: number, out: Slice, scratch: Slice): Slice {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const at = ((lp & GRANULE_MASK) << 4) + pos
    if (isString(seg.u8, at)) {
      const head = stringHead(seg.u8, at)
      return out.set(seg.u8, seg.dv, at + head, encodedBytes(seg.u8, at) - head)
    }
    this.readInt64(seg.u8, seg.dv, at, this.probe)
    return out.set(scratch.u8, scratch.dv, 0, this.probe.render(scratch.u8, 0))
  }

  /** The integer at `pos`; NaN for a string, ±Infinity when it is beyond ±2^53 (see getInt64()). */
  integerAt(lp: Ref, pos: number): number {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const at = ((lp & GRANULE_MASK) << 4) + pos
    if (isString(seg.u8, at)) return Number.NaN
    const n = readInteger(seg.u8, seg.dv, at)
    if (Number.isSafeInteger(n)) return n
    return n < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }

  /** Fills `out` with the integer at `pos`; false for a string. */
  getInt64(lp: Ref, pos: number, out: Int64): boolean {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const at = ((lp & GRANULE_MASK) << 4) + pos
    if (isString(seg.u8, at)) return false
    this.readInt64(seg.u8, seg.dv, at, out)
    return true
  }

  private readInt64(u8: Uint8Array, dv: DataView, at: number, out: Int64): void {
    if (u8[at] === ENC_64BIT_INT) out.read(dv, at + 1)
    else out.setNumber(readInteger(u8, dv, at))
  }

  /** The element at `pos` against `other` as bytes: negative, zero or positive. */
  compare(lp: Ref, pos: number, other: Slice): number {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const { u8 } = seg
    let at = ((lp & GRANULE_MASK) << 4) + pos
    const b = u8[at]
    if (b < ENC_6BIT_STR || b >= ENC_13BIT_INT) return compareBytes(this.get(lp, pos, this.text, this.digits), other)
    const len = b & 0x3f
    const end = ++at + Math.min(len, other.len)
    const others = other.u8
    for (let k = other.off; at < end; at++, k++) if (u8[at] !== others[k]) return u8[at] - others[k]
    return len - other.len
  }

  /** True when the element at `pos` is `key`. */
  equals(lp: Ref, pos: number, key: Slice): boolean {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    return this.equalsAt(seg.u8, seg.dv, ((lp & GRANULE_MASK) << 4) + pos, key)
  }

  /** As equals(), for an element at byte `at` of any buffer. */
  equalsAt(u8: Uint8Array, dv: DataView, at: number, key: Slice): boolean {
    if (!isString(u8, at)) {
      const n = key.len > INTEGER_TEXT_MAX ? Number.NaN : parseInt64(key)
      return !Number.isNaN(n) && this.isSameInteger(u8, dv, at, n, key)
    }
    const head = stringHead(u8, at)
    return encodedBytes(u8, at) - head === key.len && isSameBytes(u8, at + head, key)
  }

  /**
   * The position of the first element that is `key`, comparing the one at `from` and then every (skipped + 1)th, or -1.
   */
  find(lp: Ref, from: number, key: Slice, skipped: number): number {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const start = (lp & GRANULE_MASK) << 4
    if (from < 0) return -1
    const found = this.findAt(seg.u8, seg.dv, start + from, key, skipped)
    return found < 0 ? -1 : found - start
  }

  /** As find(), for elements from byte `at` of any buffer; returns a byte offset too. */
  findAt(u8: Uint8Array, dv: DataView, at: number, key: Slice, skipped: number): number {
    const keyLen = key.len
    const n = keyLen > INTEGER_TEXT_MAX ? Number.NaN : parseInt64(key)
    const keyIsInteger = !Number.isNaN(n)
    for (;;) {
      const b = u8[at]
      if (b >= ENC_6BIT_STR && b < ENC_13BIT_INT) {
        const len = b & 0x3f
        if (len === keyLen && isSameBytes(u8, at + 1, key)) return at
        at += len + 2
      } else {
        if (b === EOF) break
        const encoded = encodedBytes(u8, at)
        if (isString(u8, at)) {
          const head = stringHead(u8, at)
          if (encoded - head === keyLen && isSameBytes(u8, at + head, key)) return at
        } else if (keyIsInteger && this.isSameInteger(u8, dv, at, n, key)) return at
        at += encoded + backlenBytes(encoded)
      }
      for (let i = skipped; i > 0 && u8[at] !== EOF; i--) at = skip(u8, at)
    }
    return -1
  }

  private isSameInteger(u8: Uint8Array, dv: DataView, at: number, n: number, key: Slice): boolean {
    if (Number.isFinite(n)) return readInteger(u8, dv, at) === n
    if (u8[at] !== ENC_64BIT_INT) return false
    this.probe.parseLong(key)
    return this.probe.lo === dv.getUint32(at + 1, true) && this.probe.hi === dv.getInt32(at + 5, true)
  }
}

function isSameBytes(u8: Uint8Array, at: number, key: Slice): boolean {
  const other = key.u8
  let k = key.off
  for (const end = at + key.len; at < end; at++, k++) if (u8[at] !== other[k]) return false
  return true
}
