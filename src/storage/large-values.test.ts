// Values that are longer than a piece of their record: written, read, saved and moved in slices.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { slowSystem } from '../../test/harness/slow-system.ts'
import { virtualSystem } from '../system/virtual.ts'

const COLD = { storage: 'disk', 'storage-memory': '4mb', 'storage-value-max': '64mb' }
/** What a look at the clock takes, in tests of slices. */
const LOOK_US = 100
const REFUSED = 'ERR A value of this command cannot be read from disk'

/** Large values of each type, which all go to disk: an eighth of the limit is more than each of them. */
function fill(server: MachineServer): void {
  server.call('set', 'text', 'abc '.repeat(80_000))
  for (let i = 0; i < 3000; i++) {
    server.call('rpush', 'list', `element ${i} ${'-'.repeat(80)}`, i)
    server.call('hset', 'hash', `field ${i}`, `${i} `.repeat(20))
    server.call('sadd', 'set', `member ${i} ${'-'.repeat(50)}`)
    server.call('zadd', 'zset', i / 3, `member ${i} ${'-'.repeat(50)}`)
    server.call('xadd', 'stream', `${i + 1}-1`, 'field', `value ${i} ${'-'.repeat(50)}`)
  }
  for (let i = 0; i < 100; i++) server.call('hset', 'long elements', `field ${i}`, `${i}`.repeat(1000))
  server.call('set', 'k'.repeat(100_000), 'value '.repeat(40_000))
}

const NAMES = ['text', 'list', 'hash', 'set', 'zset', 'stream', 'long elements', 'k'.repeat(100_000)]

function figure(server: MachineServer, name: string): number {
  const found = new RegExp(`${name}:(\\d+)`).exec(String(server.call('info', 'storage')))
  assert.notEqual(found, null, name)
  return Number(found![1])
}

async function filled(directives: Readonly<Record<string, string>>, lookUs = 0): Promise<MachineServer> {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, directives, {}, slowSystem(machine.system, lookUs))
  fill(server)
  return server
}

/** All of these values leave memory: other values come instead. */
function chill(server: MachineServer): void {
  for (let i = 0; i < 200; i++) {
    server.call('set', `filler ${i % 100}`, 'x'.repeat(60_000))
    server.machine.advance(100)
  }
  server.machine.advance(5000)
}

function isOnDisk(server: MachineServer, name: string): boolean {
  return String(server.call('debug', 'storage', name)).startsWith('value:disk')
}

test('large values of all types leave memory and come back as they were', async () => {
  const server = await filled(COLD)
  const digests = () => NAMES.map(name => server.call('debug', 'digest-value', name))
  const encodings = () => NAMES.map(name => server.call('object', 'encoding', name))
  const [before, named] = [digests(), encodings()]
  for (let round = 0; round < 3; round++) {
    chill(server)
    for (const name of NAMES) assert.ok(isOnDisk(server, name), name)
    const waits = figure(server, 'storage_waits')
    for (const [command, ...args] of [
      ['strlen', 'text'],
      ['llen', 'list'],
      ['hlen', 'hash'],
      ['scard', 'set'],
      ['zcard', 'zset'],
      ['xlen', 'stream'],
      ['hlen', 'long elements'],
      ['strlen', 'k'.repeat(100_000)],
    ])
      assert.ok(Number(server.call(command, ...args)) > 0)
    assert.equal(figure(server, 'storage_waits'), waits)
    assert.deepEqual(digests(), before)
    assert.deepEqual(encodings(), named)
  }
})

test('others are served while a large value is read in, and while one is written', async () => {
  const server = await filled(COLD, LOOK_US)
  chill(server)
  server.machine.disk.latencyMs = () => 1
  const other = server.connect()
  server.send(0, ['hlen', 'hash'])
  let served = 0
  while (server.take(0).length === 0) {
    server.send(other, ['ping'])
    server.machine.advance(1)
    served += server.take(other).length
  }
  assert.ok(served > 3, String(served))
  // Written again, as it changes; by the time that it has left, many commands ran.
  server.call('hset', 'hash', 'another', 'x')
  server.call('config', 'set', 'storage-memory', '1mb')
  assert.equal(server.call('debug', 'storage', 'hash'), 'value:memory')
})

test('a client that goes while its large value is read in leaves nothing behind', async () => {
  const server = await filled(COLD, LOOK_US)
  chill(server)
  server.machine.disk.latencyMs = () => 5
  const { arena } = server.server.engine.keyspace
  for (const name of ['text', 'hash', 'list', 'zset']) {
    const used = arena.usedBytes
    const reader = server.connect()
    server.send(reader, ['client', 'id'])
    server.machine.settle()
    const [id] = server.take(reader)
    server.send(reader, ['copy', name, 'copied'])
    server.machine.advance(12)
    assert.equal(figure(server, 'storage_fault_queue'), 1)
    server.call('client', 'kill', 'id', Number(id))
    server.machine.advance(1000)
    assert.equal(figure(server, 'storage_fault_queue'), 0)
    assert.ok(isOnDisk(server, name))
    assert.ok(arena.usedBytes < used + 20_000, `${arena.usedBytes} ${used}`)
  }
})

// 40: the save is busy with other values for many turns when the value that a client wants has been read.
for (const latencyMs of [3, 40])
  test(`a large value is read while a background save writes it, from a disk that takes ${latencyMs} ms`, async () => {
    const server = await filled(COLD, LOOK_US)
    chill(server)
    const { machine } = server
    machine.disk.latencyMs = () => latencyMs
    const digest = server.call('debug', 'digest')
    const waits = figure(server, 'storage_waits')
    server.call('bgsave')
    const reader = server.connect()
    for (let round = 0; round < 5; round++)
      for (const command of [
        ['hlen', 'hash'],
        ['llen', 'list'],
        ['zcard', 'zset'],
      ]) {
        server.send(reader, command)
        machine.advance(1)
      }
    for (let i = 0; i < 400 && !/rdb_bgsave_in_progress:0/.test(String(server.call('info', 'persistence'))); i++)
      machine.advance(20)
    assert.match(String(server.call('info', 'persistence')), /rdb_bgsave_in_progress:0.*rdb_last_bgsave_status:ok/s)
    machine.advance(5000)
    assert.equal(figure(server, 'storage_waits'), waits)
    assert.equal(server.take(reader).length, 15)
    machine.disk.latencyMs = () => 0
    machine.advance(1000)
    const again = await MachineServer.start(machine)
    assert.equal(again.call('debug', 'digest'), digest)
  })

for (const [what, at] of [
  ['at its begin', 200],
  ['in the middle', 130_000],
] as const)
  test(`a large value that is damaged ${what} is refused, and not saved`, async () => {
    const server = await filled(COLD)
    chill(server)
    const [, segment, offset] = /segment:(\d+) offset:(\d+)/.exec(String(server.call('debug', 'storage', 'hash')))!
    const { disk } = server.machine
    const folder = disk.readdir('.').find(name => name.startsWith('storage-'))!
    const fd = disk.open(`${folder}/value-${segment}.log`, 'r+')
    disk.write(fd, new Uint8Array(50).fill(7), 0, 50, Number(offset) + at)
    disk.close(fd)
    const reply = server.call('hlen', 'hash')
    assert.equal(reply instanceof RespError ? reply.message : reply, REFUSED)
    assert.ok(server.call('debug', 'digest') instanceof RespError)
    server.call('bgsave')
    server.machine.advance(10_000)
    assert.match(String(server.call('info', 'persistence')), /rdb_bgsave_in_progress:0.*rdb_last_bgsave_status:err/s)
    assert.equal(server.call('del', 'hash'), 1)
    server.call('bgsave')
    server.machine.advance(10_000)
    assert.match(String(server.call('info', 'persistence')), /rdb_last_bgsave_status:ok/)
  })
