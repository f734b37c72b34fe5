// RecentTexts: what was last found for a text, by its bytes. EVAL sends the same few scripts again and again, and
// comparing a text with its copy is cheaper than its digest.
//
// Always: at most SLOTS texts of at most TEXT_BYTES_MAX bytes; a text has one place, where the last one of its hash is.

import type { Slice } from '../lib/slice.ts'

const SLOTS = 64
const TEXT_BYTES_MAX = 8 * 1024

export class RecentTexts<T> {
  private readonly texts: (Slice | undefined)[] = []
  private readonly values: (T | undefined)[] = []

  constructor() {
    this.clear()
  }

  find(text: Slice): T | undefined {
    const place = placeOf(text)
    const known = this.texts[place]
    return known?.equals(text) === true ? this.values[place] : undefined
  }

  set(text: Slice, value: T): void {
    if (text.len > TEXT_BYTES_MAX) return
    const place = placeOf(text)
    this.texts[place] = text.copy()
    this.values[place] = value
  }

  clear(): void {
    for (let i = 0; i < SLOTS; i++) this.texts[i] = this.values[i] = undefined
  }
}

/** By the length and twelve of the bytes: scripts begin and end alike. */
function placeOf({ dv, off, len }: Slice): number {
  if (len < 4) return len
  let hash = Math.imul(dv.getInt32(off, true) ^ len, 0x9e3779b1)
  hash = Math.imul(hash ^ dv.getInt32(off + ((len - 4) >> 1), true), 0x85ebca6b)
  hash = Math.imul(hash ^ dv.getInt32(off + len - 4, true), 0x9e3779b1)
  return (hash >>> 16) & (SLOTS - 1)
}
