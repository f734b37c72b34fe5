// Listpack: a sequence of strings and integers in one allocation of the arena. The bytes are Redis's listpack, drawn in
// listpack-format.ts. A string that spells an integer is stored as that integer.
//
//   allocation  [ listpack: total bytes … 0xff ][ spare capacity ]
//
// A Listpack is a ListpackReader that also writes: rows of RDB files are read by what needs no arena.
//
// Always: a position is a byte offset from the listpack's start; a method that modifies a listpack returns its ref
// from then on (it may have moved) and leaves positions before the change valid. Written bytes must not be part of
// the same listpack.

import { copyBytes } from '../lib/bytes.ts'
import { Int64 } from '../lib/int64.ts'
import { parseInt64 } from '../lib/number.ts'
import type { Slice } from '../lib/slice.ts'
import { GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import {
  backlenBytes,
  COUNT_AT,
  COUNT_UNKNOWN,
  ENC_6BIT_STR,
  ENC_12BIT_STR,
  ENC_13BIT_INT,
  ENC_16BIT_INT,
  ENC_24BIT_INT,
  ENC_32BIT_INT,
  ENC_32BIT_STR,
  ENC_64BIT_INT,
  EOF,
  HEADER_BYTES,
  skip,
  writeBacklen,
} from './listpack-format.ts'
import { ListpackReader } from './listpack-reader.ts'

const INTEGER_TEXT_MAX = 20
const EMPTY_BYTES = HEADER_BYTES + 1
/** A listpack larger than this grows by an eighth at a time, a smaller one to the arena's next slot size. */
const EXACT_GROWTH_MAX = 8192
/** An allocation of at most this many bytes is never shrunk. */
const SHRINK_MIN = 32
/** Redis's limit on a listpack with several elements. */
const SAFE_BYTES_MAX = 1 << 30

export class Listpack extends ListpackReader {
  // The element that measure() has prepared for put().
  private readonly long = new Int64()
  private integer = 0
  private isInteger = false
  private encoded = 0

  // ---- whole listpacks ----

  /** A new, empty listpack with `capacity` bytes. */
  create(capacity = EMPTY_BYTES): Ref {
    const lp = this.arena.alloc(Math.max(capacity, EMPTY_BYTES))
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const at = (lp & GRANULE_MASK) << 4
    seg.dv.setUint32(at, EMPTY_BYTES, true)
    seg.dv.setUint16(at + COUNT_AT, 0, true)
    seg.u8[at + HEADER_BYTES] = EOF
    return lp
  }

  /** A copy of `s`, which isListpack() has accepted. */
  fromBytes(s: Slice): Ref {
    const lp = this.arena.alloc(s.len)
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    copyBytes(seg.u8, seg.dv, (lp & GRANULE_MASK) << 4, s.u8, s.dv, s.off, s.len)
    return lp
  }

  copy(lp: Ref): Ref {
    const bytes = this.bytes(lp)
    const fresh = this.arena.alloc(bytes)
    this.arena.copy(fresh, 0, lp, 0, bytes)
    return fresh
  }

  /** Points `out` at the whole listpack. */
  whole(lp: Ref, out: Slice): Slice {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const at = (lp & GRANULE_MASK) << 4
    return out.set(seg.u8, seg.dv, at, seg.dv.getUint32(at, true))
  }

  free(lp: Ref): void {
    this.arena.free(lp)
  }

  /** False when `add` more bytes would make the listpack larger than allowed. */
  isSafeToAdd(lp: Ref, add: number): boolean {
    return this.bytes(lp) + add <= SAFE_BYTES_MAX
  }

  // ---- writing ----

  append(lp: Ref, s: Slice): Ref {
    return this.writeAt(lp, this.bytes(lp) - 1, 0, this.measure(s), s)
  }

  /** Appends an integer within ±2^53. */
  appendInteger(lp: Ref, n: number): Ref {
    return this.writeAt(lp, this.bytes(lp) - 1, 0, this.measureInteger(n), undefined)
  }

  prepend(lp: Ref, s: Slice): Ref {
    return this.writeAt(lp, HEADER_BYTES, 0, this.measure(s), s)
  }

  /** The new element is at `pos`, before the one that was there. */
  insertBefore(lp: Ref, pos: number, s: Slice): Ref {
    return this.writeAt(lp, pos, 0, this.measure(s), s)
  }

  insertIntegerBefore(lp: Ref, pos: number, n: number): Ref {
    return this.writeAt(lp, pos, 0, this.measureInteger(n), undefined)
  }

  /** The new element follows the one at `pos`. */
  insertAfter(lp: Ref, pos: number, s: Slice): Ref {
    return this.writeAt(lp, this.behind(lp, pos), 0, this.measure(s), s)
  }

  /** The new element is at `pos`. */
  replace(lp: Ref, pos: number, s: Slice): Ref {
    return this.writeAt(lp, pos, this.behind(lp, pos) - pos, this.measure(s), s)
  }

  replaceInteger(lp: Ref, pos: number, n: number): Ref {
    return this.writeAt(lp, pos, this.behind(lp, pos) - pos, this.measureInteger(n), undefined)
  }

  /** Deletes the element at `pos`; elementAt(lp, pos) is then the following one, if any. */
  delete(lp: Ref, pos: number): Ref {
    const gone = this.behind(lp, pos) - pos
    this.addCount(lp, -1)
    return this.resizePart(lp, pos, gone, 0)
  }

  /** Deletes up to `n` elements from the one at `pos` on. */
  deleteAt(lp: Ref, pos: number, n: number): Ref {
    const u8 = this.arena.segments[lp >>> SEGMENT_SHIFT].u8
    const from = ((lp & GRANULE_MASK) << 4) + pos
    let to = from
    let gone = 0
    for (; gone < n && u8[to] !== EOF; gone++) to = skip(u8, to)
    this.addCount(lp, -gone)
    return this.resizePart(lp, pos, to - from, 0)
  }

  /** Deletes up to `n` elements from element `index` (negative: from the end) on. */
  deleteRange(lp: Ref, index: number, n: number): Ref {
    const pos = n > 0 ? this.seek(lp, index) : -1
    return pos < 0 ? lp : this.deleteAt(lp, pos, n)
  }

  /** Appends all of `b` to `a`; frees `b`. */
  merge(a: Ref, b: Ref): Ref {
    const added = this.bytes(b) - EMPTY_BYTES
    const count = this.count(a) + this.count(b)
    const end = this.bytes(a) - 1
    const lp = this.resizePart(a, end, 0, added)
    this.arena.copy(lp, end, b, HEADER_BYTES, added)
    this.setCount(lp, count)
    this.arena.free(b)
    return lp
  }

  /** Moves the elements from position `pos` on into a new listpack, without a count yet: setCount() follows. */
  splitOff(lp: Ref, pos: number): Ref {
    const moved = this.bytes(lp) - pos
    const fresh = this.arena.alloc(HEADER_BYTES + moved)
    this.arena.copy(fresh, HEADER_BYTES, lp, pos, moved)
    const seg = this.arena.segments[fresh >>> SEGMENT_SHIFT]
    const at = (fresh & GRANULE_MASK) << 4
    seg.dv.setUint32(at, HEADER_BYTES + moved, true)
    seg.dv.setUint16(at + COUNT_AT, COUNT_UNKNOWN, true)
    return fresh
  }

  setCount(lp: Ref, count: number): void {
    const dv = this.arena.segments[lp >>> SEGMENT_SHIFT].dv
    dv.setUint16(((lp & GRANULE_MASK) << 4) + COUNT_AT, Math.min(count, COUNT_UNKNOWN), true)
  }

  private addCount(lp: Ref, change: number): void {
    const dv = this.arena.segments[lp >>> SEGMENT_SHIFT].dv
    const at = ((lp & GRANULE_MASK) << 4) + COUNT_AT
    const told = dv.getUint16(at, true)
    if (told !== COUNT_UNKNOWN) dv.setUint16(at, told + change, true)
  }

  private behind(lp: Ref, pos: number): number {
    const at = (lp & GRANULE_MASK) << 4
    return skip(this.arena.segments[lp >>> SEGMENT_SHIFT].u8, at + pos) - at
  }

  /** Writes the measured element over the `gone` bytes at `pos`. */
  private writeAt(lp: Ref, pos: number, gone: number, bytes: number, s: Slice | undefined): Ref {
    if (gone === 0) this.addCount(lp, 1)
    lp = this.resizePart(lp, pos, gone, bytes)
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    this.put(seg.u8, seg.dv, ((lp & GRANULE_MASK) << 4) + pos, s)
    return lp
  }

  /** Resizes the part at `pos` from `from` to `to` bytes, contents undefined, and sets the total. */
  private resizePart(lp: Ref, pos: number, from: number, to: number): Ref {
    const arena = this.arena
    const seg = arena.segments[lp >>> SEGMENT_SHIFT]
    const at = (lp & GRANULE_MASK) << 4
    const old = seg.dv.getUint32(at, true)
    const bytes = old + to - from
    const room = arena.sizeOf(lp)
    if (bytes > room || (bytes * 2 <= room && room > SHRINK_MIN && bytes < old)) {
      const fresh = arena.alloc(bytes > room && bytes > EXACT_GROWTH_MAX ? bytes + (bytes >>> 3) : bytes)
      arena.copy(fresh, 0, lp, 0, pos)
      arena.copy(fresh, pos + to, lp, pos + from, old - pos - from)
      arena.free(lp)
      lp = fresh
    } else if (from !== to) seg.u8.copyWithin(at + pos + to, at + pos + from, at + old)
    arena.segments[lp >>> SEGMENT_SHIFT].dv.setUint32((lp & GRANULE_MASK) << 4, bytes, true)
    return lp
  }

  // ---- one element: measure(), reserve space, put() ----

  /** Bytes of `s` as an element, in all. Prepares put(). */
  measure(s: Slice): number {
    const len = s.len
    const n = len <= INTEGER_TEXT_MAX ? parseInt64(s) : Number.NaN
    if (Number.isNaN(n)) {
      this.isInteger = false
      const encoded = len + (len < 64 ? 1 : len < 4096 ? 2 : 5)
      this.encoded = encoded
      return encoded + (encoded <= 127 ? 1 : backlenBytes(encoded))
    }
    if (Number.isFinite(n)) return this.measureInteger(n)
    this.long.parseLong(s)
    this.isInteger = true
    this.encoded = 9
    return 10
  }

  /** As measure(), for an integer within ±2^53. */
  measureInteger(n: number): number {
    this.isInteger = true
    this.integer = n
    if (n >= -4096 && n < 4096) this.encoded = n >= 0 && n < 128 ? 1 : 2
    else if (n >= -0x800000 && n < 0x800000) this.encoded = n >= -0x8000 && n < 0x8000 ? 3 : 4
    else if (n >= -0x80000000 && n < 0x80000000) this.encoded = 5
    else {
      this.encoded = 9
      this.long.setNumber(n)
    }
    return this.encoded + 1
  }

  /** Writes the element that was measured last (`s` again, unless it was a number) at byte `at`. */
  put(u8: Uint8Array, dv: DataView, at: number, s: Slice | undefined): void {
    const encoded = this.encoded
    if (this.isInteger) {
      this.putInteger(u8, dv, at)
      u8[at + encoded] = encoded
      return
    }
    const len = s!.len
    if (len < 64) {
      u8[at] = ENC_6BIT_STR | len
      copyBytes(u8, dv, at + 1, s!.u8, s!.dv, s!.off, len)
      u8[at + encoded] = encoded
      return
    }
    let to = at
    if (len < 4096) {
      u8[to++] = ENC_12BIT_STR | (len >> 8)
      u8[to++] = len
    } else {
      u8[to++] = ENC_32BIT_STR
      dv.setUint32(to, len, true)
      to += 4
    }
    copyBytes(u8, dv, to, s!.u8, s!.dv, s!.off, len)
    writeBacklen(u8, at + encoded, encoded)
  }

  private putInteger(u8: Uint8Array, dv: DataView, at: number): void {
    const n = this.integer
    switch (this.encoded) {
      case 1:
        u8[at] = n
        break
      case 2:
        u8[at] = ENC_13BIT_INT | ((n >> 8) & 31)
        u8[at + 1] = n
        break
      case 3:
        u8[at] = ENC_16BIT_INT
        dv.setInt16(at + 1, n, true)
        break
      case 4:
        u8[at] = ENC_24BIT_INT
        dv.setInt16(at + 1, n, true)
        u8[at + 3] = n >> 16
        break
      case 5:
        u8[at] = ENC_32BIT_INT
        dv.setInt32(at + 1, n, true)
        break
      default:
        u8[at] = ENC_64BIT_INT
        this.long.write(dv, at + 1)
    }
  }
}
