// Quicklist: a long list as a chain of listpacks (layout: quicklist-nodes.ts). Nodes break, merge and are packed as in
// Redis's quicklist.c, since RDB files and DUMP contain its nodes.
//
//   layout   QuicklistNodes: the nodes in memory           ends   QuicklistEnds: pushing and popping
//   walk     QuicklistWalk: cursors                        here: changes in the middle, and the list as a whole
//
//   fill     < 0: a node has up to 4, 8, 16, 32 or 64 KiB; otherwise so many elements, and 8 KiB at most
//   depth    so many nodes at each end stay unpacked; 0: none is packed
//
// Always: written bytes must not be part of the same list; an Element or a cursor is valid until the list changes,
// except as deleteAt() says.

import type { Slice } from '../lib/slice.ts'
import type { Arena, Ref } from './arena.ts'
import type { Element, ElementSink } from './element.ts'
import type { ListCursor } from './list-cursor.ts'
import type { Listpack } from './listpack.ts'
import { skipBack } from './listpack-format.ts'
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
  QuicklistNodes,
  REPACK,
  TAIL,
} from './quicklist-nodes.ts'
import { QuicklistWalk } from './quicklist-walk.ts'

export class Quicklist {
  private readonly layout: QuicklistNodes
  private readonly ends: QuicklistEnds
  private readonly walk: QuicklistWalk
  private readonly arena: Arena
  private readonly listpack: Listpack

  constructor(arena: Arena, listpack: Listpack) {
    this.layout = new QuicklistNodes(arena, listpack)
    this.ends = new QuicklistEnds(this.layout, arena, listpack)
    this.walk = new QuicklistWalk(this.layout, arena, listpack)
    this.arena = arena
    this.listpack = listpack
  }

  /** DEBUG QUICKLIST-PACKED-THRESHOLD: a longer element gets a node of its own. */
  set packedThreshold(bytes: number) {
    this.layout.packedThreshold = bytes
  }

  // ---- the ends ----

  /** A new, empty list. */
  create(fill: number, depth: number): Ref {
    return this.ends.create(fill, depth)
  }

  /** Number of elements. */
  count(q: Ref): number {
    return this.ends.count(q)
  }

  nodes(q: Ref): number {
    return this.ends.nodes(q)
  }

  fill(q: Ref): number {
    return this.ends.fill(q)
  }

  depth(q: Ref): number {
    return this.ends.depth(q)
  }

  pushTail(q: Ref, s: Slice): void {
    this.ends.pushTail(q, s)
  }

  pushHead(q: Ref, s: Slice): void {
    this.ends.pushHead(q, s)
  }

  /** Fills `e` with the first element; the list is not empty. */
  first(q: Ref, e: Element): void {
    this.ends.first(q, e)
  }

  /** Fills `e` with the last element; the list is not empty. */
  last(q: Ref, e: Element): void {
    this.ends.last(q, e)
  }

  dropFirst(q: Ref): void {
    this.ends.dropFirst(q)
  }

  dropLast(q: Ref): void {
    this.ends.dropLast(q)
  }

  /** True when a node of so many bytes and elements is more than `fill` allows. */
  exceedsLimit(fill: number, bytes: number, count: number): boolean {
    return this.layout.exceedsLimit(fill, bytes, count)
  }

  // ---- the whole list ----

  firstNode(q: Ref): Ref {
    return this.layout.field(q, HEAD)
  }

  nextNode(node: Ref): Ref {
    return this.layout.field(node, NEXT)
  }

  isPlain(node: Ref): boolean {
    return this.layout.hasFlag(node, PLAIN)
  }

  /** Bytes of a node's contents, unpacked. */
  nodeBytes(node: Ref): number {
    return this.layout.field(node, BYTES)
  }

  /** Points `out` at the contents of a node: a listpack, or the element of a plain node. Overwrites `cursor`. */
  nodeContents(node: Ref, out: Slice, cursor: ListCursor): Slice {
    this.walk.enter(cursor, node)
    return out.set(cursor.u8, cursor.dv, cursor.base, this.layout.field(node, BYTES))
  }

  /** Adds a node with a listpack that is not empty; the list owns it from then on. */
  appendListpack(q: Ref, lp: Ref): void {
    const count = this.listpack.count(lp)
    this.layout.setField(q, COUNT, this.ends.count(q) + count)
    this.ends.link(q, this.layout.field(q, TAIL), this.layout.newNode(lp, this.listpack.bytes(lp), count, 0), true)
  }

  /** Adds a node with one large element. */
  appendPlain(q: Ref, s: Slice): void {
    this.layout.setField(q, COUNT, this.ends.count(q) + 1)
    this.ends.link(q, this.layout.field(q, TAIL), this.layout.newPlainNode(s), true)
  }

  /** True when the list is one listpack of at most that share of a node of that fill. */
  isShort(q: Ref, fill: number, share: number): boolean {
    const node = this.layout.field(q, HEAD)
    if (this.ends.nodes(q) !== 1 || this.layout.hasFlag(node, PLAIN)) return false
    return this.layout.isWithin(share, fill, this.layout.field(node, BYTES), this.ends.count(q))
  }

  /** Turns a list that is a single listpack node into that listpack; 0 when it is no such list. */
  intoListpack(q: Ref): Ref {
    const node = this.layout.field(q, HEAD)
    if (this.ends.nodes(q) !== 1 || this.layout.hasFlag(node, PLAIN)) return 0
    const lp = this.layout.openListpack(node)
    this.arena.free(node)
    this.arena.free(q)
    return lp
  }

  copy(q: Ref): Ref {
    const fresh = this.ends.create(this.ends.fill(q), this.ends.depth(q))
    for (let node = this.layout.field(q, HEAD); node !== 0; node = this.layout.field(node, NEXT)) {
      const packed = this.layout.field(node, PACKED)
      const bytes = packed > 0 ? packed : this.layout.field(node, BYTES)
      const data = this.arena.alloc(bytes)
      this.arena.copy(data, 0, this.layout.field(node, DATA), this.layout.field(node, GAP), bytes)
      const twin = this.layout.newNode(
        data,
        this.layout.field(node, BYTES),
        this.layout.field(node, NODE_COUNT),
        this.layout.field(node, FLAGS),
      )
      this.layout.setField(twin, PACKED, packed)
      this.ends.chain(fresh, this.layout.field(fresh, TAIL), twin, true)
    }
    this.layout.setField(fresh, COUNT, this.ends.count(q))
    return fresh
  }

  /** Frees up to `limit` nodes; true when all of the list is freed. */
  drain(q: Ref, limit: number): boolean {
    let node = this.layout.field(q, HEAD)
    for (let left = limit; left > 0 && node !== 0; left--) {
      const next = this.layout.field(node, NEXT)
      this.layout.setField(q, COUNT, this.ends.count(q) - this.layout.field(node, NODE_COUNT))
      this.layout.setField(q, NODES, this.ends.nodes(q) - 1)
      this.layout.freeNode(node)
      node = next
    }
    this.layout.setField(q, HEAD, node)
    if (node !== 0) {
      this.layout.setField(node, PREV, 0)
      return false
    }
    this.arena.free(q)
    return true
  }

  /** Bytes in the arena; samples at most `samples` nodes (0: all). */
  memory(q: Ref, samples: number): number {
    let bytes = 0
    let looked = 0
    for (let node = this.layout.field(q, HEAD); node !== 0 && (samples === 0 || looked < samples); looked++) {
      bytes += this.arena.sizeOf(node) + this.arena.sizeOf(this.layout.field(node, DATA))
      node = this.layout.field(node, NEXT)
    }
    return LIST_BYTES + (looked === 0 ? 0 : Math.round((bytes / looked) * this.ends.nodes(q)))
  }

  /** Moves nodes out of evacuating segments, `limit` from index `from` on; returns the next `from`, or -1. */
  relocateNodes(q: Ref, from: number, limit: number): number {
    let prev = 0
    let node = this.layout.field(q, HEAD)
    for (let i = 0; i < from && node !== 0; i++) {
      prev = node
      node = this.layout.field(node, NEXT)
    }
    for (let left = limit; left > 0 && node !== 0; left--) {
      node = this.arena.relocate(node)
      this.layout.setField(node, DATA, this.arena.relocate(this.layout.field(node, DATA)))
      this.layout.setField(node, PREV, prev)
      this.layout.setField(prev === 0 ? q : prev, prev === 0 ? HEAD : NEXT, node)
      prev = node
      node = this.layout.field(node, NEXT)
    }
    this.layout.setField(node === 0 ? q : node, node === 0 ? TAIL : PREV, prev)
    return node === 0 ? -1 : from + limit
  }

  // ---- cursors ----

  open(q: Ref, index: number, forward: boolean, cursor: ListCursor): void {
    this.walk.open(q, index, forward, cursor)
  }

  openListpackAt(lp: Ref, index: number, count: number, forward: boolean, cursor: ListCursor): void {
    this.walk.openListpackAt(lp, index, count, forward, cursor)
  }

  resumeListpackAt(cursor: ListCursor, lp: Ref, pos: number): void {
    this.walk.resumeListpackAt(cursor, lp, pos)
  }

  next(cursor: ListCursor, e: Element): boolean {
    return this.walk.next(cursor, e)
  }

  emit(cursor: ListCursor, count: number, sink: ElementSink): void {
    this.walk.emit(cursor, count, sink)
  }

  nextEqual(cursor: ListCursor, s: Slice): boolean {
    return this.walk.nextEqual(cursor, s)
  }

  equals(cursor: ListCursor, s: Slice): boolean {
    return this.walk.equals(cursor, s)
  }

  // ---- changes in the middle; `cursor` is at the element that next() returned ----

  /** Deletes the element; next() returns the one that followed it. settle() when done with the cursor. */
  deleteAt(q: Ref, cursor: ListCursor): void {
    const node = cursor.node
    const count = this.layout.field(node, NODE_COUNT)
    if (count === 1) {
      const following = this.layout.field(node, cursor.forward ? NEXT : PREV)
      this.ends.deleteNode(q, node)
      cursor.node = 0
      this.walk.enterStart(cursor, following)
      cursor.fresh = true
      return
    }
    const lp = this.listpack.delete(this.layout.openListpack(node), cursor.pos)
    this.layout.setListpack(node, lp, count - 1)
    this.layout.setField(q, COUNT, this.ends.count(q) - 1)
    this.walk.enter(cursor, node)
    if (cursor.forward ? cursor.index < count - 1 : cursor.index > 0) {
      if (!cursor.forward) {
        cursor.index--
        cursor.pos = skipBack(cursor.u8, cursor.base + cursor.pos) - cursor.base
      }
    } else this.walk.enterStart(cursor, this.layout.field(node, cursor.forward ? NEXT : PREV))
    cursor.fresh = true
  }

  /** Ends the use of a cursor after deletions. */
  settle(cursor: ListCursor): void {
    if (cursor.node !== 0 && cursor.pos >= 0 && this.layout.hasFlag(cursor.node, REPACK)) this.layout.pack(cursor.node)
  }

  /** Replaces the element by `s`. The cursor is invalid afterwards. */
  replaceAt(q: Ref, cursor: ListCursor, s: Slice): void {
    const node = cursor.node
    const large = s.len >= this.layout.packedThreshold
    if (!cursor.plain && !large) {
      const lp = this.listpack.replace(this.layout.openListpack(node), cursor.pos, s)
      this.layout.setListpack(node, lp, this.layout.field(node, NODE_COUNT))
      return this.ends.repack(q, node)
    }
    if (cursor.plain && large) {
      this.arena.free(this.layout.field(node, DATA))
      const twin = this.layout.newPlainNode(s)
      for (const at of [DATA, BYTES, GAP, PACKED]) this.layout.setField(node, at, this.layout.field(twin, at))
      this.arena.free(twin)
      return this.ends.repack(q, node)
    }
    const count = this.layout.field(node, NODE_COUNT)
    this.insertAt(q, cursor, s, true)
    if (cursor.plain || count === 1) return this.ends.deleteNode(q, node)
    // The old element is now the last of its node.
    const lp = this.layout.openListpack(node)
    this.layout.setListpack(
      node,
      this.listpack.delete(lp, this.listpack.last(lp)),
      this.layout.field(node, NODE_COUNT) - 1,
    )
    this.layout.setField(q, COUNT, this.ends.count(q) - 1)
    if (this.layout.field(node, NODE_COUNT) === 0) this.ends.deleteNode(q, node)
    else this.ends.repack(q, node)
  }

  /** Inserts `s` before or after the element. The cursor is invalid afterwards. */
  insertAt(q: Ref, cursor: ListCursor, s: Slice, after: boolean): void {
    const fill = this.ends.fill(q)
    const node = cursor.node
    const count = this.layout.field(node, NODE_COUNT)
    const atEdge = cursor.index === (after ? count - 1 : 0)
    this.layout.setField(q, COUNT, this.ends.count(q) + 1)
    if (this.layout.allowsInsert(node, fill, s.len)) {
      const lp = this.layout.openListpack(node)
      const grown = after ? this.listpack.insertAfter(lp, cursor.pos, s) : this.listpack.insertBefore(lp, cursor.pos, s)
      this.layout.setListpack(node, grown, count + 1)
      return this.ends.repack(q, node)
    }
    if (s.len >= this.layout.packedThreshold) {
      if (cursor.plain || atEdge) return this.ends.link(q, node, this.layout.newPlainNode(s), after)
      const rest = this.split(node, cursor, after)
      const middle = this.layout.newPlainNode(s)
      this.ends.link(q, node, middle, after)
      return this.ends.link(q, middle, rest, after)
    }
    if (!atEdge) {
      const rest = this.split(node, cursor, after)
      const lp = this.layout.field(rest, DATA)
      const grown = after ? this.listpack.prepend(lp, s) : this.listpack.append(lp, s)
      this.layout.setListpack(rest, grown, this.layout.field(rest, NODE_COUNT) + 1)
      this.ends.link(q, node, rest, after)
      return this.mergeAround(q, node)
    }
    const neighbour = this.layout.field(node, after ? NEXT : PREV)
    if (!this.layout.allowsInsert(neighbour, fill, s.len))
      return this.ends.link(q, node, this.layout.newNodeOf(s), after)
    const lp = this.layout.openListpack(neighbour)
    const grown = after ? this.listpack.prepend(lp, s) : this.listpack.append(lp, s)
    this.layout.setListpack(neighbour, grown, this.layout.field(neighbour, NODE_COUNT) + 1)
    this.ends.repack(q, neighbour)
  }

  /** Deletes up to `n` elements from element `index` (0 … count - 1) on. */
  deleteRange(q: Ref, index: number, n: number, cursor: ListCursor): void {
    if (n <= 0) return
    this.walk.open(q, index, true, cursor)
    let node = cursor.node
    let from = cursor.index
    let left = Math.min(n, this.ends.count(q) - index)
    while (left > 0) {
      const next = this.layout.field(node, NEXT)
      const count = this.layout.field(node, NODE_COUNT)
      const gone = Math.min(left, count - from)
      if (gone === count) this.ends.deleteNode(q, node)
      else {
        this.layout.setListpack(
          node,
          this.listpack.deleteRange(this.layout.openListpack(node), from, gone),
          count - gone,
        )
        this.layout.setField(q, COUNT, this.ends.count(q) - gone)
        if (this.layout.hasFlag(node, REPACK)) this.ends.repack(q, node)
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
    const count = this.layout.field(node, NODE_COUNT)
    const lp = this.layout.openListpack(node)
    const front = after ? cursor.index + 1 : cursor.index
    const pos = this.listpack.seek(lp, front)
    const tail = this.listpack.splitOff(lp, pos)
    const head = this.listpack.deleteAt(lp, pos, count)
    const rest = this.layout.newNode(0, 0, 0, 0)
    this.layout.setListpack(rest, after ? tail : head, after ? count - front : front)
    this.layout.setListpack(node, after ? head : tail, after ? front : count - front)
    return rest
  }

  /** Merges nodes around `center` where two fit into one, in Redis's order. */
  private mergeAround(q: Ref, center: Ref): void {
    const fill = this.ends.fill(q)
    const prev = this.layout.field(center, PREV)
    const next = this.layout.field(center, NEXT)
    const before = prev === 0 ? 0 : this.layout.field(prev, PREV)
    const behind = next === 0 ? 0 : this.layout.field(next, NEXT)
    if (this.layout.allowsMerge(before, prev, fill)) this.merge(q, before, prev)
    if (this.layout.allowsMerge(next, behind, fill)) this.merge(q, next, behind)
    const left = this.layout.field(center, PREV)
    if (this.layout.allowsMerge(left, center, fill)) {
      this.merge(q, left, center)
      center = left
    }
    const right = this.layout.field(center, NEXT)
    if (this.layout.allowsMerge(center, right, fill)) this.merge(q, center, right)
    else this.ends.repack(q, center)
  }

  private merge(q: Ref, a: Ref, b: Ref): void {
    const count = this.layout.field(a, NODE_COUNT) + this.layout.field(b, NODE_COUNT)
    const merged = this.listpack.merge(this.layout.openListpack(a), this.layout.openListpack(b))
    this.layout.setListpack(a, merged, count)
    this.ends.unchain(q, b)
    this.arena.free(b)
    this.ends.repack(q, a)
  }
}
