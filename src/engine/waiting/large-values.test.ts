import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../../test/harness/machine.ts'
import { bytesOf } from '../../lib/bytes.ts'
import { virtualSystem } from '../../system/virtual.ts'

const FIELDS = 5000

/** A server with a small and a large key that is in the middle of a save, and has come to neither. */
async function saving() {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { 'rdb-key-save-delay': '20000' })
  server.call('hset', 'large', ...Array.from({ length: FIELDS * 2 }, (_, i) => `field or value ${i}`))
  server.call('set', 'small', 1)
  server.call('set', 'other', 1)
  server.connect()
  const digest = server.digest()
  server.call('bgsave')
  return { machine, server, digest }
}

async function savedDigest(machine: ReturnType<typeof virtualSystem>): Promise<string> {
  return (await MachineServer.start(machine)).digest()
}

for (const words of [
  ['hset', 'large', 'new', 'field'],
  ['pexpire', 'large', '100000'],
  ['eval', "return redis.call('hset', KEYS[1], 'new', 'field')", '1', 'large'],
])
  test(`a client that would change a large value waits for the save to take it: ${words[0]}`, async () => {
    const { machine, server, digest } = await saving()
    server.send(1, words)
    server.send(1, ['get', 'small'])
    machine.settle()
    assert.deepEqual(server.take(1), [], 'neither this command nor what comes behind it has run')
    assert.equal(server.call('set', 'other', 2), 'OK', 'another client goes on')
    assert.equal(server.call('hget', 'large', 'field or value 0'), 'field or value 1', 'reading waits for nothing')
    machine.advance(100)
    assert.deepEqual(server.take(1), [1, '1'])
    machine.advance(1000)
    assert.equal(await savedDigest(machine), digest)
  })

test('an inline command with quotes is read again as it was sent', async () => {
  const { machine, server } = await saving()
  server.write(1, bytesOf('HSET large "a\\x41\\n\\"b" \'c d\\\'\'\r\n'))
  machine.settle()
  assert.deepEqual(server.take(1), [])
  machine.advance(100)
  assert.deepEqual(server.take(1), [1])
  assert.equal(server.call('hget', 'large', 'aA\n"b'), "c d'")
})

test('a transaction waits as a whole', async () => {
  const { machine, server, digest } = await saving()
  for (const words of [['multi'], ['incr', 'small'], ['hdel', 'large', 'field or value 0'], ['exec']])
    server.send(1, words)
  machine.settle()
  assert.deepEqual(server.take(1), ['OK', 'QUEUED', 'QUEUED'])
  assert.equal(server.call('get', 'small'), '1')
  machine.advance(100)
  assert.deepEqual(server.take(1), [[2, 1]])
  machine.advance(1000)
  assert.equal(await savedDigest(machine), digest)
})

test('removing or replacing a large value waits for nothing', async () => {
  for (const words of [
    ['del', 'large'],
    ['set', 'large', 'text'],
  ]) {
    const { machine, server, digest } = await saving()
    server.call(...words)
    machine.advance(1000)
    assert.equal(await savedDigest(machine), digest)
  }
})

test('a script that names no keys makes the save take the value at once', async () => {
  const { machine, server, digest } = await saving()
  assert.equal(server.call('eval', "return redis.call('hset', 'large', 'new', 'field')", 0), 1)
  machine.advance(1000)
  assert.equal(await savedDigest(machine), digest)
})

test('who waits goes on when the save is given up', async () => {
  const { machine, server } = await saving()
  server.send(1, ['hset', 'large', 'new', 'field'])
  machine.settle()
  assert.deepEqual(server.take(1), [])
  server.call('flushall')
  machine.advance(1)
  assert.deepEqual(server.take(1), [1])
})
