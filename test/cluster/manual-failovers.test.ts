import assert from 'node:assert/strict'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { projectRoot } from '../tidy/source.ts'
import { manualFailovers } from './manual-failovers.ts'

test('a manual failover under load loses no write', { timeout: 120_000 }, async () => {
  const { pausesMs, failures, writes } = await manualFailovers({
    times: 2,
    shards: 1,
    timeoutMs: 15_000,
    port: 12_000 + (process.pid % 500) * 20,
    servers: [join(projectRoot, 'bin/redstart')],
  })
  assert.deepEqual(failures, [])
  assert.ok(pausesMs.length <= 2)
  assert.ok(writes > 0)
})
