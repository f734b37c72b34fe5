import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { FlatMap } from './flat-map.ts'

test('it has the items of a Map, in the same order', () => {
  const below = randomFrom(11)
  for (const [keys, removals] of [
    [12, 5],
    [200, 4],
    [5000, 5],
    [5000, 2],
  ]) {
    const map = new FlatMap<{ key: number }>()
    const model = new Map<number, { key: number }>()
    const keyOf = (i: number) => (i % 3 === 0 ? i * 0x1_0000_0001 : i)
    for (let i = 0; i < 20_000; i++) {
      const key = keyOf(below(keys))
      if (below(10) < removals) assert.equal(map.delete(key), model.delete(key))
      else {
        const item = { key }
        map.set(key, item)
        model.set(key, item)
      }
      const probe = keyOf(below(keys))
      assert.equal(map.get(probe), model.get(probe))
      assert.equal(map.has(probe), model.has(probe))
      assert.equal(map.size, model.size)
      if (i % 1000 !== 0) continue
      const seen: object[] = []
      map.forEach(item => void seen.push(item))
      assert.deepEqual(seen, [...model.values()])
    }
  }
})

test('items are removed while they are visited', () => {
  const map = new FlatMap<{ key: number }>()
  for (let key = 0; key < 100; key++) map.set(key, { key })
  const seen: number[] = []
  map.forEach(({ key }) => {
    seen.push(key)
    map.delete(key)
    map.delete(99 - key)
  })
  assert.deepEqual(
    seen,
    Array.from({ length: 50 }, (_, key) => key),
  )
  assert.equal(map.size, 0)
})
