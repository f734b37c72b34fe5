import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { sha256Hex } from './sha256.ts'
import { Slice } from './slice.ts'

test('the digests of the standard', () => {
  assert.equal(sha256Hex(Slice.of('')), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  assert.equal(sha256Hex(Slice.of('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('messages of every length around a block', () => {
  for (let length = 0; length < 200; length++) {
    const text = 'é'.repeat(length)
    assert.equal(sha256Hex(Slice.of(text)), createHash('sha256').update(text, 'latin1').digest('hex'))
  }
})
