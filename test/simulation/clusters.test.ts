import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { runCluster } from './clusters.ts'

/** CLUSTER_SEEDS=1000 for a long run. */
const SEEDS = Number(process.env['CLUSTER_SEEDS'] ?? 6)
const FIRST = Number(process.env['CLUSTER_FIRST'] ?? 1)

test('whatever nodes and the network suffer, a cluster heals and keeps its promises', {
  timeout: 600_000,
}, async () => {
  let failovers = 0
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const result = await runCluster(seed)
    assert.deepEqual(result.violations, [], `seed ${seed}: ${result.faults.join(', ')}`)
    failovers += result.failovers
  }
  assert.ok(failovers > 0)
})
