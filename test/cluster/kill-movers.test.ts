import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { killMovers } from './kill-movers.ts'

test('slots that move while their source or their target is killed have one owner and all of their keys', {
  timeout: 240_000,
}, async () => {
  const { moved, kept, failures } = await killMovers({
    kills: 2,
    victims: ['source', 'target'],
    timeoutMs: 1000,
    port: 12_000 + (process.pid % 500) * 20,
    seed: 1,
    bytes: 100,
  })
  assert.deepEqual(failures, [])
  assert.equal(moved + kept, 2)
})
