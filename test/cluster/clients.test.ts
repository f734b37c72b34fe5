import assert from 'node:assert/strict'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { projectRoot } from '../tidy/source.ts'
import { clusterClients } from './clients.ts'

test('clients for clusters see no error while slots move whole and roles are exchanged, and read what they wrote', {
  timeout: 240_000,
}, async () => {
  const seen = await clusterClients({
    clients: ['ioredis', 'node-redis'],
    phases: ['quiet', 'whole', 'failover', 'whole'],
    servers: [join(projectRoot, 'bin/redstart')],
    timeoutMs: 5000,
    slots: 300,
    port: 12_000 + (process.pid % 500) * 20,
    cli: '',
    python: '',
  })
  for (const [library, phases] of seen)
    for (const { name, operations, wrong, errors } of phases) {
      assert.deepEqual(errors, {}, `${library}, ${name}`)
      assert.equal(wrong, 0, `${library}, ${name}`)
      assert.ok(operations > 0)
    }
})
