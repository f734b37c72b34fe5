import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keySlot } from '../lib/crc16.ts'
import { Slice } from '../lib/slice.ts'
import { SLOTS } from './bitmap.ts'
import { SlotTags } from './slot-tags.ts'

test('every slot has a tag of three letters that hashes to it', () => {
  const tags = new SlotTags()
  for (let slot = 0; slot < SLOTS; slot++) {
    const tag = tags.tagOf(slot)
    assert.equal(tag.length, 3)
    assert.equal(keySlot(Slice.of(`0-{${tag}}-12`)), slot)
  }
})
