import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GarbageLimit } from './garbage-limit.ts'

test('garbage above what is allowed is collected, and what stays then is not', () => {
  let bytes = 80
  let collections = 0
  const limit = new GarbageLimit({ runtimeBytes: () => bytes, allowedBytes: () => 30, collect: () => collections++ })
  const look = (now: number) => {
    bytes = now
    limit.look()
    return collections
  }
  assert.deepEqual([80, 100, 110].map(look), [0, 0, 0])
  assert.equal(look(111), 1)
  // While it is collected.
  assert.deepEqual([...Array(29).fill(150), 120].map(look), Array(30).fill(1))
  assert.deepEqual([130, 150].map(look), [1, 1])
  assert.equal(look(151), 2)
  assert.deepEqual(Array(30).fill(90).map(look), Array(30).fill(2))
  assert.deepEqual([120, 70, 100].map(look), [2, 2, 2])
  assert.equal(look(101), 3)
})
