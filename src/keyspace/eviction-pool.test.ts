import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { EvictionPool } from './eviction-pool.ts'

test('the pool has the 16 best of all that was offered, in order', () => {
  const random = randomFrom(16)
  for (let round = 0; round < 50; round++) {
    const pool = new EvictionPool()
    let model: { score: number; entry: number }[] = []
    for (let entry = 1; entry <= 100; entry++) {
      const score = random(40)
      const place = pool.placeOf(score)
      assert.equal(place < 0, model.length === 16 && model.every(one => one.score >= score))
      if (place >= 0) {
        pool.insert(place, score, entry % 3, entry, entry * 7)
        const at = model.filter(one => one.score <= score).length
        model.splice(at, 0, { score, entry })
        if (model.length > 16) model = model.slice(1)
        assert.ok(pool.has(entry % 3, entry))
        assert.ok(!pool.has((entry + 1) % 3, entry))
      }
      const next = model.at(-1)
      if (next !== undefined) assert.deepEqual([pool.bestDatabase, pool.bestHash], [next.entry % 3, next.entry * 7])
      if (random(5) > 0) continue
      assert.equal(pool.pop(), model.length > 0)
      const best = model.pop()
      if (best === undefined) continue
      assert.deepEqual(
        [pool.score, pool.database, pool.entry, pool.hash],
        [best.score, best.entry % 3, best.entry, best.entry * 7],
      )
    }
    assert.equal(pool.length, model.length)
  }
})
