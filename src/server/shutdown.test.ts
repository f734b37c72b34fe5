import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { virtualSystem } from '../system/virtual.ts'
import { ShutdownAborted } from './launch.ts'

test('SHUTDOWN ABORT takes back an end that a signal asked for, while the cron stands', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine)
  server.call('debug', 'pause-cron', 1)
  const ending = assert.rejects(server.server.shutdownSoon(['nosave']), ShutdownAborted)
  assert.equal(server.call('shutdown', 'abort'), 'OK')
  await ending
  assert.match(machine.out, /Shutdown manually aborted\./)
  server.call('debug', 'pause-cron', 0)
  machine.advance(1000)
  assert.equal(server.call('ping'), 'PONG')
  assert.ok(server.call('shutdown', 'abort') instanceof RespError)
})

test('what was not taken back comes with the next turn of the cron', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine)
  server.call('debug', 'pause-cron', 1)
  const ending = server.server.shutdownSoon(['save'])
  machine.advance(1000)
  assert.equal(server.call('ping'), 'PONG')
  server.call('debug', 'pause-cron', 0)
  await server.until(ending)
  assert.ok(machine.disk.stat('dump.rdb'))
})

test('an end that a signal asked for waits for the script that is running', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine)
  let running: object | undefined = {}
  Object.defineProperty(server.server.engine.scripting, 'running', { get: () => running })
  let ended = false
  const ending = server.server.shutdownSoon(['nosave']).then(() => {
    ended = true
  })
  for (let i = 0; i < 10; i++) {
    machine.advance(100)
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.equal(ended, false)
  running = undefined
  await server.until(ending)
})

test('SHUTDOWN SAVE and NOSAVE stand above the save points', async () => {
  for (const [save, flags, saved] of [
    ['', [], false],
    ['', ['save'], true],
    ['60 1', [], true],
    ['60 1', ['nosave'], false],
    ['60 1', ['nosave', 'now', 'force'], false],
  ] as const) {
    const machine = virtualSystem()
    const server = await MachineServer.start(machine, { save })
    server.call('set', 'k', 'v')
    await server.stop(flags)
    assert.equal(machine.disk.stat('dump.rdb') !== null, saved, `save '${save}', SHUTDOWN ${flags.join(' ')}`)
  }
})

test('a save that fails keeps the server going, unless FORCE is said', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { save: '60 1' })
  machine.disk.failWrites = 'ENOSPC'
  server.call('ping')
  server.send(0, ['shutdown'])
  machine.settle()
  await new Promise(resolve => setImmediate(resolve))
  machine.settle()
  const [reply] = server.take(0)
  assert.ok(reply instanceof RespError)
  assert.equal(reply.message, 'ERR Errors trying to SHUTDOWN. Check logs.')
  assert.equal(server.call('ping'), 'PONG')
  await assert.rejects(server.stop())
  await server.stop(['force'])
})

test('while the last snapshot is written nothing changes, and a failure lets all go on with its log', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { save: '60 1', appendonly: 'yes', 'rdb-key-save-delay': '1000' })
  for (let i = 0; i < 20; i++) server.call('set', `k${i}`, i)
  machine.disk.failWrites = 'ENOSPC'
  const failing = assert.rejects(server.until(server.server.shutdown()), /could not be saved/)
  server.send(0, ['set', 'late', 1])
  assert.deepEqual(server.take(0), [], 'it waits')
  await failing
  machine.disk.failWrites = null
  machine.settle()
  assert.deepEqual(server.take(0), ['OK'])
  server.call('config', 'set', 'save', '')
  const digest = server.digest()
  await server.stop()
  const again = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.equal(again.digest(), digest)
})

test('who ends at once during the last snapshot leaves nothing half-written', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { save: '60 1', 'rdb-key-save-delay': '1000' })
  for (let i = 0; i < 20; i++) server.call('set', `k${i}`, i)
  void server.server.shutdown()
  machine.advance(5)
  assert.deepEqual(machine.disk.readdir('/'), ['dump.rdb.lock', 'temp-4242.rdb'])
  server.server.abandon()
  assert.deepEqual(machine.disk.readdir('/'), [])
})
