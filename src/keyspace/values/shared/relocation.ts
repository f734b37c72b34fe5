// Relocation: how compaction moves one value out of sealed segments, in parts, so that a large one is never moved in
// one piece.
//
// Always: a cursor holds positions by number, never refs: between two parts the value may change, or be another one.
// What is missed then stays where it is until the next compaction.

import type { Ref } from '../../../memory/arena.ts'
import type { ValueType } from '../../value-type.ts'

/** How far a value has been moved. What the numbers count is its type's own. */
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
