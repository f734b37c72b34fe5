// ZSetRange: a range of a sorted set, by ranks, scores or members (lex), optionally reversed and with a LIMIT.
//
//   setRanks() | setScores() | setMembers() ─▶ resolve(z) ─▶ from, count: ranks in forward order
//                                          └─▶ resolveWithLimit(z)    ─▶ start, count: from where the range is read
//
// Always: ranks are in the range's own direction, as ZREVRANGE counts them: 0 is the last member.

import { MINUS, OPEN, PLUS } from '../../../lib/ascii.ts'
import { Slice } from '../../../lib/slice.ts'
import type { ZSet } from './zset.ts'

export const BY_RANK = 0
export const BY_SCORE = 1
export const BY_LEX = 2

export class ZSetRange {
  kind = BY_RANK
  reverse = false
  /** LIMIT's offset; negative: an empty range. */
  offset = 0
  /** LIMIT's count; negative: no limit. */
  limit = -1
  /** Scores are returned too. */
  withScores = false
  /** First rank in forward order, first rank in the range's own direction, and number of members. */
  from = 0
  start = 0
  count = 0
  private min = 0
  private max = 0
  private minExcluded = false
  private maxExcluded = false
  private readonly minMember = new Slice()
  private readonly maxMember = new Slice()
  private readonly scratch = new Slice()

  /** Resets everything to its default. */
  reset(): this {
    this.kind = BY_RANK
    this.reverse = false
    this.offset = 0
    this.limit = -1
    this.withScores = false
    return this
  }

  /** Negative ranks count from the other end. */
  setRanks(start: number, stop: number): void {
    this.kind = BY_RANK
    this.min = start
    this.max = stop
  }

  setScores(min: number, minExcluded: boolean, max: number, maxExcluded: boolean): void {
    this.kind = BY_SCORE
    this.min = min
    this.max = max
    this.minExcluded = minExcluded
    this.maxExcluded = maxExcluded
  }

  /** Bounds as clients write them: - + [a (a */
  setMembers(min: Slice, max: Slice): void {
    this.kind = BY_LEX
    this.minMember.alias(min)
    this.maxMember.alias(max)
  }

  /**
   * Resolves the range in a set without direction, offset and limit; returns the number of members. More than `wanted`
   * need not be counted.
   */
  resolve(z: ZSet, wanted = Number.POSITIVE_INFINITY): number {
    let to: number
    if (this.kind === BY_RANK) {
      const length = z.length
      this.from = Math.max(0, this.min < 0 ? length + this.min : this.min)
      to = Math.min(length, (this.max < 0 ? length + this.max : this.max) + 1)
    } else if (this.kind === BY_SCORE) {
      this.from = z.countBelow(this.min, this.minExcluded)
      to = z.countBelow(this.max, !this.maxExcluded, this.from, this.from + wanted)
    } else {
      this.from = this.countBefore(z, this.minMember, true, 0, z.length)
      to = this.from
      if (to < z.length) to = this.countBefore(z, this.maxMember, false, to, to + wanted)
    }
    this.count = to > this.from ? to - this.from : 0
    return this.count
  }

  /** Resolves the range in a set with direction, offset and limit; returns the number of members. */
  resolveWithLimit(z: ZSet): number {
    if (this.kind === BY_RANK) {
      this.resolve(z)
      this.start = this.from
      return this.count
    }
    if (this.offset < 0 || (this.offset > 0 && this.offset >= z.length)) {
      this.count = 0
      return 0
    }
    this.resolve(z, this.reverse || this.limit < 0 ? undefined : this.offset + this.limit)
    this.start = (this.reverse ? z.length - this.from - this.count : this.from) + this.offset
    this.count = Math.max(0, this.count - this.offset)
    if (this.limit >= 0 && this.count > this.limit) this.count = this.limit
    return this.count
  }

  /** Members before a bound; an open lower bound is itself among them, and so is a closed upper one. */
  private countBefore(z: ZSet, bound: Slice, lower: boolean, from: number, max: number): number {
    const prefix = bound.byte(0)
    if (prefix === MINUS) return 0
    if (prefix === PLUS) return z.length
    this.scratch.set(bound.u8, bound.dv, bound.off + 1, bound.len - 1)
    return z.countBefore(this.scratch, (prefix === OPEN) === lower, from, max)
  }
}
