import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from './histogram.ts'

test('percentiles are the highest value of their step, as HdrHistogram has it', () => {
  const one = new Histogram()
  for (const us of [1, 2, 3, 20]) one.record(us * 1000, 1)
  // What redis-server prints for these times.
  assert.deepEqual(
    [50, 99, 99.9, 100].map(p => one.percentile(p)),
    [2007, 20095, 20095, 20095],
  )
  assert.equal(one.percentile(0), 1000)
})

test('small and huge values keep to the range', () => {
  const one = new Histogram()
  one.record(0, 1)
  assert.equal(one.percentile(50), 1)
  one.record(1e15, 3)
  assert.ok(one.percentile(99) >= 1e9)
  assert.equal(one.total, 4)
})

test('doublings count up to the end and no further', () => {
  const one = new Histogram()
  one.record(1000, 5)
  one.record(5000, 2)
  one.record(40_000, 1)
  assert.deepEqual(
    [...one.doublings(1024)].map(([value, count]) => [Math.floor(value / 1000), count]),
    [
      [1, 5],
      [2, 5],
      [4, 5],
      [8, 7],
      [16, 7],
      [33, 7],
      [66, 8],
    ],
  )
})

test('a value recorded many times at once counts as often', () => {
  const a = new Histogram()
  const b = new Histogram()
  for (let i = 0; i < 100; i++) a.record(i * 1000, 3)
  for (let i = 0; i < 300; i++) b.record(Math.floor(i / 3) * 1000, 1)
  for (const p of [1, 10, 50, 90, 99]) assert.equal(a.percentile(p), b.percentile(p))
})
