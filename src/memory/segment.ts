// Segment: one buffer of the arena and its free pages. One for a single huge allocation is larger than SEGMENT_BYTES.
//
// Always: u8 and dv view the same bytes; the first free page is not before firstFree.

import { PAGE_BYTES } from './size-classes.ts'

export const SEGMENT_BYTES = 1 << 22
export const PAGES_PER_SEGMENT = SEGMENT_BYTES / PAGE_BYTES

export class Segment {
  readonly u8: Uint8Array
  readonly dv: DataView
  readonly pages: number
  freePages: number
  /** No free run in this segment is longer than this. */
  runMax: number
  firstFree = 0
  evacuating = false

  constructor(buffer: ArrayBuffer) {
    this.u8 = new Uint8Array(buffer)
    this.dv = new DataView(buffer)
    this.pages = Math.min(PAGES_PER_SEGMENT, buffer.byteLength / PAGE_BYTES)
    this.freePages = this.pages
    this.runMax = this.pages
  }
}
