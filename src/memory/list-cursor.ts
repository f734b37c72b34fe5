// ListCursor: a position in a list, either a quicklist or a bare listpack. Quicklist opens and moves it.

import type { Ref } from './arena.ts'

const SCRATCH_BYTES_MIN = 1 << 16
/** A larger buffer is not reused for the next node. */
const SCRATCH_BYTES_MAX = 1 << 20

/** A position in a list. Made once and reused; has a buffer for the bytes of a packed node. */
export class ListCursor {
  node: Ref = 0
  /** Index of the element within its node. */
  index = 0
  /** Offset of the element from the listpack's start; -1: past the end. */
  pos = -1
  /** The buffer with the listpack (or the plain element). */
  u8: Uint8Array = NOTHING
  dv: DataView = NOTHING_DV
  base = 0
  plain = false
  forward = true
  /** Elements moved over since the cursor was opened. */
  passed = 0
  /** next() has yet to return the element at `pos`. */
  fresh = false
  private scratch: Uint8Array = NOTHING
  private scratchView: DataView = NOTHING_DV

  /** Points the cursor at `bytes` bytes of its own buffer. */
  borrow(bytes: number): void {
    if (bytes > SCRATCH_BYTES_MAX) {
      this.u8 = new Uint8Array(bytes)
      this.dv = new DataView(this.u8.buffer)
      this.base = 0
      return
    }
    if (this.scratch.length < bytes) {
      this.scratch = new Uint8Array(Math.max(bytes, SCRATCH_BYTES_MIN))
      this.scratchView = new DataView(this.scratch.buffer)
    }
    this.u8 = this.scratch
    this.dv = this.scratchView
    this.base = 0
  }
}

const NOTHING = new Uint8Array(0)
const NOTHING_DV = new DataView(NOTHING.buffer)
