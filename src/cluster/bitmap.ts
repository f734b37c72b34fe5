// Bitmaps of hash slots as messages carry them: bit `slot & 7` of byte `slot >> 3`.

export const SLOTS = 16384
export const BITMAP_BYTES = SLOTS / 8

export function hasBit(bitmap: Uint8Array, slot: number): boolean {
  return (bitmap[slot >> 3] & (1 << (slot & 7))) !== 0
}

export function setBit(bitmap: Uint8Array, slot: number): void {
  bitmap[slot >> 3] |= 1 << (slot & 7)
}

export function clearBit(bitmap: Uint8Array, slot: number): void {
  bitmap[slot >> 3] &= ~(1 << (slot & 7))
}

/** Calls `visit` with the first and the last slot of each run of set bits, in order. */
export function eachRange(bitmap: Uint8Array, visit: (first: number, last: number) => void): void {
  let first = -1
  for (let at = 0; at < BITMAP_BYTES; at++) {
    const byte = bitmap[at]
    // No run begins or ends here.
    if (byte === (first < 0 ? 0 : 0xff)) continue
    for (let bit = 0; bit < 8; bit++) {
      const isSet = (byte & (1 << bit)) !== 0
      if (isSet === first >= 0) continue
      if (!isSet) visit(first, at * 8 + bit - 1)
      first = isSet ? at * 8 + bit : -1
    }
  }
  if (first >= 0) visit(first, SLOTS - 1)
}

/** The ranges of set bits, as nodes are described: '0-100 200'. */
export function rangesText(bitmap: Uint8Array): string {
  const ranges: string[] = []
  eachRange(bitmap, (first, last) => void ranges.push(first === last ? String(first) : `${first}-${last}`))
  return ranges.join(' ')
}

/** The slots of part `i` when all are divided evenly. */
export function evenRange(i: number, parts: number): [first: number, last: number] {
  const begin = (n: number) => Math.round((SLOTS / parts) * n)
  return [begin(i), begin(i + 1) - 1]
}

/** The slots whose bits are set, in order. */
export function slotsIn(bitmap: Uint8Array): number[] {
  const slots: number[] = []
  eachRange(bitmap, (first, last) => {
    for (let slot = first; slot <= last; slot++) slots.push(slot)
  })
  return slots
}

export function bitmapOf(ranges: readonly (readonly [first: number, last: number])[]): Uint8Array {
  const bitmap = new Uint8Array(BITMAP_BYTES)
  for (const [first, last] of ranges) for (let slot = first; slot <= last; slot++) setBit(bitmap, slot)
  return bitmap
}
