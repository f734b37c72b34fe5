// TableSlot: the position where a lookup in a HashTable ended, so that the found entry can be replaced or removed.
// Its owner makes it once and reuses it.
//
// Always: valid until its table changes; `entry` is 0 when nothing was found.

import type { Arena, Ref } from './arena.ts'
import type { Segment } from './segment.ts'

export class TableSlot {
  entry: Ref = 0
  /** Hash of the key that was looked up. */
  hash = 0
  /** Position of the entry's ref and tag, for HashTable. */
  segment: Segment
  refAt = 0
  tagAt = 0

  constructor(arena: Arena) {
    this.segment = arena.segment(0)
  }
}
