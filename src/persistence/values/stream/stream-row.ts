// Validates that the listpack of a stream node (layout: keyspace/values/stream/stream-node.ts) is safe to iterate.

import type { Slice } from '../../../lib/slice.ts'
import { EOF, HEADER_BYTES, isListpack, isString, readInteger, skip } from '../../../memory/listpack-format.ts'

const SAME_FIELDS = 2
const FIXED_ELEMENTS = 3

/** Reads the elements of a row in order; a non-integer where integer() expects one makes it invalid. */
class RowCursor {
  bad = false
  private readonly s: Slice
  private at: number

  constructor(s: Slice) {
    this.s = s
    this.at = s.off + HEADER_BYTES
  }

  get ended(): boolean {
    return this.s.u8[this.at] === EOF
  }

  integer(): number {
    const { u8, dv } = this.s
    if (this.ended || isString(u8, this.at)) {
      this.bad = true
      return 0
    }
    const n = readInteger(u8, dv, this.at)
    this.at = skip(u8, this.at)
    return n
  }

  /** Skips `n` elements of any kind. */
  skip(n: number): void {
    for (let i = 0; i < n && !this.bad; i++) {
      if (this.ended) this.bad = true
      else this.at = skip(this.s.u8, this.at)
    }
  }
}

export function isStreamNode(s: Slice): boolean {
  if (!isListpack(s.u8, s.dv, s.off, s.len)) return false
  const row = new RowCursor(s)
  const valid = row.integer()
  const deleted = row.integer()
  const masterFields = row.integer()
  row.skip(masterFields)
  if (row.integer() !== 0 || row.bad || valid < 0 || deleted < 0 || masterFields < 0) return false
  for (let left = valid + deleted; left > 0; left--) {
    const flags = row.integer()
    row.integer()
    row.integer()
    let elements = FIXED_ELEMENTS + masterFields
    if ((flags & SAME_FIELDS) !== 0) row.skip(masterFields)
    else {
      const fields = row.integer()
      if (fields < 0) return false
      row.skip(fields * 2)
      elements = FIXED_ELEMENTS + 1 + fields * 2
    }
    if (row.integer() !== elements || row.bad) return false
  }
  return row.ended
}
