import assert from 'node:assert/strict'
import test from 'node:test'
import { Buffers } from './buffers.ts'

test('a buffer that was given back is used again, for any size that fits', () => {
  const buffers = new Buffers()
  const first = buffers.take(1500)
  assert.equal(first.length, 1500)
  buffers.give(first)
  const second = buffers.take(2048)
  assert.equal(second.buffer, first.buffer)
  assert.equal(second.length, 2048)
  assert.notEqual(buffers.take(2048).buffer, first.buffer)
  buffers.give(second)
  assert.notEqual(buffers.take(2049).buffer, first.buffer)
})

test('a megabyte of each size is kept at most, eight of the largest, and nothing larger', () => {
  const buffers = new Buffers()
  const kept = (size: number) => {
    const taken = Array.from({ length: 50 }, () => buffers.take(size))
    for (const one of taken) buffers.give(one)
    const again = Array.from({ length: 50 }, () => buffers.take(size))
    return again.filter(one => taken.some(({ buffer }) => buffer === one.buffer)).length
  }
  const size = 256 * 1024
  assert.equal(kept(size / 2), 8)
  assert.equal(kept(size), 32)
  const large = buffers.take(size + 1)
  assert.equal(large.length, size + 1)
  buffers.give(large)
  assert.notEqual(buffers.take(size + 1).buffer, large.buffer)
})

test('what is no buffer of its own is not kept', () => {
  const buffers = new Buffers()
  const part = new Uint8Array(4096).subarray(2048)
  buffers.give(part)
  buffers.give(new Uint8Array(3000))
  assert.notEqual(buffers.take(4096).buffer, part.buffer)
})
