import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../system/random.ts'
import { BITMAP_BYTES, clearBit, evenRange, hasBit, rangesText, SLOTS, setBit } from './bitmap.ts'
import { SlotSet } from './slot-set.ts'

/** The bitmap, with other bytes on either side. */
function between(bitmap: Uint8Array): DataView {
  const bytes = new Uint8Array(BITMAP_BYTES + 6).fill(0xff)
  bytes.set(bitmap, 3)
  return new DataView(bytes.buffer)
}

test('it has the slots that a bitmap of all has', () => {
  const random = seededRandom(8)
  for (const spread of [1, 3, 40, 700, SLOTS]) {
    const set = new SlotSet()
    const bitmap = new Uint8Array(BITMAP_BYTES)
    const from = random.u32() % (SLOTS - spread + 1)
    for (let i = 0; i < 500; i++) {
      const slot = from + (random.u32() % spread)
      assert.equal(set.has(slot), hasBit(bitmap, slot))
      if (set.has(slot)) {
        set.delete(slot)
        clearBit(bitmap, slot)
      } else {
        set.add(slot)
        setBit(bitmap, slot)
      }
      if (i % 10 > 0) continue
      assert.ok(set.equals(between(bitmap), 3))
      assert.deepEqual(set.bitmap, bitmap)
      assert.equal(set.ranges, rangesText(bitmap))
      const other = bitmap.slice()
      other[random.u32() % BITMAP_BYTES] ^= 1 << (random.u32() % 8)
      assert.ok(!set.equals(between(other), 3))
    }
    for (const slot of [0, 1, SLOTS - 1]) assert.equal(set.has(slot), hasBit(bitmap, slot))
  }
})

test('slots can be added from either end, and all can leave', () => {
  const set = new SlotSet()
  for (const [from, to, step] of [
    [0, SLOTS, 1],
    [SLOTS - 1, -1, -1],
  ]) {
    for (let slot = from; slot !== to; slot += step) set.add(slot)
    assert.equal(set.count, SLOTS)
    assert.equal(set.ranges, `0-${SLOTS - 1}`)
    for (let slot = from; slot !== to; slot += step) set.delete(slot)
    assert.equal(set.ranges, '')
    assert.ok(!set.has(from))
  }
  const [first, last] = evenRange(7, 500)
  for (let slot = first; slot <= last; slot++) set.add(slot)
  assert.equal(set.ranges, `${first}-${last}`)
})
