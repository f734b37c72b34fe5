// QuicklistWalk: cursors over the elements of a quicklist, or of a bare listpack. A packed node is decompressed into
// the cursor's own buffer and stays packed.
//
// Always: a cursor is valid until its list changes, except as Quicklist.deleteAt() says.

import type { Slice } from '../lib/slice.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import type { Element, ElementSink } from './element.ts'
import type { ListCursor } from './list-cursor.ts'
import type { Listpack } from './listpack.ts'
import { EOF, HEADER_BYTES, seekIn, skip, skipBack } from './listpack-format.ts'
import {
  BYTES,
  COUNT,
  DATA,
  GAP,
  HEAD,
  NEXT,
  NODE_COUNT,
  PACKED,
  PLAIN,
  PREV,
  type QuicklistNodes,
  REPACK,
  TAIL,
} from './quicklist-nodes.ts'

export class QuicklistWalk {
  private readonly layout: QuicklistNodes
  private readonly arena: Arena
  private readonly listpack: Listpack

  constructor(layout: QuicklistNodes, arena: Arena, listpack: Listpack) {
    this.layout = layout
    this.arena = arena
    this.listpack = listpack
  }

  /** Opens `cursor` before element `index` (0 … count - 1); next() then returns it and the following ones. */
  open(q: Ref, index: number, forward: boolean, cursor: ListCursor): void {
    const count = this.layout.field(q, COUNT)
    let node: Ref
    let within: number
    if (index <= count >>> 1) {
      node = this.layout.field(q, HEAD)
      for (within = index; within >= this.layout.field(node, NODE_COUNT); node = this.layout.field(node, NEXT))
        within -= this.layout.field(node, NODE_COUNT)
    } else {
      node = this.layout.field(q, TAIL)
      let behind = count - 1 - index
      for (; behind >= this.layout.field(node, NODE_COUNT); node = this.layout.field(node, PREV))
        behind -= this.layout.field(node, NODE_COUNT)
      within = this.layout.field(node, NODE_COUNT) - 1 - behind
    }
    cursor.forward = forward
    cursor.passed = 0
    this.enter(cursor, node)
    this.placeAt(cursor, within)
  }

  /** Opens `cursor` before element `index` of a bare listpack of `count` elements. */
  openListpackAt(lp: Ref, index: number, count: number, forward: boolean, cursor: ListCursor): void {
    cursor.forward = forward
    cursor.passed = 0
    cursor.index = index
    this.moveToListpack(cursor, lp)
    cursor.pos = seekIn(cursor.u8, cursor.dv, cursor.base, index, count)
  }

  /** A bare listpack has changed under the cursor: its next() returns the element at `pos`. */
  resumeListpackAt(cursor: ListCursor, lp: Ref, pos: number): void {
    this.moveToListpack(cursor, lp)
    cursor.pos = pos
  }

  private moveToListpack(cursor: ListCursor, lp: Ref): void {
    const seg = this.arena.segments[lp >>> SEGMENT_SHIFT]
    cursor.node = 0
    cursor.plain = false
    cursor.u8 = seg.u8
    cursor.dv = seg.dv
    cursor.base = (lp & GRANULE_MASK) << 4
    cursor.fresh = true
  }

  /** Moves to the next element and fills `e` with it; false at the end. */
  next(cursor: ListCursor, e: Element): boolean {
    if (cursor.fresh) cursor.fresh = false
    else this.advance(cursor)
    const pos = cursor.pos
    if (pos < 0) return false
    if (cursor.plain) e.setBytes(cursor.u8, cursor.dv, cursor.base, this.layout.field(cursor.node, BYTES))
    else this.listpack.readAt(cursor.u8, cursor.dv, cursor.base + pos, e)
    return true
  }

  /** Passes the next `count` elements of a list that has so many. */
  emit(cursor: ListCursor, count: number, sink: ElementSink): void {
    for (;;) {
      const run = cursor.node === 0 ? count : Math.min(count, this.layout.field(cursor.node, NODE_COUNT) - cursor.index)
      if (cursor.plain) sink.bulkAt(cursor.u8, cursor.dv, cursor.base, this.layout.field(cursor.node, BYTES))
      else this.listpack.emitAt(cursor.u8, cursor.dv, cursor.base + cursor.pos, run, sink)
      count -= run
      if (count === 0) break
      this.enterStart(cursor, this.layout.field(cursor.node, NEXT))
    }
    cursor.pos = -1
  }

  /** Calls next() until the element is `s`; elements are compared, not read. */
  nextEqual(cursor: ListCursor, s: Slice): boolean {
    if (cursor.fresh) cursor.fresh = false
    else this.advance(cursor)
    while (cursor.pos >= 0) {
      if (cursor.plain || !cursor.forward) {
        if (this.equals(cursor, s)) return true
        this.advance(cursor)
        continue
      }
      const { u8, base } = cursor
      const found = this.listpack.findAt(u8, cursor.dv, base + cursor.pos, s, 0)
      if (found >= 0) {
        const before = cursor.index
        for (let at = base + cursor.pos; at < found; at = skip(u8, at)) cursor.index++
        cursor.passed += cursor.index - before
        cursor.pos = found - base
        return true
      }
      if (cursor.node !== 0) cursor.passed += this.layout.field(cursor.node, NODE_COUNT) - cursor.index
      this.enterStart(cursor, cursor.node === 0 ? 0 : this.layout.field(cursor.node, NEXT))
    }
    return false
  }

  /** True when the element that next() returned is `s`. */
  equals(cursor: ListCursor, s: Slice): boolean {
    const { u8, base } = cursor
    if (!cursor.plain) return this.listpack.equalsAt(u8, cursor.dv, base + cursor.pos, s)
    if (this.layout.field(cursor.node, BYTES) !== s.len) return false
    for (let i = 0; i < s.len; i++) if (u8[base + i] !== s.u8[s.off + i]) return false
    return true
  }

  private advance(cursor: ListCursor): void {
    if (cursor.pos < 0) return
    cursor.passed++
    const { u8, base, pos } = cursor
    if (cursor.forward) {
      cursor.index++
      const p = cursor.plain ? -1 : skip(u8, base + pos)
      if (p >= 0 && u8[p] !== EOF) cursor.pos = p - base
      else this.enterStart(cursor, cursor.node === 0 ? 0 : this.layout.field(cursor.node, NEXT))
    } else {
      cursor.index--
      if (!cursor.plain && pos > HEADER_BYTES) cursor.pos = skipBack(u8, base + pos) - base
      else this.enterStart(cursor, cursor.node === 0 ? 0 : this.layout.field(cursor.node, PREV))
    }
  }

  /** Moves to the end of `node` (0: none) at which the cursor's direction begins. */
  enterStart(cursor: ListCursor, node: Ref): void {
    if (cursor.node !== 0 && this.layout.hasFlag(cursor.node, REPACK)) this.layout.pack(cursor.node)
    if (node === 0) {
      cursor.pos = -1
      return
    }
    this.enter(cursor, node)
    this.placeAt(cursor, cursor.forward ? 0 : this.layout.field(node, NODE_COUNT) - 1)
    cursor.fresh = false
  }

  private placeAt(cursor: ListCursor, index: number): void {
    cursor.index = index
    const count = this.layout.field(cursor.node, NODE_COUNT)
    cursor.pos = cursor.plain ? 0 : seekIn(cursor.u8, cursor.dv, cursor.base, index, count)
    cursor.fresh = true
  }

  /** Makes the contents of `node` readable through the cursor; a packed node is decompressed into a buffer. */
  enter(cursor: ListCursor, node: Ref): void {
    cursor.node = node
    cursor.plain = this.layout.hasFlag(node, PLAIN)
    const packed = this.layout.field(node, PACKED)
    if (packed > 0) {
      cursor.borrow(this.layout.field(node, BYTES))
      this.layout.unpackInto(node, packed, cursor.u8, 0)
      return
    }
    const data = this.layout.field(node, DATA)
    const seg = this.arena.segments[data >>> SEGMENT_SHIFT]
    cursor.u8 = seg.u8
    cursor.dv = seg.dv
    cursor.base = ((data & GRANULE_MASK) << 4) + this.layout.field(node, GAP)
  }
}
