// ZSet: one sorted set at a time (collection.ts).
//
//   listpack   member, score, member, score … in order                       (zset-listpack.ts)
//   skiplist   header 16 B:  hash table u32 | score tree u32                 (memory/table.ts, memory/ordered.ts)
//              Both have the same entries: [ score f64 ][ member, prefixed (memory/prefixed.ts) ]. The encoding is
//              named as in Redis, which has a skiplist instead of the tree.
//
// Always: ordered by score, then by the members' bytes; no member twice; scores are never NaN. Ranks count from 0.

import { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { ScoredSink } from '../../../memory/element.ts'
import { OrderedCursor, type ScoreTree } from '../../../memory/ordered.ts'
import { prefixedBytes, writePrefixed } from '../../../memory/prefixed.ts'
import type { HashTable } from '../../../memory/table.ts'
import { TableSlot } from '../../../memory/table-slot.ts'
import { ENC_LISTPACK, ENC_SKIPLIST } from '../../types.ts'
import { Collection } from '../shared/collection.ts'
import type { ZSetListpack } from './zset-listpack.ts'

export const TABLE = 0
export const TREE = 4
export const HEADER_BYTES = 16
const SCORE_BYTES = 8

// Flags of add(), and its results.
export const ADD_INCR = 1
export const ADD_NX = 2
export const ADD_XX = 4
export const ADD_GT = 8
export const ADD_LT = 16

export const UNCHANGED = 0
export const ADDED = 1
export const UPDATED = 2
/** Prevented by NX, XX, GT or LT. */
export const REFUSED = 3
export const NOT_A_NUMBER = 4

/** Limits of the listpack encoding; the server's Settings are one. */
export interface ZSetLimits {
  zsetMaxListpackEntries: number
  zsetMaxListpackValue: number
}

/** A position in a sorted set, and the element there. Valid until the set changes. */
export class ZSetCursor {
  readonly tree = new OrderedCursor()
  /** Offset of the member in a listpack. */
  at = 0
  readonly member = new Slice()
  score = 0
  /** Scratch for a member that a listpack stores as an integer. */
  readonly digits = new Slice(new Uint8Array(24), 0, 0)
}

/** Shared by all ZSet objects of a keyspace. */
export interface ZSetDependencies {
  readonly arena: Arena
  readonly tables: HashTable
  readonly trees: ScoreTree
  readonly packed: ZSetListpack
  readonly limits: ZSetLimits
}

export class ZSet extends Collection {
  /** The score after the last add(), or that the last rank() found. */
  score = 0
  private readonly arena: Arena
  private readonly tables: HashTable
  private readonly slot: TableSlot
  private readonly trees: ScoreTree
  private readonly packed: ZSetListpack
  private readonly limits: ZSetLimits
  private readonly scratchCursor = new ZSetCursor()
  private table: Ref = 0
  private tree: Ref = 0

  constructor(dependencies: ZSetDependencies) {
    super(ENC_LISTPACK)
    this.arena = dependencies.arena
    this.tables = dependencies.tables
    this.slot = new TableSlot(dependencies.arena)
    this.trees = dependencies.trees
    this.packed = dependencies.packed
    this.limits = dependencies.limits
  }

  override open(encoding: number, value: Ref): this {
    super.open(encoding, value)
    if (encoding === ENC_SKIPLIST) {
      const seg = this.arena.segment(value)
      const at = this.arena.at(value)
      this.table = seg.dv.getUint32(at + TABLE, true)
      this.tree = seg.dv.getUint32(at + TREE, true)
    }
    return this
  }

  /** A new, empty set, in the encoding for `count` members of up to `memberBytesMax` bytes. */
  create(count: number, memberBytesMax: number): this {
    const { zsetMaxListpackEntries, zsetMaxListpackValue } = this.limits
    if (count <= zsetMaxListpackEntries && memberBytesMax <= zsetMaxListpackValue)
      return this.open(ENC_LISTPACK, this.packed.create())
    return this.createTree()
  }

  /** A new, empty set in the skiplist encoding. */
  createTree(): this {
    const table = this.tables.create()
    const tree = this.trees.create()
    const header = this.arena.alloc(HEADER_BYTES)
    const dv = this.arena.dv(header)
    const at = this.arena.at(header)
    dv.setUint32(at + TABLE, table, true)
    dv.setUint32(at + TREE, tree, true)
    return this.open(ENC_SKIPLIST, header)
  }

  /** Reserves buckets for so many members, if the set is empty. */
  reserve(members: number): void {
    if (this.encoding === ENC_SKIPLIST) this.tables.reserve(this.table, members)
  }

  get length(): number {
    return this.encoding === ENC_SKIPLIST ? this.trees.count(this.tree) : this.packed.count(this.value)
  }

  /** The score of a member; NaN when it is absent. */
  scoreOf(member: Slice): number {
    if (this.encoding === ENC_SKIPLIST) {
      const entry = this.tables.find(this.table, member, this.tables.hash(member), this.slot)
      return entry === 0 ? Number.NaN : this.trees.scoreOf(entry)
    }
    return this.packed.find(this.value, member) < 0 ? Number.NaN : this.packed.foundScore
  }

  /** Rank of a member, and its score in `score`; -1 when it is absent. */
  rank(member: Slice): number {
    if (this.encoding === ENC_SKIPLIST) {
      const entry = this.tables.find(this.table, member, this.tables.hash(member), this.slot)
      if (entry === 0) return -1
      this.score = this.trees.scoreOf(entry)
      return this.trees.rank(this.tree, entry)
    }
    const found = this.packed.find(this.value, member)
    if (found < 0) return -1
    this.score = this.packed.foundScore
    return this.packed.rankOf(this.value, found)
  }

  // ---- changing ----

  /**
   * Adds a member or changes its score, as the ADD_ flags allow; returns what happened. The resulting score (also of a
   * prevented change) is in `score`.
   */
  add(member: Slice, score: number, flags: number): number {
    if (Number.isNaN(score)) return NOT_A_NUMBER
    if (this.encoding === ENC_SKIPLIST) return this.addToTree(member, score, flags)
    const found = this.packed.find(this.value, member)
    if (found >= 0) {
      const old = this.packed.foundScore
      const outcome = this.decide(old, score, flags)
      if (outcome !== UPDATED) return outcome
      this.value = this.packed.removeAt(this.value, found, 1)
      this.value = this.packed.insert(this.value, member, this.score)
      return UPDATED
    }
    if ((flags & ADD_XX) !== 0) return REFUSED
    const { zsetMaxListpackEntries, zsetMaxListpackValue } = this.limits
    const fits = this.packed.count(this.value) < zsetMaxListpackEntries && member.len <= zsetMaxListpackValue
    if (!fits || !this.packed.fits(this.value, member.len)) {
      this.toTree()
      return this.addToTree(member, score, flags)
    }
    this.score = score
    this.value = this.packed.insert(this.value, member, score)
    return ADDED
  }

  private addToTree(member: Slice, score: number, flags: number): number {
    const hash = this.tables.hash(member)
    const entry = this.tables.find(this.table, member, hash, this.slot)
    if (entry !== 0) {
      const outcome = this.decide(this.trees.scoreOf(entry), score, flags)
      if (outcome === UPDATED) this.trees.setScore(this.tree, entry, this.score)
      return outcome
    }
    if ((flags & ADD_XX) !== 0) return REFUSED
    this.score = score
    this.insertNew(member, score, hash)
    return ADDED
  }

  /** Decides what happens to a member with the score `old`; the new score in `score`. */
  private decide(old: number, score: number, flags: number): number {
    this.score = old
    if ((flags & ADD_NX) !== 0) return REFUSED
    if ((flags & ADD_INCR) !== 0) {
      score += old
      if (Number.isNaN(score)) return NOT_A_NUMBER
    }
    if (((flags & ADD_LT) !== 0 && score >= old) || ((flags & ADD_GT) !== 0 && score <= old)) return REFUSED
    this.score = score
    return score === old ? UNCHANGED : UPDATED
  }

  private insertNew(member: Slice, score: number, hash: number): void {
    const entry = this.arena.alloc(SCORE_BYTES + prefixedBytes(member.len))
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    seg.dv.setFloat64(at, score, true)
    writePrefixed(seg.u8, seg.dv, at + SCORE_BYTES, member)
    this.tables.insert(this.table, entry, hash)
    this.trees.insert(this.tree, entry)
  }

  /** Appends a new member that belongs at the end, in either encoding. */
  append(member: Slice, score: number): void {
    if (this.encoding === ENC_SKIPLIST) this.insertNew(member, score, this.tables.hash(member))
    else this.value = this.packed.append(this.value, member, score)
  }

  /** Adds a new member; the encoding stays. */
  insert(member: Slice, score: number): void {
    if (this.encoding === ENC_SKIPLIST) this.insertNew(member, score, this.tables.hash(member))
    else this.value = this.packed.insert(this.value, member, score)
  }

  /** Adds a member, or combines its score and this one with `aggregate`; true when it is new. Trees only. */
  merge(member: Slice, score: number, aggregate: (old: number, score: number) => number): boolean {
    const hash = this.tables.hash(member)
    const entry = this.tables.find(this.table, member, hash, this.slot)
    if (entry === 0) {
      this.insertNew(member, score, hash)
      return true
    }
    const old = this.trees.scoreOf(entry)
    const merged = aggregate(old, score)
    if (!Object.is(merged, old)) this.trees.setScore(this.tree, entry, merged)
    return false
  }

  remove(member: Slice): boolean {
    if (this.encoding === ENC_SKIPLIST) {
      const hash = this.tables.hash(member)
      const entry = this.tables.find(this.table, member, hash, this.slot)
      if (entry === 0) return false
      this.trees.remove(this.tree, entry)
      this.tables.removeAt(this.table, this.slot)
      this.arena.free(entry)
      return true
    }
    const found = this.packed.find(this.value, member)
    if (found < 0) return false
    this.value = this.packed.removeAt(this.value, found, 1)
    return true
  }

  /** Removes `count` members from `rank` on. */
  removeRanks(rank: number, count: number): void {
    if (this.encoding === ENC_SKIPLIST) this.trees.removeRange(this.tree, rank, count, this.removeFromTable)
    else this.value = this.packed.removeAt(this.value, this.packed.seek(this.value, rank), count)
  }

  private readonly removeFromTable = (entry: Ref): void => {
    const hash = this.tables.hashOf(entry)
    if (this.tables.findRef(this.table, entry, hash, this.slot)) this.tables.removeAt(this.table, this.slot)
    this.arena.free(entry)
  }

  // ---- cursors ----

  /** Moves the cursor to the member of this rank; false when there is none. */
  seekRank(rank: number, c: ZSetCursor): boolean {
    if (this.encoding === ENC_SKIPLIST) {
      if (!this.trees.seekRank(this.tree, rank, c.tree)) return false
      this.load(c)
      return true
    }
    c.at = this.packed.seek(this.value, rank)
    return c.at >= 0 && this.loadPacked(c)
  }

  next(c: ZSetCursor): boolean {
    if (this.encoding === ENC_SKIPLIST) {
      if (!this.trees.next(c.tree)) return false
      this.load(c)
      return true
    }
    c.at = this.packed.next(this.value, c.at)
    return c.at >= 0 && this.loadPacked(c)
  }

  previous(c: ZSetCursor): boolean {
    if (this.encoding === ENC_SKIPLIST) {
      if (!this.trees.previous(c.tree)) return false
      this.load(c)
      return true
    }
    c.at = this.packed.previous(this.value, c.at)
    return c.at >= 0 && this.loadPacked(c)
  }

  /** Passes `count` members from the one of rank `rank` on, in either direction; there are so many, one at least. */
  emit(rank: number, count: number, reverse: boolean, withScores: boolean, sink: ScoredSink): void {
    if (this.encoding !== ENC_SKIPLIST) return this.packed.emit(this.value, rank, count, reverse, withScores, sink)
    const { tree } = this.scratchCursor
    this.trees.seekRank(this.tree, rank, tree)
    this.trees.emit(tree, count, reverse, withScores, sink)
  }

  /** Moves the cursor to the first member whose score is at least `score`, and reads only that; false: none. */
  seekScore(score: number, c: ZSetCursor): boolean {
    if (this.encoding !== ENC_SKIPLIST)
      return this.seekRank(this.packed.countBelow(this.value, score, false, 0, Number.POSITIVE_INFINITY), c)
    this.trees.seekScore(this.tree, score, false, c.tree)
    if (c.tree.leaf === 0) return false
    c.score = this.trees.scoreAt(c.tree)
    return true
  }

  /** As next(), but reads only the score. */
  nextScore(c: ZSetCursor): boolean {
    if (this.encoding !== ENC_SKIPLIST) return this.next(c)
    if (!this.trees.next(c.tree)) return false
    c.score = this.trees.scoreAt(c.tree)
    return true
  }

  /** A handle by which memberOf() finds the member at the cursor, until the set changes. */
  handleAt(c: ZSetCursor): number {
    return this.encoding === ENC_SKIPLIST ? this.trees.entryAt(c.tree) : c.at
  }

  /** The member of a handle: valid until the cursor is used again. */
  memberOf(handle: number, c: ZSetCursor): Slice {
    if (this.encoding === ENC_SKIPLIST) this.trees.memberOf(handle, c.member)
    else this.packed.member(this.value, handle, c.member, c.digits)
    return c.member
  }

  private load(c: ZSetCursor): void {
    c.score = this.trees.scoreAt(c.tree)
    this.trees.memberOf(this.trees.entryAt(c.tree), c.member)
  }

  private loadPacked(c: ZSetCursor): boolean {
    this.packed.member(this.value, c.at, c.member, c.digits)
    c.score = this.packed.scoreAfter(this.value, c.at)
    return true
  }

  /**
   * Number of members with a score below `score`, or also that score when `orEqual`. `from`: 0, or the last count in
   * the unchanged set, which this one is not below; counting may end at `max`.
   */
  countBelow(score: number, orEqual: boolean, from = 0, max = Number.POSITIVE_INFINITY): number {
    if (this.encoding === ENC_SKIPLIST) return this.trees.seekScore(this.tree, score, orEqual, this.scratchCursor.tree)
    return this.packed.countBelow(this.value, score, orEqual, from, max)
  }

  /**
   * Number of members before `member`, or also that member when `orEqual`, in a set whose scores are all equal.
   * `from` and `max` are those of countBelow().
   */
  countBefore(member: Slice, orEqual: boolean, from = 0, max = Number.POSITIVE_INFINITY): number {
    if (this.encoding === ENC_SKIPLIST)
      return this.trees.seekMember(this.tree, member, orEqual, this.scratchCursor.tree)
    return this.packed.countBefore(this.value, member, orEqual, from, max)
  }

  /** The members of a tree's next bucket, as HashTable.scan; the slice is valid until the set changes. */
  scan(cursor: number, visit: (member: Slice, score: number) => void): number {
    return this.tables.scan(this.table, cursor, entry =>
      visit(this.trees.memberOf(entry, this.scratchCursor.member), this.trees.scoreOf(entry)),
    )
  }

  // ---- encodings ----

  /** Becomes a tree when `count` members exceed the listpack limits. */
  reserveEncoding(count: number): void {
    if (this.encoding === ENC_LISTPACK && count > this.limits.zsetMaxListpackEntries) this.toTree()
  }

  toTree(): void {
    const old = this.value
    const c = this.scratchCursor
    c.at = this.packed.seek(old, 0)
    this.createTree()
    while (c.at >= 0) {
      this.packed.member(old, c.at, c.member, c.digits)
      this.insertNew(c.member, this.packed.scoreAfter(old, c.at), this.tables.hash(c.member))
      c.at = this.packed.next(old, c.at)
    }
    this.arena.free(old)
  }

  /** Becomes a listpack if the limits allow; `memberBytesMax`: the longest member, `memberBytes`: all together. */
  packIfSmall(memberBytesMax: number, memberBytes: number): void {
    const { zsetMaxListpackEntries, zsetMaxListpackValue } = this.limits
    if (this.encoding === ENC_LISTPACK || this.length > zsetMaxListpackEntries) return
    if (memberBytesMax > zsetMaxListpackValue || memberBytes >= 1 << 30) return
    let packed = this.packed.create()
    const c = this.scratchCursor
    for (let more = this.seekRank(0, c); more; more = this.next(c))
      packed = this.packed.append(packed, c.member, c.score)
    this.discard()
    this.open(ENC_LISTPACK, packed)
  }

  /** Frees the whole set, at once. */
  discard(): void {
    if (this.encoding === ENC_SKIPLIST) {
      while (!this.trees.drain(this.tree, 1 << 20, ignore));
      while (!this.tables.drain(this.table, 1 << 20, this.freeEntry));
    }
    this.arena.free(this.value)
    this.value = 0
  }

  private readonly freeEntry = (entry: Ref): void => this.arena.free(entry)
}

function ignore(): void {}
