import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { runReplicas } from './replicas.ts'

/** REPLICA_SEEDS=1000 for a long run. */
const SEEDS = Number(process.env['REPLICA_SEEDS'] ?? 12)
const FIRST = Number(process.env['REPLICA_FIRST'] ?? 0)

test('whatever links and replicas suffer, all end with the dataset of the primary', { timeout: 300_000 }, async () => {
  let fullSyncs = 0
  let partialSyncs = 0
  const faults = new Set<string>()
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const result = await runReplicas(seed)
    const [primary, ...others] = result.digests
    for (const digest of others) assert.equal(digest, primary, `seed ${seed}: ${result.faults.join(' ')}`)
    fullSyncs += result.fullSyncs
    partialSyncs += result.partialSyncs
    for (const one of result.faults) faults.add(one)
  }
  assert.ok(fullSyncs >= SEEDS * 2, `${fullSyncs} full synchronisations`)
  assert.ok(partialSyncs > SEEDS, `${partialSyncs} partial synchronisations`)
  for (const one of ['cut', 'kill', 'stop', 'slow', 'heal']) assert.ok(faults.has(one), one)
})
