// The long form: kill.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKills } from './kill.ts'

test('what was acknowledged is there after a SIGKILL, values of a module too', { timeout: 120_000 }, async () => {
  const { kills, failures } = await runKills('always', 3, 1, { module: true })
  assert.deepEqual(failures, [])
  assert.equal(kills, 3)
})
