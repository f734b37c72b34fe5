// TableCursor: iterates over all entries of a HashTable, bucket by bucket. Made once and reused.
//
// Always: valid until its table changes.

import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import type { HashTable } from './table.ts'
import { OVERFLOW_AT, SLOTS, type TableBuckets } from './table-buckets.ts'

export class TableCursor {
  private readonly arena: Arena
  private readonly tables: TableBuckets
  private table: Ref = 0
  private buckets = 0
  private index = 0
  private bucket: Ref = 0
  private slot = SLOTS

  constructor(arena: Arena, tables: HashTable) {
    this.arena = arena
    this.tables = tables.layout
  }

  /** Opens it before the first entry of `t`. */
  open(t: Ref): void {
    this.table = t
    this.buckets = this.tables.buckets(t)
    this.index = 0
    this.bucket = 0
    this.slot = SLOTS
  }

  /** The next entry, 0 at the end. */
  next(): Ref {
    for (;;) {
      if (this.bucket !== 0) {
        const dv = this.arena.segments[this.bucket >>> SEGMENT_SHIFT].dv
        const at = (this.bucket & GRANULE_MASK) << 4
        if (this.slot === 0) this.tables.readAhead(dv, at)
        while (this.slot < SLOTS) {
          const entry = dv.getUint32(at + this.slot++ * 4, true)
          if (entry !== 0) return entry
        }
        this.slot = 0
        this.bucket = dv.getUint32(at + OVERFLOW_AT, true)
        if (this.bucket !== 0) continue
      }
      if (this.index === this.buckets) return 0
      this.bucket = this.tables.bucketAtIndex(this.table, this.index++)
      this.slot = 0
    }
  }
}
