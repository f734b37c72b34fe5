import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../system/random.ts'
import { BITMAP_BYTES, bitmapOf, eachRange, hasBit, SLOTS, slotsIn } from './bitmap.ts'

/** Slot by slot. */
function naiveRanges(bitmap: Uint8Array): [number, number][] {
  const ranges: [number, number][] = []
  for (let slot = 0; slot < SLOTS; slot++) {
    if (!hasBit(bitmap, slot)) continue
    if (slot > 0 && hasBit(bitmap, slot - 1)) ranges[ranges.length - 1][1] = slot
    else ranges.push([slot, slot])
  }
  return ranges
}

function rangesOf(bitmap: Uint8Array): [number, number][] {
  const ranges: [number, number][] = []
  eachRange(bitmap, (first, last) => void ranges.push([first, last]))
  return ranges
}

test('ranges are those of the bits, wherever they begin and end', () => {
  const ends = [0, 1, 6, 7, 8, 9, 15, 16, 17, 16374, 16375, 16376, 16382, 16383]
  for (const first of ends)
    for (const last of ends) if (first <= last) assert.deepEqual(rangesOf(bitmapOf([[first, last]])), [[first, last]])
  assert.deepEqual(rangesOf(new Uint8Array(BITMAP_BYTES)), [])
  const random = seededRandom(3)
  for (const density of [2, 7, 100, 3000]) {
    const bitmap = new Uint8Array(BITMAP_BYTES)
    let isSet = false
    for (let slot = 0; slot < SLOTS; slot++) {
      if (random.u32() % density === 0) isSet = !isSet
      if (isSet) bitmap[slot >> 3] |= 1 << (slot & 7)
    }
    const ranges = naiveRanges(bitmap)
    assert.deepEqual(rangesOf(bitmap), ranges)
    assert.equal(
      slotsIn(bitmap).length,
      ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0),
    )
  }
})
