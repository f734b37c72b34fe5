import assert from 'node:assert/strict'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { projectRoot } from '../tidy/source.ts'
import { killPrimaries } from './kill-primaries.ts'

test('slots of killed primaries are written to again, and nothing that a replica had acknowledged is lost', {
  timeout: 120_000,
}, async () => {
  const server = join(projectRoot, 'bin/redstart')
  const options = {
    kills: 1,
    nodes: 6,
    timeoutMs: 1000,
    port: 12_000 + (process.pid % 500) * 20,
    seed: 1,
    servers: [server],
  }
  const { untilWritable, lost } = await killPrimaries(options)
  assert.equal(untilWritable.length, 1)
  assert.deepEqual(lost, [])
})
