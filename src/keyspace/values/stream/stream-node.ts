// StreamNodes: the entries of a stream, in listpacks of about a hundred. The bytes are Redis's.
//
//   node    valid u | deleted u | fields n | field … | 0 | entry …          all of them elements of one listpack
//   entry   flags | ms - master's | seq - master's | value … | elements                                 SAMEFIELDS
//           flags | ms - master's | seq - master's | fields n | field | value … | elements              otherwise
//
// Always: the first n fields, the master's, are those of the node's first entry; the master's id is the node's key;
// `elements` is the number of the entry's elements before it, for reverse iteration (the master's 0 ends it). Deleted
// entries stay, flagged, until their node is removed.
// Source: Redis's t_stream.c; RDB files and DUMP contain these listpacks unchanged.

import { TWO_32 } from '../../../lib/bits.ts'
import { Int64 } from '../../../lib/int64.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { Listpack } from '../../../memory/listpack.ts'
import {
  COUNT_AT,
  COUNT_UNKNOWN,
  EOF,
  encodedBytes,
  HEADER_BYTES,
  isString,
  readInteger,
  skip,
  stringHead,
} from '../../../memory/listpack-format.ts'
import type { StreamId } from './stream-id.ts'

export const DELETED = 1
export const SAME_FIELDS = 2

const FIXED_ELEMENTS = 3 // flags and both halves of the id
const GROWTH_MAX = 4096
/** Integers up to here take one byte in a listpack. */
const ONE_BYTE_MAX = 127
const WIDE_INTEGER = 0xf4
/** Overhead of a string element, or size of an integer element, at most. */
const ELEMENT_BYTES_MAX = 10

export class StreamNodes {
  readonly lists: Listpack
  private readonly arena: Arena
  private readonly text = new Slice(new Uint8Array(24), 0, 0)
  private readonly scratch = new Int64()
  // Position of the next element, and number of elements written.
  private elements = 0
  private u8: Uint8Array
  private dv: DataView
  private at = 0

  constructor(arena: Arena) {
    this.arena = arena
    this.lists = new Listpack(arena)
    this.u8 = arena.segment(0).u8
    this.dv = arena.segment(0).dv
  }

  /** A new node whose master has the fields of the entry args[from ..], without entries. */
  create(args: readonly Slice[], from: number, fields: number): Ref {
    let bytes = ELEMENT_BYTES_MAX * (4 + fields)
    for (let i = 0; i < fields; i++) bytes += args[from + i * 2].len
    const lp = this.reserve(this.lists.create(), bytes)
    this.putInteger(0)
    this.putInteger(0)
    this.putInteger(fields)
    for (let i = 0; i < fields; i++) this.put(args[from + i * 2])
    this.putInteger(0)
    return this.close(lp)
  }

  /** Appends an entry of `fields` field-value pairs from args[from] on; returns the node's ref from then on. */
  append(lp: Ref, master: StreamId, id: StreamId, args: readonly Slice[], from: number, fields: number): Ref {
    const same = this.hasFields(lp, args, from, fields)
    lp = this.countOneMore(lp)
    let bytes = ELEMENT_BYTES_MAX * (5 + fields * 2)
    for (let i = from; i < from + fields * 2; i++) bytes += args[i].len
    lp = this.reserve(lp, bytes)
    this.entry(master, id, args, from, fields, same)
    return this.close(lp)
  }

  private entry(
    master: StreamId,
    id: StreamId,
    args: readonly Slice[],
    from: number,
    fields: number,
    same: boolean,
  ): void {
    this.putInteger(same ? SAME_FIELDS : 0)
    this.putDifference(id.msHigh, id.msLow, master.msHigh, master.msLow)
    this.putDifference(id.seqHigh, id.seqLow, master.seqHigh, master.seqLow)
    if (!same) this.putInteger(fields)
    for (let i = from; i < from + fields * 2; i += 2) {
      if (!same) this.put(args[i])
      this.put(args[i + 1])
    }
    this.putInteger(FIXED_ELEMENTS + (same ? fields : fields * 2 + 1))
  }

  // ---- writing elements at the end: reserve(), any number of puts, close() ----

  /** Reserves at least `bytes` more; the write position is where the listpack ended. */
  private reserve(lp: Ref, bytes: number): Ref {
    const old = this.lists.bytes(lp)
    const room = this.arena.sizeOf(lp)
    if (old + bytes > room) {
      const fresh = this.arena.alloc(Math.max(old + bytes, Math.min(room * 2, GROWTH_MAX)))
      this.arena.copy(fresh, 0, lp, 0, old)
      this.arena.free(lp)
      lp = fresh
    }
    const seg = this.arena.segment(lp)
    this.u8 = seg.u8
    this.dv = seg.dv
    this.at = this.arena.at(lp) + old - 1
    this.elements = 0
    return lp
  }

  private close(lp: Ref): Ref {
    const start = this.arena.at(lp)
    this.u8[this.at] = EOF
    this.dv.setUint32(start, this.at + 1 - start, true)
    const told = this.dv.getUint16(start + COUNT_AT, true)
    if (told !== COUNT_UNKNOWN) this.dv.setUint16(start + COUNT_AT, Math.min(COUNT_UNKNOWN, told + this.elements), true)
    return lp
  }

  private put(s: Slice): void {
    this.place(this.lists.measure(s), s)
  }

  private putInteger(n: number): void {
    this.place(this.lists.measureInteger(n), undefined)
  }

  private place(bytes: number, s: Slice | undefined): void {
    this.lists.put(this.u8, this.dv, this.at, s)
    this.at += bytes
    this.elements++
  }

  /** a - b modulo 2^64, as a signed integer. */
  private putDifference(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
    const high = (aHigh - bHigh - (aLow < bLow ? 1 : 0)) | 0
    const low = (aLow - bLow) >>> 0
    const d = this.scratch
    d.hi = high
    d.lo = low
    if (d.isSafe) return this.putInteger(d.toNumber())
    this.text.len = d.render(this.text.u8, 0)
    this.put(this.text)
  }

  // ---- reading ----

  /** Number of valid entries of a node. */
  valid(lp: Ref): number {
    return this.integerAt(lp, HEADER_BYTES)
  }

  deleted(lp: Ref): number {
    return this.integerAt(lp, this.lists.next(lp, HEADER_BYTES))
  }

  private integerAt(lp: Ref, pos: number): number {
    const seg = this.arena.segment(lp)
    return readInteger(seg.u8, seg.dv, this.arena.at(lp) + pos)
  }

  /** Increments the number of valid entries. */
  private countOneMore(lp: Ref): Ref {
    const u8 = this.arena.u8(lp)
    const at = this.arena.at(lp) + HEADER_BYTES
    if (u8[at] >= ONE_BYTE_MAX) return this.addToCounts(lp, 1, 0)
    u8[at]++
    return lp
  }

  /** Changes the numbers of valid and deleted entries. */
  addToCounts(lp: Ref, valid: number, deleted: number): Ref {
    if (valid !== 0) lp = this.lists.replaceInteger(lp, HEADER_BYTES, this.valid(lp) + valid)
    if (deleted === 0) return lp
    return this.lists.replaceInteger(lp, this.lists.next(lp, HEADER_BYTES), this.deleted(lp) + deleted)
  }

  /** True when the entry args[from ..] has the fields of the node's master. */
  private hasFields(lp: Ref, args: readonly Slice[], from: number, fields: number): boolean {
    const seg = this.arena.segment(lp)
    let at = skip(seg.u8, skip(seg.u8, this.arena.at(lp) + HEADER_BYTES))
    if (readInteger(seg.u8, seg.dv, at) !== fields) return false
    for (let i = 0; i < fields; i++) {
      at = skip(seg.u8, at)
      if (!this.lists.equalsAt(seg.u8, seg.dv, at, args[from + i * 2])) return false
    }
    return true
  }

  /** Frees spare capacity. */
  trimCapacity(lp: Ref): Ref {
    const bytes = this.lists.bytes(lp)
    return this.arena.realloc(lp, bytes, bytes)
  }

  /** Points `out` at the element at byte `at`; an integer is written into `scratch`. */
  element(u8: Uint8Array, dv: DataView, at: number, out: Slice, scratch: Slice): Slice {
    if (isString(u8, at)) {
      const head = stringHead(u8, at)
      return out.set(u8, dv, at + head, encodedBytes(u8, at) - head)
    }
    const d = this.difference(u8, dv, at)
    return out.set(scratch.u8, scratch.dv, 0, d.render(scratch.u8, 0))
  }

  /** Sets `out` to the id of the entry whose differences from `master` are at byte `at`; the byte after them. */
  readId(u8: Uint8Array, dv: DataView, at: number, master: StreamId, out: StreamId): number {
    if (u8[at] === WIDE_INTEGER) {
      const d = this.difference(u8, dv, at)
      const low = master.msLow + d.lo
      out.msLow = low >>> 0
      out.msHigh = (master.msHigh + d.hi + carry(low)) >>> 0
    } else {
      const low = master.msLow + readInteger(u8, dv, at)
      out.msLow = low >>> 0
      out.msHigh = (master.msHigh + carry(low)) >>> 0
    }
    at = skip(u8, at)
    if (u8[at] === WIDE_INTEGER) {
      const d = this.difference(u8, dv, at)
      const low = master.seqLow + d.lo
      out.seqLow = low >>> 0
      out.seqHigh = (master.seqHigh + d.hi + carry(low)) >>> 0
    } else {
      const low = master.seqLow + readInteger(u8, dv, at)
      out.seqLow = low >>> 0
      out.seqHigh = (master.seqHigh + carry(low)) >>> 0
    }
    return skip(u8, at)
  }

  private difference(u8: Uint8Array, dv: DataView, at: number): Int64 {
    const d = this.scratch
    if (u8[at] === WIDE_INTEGER) d.read(dv, at + 1)
    else d.setNumber(readInteger(u8, dv, at))
    return d
  }
}

/** What goes over to the high word. */
function carry(low: number): number {
  return low >= TWO_32 ? 1 : low < 0 ? -1 : 0
}
