// The nodes of a quicklist: their layout and the operations on a single node. The list of nodes is quicklist.ts.
//
//   list (32 B)   head ref | tail ref | elements u32 | nodes u32 | fill i16 | compress depth u16 | -
//   node (32 B)   data ref | prev ref | next ref | bytes u32 | gap u32 | packed u32 | count u32 | flags u8 | -
//   data          packed = 0    [ gap ][ listpack, or the element of a PLAIN node: `bytes` ][ spare capacity ]
//                 packed > 0    [ LZF of the same, `packed` bytes ]
//
// The gap makes pushing and popping at the head cheap: the listpack's start moves instead of its contents.
//
// Always: head and tail are not packed; a packed node's gap is 0, any other may not be; a node that is not PLAIN is
// never empty between calls; `bytes` and `count` match the listpack's header (its u16 count ends at 65535).

import { LzfCompressor, lzfDecompress } from '../lib/lzf.ts'
import type { Slice } from '../lib/slice.ts'
import { Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import type { Listpack } from './listpack.ts'
import { COUNT_AT, COUNT_UNKNOWN } from './listpack-format.ts'

export const HEAD = 0
export const TAIL = 4
export const COUNT = 8
export const NODES = 12
export const FILL = 16
export const DEPTH = 18
export const LIST_BYTES = 32

export const DATA = 0
export const PREV = 4
export const NEXT = 8
export const BYTES = 12
export const GAP = 16
export const PACKED = 20
export const NODE_COUNT = 24
export const FLAGS = 28
const NODE_BYTES = 32

/** The node is one element, not a listpack. */
export const PLAIN = 1
/** The node was unpacked for a change and is to be packed again. */
export const REPACK = 2

const NODE_BYTES_BY_FILL = [4096, 8192, 16384, 32768, 65536]
const SAFE_NODE_BYTES = 8192
/** Overhead of an element, roughly; Redis's figure, so that nodes break at the same elements. */
const ELEMENT_OVERHEAD = 8
const PACK_BYTES_MIN = 48
const PACK_GAIN_MIN = 8
const SLOT_BYTES_MAX = 8192
const SHRINK_MIN = 64

export class QuicklistNodes {
  /** Elements of this many bytes and more get a PLAIN node. */
  packedThreshold = 1 << 30
  readonly arena: Arena
  readonly listpack: Listpack
  private compressor: LzfCompressor | undefined

  constructor(arena: Arena, listpack: Listpack) {
    this.arena = arena
    this.listpack = listpack
  }

  field(ref: Ref, at: number): number {
    return this.arena.segments[ref >>> SEGMENT_SHIFT].dv.getUint32(((ref & GRANULE_MASK) << 4) + at, true)
  }

  setField(ref: Ref, at: number, value: number): void {
    this.arena.segments[ref >>> SEGMENT_SHIFT].dv.setUint32(((ref & GRANULE_MASK) << 4) + at, value, true)
  }

  hasFlag(node: Ref, flag: number): boolean {
    return (this.field(node, FLAGS) & flag) !== 0
  }

  setFlag(node: Ref, flag: number, on: boolean): void {
    const flags = this.field(node, FLAGS)
    this.setField(node, FLAGS, on ? flags | flag : flags & ~flag)
  }

  // ---- limits ----

  /** True when so many bytes or elements exceed one node. */
  exceedsLimit(fill: number, bytes: number, count: number): boolean {
    if (fill < 0) return bytes > nodeBytesMax(fill)
    return bytes > SAFE_NODE_BYTES || count > (fill === 0 ? 1 : fill)
  }

  /** True when so many bytes and elements are no more than that share of a node. */
  isWithin(share: number, fill: number, bytes: number, count: number): boolean {
    return fill < 0 ? bytes <= nodeBytesMax(fill) * share : count <= Math.floor((fill === 0 ? 1 : fill) * share)
  }

  /** True when an element of `len` bytes may be added to this node (0: no node). */
  allowsInsert(node: Ref, fill: number, len: number): boolean {
    if (node === 0 || len >= this.packedThreshold || this.hasFlag(node, PLAIN)) return false
    const bytes = this.field(node, BYTES) + len + ELEMENT_OVERHEAD
    return !this.exceedsLimit(fill, bytes, this.field(node, NODE_COUNT) + 1)
  }

  /** True when two neighbours may be merged. */
  allowsMerge(a: Ref, b: Ref, fill: number): boolean {
    if (a === 0 || b === 0 || this.hasFlag(a, PLAIN) || this.hasFlag(b, PLAIN)) return false
    const bytes = this.field(a, BYTES) + this.field(b, BYTES) - 7
    return !this.exceedsLimit(fill, bytes, this.field(a, NODE_COUNT) + this.field(b, NODE_COUNT))
  }

  // ---- creating nodes ----

  /** A node with `data`. */
  newNode(data: Ref, bytes: number, count: number, flags: number): Ref {
    const node = this.arena.alloc(NODE_BYTES)
    const dv = this.arena.segments[node >>> SEGMENT_SHIFT].dv
    const at = (node & GRANULE_MASK) << 4
    dv.setUint32(at + DATA, data, true)
    dv.setUint32(at + PREV, 0, true)
    dv.setUint32(at + NEXT, 0, true)
    dv.setUint32(at + BYTES, bytes, true)
    dv.setUint32(at + GAP, 0, true)
    dv.setUint32(at + PACKED, 0, true)
    dv.setUint32(at + NODE_COUNT, count, true)
    dv.setUint32(at + FLAGS, flags, true)
    return node
  }

  /** A node with `s` alone, as an element of a listpack or, from packedThreshold on, as a PLAIN node. */
  newNodeOf(s: Slice): Ref {
    if (s.len >= this.packedThreshold) return this.newPlainNode(s)
    const lp = this.listpack.append(this.listpack.create(s.len + ELEMENT_OVERHEAD * 2), s)
    return this.newNode(lp, this.listpack.bytes(lp), 1, 0)
  }

  newPlainNode(s: Slice): Ref {
    const data = this.arena.alloc(s.len)
    this.arena.u8(data).set(s.u8.subarray(s.off, s.off + s.len), this.arena.at(data))
    return this.newNode(data, s.len, 1, PLAIN)
  }

  freeNode(node: Ref): void {
    this.arena.free(this.field(node, DATA))
    this.arena.free(node)
  }

  /** Sets the node's listpack. */
  setListpack(node: Ref, lp: Ref, count: number): void {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    const at = (lp & GRANULE_MASK) << 4
    seg.dv.setUint16(at + COUNT_AT, Math.min(count, COUNT_UNKNOWN), true)
    this.setField(node, DATA, lp)
    this.setField(node, GAP, 0)
    this.setField(node, BYTES, seg.dv.getUint32(at, true))
    this.setField(node, NODE_COUNT, count)
  }

  // ---- capacity ----

  /** The node's listpack, unpacked and starting at its data's start, so that Listpack can work on it. */
  openListpack(node: Ref): Ref {
    this.unpack(node)
    const gap = this.field(node, GAP)
    const data = this.field(node, DATA)
    if (gap > 0) this.shift(node, 0)
    return data
  }

  private shift(node: Ref, gap: number): void {
    const data = this.field(node, DATA)
    const u8 = this.arena.segments[data >>> SEGMENT_SHIFT].u8
    const from = ((data & GRANULE_MASK) << 4) + this.field(node, GAP)
    u8.copyWithin(((data & GRANULE_MASK) << 4) + gap, from, from + this.field(node, BYTES))
    this.setField(node, GAP, gap)
  }

  /**
   * Makes at least `need` bytes free before (atHead) or after the listpack of an end node. `only`: it is the only node.
   */
  reserve(node: Ref, need: number, atHead: boolean, only: boolean): void {
    const data = this.field(node, DATA)
    const bytes = this.field(node, BYTES)
    const free = this.arena.sizeOf(data) - bytes
    const wanted = bytes + need
    const size = wanted <= SLOT_BYTES_MAX ? Math.min(wanted + bytes, SLOT_BYTES_MAX) : wanted + (wanted >>> 3)
    // Sliding to the other end is worth it only when that end will not need space again soon.
    if (free >= need && (free >= bytes >>> 3 || size <= bytes + free)) {
      const spare = only ? (free - need) >>> 1 : 0
      this.shift(node, atHead ? free - spare : spare)
    } else this.moveTo(node, size, atHead)
  }

  /** Moves an unpacked node's contents into an allocation of at least `size` bytes, to its start or its end. */
  private moveTo(node: Ref, size: number, toEnd: boolean): void {
    const data = this.field(node, DATA)
    const bytes = this.field(node, BYTES)
    const fresh = this.arena.alloc(size)
    const gap = toEnd ? this.arena.sizeOf(fresh) - bytes : 0
    this.arena.copy(fresh, gap, data, this.field(node, GAP), bytes)
    this.arena.free(data)
    this.setField(node, DATA, fresh)
    this.setField(node, GAP, gap)
  }

  /** Frees spare capacity of an unpacked node that is no end node any more. */
  trim(node: Ref): void {
    const bytes = this.field(node, BYTES)
    if (this.field(node, PACKED) === 0 && Arena.sizeFor(bytes) < this.arena.sizeOf(this.field(node, DATA)))
      this.moveTo(node, bytes, false)
  }

  /** Frees spare capacity after a pop when most of the node's allocation is unused. */
  shrink(node: Ref, bytes: number, size: number): void {
    if (bytes * 4 <= size && size > SHRINK_MIN) this.moveTo(node, bytes * 2, false)
  }

  // ---- packing ----

  /** Compresses the node if that makes it smaller. */
  pack(node: Ref): void {
    this.setFlag(node, REPACK, false)
    const bytes = this.field(node, BYTES)
    if (bytes < PACK_BYTES_MIN || this.field(node, PACKED) > 0) return
    this.compressor ??= new LzfCompressor()
    const data = this.field(node, DATA)
    const from = this.arena.at(data) + this.field(node, GAP)
    const fresh = this.arena.alloc(bytes)
    const at = this.arena.at(fresh)
    const packed = this.compressor.compress(
      this.arena.u8(data),
      from,
      from + bytes,
      this.arena.u8(fresh),
      at,
      at + bytes - PACK_GAIN_MIN - 1,
    )
    if (packed === 0) return this.arena.free(fresh)
    this.arena.free(data)
    this.setField(node, DATA, this.arena.realloc(fresh, packed, packed))
    this.setField(node, PACKED, packed)
    this.setField(node, GAP, 0)
  }

  unpack(node: Ref): void {
    const packed = this.field(node, PACKED)
    if (packed === 0) return
    const data = this.field(node, DATA)
    const fresh = this.arena.alloc(this.field(node, BYTES))
    this.unpackInto(node, packed, this.arena.u8(fresh), this.arena.at(fresh))
    this.arena.free(data)
    this.setField(node, DATA, fresh)
    this.setField(node, PACKED, 0)
    this.setFlag(node, REPACK, true)
  }

  unpackInto(node: Ref, packed: number, output: Uint8Array, at: number): void {
    const data = this.field(node, DATA)
    const from = this.arena.at(data)
    const bytes = this.field(node, BYTES)
    const written = lzfDecompress(this.arena.u8(data), from, from + packed, output, at, at + bytes)
    if (written !== bytes) throw new Error('a packed list node does not unpack')
  }
}

function nodeBytesMax(fill: number): number {
  return NODE_BYTES_BY_FILL[Math.min(-fill, NODE_BYTES_BY_FILL.length) - 1]
}
