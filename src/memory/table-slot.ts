// TableSlot: where a look-up in a HashTable ended, for whoever goes on to replace or remove what was found. Its owner
// makes it once and uses it again.
//
// Always: valid until its table changes; `entry` is 0 when nothing was found.

import type { Arena, Ref, Segment } from './arena.ts'

export class TableSlot {
  entry: Ref = 0
  /** Of the key that was looked for. */
  hash = 0
  /** Where the entry's ref and its tag are: for HashTable. */
  segment: Segment
  refAt = 0
  tagAt = 0

  constructor(arena: Arena) {
    this.segment = arena.segment(0)
  }
}
