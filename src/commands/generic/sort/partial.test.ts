import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sortSmallest } from './partial.ts'

test('the smallest values come first, in order', () => {
  let seed = 7
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return (seed >>> 8) % below
  }
  for (let i = 0; i < 3000; i++) {
    const length = random(300)
    const kinds = 1 + random(1 + random(500))
    const values = Float64Array.from({ length }, () => random(kinds) - (kinds >> 1))
    const expected = values.toSorted()
    const count = random(length + 1)
    sortSmallest(values, count)
    assert.deepEqual([...values.subarray(0, count)], [...expected.subarray(0, count)], `${length} ${count} ${kinds}`)
    assert.deepEqual(
      [...values].sort((a, b) => a - b),
      [...expected],
    )
  }
})

test('values in order, in reverse and all equal', () => {
  for (const valueOf of [(i: number) => i, (i: number) => -i, () => 5, (i: number) => i % 3]) {
    const values = Float64Array.from({ length: 10_000 }, (_, i) => valueOf(i))
    const expected = values.toSorted()
    sortSmallest(values, 10)
    assert.deepEqual([...values.subarray(0, 10)], [...expected.subarray(0, 10)])
  }
})
