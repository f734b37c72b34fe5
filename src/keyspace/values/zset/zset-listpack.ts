// ZSetListpack: a small sorted set in a listpack.
//
//   [ member ][ score ][ member ][ score ] …     in order; an integral score is an integer, any other its shortest text
//
// Always: an even number of elements. Positions are those of members. As in Redis, -0 is stored as 0.

import { formatDouble } from '../../../lib/double.ts'
import { parseDouble, writeInt, writeText } from '../../../lib/number.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { ScoredSink } from '../../../memory/element.ts'
import { Listpack } from '../../../memory/listpack.ts'

const WHOLE_MAX = 2 ** 62

export class ZSetListpack {
  readonly lists: Listpack
  /** Score of the member that the last find() found. */
  foundScore = 0
  /** Position of the first member that the last count did not include, or -1. */
  private countedTo = -1
  private readonly text = new Slice()
  private readonly digits = new Slice(new Uint8Array(24), 0, 0)
  private readonly scoreText = new Slice(new Uint8Array(40), 0, 0)

  constructor(arena: Arena) {
    this.lists = new Listpack(arena)
  }

  create(): Ref {
    return this.lists.create()
  }

  count(lp: Ref): number {
    return this.lists.count(lp) >>> 1
  }

  /** The position of a member, or -1. */
  find(lp: Ref, member: Slice): number {
    const pos = this.lists.find(lp, this.lists.first(lp), member, 1)
    if (pos >= 0) this.foundScore = this.scoreAfter(lp, pos)
    return pos
  }

  /** Members before the one at `pos`. */
  rankOf(lp: Ref, pos: number): number {
    let rank = 0
    for (let p = this.lists.first(lp); p !== pos; p = this.next(lp, p)) rank++
    return rank
  }

  /** The position of the member of this rank, or -1. */
  seek(lp: Ref, rank: number): number {
    return this.lists.seek(lp, rank * 2)
  }

  next(lp: Ref, pos: number): number {
    return this.lists.elementAt(lp, this.lists.forward(lp, pos, 2))
  }

  previous(lp: Ref, pos: number): number {
    const score = this.lists.prev(lp, pos)
    return score < 0 ? -1 : this.lists.prev(lp, score)
  }

  /** Points `out` at the member at `pos`; an integer is formatted into `scratch`. */
  member(lp: Ref, pos: number, out: Slice, scratch: Slice): Slice {
    return this.lists.get(lp, pos, out, scratch)
  }

  /** Passes `count` members from the one of rank `rank` on, in either direction, with or without their scores. */
  emit(lp: Ref, rank: number, count: number, reverse: boolean, withScores: boolean, sink: ScoredSink): void {
    const { lists } = this
    let pos = lists.seek(lp, rank * 2)
    for (let left = count; ; ) {
      if (withScores) sink.beginScored()
      lists.emit(lp, pos, 1, sink)
      if (withScores) sink.double(this.scoreAfter(lp, pos))
      if (--left === 0) return
      pos = reverse ? this.previous(lp, pos) : lists.forward(lp, pos, 2)
    }
  }

  /** The score of the member at `pos`. */
  scoreAfter(lp: Ref, pos: number): number {
    const at = this.lists.forward(lp, pos, 1)
    const n = this.lists.integerAt(lp, at)
    if (Number.isFinite(n)) return n
    const text = this.lists.get(lp, at, this.text, this.digits)
    const score = parseDouble(text)
    // A malformed double can only come from a foreign file; it must not break the order.
    return Number.isNaN(score) ? Number(text.latin1()) || 0 : score
  }

  /** Inserts a new member in order; returns the listpack's ref from then on. */
  insert(lp: Ref, member: Slice, score: number): Ref {
    let pos = this.lists.first(lp)
    for (; pos >= 0; pos = this.next(lp, pos)) {
      const s = this.scoreAfter(lp, pos)
      if (s > score) break
      if (s === score && this.lists.compare(lp, pos, member) > 0) break
    }
    if (pos < 0) return this.append(lp, member, score)
    lp = this.lists.insertBefore(lp, pos, member)
    return this.lists.insertAfter(lp, pos, this.spell(score))
  }

  /** Appends a new member that belongs at the end. */
  append(lp: Ref, member: Slice, score: number): Ref {
    return this.lists.append(this.lists.append(lp, member), this.spell(score))
  }

  private spell(score: number): Slice {
    const s = this.scoreText
    if (Number.isSafeInteger(score)) s.len = writeInt(s.u8, 0, score + 0)
    else if (Number.isInteger(score) && Math.abs(score) < WHOLE_MAX)
      s.len = writeText(s.u8, 0, BigInt(score).toString())
    else s.len = writeText(s.u8, 0, formatDouble(score))
    return s
  }

  /** Removes `count` members from the one at `pos` on. */
  removeAt(lp: Ref, pos: number, count: number): Ref {
    return this.lists.deleteAt(lp, pos, count * 2)
  }

  /** False when another member of so many bytes would make the listpack too large. */
  fits(lp: Ref, memberBytes: number): boolean {
    return this.lists.isSafeToAdd(lp, memberBytes)
  }

  copy(lp: Ref): Ref {
    return this.lists.copy(lp)
  }

  // Counting from `from` on: what the last count of the unchanged list returned, or 0. It ends at `max`.

  /** Number of members with a score below `score`, or also that score when `orEqual`. */
  countBelow(lp: Ref, score: number, orEqual: boolean, from: number, max: number): number {
    let count = from
    let pos = from === 0 ? this.lists.first(lp) : this.countedTo
    for (; pos >= 0 && count < max; pos = this.next(lp, pos), count++) {
      const s = this.scoreAfter(lp, pos)
      if (orEqual ? s > score : s >= score) break
    }
    this.countedTo = pos
    return count
  }

  /** Number of members before the first that is not before `member` (after it when `orEqual`), scores aside. */
  countBefore(lp: Ref, member: Slice, orEqual: boolean, from: number, max: number): number {
    const { lists } = this
    let count = from
    let pos = from === 0 ? lists.first(lp) : this.countedTo
    for (; pos >= 0 && count < max; pos = this.next(lp, pos), count++) {
      const order = lists.compare(lp, pos, member)
      if (orEqual ? order > 0 : order >= 0) break
    }
    this.countedTo = pos
    return count
  }
}
