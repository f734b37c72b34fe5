// SortElements: byte strings copied out of the keyspace for SORT, concatenated in one buffer.
//
//   bytes  [ element 0 | element 1 | … | free ]      starts[i] .. starts[i] + lengths[i]; length -1: missing
//
// Always: an element keeps its index; indexes are sorted.

import { copySlice } from '../../../lib/bytes.ts'
import type { Slice } from '../../../lib/slice.ts'

const START_BYTES = 1024

export class SortElements {
  private bytes = new Uint8Array(START_BYTES)
  private view = new DataView(this.bytes.buffer)
  private used = 0
  private readonly starts: number[] = []
  private readonly lengths: number[] = []

  get count(): number {
    return this.starts.length
  }

  add(s: Slice): void {
    if (this.used + s.len > this.bytes.length) this.grow(s.len)
    copySlice(this.bytes, this.view, this.used, s)
    this.starts.push(this.used)
    this.lengths.push(s.len)
    this.used += s.len
  }

  addMissing(): void {
    this.starts.push(0)
    this.lengths.push(-1)
  }

  isMissing(i: number): boolean {
    return this.lengths[i] < 0
  }

  /** Points `out` at element i. */
  get(i: number, out: Slice): Slice {
    return out.set(this.bytes, this.view, this.starts[i], this.lengths[i])
  }

  /** memcmp order; missing elements are equal and come first. */
  compare(i: number, j: number): number {
    const { bytes, starts, lengths } = this
    const shorter = Math.min(lengths[i], lengths[j])
    const from = starts[i]
    const distance = starts[j] - from
    for (let at = from, end = from + shorter; at < end; at++) {
      const difference = bytes[at] - bytes[at + distance]
      if (difference !== 0) return difference
    }
    return lengths[i] - lengths[j]
  }

  /** strcoll order: strings end at their first NUL; missing elements are equal and come first. */
  collate(i: number, j: number): number {
    const { bytes, starts, lengths } = this
    const shorter = Math.min(lengths[i], lengths[j])
    if (shorter < 0) return lengths[i] - lengths[j]
    const from = starts[i]
    const distance = starts[j] - from
    for (let at = from, end = from + shorter; at < end; at++) {
      const difference = bytes[at] - bytes[at + distance]
      if (difference !== 0) return difference
      if (bytes[at] === 0) return 0
    }
    if (lengths[i] === lengths[j]) return 0
    const rest = bytes[starts[lengths[i] > shorter ? i : j] + shorter]
    return rest === 0 ? 0 : lengths[i] - lengths[j]
  }

  private grow(more: number): void {
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, this.used + more))
    bytes.set(this.bytes)
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }
}
