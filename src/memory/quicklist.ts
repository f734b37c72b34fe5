// Quicklist: a long list as a chain of listpacks (layout: quicklist-nodes.ts). Nodes break, merge and are packed as in
// Redis's quicklist.c, since RDB files and DUMP contain its nodes.
//
//   fill     < 0: a node has up to 4, 8, 16, 32 or 64 KiB; otherwise so many elements, and 8 KiB at most
//   depth    so many nodes at each end stay unpacked; 0: none is packed
//
// Always: written bytes must not be part of the same list; an Element or a cursor is valid until the list changes,
// except as deleteAt() says.

import type { Slice } from '../lib/slice.ts'
import { GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import type { Element } from './element.ts'
import type { ListCursor } from './list-cursor.ts'
import { EOF, HEADER_BYTES, seekIn, skip, skipBack } from './listpack-format.ts'
import { QuicklistEnds } from './quicklist-ends.ts'
import {
  BYTES,
  COUNT,
  DATA,
  FLAGS,
  GAP,
  HEAD,
  LIST_BYTES,
  NEXT,
  NODE_COUNT,
  NODES,
  PACKED,
  PLAIN,
  PREV,
  REPACK,
  TAIL,
} from './quicklist-nodes.ts'

export class Quicklist extends QuicklistEnds {
  // ---- the whole list ----

  firstNode(q: Ref): Ref {
    return this.field(q, HEAD)
  }

  nextNode(node: Ref): Ref {
    return this.field(node, NEXT)
  }

  isPlain(node: Ref): boolean {
    return this.hasFlag(node, PLAIN)
  }

  /** Bytes of a node's contents, unpacked. */
  nodeBytes(node: Ref): number {
    return this.field(node, BYTES)
  }

  /** Points `out` at the contents of a node: a listpack, or the element of a plain node. Overwrites `cursor`. */
  nodeContents(node: Ref, out: Slice, cursor: ListCursor): Slice {
    this.enter(cursor, node)
    return out.set(cursor.u8, cursor.dv, cursor.base, this.field(node, BYTES))
  }

  /** Adds a node with a listpack that is not empty; the list owns it from then on. */
  appendListpack(q: Ref, lp: Ref): void {
    const count = this.listpack.count(lp)
    this.setField(q, COUNT, this.count(q) + count)
    this.link(q, this.field(q, TAIL), this.newNode(lp, this.listpack.bytes(lp), count, 0), true)
  }

  /** Adds a node with one large element. */
  appendPlain(q: Ref, s: Slice): void {
    this.setField(q, COUNT, this.count(q) + 1)
    this.link(q, this.field(q, TAIL), this.newPlainNode(s), true)
  }

  /** True when the list is one listpack of at most half a node of that fill. */
  isShort(q: Ref, fill: number): boolean {
    const node = this.field(q, HEAD)
    if (this.nodes(q) !== 1 || this.hasFlag(node, PLAIN)) return false
    return this.isHalf(fill, this.field(node, BYTES), this.count(q))
  }

  /** Turns a list that is a single listpack node into that listpack; 0 when it is no such list. */
  intoListpack(q: Ref): Ref {
    const node = this.field(q, HEAD)
    if (this.nodes(q) !== 1 || this.hasFlag(node, PLAIN)) return 0
    const lp = this.openListpack(node)
    this.arena.free(node)
    this.arena.free(q)
    return lp
  }

  copy(q: Ref): Ref {
    const fresh = this.create(this.fill(q), this.depth(q))
    for (let node = this.field(q, HEAD); node !== 0; node = this.field(node, NEXT)) {
      const packed = this.field(node, PACKED)
      const bytes = packed > 0 ? packed : this.field(node, BYTES)
      const data = this.arena.alloc(bytes)
      this.arena.copy(data, 0, this.field(node, DATA), this.field(node, GAP), bytes)
      const twin = this.newNode(data, this.field(node, BYTES), this.field(node, NODE_COUNT), this.field(node, FLAGS))
      this.setField(twin, PACKED, packed)
      this.chain(fresh, this.field(fresh, TAIL), twin, true)
    }
    this.setField(fresh, COUNT, this.count(q))
    return fresh
  }

  /** Frees up to `limit` nodes; true when all of the list is freed. */
  drain(q: Ref, limit: number): boolean {
    let node = this.field(q, HEAD)
    for (let left = limit; left > 0 && node !== 0; left--) {
      const next = this.field(node, NEXT)
      this.setField(q, COUNT, this.count(q) - this.field(node, NODE_COUNT))
      this.setField(q, NODES, this.nodes(q) - 1)
      this.freeNode(node)
      node = next
    }
    this.setField(q, HEAD, node)
    if (node !== 0) {
      this.setField(node, PREV, 0)
      return false
    }
    this.arena.free(q)
    return true
  }

  /** Bytes in the arena; samples at most `samples` nodes (0: all). */
  memory(q: Ref, samples: number): number {
    let bytes = 0
    let looked = 0
    for (let node = this.field(q, HEAD); node !== 0 && (samples === 0 || looked < samples); looked++) {
      bytes += this.arena.sizeOf(node) + this.arena.sizeOf(this.field(node, DATA))
      node = this.field(node, NEXT)
    }
    return LIST_BYTES + (looked === 0 ? 0 : Math.round((bytes / looked) * this.nodes(q)))
  }

  /** Moves nodes out of evacuating segments, `limit` from index `from` on; returns the next `from`, or -1. */
  relocateNodes(q: Ref, from: number, limit: number): number {
    let prev = 0
    let node = this.field(q, HEAD)
    for (let i = 0; i < from && node !== 0; i++) {
      prev = node
      node = this.field(node, NEXT)
    }
    for (let left = limit; left > 0 && node !== 0; left--) {
      node = this.arena.relocate(node)
      this.setField(node, DATA, this.arena.relocate(this.field(node, DATA)))
      this.setField(node, PREV, prev)
      this.setField(prev === 0 ? q : prev, prev === 0 ? HEAD : NEXT, node)
      prev = node
      node = this.field(node, NEXT)
    }
    this.setField(node === 0 ? q : node, node === 0 ? TAIL : PREV, prev)
    return node === 0 ? -1 : from + limit
  }

  // ---- cursors ----

  /** Opens `cursor` before element `index` (0 … count - 1); next() then returns it and the following ones. */
  open(q: Ref, index: number, forward: boolean, cursor: ListCursor): void {
    const count = this.count(q)
    let node: Ref
    let within: number
    if (index <= count >>> 1) {
      node = this.field(q, HEAD)
      for (within = index; within >= this.field(node, NODE_COUNT); node = this.field(node, NEXT))
        within -= this.field(node, NODE_COUNT)
    } else {
      node = this.field(q, TAIL)
      let behind = count - 1 - index
      for (; behind >= this.field(node, NODE_COUNT); node = this.field(node, PREV))
        behind -= this.field(node, NODE_COUNT)
      within = this.field(node, NODE_COUNT) - 1 - behind
    }
    cursor.forward = forward
    this.enter(cursor, node)
    this.placeAt(cursor, within)
  }

  /** Opens `cursor` before element `index` of a bare listpack of `count` elements. */
  openListpackAt(lp: Ref, index: number, count: number, forward: boolean, cursor: ListCursor): void {
    cursor.forward = forward
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
    if (cursor.plain) e.setBytes(cursor.u8, cursor.dv, cursor.base, this.field(cursor.node, BYTES))
    else this.listpack.readAt(cursor.u8, cursor.dv, cursor.base + pos, e)
    return true
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
        for (let at = base + cursor.pos; at < found; at = skip(u8, at)) cursor.index++
        cursor.pos = found - base
        return true
      }
      this.enterStart(cursor, cursor.node === 0 ? 0 : this.field(cursor.node, NEXT))
    }
    return false
  }

  /** True when the element that next() returned is `s`. */
  equals(cursor: ListCursor, s: Slice): boolean {
    const { u8, base } = cursor
    if (!cursor.plain) return this.listpack.equalsAt(u8, cursor.dv, base + cursor.pos, s)
    if (this.field(cursor.node, BYTES) !== s.len) return false
    for (let i = 0; i < s.len; i++) if (u8[base + i] !== s.u8[s.off + i]) return false
    return true
  }

  private advance(cursor: ListCursor): void {
    if (cursor.pos < 0) return
    const { u8, base, pos } = cursor
    if (cursor.forward) {
      cursor.index++
      const p = cursor.plain ? -1 : skip(u8, base + pos)
      if (p >= 0 && u8[p] !== EOF) cursor.pos = p - base
      else this.enterStart(cursor, cursor.node === 0 ? 0 : this.field(cursor.node, NEXT))
    } else {
      cursor.index--
      if (!cursor.plain && pos > HEADER_BYTES) cursor.pos = skipBack(u8, base + pos) - base
      else this.enterStart(cursor, cursor.node === 0 ? 0 : this.field(cursor.node, PREV))
    }
  }

  /** Moves to the end of `node` (0: none) at which the cursor's direction begins. */
  private enterStart(cursor: ListCursor, node: Ref): void {
    if (cursor.node !== 0 && this.hasFlag(cursor.node, REPACK)) this.pack(cursor.node)
    if (node === 0) {
      cursor.pos = -1
      return
    }
    this.enter(cursor, node)
    this.placeAt(cursor, cursor.forward ? 0 : this.field(node, NODE_COUNT) - 1)
    cursor.fresh = false
  }

  private placeAt(cursor: ListCursor, index: number): void {
    cursor.index = index
    const count = this.field(cursor.node, NODE_COUNT)
    cursor.pos = cursor.plain ? 0 : seekIn(cursor.u8, cursor.dv, cursor.base, index, count)
    cursor.fresh = true
  }

  /** Makes the contents of `node` readable through the cursor; a packed node is decompressed into a buffer. */
  private enter(cursor: ListCursor, node: Ref): void {
    cursor.node = node
    cursor.plain = this.hasFlag(node, PLAIN)
    const packed = this.field(node, PACKED)
    if (packed > 0) {
      cursor.borrow(this.field(node, BYTES))
      this.unpackInto(node, packed, cursor.u8, 0)
      return
    }
    const data = this.field(node, DATA)
    const seg = this.arena.segments[data >>> SEGMENT_SHIFT]
    cursor.u8 = seg.u8
    cursor.dv = seg.dv
    cursor.base = ((data & GRANULE_MASK) << 4) + this.field(node, GAP)
  }

  // ---- changes in the middle; `cursor` is at the element that next() returned ----

  /** Deletes the element; next() returns the one that followed it. settle() when done with the cursor. */
  deleteAt(q: Ref, cursor: ListCursor): void {
    const node = cursor.node
    const count = this.field(node, NODE_COUNT)
    if (count === 1) {
      const following = this.field(node, cursor.forward ? NEXT : PREV)
      this.deleteNode(q, node)
      cursor.node = 0
      this.enterStart(cursor, following)
      cursor.fresh = true
      return
    }
    const lp = this.listpack.delete(this.openListpack(node), cursor.pos)
    this.setListpack(node, lp, count - 1)
    this.setField(q, COUNT, this.count(q) - 1)
    this.enter(cursor, node)
    if (cursor.forward ? cursor.index < count - 1 : cursor.index > 0) {
      if (!cursor.forward) {
        cursor.index--
        cursor.pos = skipBack(cursor.u8, cursor.base + cursor.pos) - cursor.base
      }
    } else this.enterStart(cursor, this.field(node, cursor.forward ? NEXT : PREV))
    cursor.fresh = true
  }

  /** Ends the use of a cursor after deletions. */
  settle(cursor: ListCursor): void {
    if (cursor.node !== 0 && cursor.pos >= 0 && this.hasFlag(cursor.node, REPACK)) this.pack(cursor.node)
  }

  /** Replaces the element by `s`. The cursor is invalid afterwards. */
  replaceAt(q: Ref, cursor: ListCursor, s: Slice): void {
    const node = cursor.node
    const large = s.len >= this.packedThreshold
    if (!cursor.plain && !large) {
      const lp = this.listpack.replace(this.openListpack(node), cursor.pos, s)
      this.setListpack(node, lp, this.field(node, NODE_COUNT))
      return this.repack(q, node)
    }
    if (cursor.plain && large) {
      this.arena.free(this.field(node, DATA))
      const twin = this.newPlainNode(s)
      for (const at of [DATA, BYTES, GAP, PACKED]) this.setField(node, at, this.field(twin, at))
      this.arena.free(twin)
      return this.repack(q, node)
    }
    const count = this.field(node, NODE_COUNT)
    this.insertAt(q, cursor, s, true)
    if (cursor.plain || count === 1) return this.deleteNode(q, node)
    // The old element is now the last of its node.
    const lp = this.openListpack(node)
    this.setListpack(node, this.listpack.delete(lp, this.listpack.last(lp)), this.field(node, NODE_COUNT) - 1)
    this.setField(q, COUNT, this.count(q) - 1)
    if (this.field(node, NODE_COUNT) === 0) this.deleteNode(q, node)
    else this.repack(q, node)
  }

  /** Inserts `s` before or after the element. The cursor is invalid afterwards. */
  insertAt(q: Ref, cursor: ListCursor, s: Slice, after: boolean): void {
    const fill = this.fill(q)
    const node = cursor.node
    const count = this.field(node, NODE_COUNT)
    const atEdge = cursor.index === (after ? count - 1 : 0)
    this.setField(q, COUNT, this.count(q) + 1)
    if (this.allowsInsert(node, fill, s.len)) {
      const lp = this.openListpack(node)
      const grown = after ? this.listpack.insertAfter(lp, cursor.pos, s) : this.listpack.insertBefore(lp, cursor.pos, s)
      this.setListpack(node, grown, count + 1)
      return this.repack(q, node)
    }
    if (s.len >= this.packedThreshold) {
      if (cursor.plain || atEdge) return this.link(q, node, this.newPlainNode(s), after)
      const rest = this.split(node, cursor, after)
      const middle = this.newPlainNode(s)
      this.link(q, node, middle, after)
      return this.link(q, middle, rest, after)
    }
    if (!atEdge) {
      const rest = this.split(node, cursor, after)
      const lp = this.field(rest, DATA)
      const grown = after ? this.listpack.prepend(lp, s) : this.listpack.append(lp, s)
      this.setListpack(rest, grown, this.field(rest, NODE_COUNT) + 1)
      this.link(q, node, rest, after)
      return this.mergeAround(q, node)
    }
    const neighbour = this.field(node, after ? NEXT : PREV)
    if (!this.allowsInsert(neighbour, fill, s.len)) return this.link(q, node, this.newNodeOf(s), after)
    const lp = this.openListpack(neighbour)
    const grown = after ? this.listpack.prepend(lp, s) : this.listpack.append(lp, s)
    this.setListpack(neighbour, grown, this.field(neighbour, NODE_COUNT) + 1)
    this.repack(q, neighbour)
  }

  /** Deletes up to `n` elements from element `index` (0 … count - 1) on. */
  deleteRange(q: Ref, index: number, n: number, cursor: ListCursor): void {
    if (n <= 0) return
    this.open(q, index, true, cursor)
    let node = cursor.node
    let from = cursor.index
    let left = Math.min(n, this.count(q) - index)
    while (left > 0) {
      const next = this.field(node, NEXT)
      const count = this.field(node, NODE_COUNT)
      const gone = Math.min(left, count - from)
      if (gone === count) this.deleteNode(q, node)
      else {
        this.setListpack(node, this.listpack.deleteRange(this.openListpack(node), from, gone), count - gone)
        this.setField(q, COUNT, this.count(q) - gone)
        if (this.hasFlag(node, REPACK)) this.repack(q, node)
      }
      left -= gone
      node = next
      from = 0
    }
  }

  /**
   * Splits a node at the cursor's element. The new node, not linked yet, has the elements after it (after), or those
   * before it; the element stays.
   */
  private split(node: Ref, cursor: ListCursor, after: boolean): Ref {
    const count = this.field(node, NODE_COUNT)
    const lp = this.openListpack(node)
    const front = after ? cursor.index + 1 : cursor.index
    const pos = this.listpack.seek(lp, front)
    const tail = this.listpack.splitOff(lp, pos)
    const head = this.listpack.deleteAt(lp, pos, count)
    const rest = this.newNode(0, 0, 0, 0)
    this.setListpack(rest, after ? tail : head, after ? count - front : front)
    this.setListpack(node, after ? head : tail, after ? front : count - front)
    return rest
  }

  /** Merges nodes around `center` where two fit into one, in Redis's order. */
  private mergeAround(q: Ref, center: Ref): void {
    const fill = this.fill(q)
    const prev = this.field(center, PREV)
    const next = this.field(center, NEXT)
    const before = prev === 0 ? 0 : this.field(prev, PREV)
    const behind = next === 0 ? 0 : this.field(next, NEXT)
    if (this.allowsMerge(before, prev, fill)) this.merge(q, before, prev)
    if (this.allowsMerge(next, behind, fill)) this.merge(q, next, behind)
    const left = this.field(center, PREV)
    if (this.allowsMerge(left, center, fill)) {
      this.merge(q, left, center)
      center = left
    }
    const right = this.field(center, NEXT)
    if (this.allowsMerge(center, right, fill)) this.merge(q, center, right)
    else this.repack(q, center)
  }

  private merge(q: Ref, a: Ref, b: Ref): void {
    const count = this.field(a, NODE_COUNT) + this.field(b, NODE_COUNT)
    const merged = this.listpack.merge(this.openListpack(a), this.openListpack(b))
    this.setListpack(a, merged, count)
    this.unchain(q, b)
    this.arena.free(b)
    this.repack(q, a)
  }
}
