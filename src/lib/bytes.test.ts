import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, latin1Text, releaseBuffer, writeLatin1 } from './bytes.ts'

test('a buffer can be released twice', () => {
  const { buffer } = new Uint8Array(1000)
  const left = releaseBuffer(buffer)
  assert.ok(left === 0 || left === 1000, 'at once, or by the collector')
  assert.equal(buffer.byteLength, left)
  assert.equal(releaseBuffer(buffer), left)
})

test('texts of every length are written where they belong, and nothing beside them', () => {
  for (let length = 0; length < 300; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => 255 - ((i * 7 + length) & 255))
    const text = String.fromCharCode(...bytes)
    assert.deepEqual(bytesOf(text), bytes)
    const u8 = new Uint8Array(length + 10).fill(9)
    writeLatin1(u8, 5, text)
    assert.equal(latin1Text(u8), `${'\t'.repeat(5)}${text}${'\t'.repeat(5)}`)
  }
})
