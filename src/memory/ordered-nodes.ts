// OrderedNodes: the nodes of a counted B+tree, and their splits and merges. ScoreTree (ordered.ts) searches in them.
//
//   entry        made by the owner:  [ score f64 ][ member length u8, or 255 and u32 ][ member ] …
//   header 32 B  root u32 | height u32 | count u32 | first leaf u32 | last leaf u32 | leaves u32 | inner nodes u32
//   leaf 768 B   count u8 | capacity u8 | - | previous u32 | next u32 | 63 slots of [ score f64 | entry ref u32 ]
//                The only leaf of a small tree is allocated for 4, then 15, 31 and 63 slots.
//   inner 1 KiB  count u8 | … | 50 scores f64 | 50 entry refs | 50 child refs | 50 counts      (score and entry are
//                those of the smallest entry under the child, the count that of all entries under it; in the
//                tree's leftmost nodes those of the first child are not updated, and never read)
//
// Always: slots ascend strictly by score, then member; every node but the root leaf holds at least one slot; all
// leaves are `height` steps below the root; a slot's score is the entry's own; scores are never NaN.
//
// A search leaves its path in pathNode and pathIndex, level 0 the leaf, until the next search. Methods that change a
// node say what of the path stays valid.

import { assert } from '../lib/assert.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'

export const ROOT = 0
export const HEIGHT = 4
export const COUNT = 8
export const FIRST = 12
export const LAST = 16
const LEAVES = 20
const INNERS = 24
const HEADER_BYTES = 32

const CAPACITY = 1
export const PREVIOUS = 4
export const NEXT = 8
export const SLOTS = 12
export const SLOT_BYTES = 12
const LEAF_MAX = 63
const LEAF_MIN = 16 // a leaf with fewer slots tries to join a neighbour
const FIRST_CAPACITY = 4

const INNER_MAX = 50
const INNER_MIN = 12
export const SCORES = 16
export const ENTRIES = SCORES + INNER_MAX * 8
export const CHILDREN = ENTRIES + INNER_MAX * 4
export const COUNTS = CHILDREN + INNER_MAX * 4
const INNER_BYTES = 1024

const LEVELS_MAX = 32 // sparse nodes make trees higher, yet far from this

assert(COUNTS + INNER_MAX * 4 <= INNER_BYTES, 'the arrays of an inner node fit')
assert(SLOTS + LEAF_MAX * SLOT_BYTES <= 768, 'the slots of a leaf fit')
assert(LEAF_MAX < 256 && INNER_MAX < 256, 'counts are bytes')
assert(LEAF_MIN * 2 <= LEAF_MAX && INNER_MIN * 2 <= INNER_MAX, 'neighbours that are joined fit into one node')

export class OrderedNodes {
  readonly arena: Arena
  readonly pathNode = new Uint32Array(LEVELS_MAX)
  readonly pathIndex = new Uint8Array(LEVELS_MAX)

  constructor(arena: Arena) {
    this.arena = arena
  }

  create(): Ref {
    const t = this.arena.alloc(HEADER_BYTES)
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    for (let i = 0; i < HEADER_BYTES; i += 4) dv.setUint32(at + i, 0, true)
    this.createFirstLeaf(t)
    return t
  }

  count(t: Ref): number {
    return this.arena.dv(t).getUint32(this.arena.at(t) + COUNT, true)
  }

  /** Bytes of the tree without its entries. */
  bytes(t: Ref): number {
    const leaves = this.field(t, LEAVES)
    if (leaves === 1) return HEADER_BYTES + this.arena.sizeOf(this.field(t, FIRST))
    return HEADER_BYTES + leaves * leafBytes(LEAF_MAX) + this.field(t, INNERS) * INNER_BYTES
  }

  freeEmpty(t: Ref): void {
    this.arena.free(this.field(t, ROOT))
    this.arena.free(t)
  }

  field(t: Ref, offset: number): number {
    return this.arena.segments[t >>> SEGMENT_SHIFT].dv.getUint32(((t & GRANULE_MASK) << 4) + offset, true)
  }

  setField(t: Ref, offset: number, value: number): void {
    this.arena.segments[t >>> SEGMENT_SHIFT].dv.setUint32(((t & GRANULE_MASK) << 4) + offset, value, true)
  }

  nodeCount(node: Ref): number {
    return this.arena.segments[node >>> SEGMENT_SHIFT].u8[(node & GRANULE_MASK) << 4]
  }

  private setNodeCount(node: Ref, count: number): void {
    this.arena.segments[node >>> SEGMENT_SHIFT].u8[(node & GRANULE_MASK) << 4] = count
  }

  // --- leaves ---

  private createFirstLeaf(t: Ref): void {
    const leaf = this.newLeaf(t, FIRST_CAPACITY)
    this.setField(t, ROOT, leaf)
    this.setField(t, HEIGHT, 0)
    this.setField(t, FIRST, leaf)
    this.setField(t, LAST, leaf)
  }

  private newLeaf(t: Ref, capacity: number): Ref {
    const leaf = this.arena.alloc(leafBytes(capacity))
    const dv = this.arena.dv(leaf)
    const at = this.arena.at(leaf)
    dv.setUint32(at, capacity << 8, true)
    dv.setUint32(at + PREVIOUS, 0, true)
    dv.setUint32(at + NEXT, 0, true)
    this.setField(t, LEAVES, this.field(t, LEAVES) + 1)
    return leaf
  }

  /** Inserts an entry at the path, whose counts include it already. The path is invalid afterwards. */
  insertHere(t: Ref, entry: Ref, score: number): void {
    let leaf = this.pathNode[0]
    let slot = this.pathIndex[0]
    let seg = this.arena.segments[leaf >>> SEGMENT_SHIFT]
    let at = (leaf & GRANULE_MASK) << 4
    if (seg.u8[at] === seg.u8[at + CAPACITY]) {
      if (seg.u8[at + CAPACITY] < LEAF_MAX) this.growOnlyLeaf(t, leaf, seg.u8[at])
      else this.splitLeaf(t, leaf, slot)
      leaf = this.pathNode[0]
      slot = this.pathIndex[0]
      seg = this.arena.segments[leaf >>> SEGMENT_SHIFT]
      at = (leaf & GRANULE_MASK) << 4
    }
    const count = seg.u8[at]
    const p = at + SLOTS + slot * SLOT_BYTES
    if (slot < count) seg.u8.copyWithin(p + SLOT_BYTES, p, at + SLOTS + count * SLOT_BYTES)
    seg.dv.setFloat64(p, score, true)
    seg.dv.setUint32(p + 8, entry, true)
    seg.u8[at] = count + 1
    this.setField(t, COUNT, this.field(t, COUNT) + 1)
    if (slot === 0) this.updateSeparator(t)
  }

  private growOnlyLeaf(t: Ref, leaf: Ref, count: number): void {
    const capacity = count < 15 ? 15 : count < 31 ? 31 : LEAF_MAX
    const grown = this.arena.alloc(leafBytes(capacity))
    this.arena.copy(grown, 0, leaf, 0, SLOTS + count * SLOT_BYTES)
    this.arena.free(leaf)
    this.arena.u8(grown)[this.arena.at(grown) + CAPACITY] = capacity
    this.setField(t, ROOT, grown)
    this.setField(t, FIRST, grown)
    this.setField(t, LAST, grown)
    this.pathNode[0] = grown
  }

  /**
   * Splits a full leaf; the path ends where the entry for `slot` goes. Entries inserted in ascending or descending
   * order leave full leaves behind.
   */
  private splitLeaf(t: Ref, leaf: Ref, slot: number): void {
    const right = this.newLeaf(t, LEAF_MAX)
    const next = this.field(leaf, NEXT)
    let keep = LEAF_MAX >>> 1
    if (slot === LEAF_MAX && next === 0) keep = LEAF_MAX
    else if (slot === 0 && this.field(leaf, PREVIOUS) === 0) keep = 0
    const moved = LEAF_MAX - keep
    this.arena.copy(right, SLOTS, leaf, SLOTS + keep * SLOT_BYTES, moved * SLOT_BYTES)
    this.setNodeCount(right, moved)
    this.setNodeCount(leaf, keep)
    this.setField(right, PREVIOUS, leaf)
    this.setField(right, NEXT, next)
    this.setField(leaf, NEXT, right)
    if (next !== 0) this.setField(next, PREVIOUS, right)
    else this.setField(t, LAST, right)
    const goesRight = slot > keep || keep === LEAF_MAX
    // An empty half gets the new entry, whose score and ref insertHere() then writes into its parent.
    this.addSibling(t, 1, leaf, keep + (goesRight ? 0 : 1), right, moved + (goesRight ? 1 : 0), goesRight)
    this.pathNode[0] = goesRight ? right : leaf
    this.pathIndex[0] = goesRight ? slot - keep : slot
  }

  /**
   * Links `right` after `left`, its old sibling or itself the root, at `level`. The path leads through `right` when
   * `goesRight`, else through `left`.
   */
  private addSibling(
    t: Ref,
    level: number,
    left: Ref,
    leftCount: number,
    right: Ref,
    rightCount: number,
    goesRight: boolean,
  ): void {
    if (level > this.field(t, HEIGHT)) {
      const root = this.newInner(t)
      this.setNodeCount(root, 1)
      this.setChild(root, 0, left)
      this.copySmallest(root, 0, left, level)
      this.setField(t, ROOT, root)
      this.setField(t, HEIGHT, level)
      this.pathNode[level] = root
      this.pathIndex[level] = 0
    }
    let node = this.pathNode[level]
    let index = this.pathIndex[level]
    this.setChildCount(node, index, leftCount)
    if (this.nodeCount(node) === INNER_MAX) {
      this.splitInner(t, level, node, index, rightCount)
      node = this.pathNode[level]
      index = this.pathIndex[level]
    }
    const count = this.nodeCount(node)
    this.moveChildren(node, index + 2, node, index + 1, count - index - 1)
    this.setNodeCount(node, count + 1)
    this.setChild(node, index + 1, right)
    this.setChildCount(node, index + 1, rightCount)
    this.copySmallest(node, index + 1, right, level)
    if (goesRight) this.pathIndex[level] = index + 1
  }

  /** Removes slots [slot, slot + run) of the path's leaf. The path is invalid afterwards. */
  removeRun(t: Ref, run: number): void {
    const leaf = this.pathNode[0]
    const slot = this.pathIndex[0]
    const seg = this.arena.segments[leaf >>> SEGMENT_SHIFT]
    const at = (leaf & GRANULE_MASK) << 4
    const count = seg.u8[at]
    const p = at + SLOTS + slot * SLOT_BYTES
    if (slot + run < count) seg.u8.copyWithin(p, p + run * SLOT_BYTES, at + SLOTS + count * SLOT_BYTES)
    seg.u8[at] = count - run
    this.setField(t, COUNT, this.field(t, COUNT) - run)
    const height = this.field(t, HEIGHT)
    if (height === 0) return
    for (let level = height; level > 0; level--) this.addToChildCount(this.pathNode[level], this.pathIndex[level], -run)
    if (count === run) {
      this.unlinkLeaf(t, leaf)
      this.dropChild(t, 1, this.pathIndex[1])
      return
    }
    if (slot === 0) this.updateSeparator(t)
    if (count - run < LEAF_MIN) this.mergeLeaves(t)
  }

  private mergeLeaves(t: Ref): void {
    const parent = this.pathNode[1]
    const index = this.pathIndex[1]
    const count = this.nodeCount(this.pathNode[0])
    const siblings = this.nodeCount(parent)
    let left = index
    if (index + 1 >= siblings || count + this.nodeCount(this.child(parent, index + 1)) > LEAF_MAX) {
      left = index - 1
      if (left < 0 || count + this.nodeCount(this.child(parent, left)) > LEAF_MAX) return
    }
    const to = this.child(parent, left)
    const from = this.child(parent, left + 1)
    const toCount = this.nodeCount(to)
    const fromCount = this.nodeCount(from)
    this.arena.copy(to, SLOTS + toCount * SLOT_BYTES, from, SLOTS, fromCount * SLOT_BYTES)
    this.setNodeCount(to, toCount + fromCount)
    this.addToChildCount(parent, left, fromCount)
    this.unlinkLeaf(t, from)
    this.dropChild(t, 1, left + 1)
  }

  private unlinkLeaf(t: Ref, leaf: Ref): void {
    const previous = this.field(leaf, PREVIOUS)
    const next = this.field(leaf, NEXT)
    if (previous !== 0) this.setField(previous, NEXT, next)
    else this.setField(t, FIRST, next)
    if (next !== 0) this.setField(next, PREVIOUS, previous)
    else this.setField(t, LAST, previous)
    this.setField(t, LEAVES, this.field(t, LEAVES) - 1)
    this.arena.free(leaf)
  }

  // --- inner nodes ---

  private newInner(t: Ref): Ref {
    const node = this.arena.alloc(INNER_BYTES)
    this.setNodeCount(node, 0)
    this.setField(t, INNERS, this.field(t, INNERS) + 1)
    return node
  }

  private freeInner(t: Ref, node: Ref): void {
    this.arena.free(node)
    this.setField(t, INNERS, this.field(t, INNERS) - 1)
  }

  child(node: Ref, index: number): Ref {
    return this.field(node, CHILDREN + index * 4)
  }

  setChild(node: Ref, index: number, child: Ref): void {
    this.setField(node, CHILDREN + index * 4, child)
  }

  private setChildCount(node: Ref, index: number, count: number): void {
    this.setField(node, COUNTS + index * 4, count)
  }

  private addToChildCount(node: Ref, index: number, delta: number): void {
    this.setField(node, COUNTS + index * 4, this.field(node, COUNTS + index * 4) + delta)
  }

  /** Writes the smallest entry under `child`, a node of level - 1, beside its ref in `node`. */
  private copySmallest(node: Ref, index: number, child: Ref, level: number): void {
    const from = this.arena.dv(child)
    const fat = this.arena.at(child)
    const to = this.arena.dv(node)
    const at = this.arena.at(node)
    to.setFloat64(at + SCORES + index * 8, from.getFloat64(fat + (level === 1 ? SLOTS : SCORES), true), true)
    to.setUint32(at + ENTRIES + index * 4, from.getUint32(fat + (level === 1 ? SLOTS + 8 : ENTRIES), true), true)
  }

  /** The first slot of the path's leaf changed: updates the separators above. */
  updateSeparator(t: Ref): void {
    this.updateAbove(t, 0)
  }

  /** Moves `count` children with their scores, entries and counts. */
  private moveChildren(to: Ref, toIndex: number, from: Ref, fromIndex: number, count: number): void {
    if (count <= 0) return
    this.arena.copy(to, SCORES + toIndex * 8, from, SCORES + fromIndex * 8, count * 8)
    this.arena.copy(to, ENTRIES + toIndex * 4, from, ENTRIES + fromIndex * 4, count * 4)
    this.arena.copy(to, CHILDREN + toIndex * 4, from, CHILDREN + fromIndex * 4, count * 4)
    this.arena.copy(to, COUNTS + toIndex * 4, from, COUNTS + fromIndex * 4, count * 4)
  }

  /** Splits a full inner node; the path at `level` ends at the same child, which gets a sibling next. */
  private splitInner(t: Ref, level: number, node: Ref, index: number, rightCount: number): void {
    const right = this.newInner(t)
    let keep = INNER_MAX >>> 1
    if (index === INNER_MAX - 1) keep = INNER_MAX - 1
    else if (index === 0) keep = 1
    const moved = INNER_MAX - keep
    this.moveChildren(right, 0, node, keep, moved)
    this.setNodeCount(right, moved)
    this.setNodeCount(node, keep)
    const goesRight = index >= keep
    // The child at `index` has moved entries away already; they count again where its new sibling will be linked.
    const below = this.sumCounts(node) + (goesRight ? 0 : rightCount)
    const belowRight = this.sumCounts(right) + (goesRight ? rightCount : 0)
    this.addSibling(t, level + 1, node, below, right, belowRight, goesRight)
    this.pathNode[level] = goesRight ? right : node
    this.pathIndex[level] = goesRight ? index - keep : index
  }

  private sumCounts(node: Ref): number {
    let sum = 0
    for (let i = this.nodeCount(node) - 1; i >= 0; i--) sum += this.field(node, COUNTS + i * 4)
    return sum
  }

  /** Removes child `index`, freed already, from the path's node at `level`. */
  private dropChild(t: Ref, level: number, index: number): void {
    const node = this.pathNode[level]
    const count = this.nodeCount(node) - 1
    const height = this.field(t, HEIGHT)
    if (count === 0) {
      this.freeInner(t, node)
      if (level === height) this.createFirstLeaf(t)
      else this.dropChild(t, level + 1, this.pathIndex[level + 1])
      return
    }
    this.moveChildren(node, index, node, index + 1, count - index)
    this.setNodeCount(node, count)
    if (index === 0) this.updateAbove(t, level)
    if (level === height) {
      if (count === 1) this.lowerRoot(t)
    } else if (count < INNER_MIN) this.mergeInners(t, level)
  }

  /** The smallest entry of the path's node at `level` changed. */
  private updateAbove(t: Ref, level: number): void {
    const height = this.field(t, HEIGHT)
    let last = level + 1
    while (last <= height && this.pathIndex[last] === 0) last++
    // The smallest entry of the whole tree is never read.
    if (last > height) return
    for (let l = level + 1; l <= last; l++)
      this.copySmallest(this.pathNode[l], this.pathIndex[l], this.pathNode[l - 1], l)
  }

  private mergeInners(t: Ref, level: number): void {
    const parent = this.pathNode[level + 1]
    const index = this.pathIndex[level + 1]
    const count = this.nodeCount(this.pathNode[level])
    const siblings = this.nodeCount(parent)
    let left = index
    if (index + 1 >= siblings || count + this.nodeCount(this.child(parent, index + 1)) > INNER_MAX) {
      left = index - 1
      if (left < 0 || count + this.nodeCount(this.child(parent, left)) > INNER_MAX) return
    }
    const to = this.child(parent, left)
    const from = this.child(parent, left + 1)
    const toCount = this.nodeCount(to)
    const fromCount = this.nodeCount(from)
    this.moveChildren(to, toCount, from, 0, fromCount)
    this.setNodeCount(to, toCount + fromCount)
    this.addToChildCount(parent, left, this.field(parent, COUNTS + (left + 1) * 4))
    this.freeInner(t, from)
    this.dropChild(t, level + 1, left + 1)
  }

  /** Replaces a root that has a single child by that child. */
  private lowerRoot(t: Ref): void {
    for (let height = this.field(t, HEIGHT); height > 0; height--) {
      const root = this.field(t, ROOT)
      if (this.nodeCount(root) > 1) return
      this.setField(t, ROOT, this.child(root, 0))
      this.setField(t, HEIGHT, height - 1)
      this.freeInner(t, root)
    }
  }

  /** Replaces the path's node at `level` by its moved copy; copies of inner nodes above it come first. */
  replaceNode(t: Ref, level: number, node: Ref): void {
    this.pathNode[level] = node
    if (level === this.field(t, HEIGHT)) this.setField(t, ROOT, node)
    else this.setChild(this.pathNode[level + 1], this.pathIndex[level + 1], node)
    if (level > 0) return
    const previous = this.field(node, PREVIOUS)
    const next = this.field(node, NEXT)
    this.setField(previous === 0 ? t : previous, previous === 0 ? FIRST : NEXT, node)
    this.setField(next === 0 ? t : next, next === 0 ? LAST : PREVIOUS, node)
  }
}

function leafBytes(capacity: number): number {
  return SLOTS + capacity * SLOT_BYTES
}
