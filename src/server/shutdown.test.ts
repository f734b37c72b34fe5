import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { ShutdownAborted } from './launch.ts'
import { virtualSystem } from './system/virtual.ts'

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
  machine.advance(1000)
  await ending
  assert.ok(machine.disk.stat('dump.rdb'))
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
