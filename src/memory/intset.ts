// Intset: a set of 64-bit integers in one allocation of the arena. The bytes are Redis's intset, as RDB files and DUMP
// contain it.
//
//   encoding u32 (2, 4 or 8: bytes of an integer) | length u32 | integers, little-endian
//
// Always: the integers strictly ascend; the encoding fits every one of them and never narrows; a method that modifies
// an intset returns its ref from then on (it may have moved) and sets `changed` if it did modify it.

import { TWO_32 } from '../lib/bits.ts'
import { copyBytes } from '../lib/bytes.ts'
import type { Int64 } from '../lib/int64.ts'
import type { Slice } from '../lib/slice.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import type { Element } from './element.ts'

const LENGTH_AT = 4
const HEADER_BYTES = 8

export class Intset {
  /** The last add() or remove() changed the set. */
  changed = false
  private readonly arena: Arena

  constructor(arena: Arena) {
    this.arena = arena
  }

  create(): Ref {
    const is = this.arena.alloc(HEADER_BYTES + 8)
    const dv = this.arena.dv(is)
    dv.setUint32(this.arena.at(is), 2, true)
    dv.setUint32(this.arena.at(is) + LENGTH_AT, 0, true)
    return is
  }

  /** A copy of `s`, which isIntset() has accepted. */
  fromBytes(s: Slice): Ref {
    const is = this.arena.alloc(s.len)
    copyBytes(this.arena.u8(is), this.arena.dv(is), this.arena.at(is), s.u8, s.dv, s.off, s.len)
    return is
  }

  copy(is: Ref): Ref {
    const bytes = this.bytes(is)
    const fresh = this.arena.alloc(bytes)
    this.arena.copy(fresh, 0, is, 0, bytes)
    return fresh
  }

  free(is: Ref): void {
    this.arena.free(is)
  }

  length(is: Ref): number {
    return this.arena.segments[is >>> SEGMENT_SHIFT].dv.getUint32(((is & GRANULE_MASK) << 4) + LENGTH_AT, true)
  }

  /** Bytes of one integer. */
  width(is: Ref): number {
    return this.arena.segments[is >>> SEGMENT_SHIFT].dv.getUint32((is & GRANULE_MASK) << 4, true)
  }

  bytes(is: Ref): number {
    return HEADER_BYTES + this.length(is) * this.width(is)
  }

  /** Points `out` at the whole intset. */
  whole(is: Ref, out: Slice): Slice {
    return out.set(this.arena.u8(is), this.arena.dv(is), this.arena.at(is), this.bytes(is))
  }

  has(is: Ref, v: Int64): boolean {
    return widthOf(v) <= this.width(is) && this.search(is, v) >= 0
  }

  add(is: Ref, v: Int64): Ref {
    const width = this.width(is)
    const needed = widthOf(v)
    const length = this.length(is)
    let index: number
    if (needed > width) {
      // Wider than all present integers, so it goes to one of the ends.
      index = v.hi < 0 ? 0 : length
      is = this.room(is, (length + 1) * needed, HEADER_BYTES + length * width)
      this.widen(is, length, width, needed, index === 0 ? 1 : 0)
    } else {
      index = this.search(is, v)
      if (index >= 0) {
        this.changed = false
        return is
      }
      index = ~index
      is = this.room(is, (length + 1) * width, HEADER_BYTES + length * width)
      const from = this.arena.at(is) + HEADER_BYTES + index * width
      if (index < length)
        this.arena.u8(is).copyWithin(from + width, from, this.arena.at(is) + HEADER_BYTES + length * width)
    }
    this.put(is, index, v)
    this.arena.dv(is).setUint32(this.arena.at(is) + LENGTH_AT, length + 1, true)
    this.changed = true
    return is
  }

  remove(is: Ref, v: Int64): Ref {
    const width = this.width(is)
    const index = widthOf(v) <= width ? this.search(is, v) : -1
    this.changed = index >= 0
    return index < 0 ? is : this.removeAt(is, index)
  }

  removeAt(is: Ref, index: number): Ref {
    const width = this.width(is)
    const length = this.length(is) - 1
    const at = this.arena.at(is)
    const to = at + HEADER_BYTES + index * width
    this.arena.u8(is).copyWithin(to, to + width, at + HEADER_BYTES + (length + 1) * width)
    this.arena.dv(is).setUint32(at + LENGTH_AT, length, true)
    this.changed = true
    const bytes = HEADER_BYTES + length * width
    return bytes * 2 <= this.arena.sizeOf(is) ? this.arena.realloc(is, bytes, bytes) : is
  }

  /** Fills `out` with integer `index`. */
  get(is: Ref, index: number, out: Int64): void {
    const seg = this.arena.segments[is >>> SEGMENT_SHIFT]
    const at = (is & GRANULE_MASK) << 4
    const width = seg.dv.getUint32(at, true)
    if (width === 8) out.read(seg.dv, at + HEADER_BYTES + index * 8)
    else out.setNumber(this.at(is, index))
  }

  /** Integer `index`; one that is beyond 2^53 is rounded. */
  at(is: Ref, index: number): number {
    const seg = this.arena.segments[is >>> SEGMENT_SHIFT]
    const at = (is & GRANULE_MASK) << 4
    const width = seg.dv.getUint32(at, true)
    const p = at + HEADER_BYTES + index * width
    if (width === 2) return seg.dv.getInt16(p, true)
    if (width === 4) return seg.dv.getInt32(p, true)
    return seg.dv.getInt32(p + 4, true) * TWO_32 + seg.dv.getUint32(p, true)
  }

  /** Fills `e` with integer `index`; `scratch` is overwritten. */
  read(is: Ref, index: number, e: Element, scratch: Int64): void {
    this.get(is, index, scratch)
    e.setInt64(scratch)
  }

  /** The index of `v`, or ~(its insertion point). */
  private search(is: Ref, v: Int64): number {
    const seg = this.arena.segments[is >>> SEGMENT_SHIFT]
    const dv = seg.dv
    const at = (is & GRANULE_MASK) << 4
    const width = dv.getUint32(at, true)
    const from = at + HEADER_BYTES
    let low = 0
    let high = dv.getUint32(at + LENGTH_AT, true) - 1
    const n = v.toNumber()
    while (low <= high) {
      const middle = (low + high) >>> 1
      const p = from + middle * width
      let difference: number
      if (width === 2) difference = dv.getInt16(p, true) - n
      else if (width === 4) difference = dv.getInt32(p, true) - n
      else {
        difference = dv.getInt32(p + 4, true) - v.hi
        if (difference === 0) difference = dv.getUint32(p, true) - v.lo
      }
      if (difference === 0) return middle
      if (difference < 0) low = middle + 1
      else high = middle - 1
    }
    return ~low
  }

  private put(is: Ref, index: number, v: Int64): void {
    const seg = this.arena.segments[is >>> SEGMENT_SHIFT]
    const at = (is & GRANULE_MASK) << 4
    const width = seg.dv.getUint32(at, true)
    const p = at + HEADER_BYTES + index * width
    if (width === 2) seg.dv.setInt16(p, v.lo, true)
    else if (width === 4) seg.dv.setInt32(p, v.lo, true)
    else v.write(seg.dv, p)
  }

  private room(is: Ref, integerBytes: number, keep: number): Ref {
    const bytes = HEADER_BYTES + integerBytes
    return bytes <= this.arena.sizeOf(is) ? is : this.arena.realloc(is, bytes, keep)
  }

  /** Rewrites `length` integers in a wider encoding, `shift` indexes further back. */
  private widen(is: Ref, length: number, from: number, to: number, shift: number): void {
    const dv = this.arena.dv(is)
    const at = this.arena.at(is)
    const body = at + HEADER_BYTES
    for (let i = length - 1; i >= 0; i--) {
      const n = from === 2 ? dv.getInt16(body + i * 2, true) : dv.getInt32(body + i * 4, true)
      const p = body + (i + shift) * to
      dv.setInt32(p, n, true)
      if (to === 8) dv.setInt32(p + 4, n < 0 ? -1 : 0, true)
    }
    dv.setUint32(at, to, true)
  }
}

function widthOf(v: Int64): number {
  const n = v.toNumber()
  if (n < -0x80000000 || n > 0x7fffffff) return 8
  return n < -0x8000 || n > 0x7fff ? 4 : 2
}

/** True when the bytes [off, off + len) are an intset that is not empty; `deep`: and in order. */
export function isIntset(dv: DataView, off: number, len: number, deep = true): boolean {
  if (len < HEADER_BYTES) return false
  const width = dv.getUint32(off, true)
  if (width !== 2 && width !== 4 && width !== 8) return false
  const length = dv.getUint32(off + LENGTH_AT, true)
  if (length === 0 || HEADER_BYTES + length * width !== len) return false
  if (!deep) return true
  for (let i = 1; i < length; i++) {
    const p = off + HEADER_BYTES + i * width
    if (width === 2 ? dv.getInt16(p - 2, true) >= dv.getInt16(p, true) : !ascends(dv, p - width, p, width)) return false
  }
  return true
}

function ascends(dv: DataView, a: number, b: number, width: number): boolean {
  if (width === 4) return dv.getInt32(a, true) < dv.getInt32(b, true)
  const difference = dv.getInt32(a + 4, true) - dv.getInt32(b + 4, true)
  return difference < 0 || (difference === 0 && dv.getUint32(a, true) < dv.getUint32(b, true))
}
