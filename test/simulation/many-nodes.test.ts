import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manyNodes } from './many-nodes.ts'

test('replicas of several primaries that die at once are elected soon, though they ask in the same epochs', {
  timeout: 240_000,
}, async () => {
  const options = { nodes: 20, killed: 0.3, timeoutMs: 2000, seed: 1, idleSeconds: 1 }
  const { primariesKilled, healedMs } = await manyNodes(options)
  assert.ok(primariesKilled > 2, `${primariesKilled} primaries`)
  // The next attempt would begin after four node timeouts.
  assert.ok(healedMs > 0 && healedMs < options.timeoutMs * 4, `healed after ${healedMs} ms`)
})
