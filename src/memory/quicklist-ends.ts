// QuicklistEnds: the chain of nodes, and pushing and popping at its ends, which is most of the work on lists. Quicklist
// (quicklist.ts) adds the operations in between; the layout is drawn in quicklist-nodes.ts.

import type { Slice } from '../lib/slice.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import type { Element } from './element.ts'
import type { Listpack } from './listpack.ts'
import { COUNT_AT, COUNT_UNKNOWN, EOF, HEADER_BYTES, skip, skipBack } from './listpack-format.ts'
import {
  BYTES,
  COUNT,
  DATA,
  DEPTH,
  FILL,
  GAP,
  HEAD,
  LIST_BYTES,
  NEXT,
  NODE_COUNT,
  NODES,
  PLAIN,
  PREV,
  type QuicklistNodes,
  REPACK,
  TAIL,
} from './quicklist-nodes.ts'

const FILL_MIN = -5
const FILL_MAX = 32767
const DEPTH_MAX = 65535

export class QuicklistEnds {
  private readonly layout: QuicklistNodes
  private readonly arena: Arena
  private readonly listpack: Listpack

  constructor(layout: QuicklistNodes, arena: Arena, listpack: Listpack) {
    this.layout = layout
    this.arena = arena
    this.listpack = listpack
  }

  create(fill: number, depth: number): Ref {
    const q = this.arena.alloc(LIST_BYTES)
    const dv = this.arena.dv(q)
    const at = this.arena.at(q)
    for (let i = 0; i < LIST_BYTES; i += 4) dv.setUint32(at + i, 0, true)
    dv.setInt16(at + FILL, Math.max(FILL_MIN, Math.min(FILL_MAX, fill)), true)
    dv.setUint16(at + DEPTH, Math.max(0, Math.min(DEPTH_MAX, depth)), true)
    return q
  }

  /** Number of elements. */
  count(q: Ref): number {
    return this.layout.field(q, COUNT)
  }

  /** Number of nodes. */
  nodes(q: Ref): number {
    return this.layout.field(q, NODES)
  }

  fill(q: Ref): number {
    return this.arena.dv(q).getInt16(this.arena.at(q) + FILL, true)
  }

  depth(q: Ref): number {
    return this.arena.dv(q).getUint16(this.arena.at(q) + DEPTH, true)
  }

  // ---- both ends ----

  pushTail(q: Ref, s: Slice): void {
    const list = this.arena.segments[q >>> SEGMENT_SHIFT].dv
    const listAt = (q & GRANULE_MASK) << 4
    const node = list.getUint32(listAt + TAIL, true)
    list.setUint32(listAt + COUNT, list.getUint32(listAt + COUNT, true) + 1, true)
    if (!this.layout.allowsInsert(node, list.getInt16(listAt + FILL, true), s.len))
      return this.pushNode(q, node, s, true)
    const need = this.layout.listpack.measure(s)
    const dv = this.arena.segments[node >>> SEGMENT_SHIFT].dv
    const at = (node & GRANULE_MASK) << 4
    const bytes = dv.getUint32(at + BYTES, true)
    if (dv.getUint32(at + GAP, true) + bytes + need > this.arena.sizeOf(dv.getUint32(at + DATA, true)))
      this.layout.reserve(node, need, false, list.getUint32(listAt + HEAD, true) === node)
    const data = dv.getUint32(at + DATA, true)
    const seg = this.arena.segments[data >>> SEGMENT_SHIFT]
    const base = ((data & GRANULE_MASK) << 4) + dv.getUint32(at + GAP, true)
    this.layout.listpack.put(seg.u8, seg.dv, base + bytes - 1, s)
    seg.u8[base + bytes + need - 1] = EOF
    this.setTotals(dv, at, seg.dv, base, bytes + need, dv.getUint32(at + NODE_COUNT, true) + 1)
  }

  pushHead(q: Ref, s: Slice): void {
    const list = this.arena.segments[q >>> SEGMENT_SHIFT].dv
    const listAt = (q & GRANULE_MASK) << 4
    const node = list.getUint32(listAt + HEAD, true)
    list.setUint32(listAt + COUNT, list.getUint32(listAt + COUNT, true) + 1, true)
    if (!this.layout.allowsInsert(node, list.getInt16(listAt + FILL, true), s.len))
      return this.pushNode(q, node, s, false)
    const need = this.layout.listpack.measure(s)
    const dv = this.arena.segments[node >>> SEGMENT_SHIFT].dv
    const at = (node & GRANULE_MASK) << 4
    if (dv.getUint32(at + GAP, true) < need)
      this.layout.reserve(node, need, true, list.getUint32(listAt + TAIL, true) === node)
    const data = dv.getUint32(at + DATA, true)
    const gap = dv.getUint32(at + GAP, true) - need
    const seg = this.arena.segments[data >>> SEGMENT_SHIFT]
    const base = ((data & GRANULE_MASK) << 4) + gap
    dv.setUint32(at + GAP, gap, true)
    this.layout.listpack.put(seg.u8, seg.dv, base + HEADER_BYTES, s)
    const bytes = dv.getUint32(at + BYTES, true) + need
    this.setTotals(dv, at, seg.dv, base, bytes, dv.getUint32(at + NODE_COUNT, true) + 1)
  }

  private pushNode(q: Ref, end: Ref, s: Slice, atTail: boolean): void {
    if (end !== 0) this.layout.trim(end)
    this.link(q, end, this.layout.newNodeOf(s), atTail)
  }

  private setTotals(node: DataView, at: number, dv: DataView, base: number, bytes: number, count: number): void {
    node.setUint32(at + BYTES, bytes, true)
    node.setUint32(at + NODE_COUNT, count, true)
    dv.setUint32(base, bytes, true)
    dv.setUint16(base + COUNT_AT, Math.min(count, COUNT_UNKNOWN), true)
  }

  /** Fills `e` with the first element; the list is not empty. */
  first(q: Ref, e: Element): void {
    const node = this.layout.field(q, HEAD)
    const data = this.layout.field(node, DATA)
    const seg = this.arena.segments[data >>> SEGMENT_SHIFT]
    const base = ((data & GRANULE_MASK) << 4) + this.layout.field(node, GAP)
    if (this.layout.hasFlag(node, PLAIN)) e.setBytes(seg.u8, seg.dv, base, this.layout.field(node, BYTES))
    else this.layout.listpack.readAt(seg.u8, seg.dv, base + HEADER_BYTES, e)
  }

  /** Fills `e` with the last element; the list is not empty. */
  last(q: Ref, e: Element): void {
    const node = this.layout.field(q, TAIL)
    const data = this.layout.field(node, DATA)
    const seg = this.arena.segments[data >>> SEGMENT_SHIFT]
    const base = ((data & GRANULE_MASK) << 4) + this.layout.field(node, GAP)
    if (this.layout.hasFlag(node, PLAIN)) e.setBytes(seg.u8, seg.dv, base, this.layout.field(node, BYTES))
    else this.layout.listpack.readAt(seg.u8, seg.dv, skipBack(seg.u8, base + this.layout.field(node, BYTES) - 1), e)
  }

  /** Removes the first element; the list is not empty. */
  dropFirst(q: Ref): void {
    const list = this.arena.segments[q >>> SEGMENT_SHIFT].dv
    const listAt = (q & GRANULE_MASK) << 4
    const node = list.getUint32(listAt + HEAD, true)
    const dv = this.arena.segments[node >>> SEGMENT_SHIFT].dv
    const at = (node & GRANULE_MASK) << 4
    const count = dv.getUint32(at + NODE_COUNT, true)
    if (count === 1) return this.deleteNode(q, node)
    list.setUint32(listAt + COUNT, list.getUint32(listAt + COUNT, true) - 1, true)
    const data = dv.getUint32(at + DATA, true)
    const seg = this.arena.segments[data >>> SEGMENT_SHIFT]
    const gap = dv.getUint32(at + GAP, true)
    const base = ((data & GRANULE_MASK) << 4) + gap
    const gone = skip(seg.u8, base + HEADER_BYTES) - base - HEADER_BYTES
    dv.setUint32(at + GAP, gap + gone, true)
    const bytes = dv.getUint32(at + BYTES, true) - gone
    this.setTotals(dv, at, seg.dv, base + gone, bytes, count - 1)
    this.layout.shrink(node, bytes, this.arena.sizeOf(data))
  }

  /** Removes the last element; the list is not empty. */
  dropLast(q: Ref): void {
    const list = this.arena.segments[q >>> SEGMENT_SHIFT].dv
    const listAt = (q & GRANULE_MASK) << 4
    const node = list.getUint32(listAt + TAIL, true)
    const dv = this.arena.segments[node >>> SEGMENT_SHIFT].dv
    const at = (node & GRANULE_MASK) << 4
    const count = dv.getUint32(at + NODE_COUNT, true)
    if (count === 1) return this.deleteNode(q, node)
    list.setUint32(listAt + COUNT, list.getUint32(listAt + COUNT, true) - 1, true)
    const data = dv.getUint32(at + DATA, true)
    const seg = this.arena.segments[data >>> SEGMENT_SHIFT]
    const base = ((data & GRANULE_MASK) << 4) + dv.getUint32(at + GAP, true)
    const end = skipBack(seg.u8, base + dv.getUint32(at + BYTES, true) - 1)
    seg.u8[end] = EOF
    const bytes = end + 1 - base
    this.setTotals(dv, at, seg.dv, base, bytes, count - 1)
    this.layout.shrink(node, bytes, this.arena.sizeOf(data))
  }

  // ---- the chain ----

  /** Links `node` before or after `old` (0: the list is empty). */
  chain(q: Ref, old: Ref, node: Ref, after: boolean): void {
    if (old === 0) {
      this.layout.setField(q, HEAD, node)
      this.layout.setField(q, TAIL, node)
    } else {
      const other = this.layout.field(old, after ? NEXT : PREV)
      this.layout.setField(node, after ? PREV : NEXT, old)
      this.layout.setField(node, after ? NEXT : PREV, other)
      this.layout.setField(old, after ? NEXT : PREV, node)
      if (other !== 0) this.layout.setField(other, after ? PREV : NEXT, node)
      else this.layout.setField(q, after ? TAIL : HEAD, node)
    }
    this.layout.setField(q, NODES, this.nodes(q) + 1)
  }

  link(q: Ref, old: Ref, node: Ref, after: boolean): void {
    this.chain(q, old, node, after)
    if (this.depth(q) === 0) return
    if (old !== 0) this.repack(q, old)
    this.repack(q, node)
  }

  /** Unlinks and frees a node with its elements. */
  deleteNode(q: Ref, node: Ref): void {
    this.unchain(q, node)
    this.layout.setField(q, COUNT, this.count(q) - this.layout.field(node, NODE_COUNT))
    this.layout.freeNode(node)
    this.repack(q, 0)
  }

  unchain(q: Ref, node: Ref): void {
    const prev = this.layout.field(node, PREV)
    const next = this.layout.field(node, NEXT)
    if (prev === 0) this.layout.setField(q, HEAD, next)
    else this.layout.setField(prev, NEXT, next)
    if (next === 0) this.layout.setField(q, TAIL, prev)
    else this.layout.setField(next, PREV, prev)
    this.layout.setField(q, NODES, this.nodes(q) - 1)
  }

  /** Restores "packed but for `depth` nodes at each end" around a node that was just changed or linked (0: removed). */
  repack(q: Ref, node: Ref): void {
    const depth = this.depth(q)
    if (depth === 0 || this.nodes(q) === 0) return
    let forward = this.layout.field(q, HEAD)
    let backward = this.layout.field(q, TAIL)
    let atEnd = false
    for (let i = 0; i < depth; i++) {
      this.layout.unpack(forward)
      this.layout.unpack(backward)
      this.layout.setFlag(forward, REPACK, false)
      this.layout.setFlag(backward, REPACK, false)
      if (forward === node || backward === node) atEnd = true
      if (forward === backward || this.layout.field(forward, NEXT) === backward) return
      forward = this.layout.field(forward, NEXT)
      backward = this.layout.field(backward, PREV)
    }
    if (node !== 0 && !atEnd) this.layout.pack(node)
    this.layout.pack(forward)
    this.layout.pack(backward)
  }
}
