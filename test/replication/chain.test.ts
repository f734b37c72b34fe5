// The long form: chain.ts. With a REDIS_SERVER that reads our files every second server is that one, otherwise all are
// ours.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oraclePath, skipUnlessReadsOurs } from '../harness/oracle.ts'
import { OURS, runChain } from './chain.ts'

const REAL = skipUnlessReadsOurs === false ? oraclePath! : OURS

for (const commands of [
  [OURS, REAL, OURS],
  [REAL, OURS, REAL],
]) {
  const names = commands.map(one => (one === OURS ? 'ours' : 'real')).join(', ')
  test(`links that are cut go on where they were, and all end equal: ${names}`, { timeout: 180_000 }, async () => {
    const { digests, fullSyncs, cuts } = await runChain({ commands, seed: 1, seconds: 6, kill: false })
    assert.equal(new Set(digests).size, 1)
    assert.deepEqual(fullSyncs, [1, 1, 0])
    assert.ok(cuts > 0)
  })
}

test('so do values of a module, of replicas that are killed too', { timeout: 180_000 }, async () => {
  const commands = [OURS, OURS, OURS]
  const { digests, tallies } = await runChain({ commands, seed: 1, seconds: 6, kill: true, module: true })
  assert.equal(new Set(digests).size, 1)
  assert.ok(tallies > 0)
})
