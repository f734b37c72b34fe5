import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { virtualSystem } from '../system/virtual.ts'

test('the peak of output is what a client has beyond its own reply buffer', async () => {
  const { server } = await MachineServer.start(virtualSystem(), {})
  server.memory.connect()
  const { clientsCron } = server.maintenance
  const [client] = server.engine.clients.values()
  client.outBytes = client.replyShare
  clientsCron.tick(1)
  assert.equal(clientsCron.outputPeakBytes, 0)
  client.outBytes = client.replyShare + 100
  clientsCron.tick(1)
  assert.ok(clientsCron.outputPeakBytes >= 100)
})

test('a client whose output grows at the end of a turn is evicted before the next command', async () => {
  const { server } = await MachineServer.start(virtualSystem(), { 'maxmemory-clients': '200kb' })
  const redirected = server.memory.connect()
  redirected.pause()
  redirected.write('SUBSCRIBE __redis__:invalidate\r\n')
  const [{ id }] = server.engine.clients.values()
  const writer = server.memory.connect()
  writer.write(`CLIENT TRACKING on REDIRECT ${id} BCAST\r\n`)
  for (let i = 0; i < 3; i++) writer.write(`SET ${'k'.repeat(60_000)}${i} v\r\n`)
  assert.equal(server.engine.stats.evictedClients, 0)
  writer.write(`SET ${'k'.repeat(60_000)}3 v\r\n`)
  assert.equal(server.engine.stats.evictedClients, 1)
})
