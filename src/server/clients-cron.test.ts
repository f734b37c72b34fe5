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
