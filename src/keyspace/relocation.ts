// Relocation: how compaction moves one value out of sealed segments, in parts, so that a large one is never moved in one
// piece.
//
// Always: a walk holds places by number, never refs: between two parts the value may change, or be another one. What is
// missed then stays where it is until the next compaction.

import type { Ref } from '../memory/arena.ts'
import type { ValueKind } from './keyspace.ts'

/** How far a value has been walked. What the numbers count is the kind's own. */
export class RelocationWalk {
  stage = 0
  at = 0
  done = false

  begin(): this {
    this.stage = 0
    this.at = 0
    this.done = false
    return this
  }

  /** Goes on at `next`, or with the next stage when it is negative. */
  goOn(next: number): void {
    this.at = Math.max(0, next)
    if (next < 0) this.stage++
  }
}

/** Moves a whole value; its new ref. */
export function relocateWhole(kind: ValueKind, walk: RelocationWalk, encoding: number, value: Ref): Ref {
  walk.begin()
  while (!walk.done) value = kind.relocatePart(encoding, value, walk)
  return value
}
