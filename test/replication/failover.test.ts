// The long form: failover.ts. With a REDIS_SERVER that reads our files one of the two servers is that one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oraclePath, skipUnlessReadsOurs } from '../harness/oracle.ts'
import { OURS } from './chain.ts'
import { runFailovers } from './failover.ts'

const REAL = skipUnlessReadsOurs === false ? oraclePath! : OURS

test('FAILOVER under load exchanges the roles and loses no write', { timeout: 120_000 }, async () => {
  const { failures, pausesMs, fullSyncs } = await runFailovers([OURS, REAL], 4)
  assert.deepEqual(failures, [])
  assert.equal(pausesMs.length, 4)
  assert.equal(fullSyncs, 1)
})

test('and none to values of a module’s type', { timeout: 120_000 }, async () => {
  const { failures, pausesMs, fullSyncs } = await runFailovers([OURS, OURS], 4, true)
  assert.deepEqual(failures, [])
  assert.equal(pausesMs.length, 4)
  assert.equal(fullSyncs, 1)
})
