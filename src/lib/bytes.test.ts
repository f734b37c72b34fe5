import assert from 'node:assert/strict'
import { test } from 'node:test'
import { releaseBuffer } from './bytes.ts'

test('a buffer can be released twice', () => {
  const { buffer } = new Uint8Array(1000)
  const left = releaseBuffer(buffer)
  assert.ok(left === 0 || left === 1000, 'at once, or by the collector')
  assert.equal(buffer.byteLength, left)
  assert.equal(releaseBuffer(buffer), left)
})
