import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestWord } from './nearest.ts'

test('the nearest word within a change for three letters', () => {
  const known = ['maxmemory', 'maxmemory-policy', 'maxclients']
  assert.equal(nearestWord('maxmemry', known), 'maxmemory')
  assert.equal(nearestWord('MaxMemory', known), 'maxmemory')
  assert.equal(nearestWord('maxmemory-polcy', known), 'maxmemory-policy')
  assert.equal(nearestWord('timeout', known), undefined)
})
