// Relocation: compaction of one value, out of evacuating segments, in parts, so that a large one is never moved in one
// piece.
//
// Always: a cursor has positions by number, never refs: between two parts the value may change, or be another one.
// Missed allocations stay where they are until the next compaction.

import type { Ref } from '../../../memory/arena.ts'
import type { ValueType } from '../../value-type.ts'

/** Position in a value being moved. What the numbers count is up to its type. */
export class RelocationCursor {
  stage = 0
  at = 0
  done = false

  begin(): this {
    this.stage = 0
    this.at = 0
    this.done = false
    return this
  }

  /** To `next`, or to the next stage when it is negative. */
  advance(next: number): void {
    this.at = Math.max(0, next)
    if (next < 0) this.stage++
  }
}

/** Moves a whole value; its new ref. */
export function relocateWhole(type: ValueType, cursor: RelocationCursor, encoding: number, value: Ref): Ref {
  cursor.begin()
  while (!cursor.done) value = type.relocatePart(encoding, value, cursor)
  return value
}
