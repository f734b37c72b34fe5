// The long form: kill.ts. With a REDIS_SERVER that reads our files one of the two servers is that one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oraclePath, skipUnlessReadsOurs } from '../harness/oracle.ts'
import { OURS } from './chain.ts'
import { runKills } from './kill.ts'

const REAL = skipUnlessReadsOurs === false ? oraclePath! : OURS
const KILLS = 4

test('whenever a replica is killed it comes back, and what was confirmed is there', { timeout: 180_000 }, async () => {
  const { kills, failures, fullSyncs } = await runKills({ commands: [OURS, REAL], kills: KILLS, seed: 2 })
  assert.deepEqual(failures, [])
  assert.ok(Object.values(kills).reduce((sum, n) => sum + n, 0) >= KILLS)
  assert.ok(fullSyncs > 0)
})
