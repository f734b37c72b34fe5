// ScoreTree: a counted B+tree over entries ordered by score, then by member bytes. Rank, select, ranges and updates
// are O(log n). Used by sorted sets and by the indexes of streams.
//
// Layout and invariants: ordered-nodes.ts. Here: searches, and the operations on what they find.
//
// The class has the operations, not a tree: methods take the ref of a tree's header. Only nodes are allocated.

import type { Slice } from '../lib/slice.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import type { ScoredSink } from './element.ts'
import {
  CHILDREN,
  COUNTS,
  ENTRIES,
  FIRST,
  HEIGHT,
  LAST,
  NEXT,
  OrderedNodes,
  PREVIOUS,
  ROOT,
  SCORES,
  SLOT_BYTES,
  SLOTS,
} from './ordered-nodes.ts'
import { prefixedEnd, prefixedLength, readPrefixed } from './prefixed.ts'

// How a bound compares with slots of equal score (or, for bounds by member, of any score).
const BY_KEY = 0
const BY_SCORE = 1
const BY_LEX = 2

/** A position in a tree: a slot, or the end (leaf 0). Valid until the tree changes. */
export class OrderedCursor {
  leaf: Ref = 0
  slot = 0
}

export class ScoreTree {
  private readonly arena: Arena
  private readonly nodes: OrderedNodes
  // The bound being searched.
  private boundKind = BY_KEY
  private boundScore = 0
  private boundAfterEqual = false
  private boundEntry: Ref = 0
  private boundU8: Uint8Array
  private boundAt = 0
  private boundLen = 0
  /** Counts searches: shows whether a visitor searched another tree meanwhile, which invalidates the path. */
  private searches = 0

  constructor(arena: Arena) {
    this.arena = arena
    this.nodes = new OrderedNodes(arena)
    this.boundU8 = arena.segments[0].u8
  }

  create(): Ref {
    return this.nodes.create()
  }

  count(t: Ref): number {
    return this.nodes.count(t)
  }

  /** Bytes of the tree without its entries. */
  bytes(t: Ref): number {
    return this.nodes.bytes(t)
  }

  scoreOf(entry: Ref): number {
    return this.arena.segments[entry >>> SEGMENT_SHIFT].dv.getFloat64((entry & GRANULE_MASK) << 4, true)
  }

  /** Points `out` at the member of an entry. */
  memberOf(entry: Ref, out: Slice): Slice {
    const seg = this.arena.segment(entry)
    return readPrefixed(seg.u8, seg.dv, this.arena.at(entry) + 8, out)
  }

  /** Adds an entry; no entry of its score and member may be in the tree. */
  insert(t: Ref, entry: Ref): void {
    const score = this.scoreOf(entry)
    this.boundToEntry(entry, score)
    this.locate(t, 1)
    this.nodes.insertHere(t, entry, score)
  }

  /** Removes an entry that is in the tree. The entry itself is not freed. */
  remove(t: Ref, entry: Ref): void {
    this.boundToEntry(entry, this.scoreOf(entry))
    this.locate(t, 0)
    this.nodes.removeRun(t, 1)
  }

  /** Changes an entry's score, and its position where that changes the order. */
  setScore(t: Ref, entry: Ref, score: number): void {
    this.boundToEntry(entry, this.scoreOf(entry))
    this.locate(t, 0)
    this.arena.dv(entry).setFloat64(this.arena.at(entry), score, true)
    this.boundScore = score
    if (this.keepsOrder()) {
      const leaf = this.nodes.pathNode[0]
      const slot = this.nodes.pathIndex[0]
      this.arena.dv(leaf).setFloat64(this.arena.at(leaf) + SLOTS + slot * SLOT_BYTES, score, true)
      if (slot === 0) this.nodes.updateSeparator(t)
      return
    }
    this.nodes.removeRun(t, 1)
    this.insert(t, entry)
  }

  /** Replaces an entry by `fresh`, one with the same score and member. */
  replace(t: Ref, entry: Ref, fresh: Ref): void {
    this.boundToEntry(entry, this.scoreOf(entry))
    this.locate(t, 0)
    const leaf = this.nodes.pathNode[0]
    this.arena.dv(leaf).setUint32(this.arena.at(leaf) + SLOTS + this.nodes.pathIndex[0] * SLOT_BYTES + 8, fresh, true)
    if (this.nodes.pathIndex[0] === 0) this.nodes.updateSeparator(t)
  }

  /** Number of entries before this one, which is in the tree. */
  rank(t: Ref, entry: Ref): number {
    this.boundToEntry(entry, this.scoreOf(entry))
    this.locate(t, 0)
    return this.rankOfPath(t)
  }

  /** Moves the cursor to the entry of this rank; false when there is none. */
  seekRank(t: Ref, rank: number, out: OrderedCursor): boolean {
    const count = this.nodes.count(t)
    if (rank < 0 || rank >= count) {
      out.leaf = 0
      return false
    }
    // The ends need no search.
    if (rank === 0) return this.first(t, out)
    if (rank === count - 1) return this.last(t, out)
    this.locateRank(t, rank)
    out.leaf = this.nodes.pathNode[0]
    out.slot = this.nodes.pathIndex[0]
    return true
  }

  /**
   * Moves the cursor to the first entry whose score is at least `score` (above it when `afterEqual`), or to the end;
   * returns the number of entries before it.
   */
  seekScore(t: Ref, score: number, afterEqual: boolean, out: OrderedCursor): number {
    this.boundKind = BY_SCORE
    this.boundScore = score
    this.boundAfterEqual = afterEqual
    this.locate(t, 0)
    return this.cursorOfPath(t, out)
  }

  /** The same by member, for a tree whose entries all have one score. */
  seekMember(t: Ref, member: Slice, afterEqual: boolean, out: OrderedCursor): number {
    this.boundKind = BY_LEX
    this.boundAfterEqual = afterEqual
    this.boundU8 = member.u8
    this.boundAt = member.off
    this.boundLen = member.len
    this.locate(t, 0)
    return this.cursorOfPath(t, out)
  }

  /** The same by score and then member: the first entry not before (score, member); after it when `afterEqual`. */
  seekKey(t: Ref, score: number, member: Slice, afterEqual: boolean, out: OrderedCursor): number {
    this.boundKind = BY_KEY
    this.boundEntry = 0
    this.boundScore = score
    this.boundAfterEqual = afterEqual
    this.boundU8 = member.u8
    this.boundAt = member.off
    this.boundLen = member.len
    this.locate(t, 0)
    return this.cursorOfPath(t, out)
  }

  first(t: Ref, out: OrderedCursor): boolean {
    out.leaf = this.nodes.field(t, FIRST)
    out.slot = 0
    if (this.nodes.count(t) === 0) out.leaf = 0
    return out.leaf !== 0
  }

  last(t: Ref, out: OrderedCursor): boolean {
    out.leaf = this.nodes.field(t, LAST)
    out.slot = this.nodes.nodeCount(out.leaf) - 1
    if (this.nodes.count(t) === 0) out.leaf = 0
    return out.leaf !== 0
  }

  /** The entry at the cursor, which is not at the end. */
  entryAt(c: OrderedCursor): Ref {
    const dv = this.arena.segments[c.leaf >>> SEGMENT_SHIFT].dv
    return dv.getUint32(((c.leaf & GRANULE_MASK) << 4) + SLOTS + c.slot * SLOT_BYTES + 8, true)
  }

  scoreAt(c: OrderedCursor): number {
    const dv = this.arena.segments[c.leaf >>> SEGMENT_SHIFT].dv
    return dv.getFloat64(((c.leaf & GRANULE_MASK) << 4) + SLOTS + c.slot * SLOT_BYTES, true)
  }

  /** Passes `count` entries from the cursor on, in either direction; there are so many. */
  emit(c: OrderedCursor, count: number, reverse: boolean, withScores: boolean, sink: ScoredSink): void {
    for (let left = count; ; ) {
      const entry = this.entryAt(c)
      const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
      const at = ((entry & GRANULE_MASK) << 4) + 8
      const len = seg.u8[at]
      if (withScores) sink.beginScored()
      if (len < 255) sink.bulkAt(seg.u8, seg.dv, at + 1, len)
      else sink.bulkAt(seg.u8, seg.dv, at + 5, seg.dv.getUint32(at + 1, true))
      if (withScores) sink.double(this.scoreAt(c))
      if (--left === 0) return
      if (reverse) this.previous(c)
      else this.next(c)
    }
  }

  /** Moves one entry forward; false at the end. */
  next(c: OrderedCursor): boolean {
    if (c.leaf === 0) return false
    const seg = this.arena.segments[c.leaf >>> SEGMENT_SHIFT]
    const at = (c.leaf & GRANULE_MASK) << 4
    if (++c.slot < seg.u8[at]) return true
    c.leaf = seg.dv.getUint32(at + NEXT, true)
    c.slot = 0
    return c.leaf !== 0
  }

  /**
   * Moves one entry back; false when there is none. From the end use previousIn(), which needs the tree.
   */
  previous(c: OrderedCursor): boolean {
    if (c.leaf === 0) return false
    if (--c.slot >= 0) return true
    c.leaf = this.arena.dv(c.leaf).getUint32(this.arena.at(c.leaf) + PREVIOUS, true)
    if (c.leaf === 0) return false
    c.slot = this.nodes.nodeCount(c.leaf) - 1
    return true
  }

  /** Moves one entry back, also from the end. */
  previousIn(t: Ref, c: OrderedCursor): boolean {
    return c.leaf === 0 ? this.last(t, c) : this.previous(c)
  }

  /** Removes `count` entries from `rank` on; `visit` gets each, may free it and must not change this tree. */
  removeRange(t: Ref, rank: number, count: number, visit: (entry: Ref) => void): void {
    let left = Math.min(count, this.nodes.count(t) - rank)
    while (left > 0) {
      this.locateRank(t, rank)
      const leaf = this.nodes.pathNode[0]
      const slot = this.nodes.pathIndex[0]
      const run = Math.min(left, this.nodes.nodeCount(leaf) - slot)
      const dv = this.arena.dv(leaf)
      const at = this.arena.at(leaf) + SLOTS + slot * SLOT_BYTES + 8
      const search = this.searches
      for (let i = 0; i < run; i++) visit(dv.getUint32(at + i * SLOT_BYTES, true))
      if (search !== this.searches) this.locateRank(t, rank)
      this.nodes.removeRun(t, run)
      left -= run
    }
  }

  /** Frees nodes until `limit` entries left the tree; true when all of it is freed, its header too. */
  drain(t: Ref, limit: number, visit: (entry: Ref) => void): boolean {
    const count = this.nodes.count(t)
    const run = Math.min(limit, count)
    this.removeRange(t, count - run, run, visit)
    if (run < count) return false
    this.nodes.freeEmpty(t)
    return true
  }

  /**
   * Moves one leaf, the one with `rank`, and the nodes above it out of evacuating segments. `move` is called with each
   * of its entries, returns the entry's ref from then on and must not change this tree. Returns the rank to continue
   * with, -1 at the end.
   */
  relocate(t: Ref, rank: number, move: (entry: Ref) => Ref): number {
    if (rank >= this.nodes.count(t)) return -1
    this.locateRank(t, rank)
    for (let level = this.nodes.field(t, HEIGHT); level >= 0; level--) {
      const node = this.nodes.pathNode[level]
      if (this.arena.isEvacuating(node)) this.nodes.replaceNode(t, level, this.arena.relocate(node))
    }
    const leaf = this.nodes.pathNode[0]
    const first = rank - this.nodes.pathIndex[0]
    const dv = this.arena.dv(leaf)
    const at = this.arena.at(leaf)
    const count = this.nodes.nodeCount(leaf)
    for (let p = at + SLOTS + 8, end = p + count * SLOT_BYTES; p < end; p += SLOT_BYTES)
      dv.setUint32(p, move(dv.getUint32(p, true)), true)
    this.locateRank(t, first)
    this.nodes.updateSeparator(t)
    return first + count < this.nodes.count(t) ? first + count : -1
  }

  // --- searching ---

  private boundToEntry(entry: Ref, score: number): void {
    const seg = this.arena.segment(entry)
    const memberAt = this.arena.at(entry) + 8
    this.boundKind = BY_KEY
    this.boundAfterEqual = false
    this.boundScore = score
    this.boundEntry = entry
    this.boundU8 = seg.u8
    this.boundLen = prefixedLength(seg.u8, seg.dv, memberAt)
    this.boundAt = prefixedEnd(seg.u8, seg.dv, memberAt) - this.boundLen
  }

  /** The entry's member against the bound's: negative, zero or positive. */
  private compareMember(entry: Ref): number {
    if (entry === this.boundEntry && this.boundKind === BY_KEY) return 0
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    const a = seg.u8
    let at = ((entry & GRANULE_MASK) << 4) + 8
    let len = a[at++]
    if (len === 255) {
      len = seg.dv.getUint32(at, true)
      at += 4
    }
    const b = this.boundU8
    let k = this.boundAt
    const shared = Math.min(len, this.boundLen)
    for (const end = at + shared; at < end; at++, k++) if (a[at] !== b[k]) return a[at] - b[k]
    return len - this.boundLen
  }

  /** True when a slot of the bound's score (of any score for BY_LEX) is before the bound. */
  private tieIsBefore(entry: Ref, orEqual: boolean): boolean {
    if (this.boundKind === BY_SCORE) return orEqual
    const order = this.compareMember(entry)
    return order < 0 || (order === 0 && orEqual)
  }

  /**
   * Descends to the first slot that is not before the bound, in the last leaf that begins before it (so the slot may be
   * one past the leaf's end), and adds `delta` to the counts on the path. A bound to an entry ends in its own leaf.
   */
  private locate(t: Ref, delta: number): void {
    this.searches++
    const tdv = this.arena.dv(t)
    const tat = this.arena.at(t)
    let node = tdv.getUint32(tat + ROOT, true)
    const score = this.boundScore
    const scoresCount = this.boundKind !== BY_LEX
    const afterEqual = this.boundAfterEqual
    const intoEqual = afterEqual || this.boundKind === BY_KEY
    for (let level = tdv.getUint32(tat + HEIGHT, true); level > 0; level--) {
      const seg = this.arena.segments[node >>> SEGMENT_SHIFT]
      const dv = seg.dv
      const at = (node & GRANULE_MASK) << 4
      let low = 1
      for (let high = seg.u8[at]; low < high; ) {
        const mid = (low + high) >>> 1
        const s = dv.getFloat64(at + SCORES + mid * 8, true)
        const before =
          scoresCount && s !== score
            ? s < score
            : this.tieIsBefore(dv.getUint32(at + ENTRIES + mid * 4, true), intoEqual)
        if (before) low = mid + 1
        else high = mid
      }
      low--
      this.nodes.pathNode[level] = node
      this.nodes.pathIndex[level] = low
      if (delta !== 0) {
        const p = at + COUNTS + low * 4
        dv.setUint32(p, dv.getUint32(p, true) + delta, true)
      }
      node = dv.getUint32(at + CHILDREN + low * 4, true)
    }
    const seg = this.arena.segments[node >>> SEGMENT_SHIFT]
    const dv = seg.dv
    const at = (node & GRANULE_MASK) << 4
    let low = 0
    for (let high = seg.u8[at]; low < high; ) {
      const mid = (low + high) >>> 1
      const p = at + SLOTS + mid * SLOT_BYTES
      const s = dv.getFloat64(p, true)
      const before = scoresCount && s !== score ? s < score : this.tieIsBefore(dv.getUint32(p + 8, true), afterEqual)
      if (before) low = mid + 1
      else high = mid
    }
    this.nodes.pathNode[0] = node
    this.nodes.pathIndex[0] = low
  }

  /** Descends to the slot of this rank, which is below the count. */
  private locateRank(t: Ref, rank: number): void {
    this.searches++
    let node = this.nodes.field(t, ROOT)
    for (let level = this.nodes.field(t, HEIGHT); level > 0; level--) {
      const dv = this.arena.segments[node >>> SEGMENT_SHIFT].dv
      const at = (node & GRANULE_MASK) << 4
      let index = 0
      for (;;) {
        const below = dv.getUint32(at + COUNTS + index * 4, true)
        if (rank < below) break
        rank -= below
        index++
      }
      this.nodes.pathNode[level] = node
      this.nodes.pathIndex[level] = index
      node = dv.getUint32(at + CHILDREN + index * 4, true)
    }
    this.nodes.pathNode[0] = node
    this.nodes.pathIndex[0] = rank
  }

  private rankOfPath(t: Ref): number {
    let rank = this.nodes.pathIndex[0]
    for (let level = this.nodes.field(t, HEIGHT); level > 0; level--) {
      const node = this.nodes.pathNode[level]
      const dv = this.arena.segments[node >>> SEGMENT_SHIFT].dv
      let p = ((node & GRANULE_MASK) << 4) + COUNTS
      for (const end = p + this.nodes.pathIndex[level] * 4; p < end; p += 4) rank += dv.getUint32(p, true)
    }
    return rank
  }

  private cursorOfPath(t: Ref, out: OrderedCursor): number {
    out.leaf = this.nodes.pathNode[0]
    out.slot = this.nodes.pathIndex[0] - 1
    this.next(out)
    return this.rankOfPath(t)
  }

  /** After locate() found an entry whose bound got a new score: is it still between its neighbours? */
  private keepsOrder(): boolean {
    const leaf = this.nodes.pathNode[0]
    const slot = this.nodes.pathIndex[0]
    const dv = this.arena.dv(leaf)
    const at = this.arena.at(leaf)
    if (slot === 0) {
      const previous = dv.getUint32(at + PREVIOUS, true)
      if (previous !== 0 && !this.slotIsBefore(previous, this.nodes.nodeCount(previous) - 1)) return false
    } else if (!this.slotIsBefore(leaf, slot - 1)) return false
    if (slot + 1 < this.nodes.nodeCount(leaf)) return !this.slotIsBefore(leaf, slot + 1)
    const next = dv.getUint32(at + NEXT, true)
    return next === 0 || !this.slotIsBefore(next, 0)
  }

  private slotIsBefore(leaf: Ref, slot: number): boolean {
    const dv = this.arena.dv(leaf)
    const p = this.arena.at(leaf) + SLOTS + slot * SLOT_BYTES
    const s = dv.getFloat64(p, true)
    return s !== this.boundScore ? s < this.boundScore : this.compareMember(dv.getUint32(p + 8, true)) < 0
  }
}
