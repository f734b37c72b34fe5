import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { latin1Text } from '../../test/harness/resp.ts'
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

test('what an idle client has announced and not sent is given back, and taken again when it comes', async () => {
  const system = virtualSystem()
  const { server } = await MachineServer.start(system, {})
  const { engine } = server
  const connection = server.memory.connect()
  let replies = ''
  connection.onData = bytes => {
    replies += latin1Text(bytes)
  }
  const value = 'v'.repeat(1_000_000)
  connection.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n${value.slice(0, 50_000)}`)
  const [client] = engine.clients.values()
  assert.ok(client.partial!.bulkCapacity > value.length)
  system.advance(4000)
  assert.equal(client.partial!.bulkBytes, 50_000)
  assert.ok(client.partial!.bulkCapacity < 60_000)
  connection.write(value.slice(50_000, 700_000))
  connection.write(`${value.slice(700_000)}\r\n`)
  connection.write('STRLEN k\r\n')
  system.settle()
  assert.equal(replies, '+OK\r\n:1000000\r\n')
})
