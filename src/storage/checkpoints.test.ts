import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import type { RespError } from '../../test/harness/resp.ts'
import { type VirtualMachine, virtualSystem } from '../system/virtual.ts'

const DISK = { storage: 'disk', 'storage-memory': '1', 'storage-segment-size': '65536', appendonly: 'yes' }
const FOLDER = 'appendonlydir'
const VALUES = `${FOLDER}/appendonly.aof.values`

function figure(server: MachineServer, name: string): number {
  const found = new RegExp(`${name}:(\\d+)`).exec(String(server.call('info', 'storage', 'persistence')))
  assert.notEqual(found, null, name)
  return Number(found![1])
}

function fill(server: MachineServer): void {
  for (let i = 0; i < 400; i++) {
    server.call('set', `text ${i}`, `${i} `.repeat(100))
    server.call('hset', `hash ${i % 20}`, `field ${i}`, 'x'.repeat(i))
    server.call('rpush', `list ${i % 20}`, `element ${i}`)
    server.call('zadd', 'zset', i, `member ${i}`)
    server.call('set', `small ${i}`, i)
  }
  server.call('expire', 'text 1', 1000)
  server.call('select', 2)
  server.call('set', 'elsewhere', 'e'.repeat(500))
  server.call('select', 0)
  server.machine.advance(3000)
}

function rewrite(server: MachineServer): void {
  const before = figure(server, 'aof_rewrites')
  assert.match(String(server.call('bgrewriteaof')), /started/)
  server.machine.advance(3000)
  assert.equal(figure(server, 'aof_rewrites'), before + 1)
  assert.match(String(server.call('info', 'persistence')), /aof_last_bgrewrite_status:ok/)
}

async function restart(server: MachineServer, directives: Readonly<Record<string, string>>): Promise<MachineServer> {
  await server.stop(['nosave'])
  return MachineServer.start(server.machine, directives)
}

function basesOf(machine: VirtualMachine): string[] {
  return machine.disk.readdir(FOLDER).filter(name => name.includes('.base.'))
}

test('a restart from a checkpoint reads no value, and then each when it is asked for', async () => {
  const server = await MachineServer.start(virtualSystem(), DISK)
  fill(server)
  rewrite(server)
  assert.deepEqual(basesOf(server.machine), ['appendonly.aof.2.base.checkpoint'])
  server.call('append', 'text 5', 'changed since')
  server.call('del', 'text 6')
  server.call('select', 2)
  server.call('set', 'after', 'a'.repeat(300))
  server.call('select', 0)
  const digest = server.call('debug', 'digest')
  const cold = figure(server, 'storage_cold_keys')
  const expiry = server.call('expiretime', 'text 1')
  const again = await restart(server, DISK)
  // The value of 'text 5', to which the log appends.
  assert.ok(figure(again, 'storage_read_bytes') < 1000)
  assert.ok(figure(again, 'storage_cold_keys') >= cold - 2)
  assert.equal(again.call('object', 'encoding', 'zset'), 'skiplist')
  assert.equal(again.call('get', 'text 7'), '7 '.repeat(100))
  assert.equal(again.call('expiretime', 'text 1'), expiry)
  assert.equal(again.call('debug', 'digest'), digest)
})

test('a checkpoint writes what changed, not what is there', async () => {
  const server = await MachineServer.start(virtualSystem(), DISK)
  fill(server)
  rewrite(server)
  const before = figure(server, 'storage_written_bytes')
  rewrite(server)
  assert.equal(figure(server, 'storage_written_bytes'), before)
  // Values in memory are written by the checkpoint, once.
  server.call('config', 'set', 'storage-memory', '1gb')
  for (let i = 0; i < 4; i++) server.call('set', `text ${i}`, `${i}+`.repeat(100))
  rewrite(server)
  const written = figure(server, 'storage_written_bytes') - before
  assert.ok(written >= 800 && written < 1600, String(written))
  rewrite(server)
  assert.equal(figure(server, 'storage_written_bytes'), before + written)
  const digest = server.call('debug', 'digest')
  const again = await restart(server, DISK)
  assert.equal(again.call('debug', 'digest'), digest)
})

test('values that a checkpoint wrote are clean in every database, also in one that was swapped meanwhile', async () => {
  const server = await MachineServer.start(virtualSystem(), DISK)
  server.call('config', 'set', 'storage-memory', '1gb')
  for (const database of [0, 3, 15]) {
    server.call('select', database)
    for (let i = 0; i < 300; i++) server.call('set', `text ${i}`, `${database} ${i} `.repeat(100))
  }
  server.call('bgrewriteaof')
  server.call('swapdb', 3, 7)
  server.machine.advance(3000)
  const kept = figure(server, 'storage_live_bytes')
  assert.ok(kept > 900 * 300)
  for (const database of [0, 7, 15]) {
    server.call('select', database)
    for (let i = 0; i < 300; i++) assert.match(String(server.call('debug', 'storage', `text ${i}`)), /^value:both/)
  }
})

test('a checkpoint holds the moment it began while values change, move and go', async () => {
  const server = await MachineServer.start(virtualSystem(), { ...DISK, 'rdb-key-save-delay': '1000' })
  fill(server)
  server.machine.advance(3000)
  server.call('bgrewriteaof')
  for (let i = 0; i < 300; i++) {
    server.call('append', `text ${(i * 7) % 400}`, 'more')
    if (i % 3 === 0) server.call('del', `text ${(i * 11) % 400}`)
    if (i % 5 === 0) server.call('set', `text ${(i * 13) % 400}`, 'another '.repeat(30))
    if (i % 50 === 0) server.call('rename', `hash ${(i / 50) % 20}`, `renamed ${i}`)
  }
  server.call('swapdb', 0, 2)
  server.call('swapdb', 0, 2)
  server.machine.advance(60000)
  assert.equal(figure(server, 'aof_rewrite_in_progress'), 0)
  const digest = server.call('debug', 'digest')
  const again = await restart(server, DISK)
  assert.equal(again.call('debug', 'digest'), digest)
})

test('segments that the checkpoint names stay until the next one, which then gives their space back', async () => {
  const server = await MachineServer.start(virtualSystem(), DISK)
  fill(server)
  rewrite(server)
  const digest = server.call('debug', 'digest')
  const names = server.machine.disk.readdir(VALUES)
  assert.ok(names.length >= 2)
  server.call('flushall')
  server.machine.advance(3000)
  assert.equal(figure(server, 'storage_live_bytes'), 0)
  for (const name of names) assert.ok(server.machine.disk.stat(`${VALUES}/${name}`) !== null, name)
  assert.ok(figure(server, 'storage_held_bytes') > 0)
  // The power fails before the log of FLUSHALL is on the disk, or after it.
  const empty = await restart(server, DISK)
  assert.equal(empty.call('dbsize'), 0)
  rewrite(empty)
  assert.equal(figure(empty, 'storage_held_bytes'), 0)
  assert.deepEqual(empty.machine.disk.readdir(VALUES), [])
  assert.notEqual(empty.call('debug', 'digest'), digest)
})

test('storage is switched off and on again by restarts; without it the next rewrite frees the files of values', async () => {
  const server = await MachineServer.start(virtualSystem(), DISK)
  fill(server)
  rewrite(server)
  server.call('set', 'text 1', 'changed')
  const digest = server.call('debug', 'digest')
  const memory = await restart(server, { appendonly: 'yes' })
  assert.equal(memory.call('debug', 'digest'), digest)
  assert.equal(figure(memory, 'storage_cold_keys'), 0)
  const once = await restart(memory, { appendonly: 'yes' })
  assert.equal(once.call('debug', 'digest'), digest)
  rewrite(once)
  assert.deepEqual(basesOf(once.machine), ['appendonly.aof.3.base.rdb'])
  assert.deepEqual(once.machine.disk.readdir(VALUES), [])
  const disk = await restart(once, DISK)
  assert.equal(disk.call('debug', 'digest'), digest)
  disk.machine.advance(3000)
  rewrite(disk)
  const again = await restart(disk, DISK)
  assert.equal(again.call('debug', 'digest'), digest)
})

for (const damage of ['missing', 'short'] as const)
  test(`a server whose checkpoint names values in a file that is ${damage} does not start`, async () => {
    const server = await MachineServer.start(virtualSystem(), DISK)
    fill(server)
    rewrite(server)
    await server.stop(['nosave'])
    const { machine } = server
    const path = `${VALUES}/${machine.disk.readdir(VALUES)[0]}`
    if (damage === 'missing') machine.disk.unlink(path)
    else machine.disk.writeFile(path, machine.disk.readFile(path).subarray(0, 40000))
    await assert.rejects(MachineServer.start(machine, DISK))
  })

test('records that an fsync has failed on are written again by the next checkpoint', async () => {
  const server = await MachineServer.start(virtualSystem(), { ...DISK, appendfsync: 'no' })
  fill(server)
  const { disk } = server.machine
  server.call('config', 'set', 'rdb-key-save-delay', 1000)
  server.call('bgrewriteaof')
  server.machine.advance(200)
  disk.failSyncs = 'EIO'
  server.machine.advance(10000)
  server.call('config', 'set', 'rdb-key-save-delay', 0)
  assert.match(String(server.call('info', 'persistence')), /aof_last_bgrewrite_status:err/)
  disk.failSyncs = null
  const before = figure(server, 'storage_written_bytes')
  server.machine.advance(100000)
  const digest = server.call('debug', 'digest')
  rewrite(server)
  assert.ok(figure(server, 'storage_written_bytes') > before)
  server.machine.forget()
  disk.crash()
  const again = await MachineServer.start(server.machine, DISK)
  assert.equal(again.call('debug', 'digest'), digest)
})

test('what the present checkpoint names outlives a rewrite that fails', async () => {
  const server = await MachineServer.start(virtualSystem(), DISK)
  fill(server)
  rewrite(server)
  for (let i = 0; i < 400; i++) server.call('set', `text ${i}`, 'another '.repeat(30))
  server.machine.advance(3000)
  server.call('config', 'set', 'rdb-key-save-delay', 1000)
  server.call('bgrewriteaof')
  server.machine.advance(200)
  server.machine.disk.failWrites = 'ENOSPC'
  server.machine.advance(10000)
  assert.match(String(server.call('info', 'persistence')), /aof_last_bgrewrite_status:err/)
  server.machine.disk.failWrites = null
  server.machine.advance(10000)
  const digest = server.call('debug', 'digest')
  const again = await restart(server, DISK)
  assert.equal(again.call('debug', 'digest'), digest)
})

function indexBytes(machine: VirtualMachine, pattern: RegExp): number[] {
  const names = machine.disk.readdir(FOLDER).filter(name => pattern.test(name))
  return names.map(name => machine.disk.stat(`${FOLDER}/${name}`)!.sizeBytes)
}

test('after a base a checkpoint is a delta with what changed: keys, those that went, expiries, libraries', async () => {
  const server = await MachineServer.start(virtualSystem(), DISK)
  server.call('function', 'load', "#!lua name=first\nredis.register_function('one', function() return 1 end)")
  fill(server)
  rewrite(server)
  const [base] = indexBytes(server.machine, /\.base\.checkpoint$/)
  rewrite(server)
  assert.deepEqual(basesOf(server.machine), ['appendonly.aof.2.base.checkpoint'])
  const [unchanged] = indexBytes(server.machine, /\.delta\.checkpoint$/)
  assert.ok(unchanged < 600, String(unchanged))
  server.call('del', 'text 3', 'small 4')
  server.call('rename', 'text 5', 'text renamed')
  server.call('expire', 'text 6', 1000)
  server.call('persist', 'text 1')
  server.call('append', 'text 7', 'more')
  server.call('incr', 'small 8')
  server.call('hset', 'hash 1', 'field', 'value')
  server.call('move', 'text 9', 2)
  server.call('pexpire', 'text 10', 100)
  server.call('set', 'text 11', 'new')
  server.call('set', 'small new', 'a')
  server.call('function', 'delete', 'first')
  server.call('function', 'load', "#!lua name=second\nredis.register_function('two', function() return 2 end)")
  server.machine.advance(1000)
  rewrite(server)
  const deltas = indexBytes(server.machine, /\.delta\.checkpoint$/)
  assert.equal(deltas.length, 2)
  assert.ok(deltas[1] < base / 10, `${deltas[1]} of ${base}`)
  const digest = server.call('debug', 'digest')
  const again = await restart(server, DISK)
  assert.equal(again.call('debug', 'digest'), digest)
  assert.equal(again.call('fcall', 'two', 0), 2)
  assert.match((again.call('fcall', 'one', 0) as RespError).message, /Function not found/)
  // What the restart has read is the index still: only what has changed since is written.
  again.call('set', 'text 12', 'newer')
  again.call('del', 'text 11')
  const later = again.call('debug', 'digest')
  rewrite(again)
  assert.equal(indexBytes(again.machine, /\.delta\.checkpoint$/).length, 3)
  const last = await restart(again, DISK)
  assert.equal(last.call('debug', 'digest'), later)
})

test('keys that change, go and come while a delta is written are what they are in the next one', async () => {
  const server = await MachineServer.start(virtualSystem(), DISK)
  fill(server)
  rewrite(server)
  for (let round = 0; round < 4; round++) {
    server.call('config', 'set', 'rdb-key-save-delay', 1000)
    for (let i = 0; i < 100; i++) server.call('set', `text ${(i * 7 + round) % 400}`, `${round} ${i} `.repeat(30))
    server.call('bgrewriteaof')
    for (let i = 0; i < 120; i++) {
      server.call('append', `text ${(i * 7) % 400}`, 'more')
      if (i % 3 === 0) server.call('del', `text ${(i * 11) % 400}`)
      if (i % 5 === 0) server.call('set', `text ${(i * 13) % 400}`, 'another '.repeat(30))
      if (i % 7 === 0) server.call('get', `text ${(i * 17) % 400}`)
      if (i % 40 === 0) server.call('rename', `hash ${(i / 40 + round * 4) % 20}`, `renamed ${i} ${round}`)
    }
    server.machine.advance(60000)
    server.call('config', 'set', 'rdb-key-save-delay', 0)
    assert.equal(figure(server, 'aof_rewrite_in_progress'), 0)
    assert.match(String(server.call('info', 'persistence')), /aof_last_bgrewrite_status:ok/)
  }
  assert.ok(indexBytes(server.machine, /\.delta\.checkpoint$/).length > 0)
  const digest = server.call('debug', 'digest')
  const again = await restart(server, DISK)
  assert.equal(again.call('debug', 'digest'), digest)
})

test('the next checkpoint is whole after FLUSHALL, SWAPDB, a failed rewrite, and when deltas are half of the base', async () => {
  const server = await MachineServer.start(virtualSystem(), DISK)
  const { machine } = server
  fill(server)
  rewrite(server)
  server.call('swapdb', 1, 2)
  rewrite(server)
  assert.deepEqual(basesOf(machine), ['appendonly.aof.3.base.checkpoint'])
  server.call('config', 'set', 'rdb-key-save-delay', 1000)
  server.call('append', 'text 1', 'more')
  server.call('bgrewriteaof')
  machine.advance(5)
  machine.disk.failWrites = 'ENOSPC'
  machine.advance(10000)
  machine.disk.failWrites = null
  server.call('config', 'set', 'rdb-key-save-delay', 0)
  machine.advance(10000)
  if (/aof_last_bgrewrite_status:err/.test(String(server.call('info', 'persistence')))) rewrite(server)
  const [base] = indexBytes(machine, /\.base\.checkpoint$/)
  for (let round = 0; ; round++) {
    for (let i = 0; i < 60; i++) server.call('set', `text ${i}`, `${round} ${i} `.repeat(30))
    rewrite(server)
    const deltas = indexBytes(machine, /\.delta\.checkpoint$/)
    if (deltas.length === 0) break
    assert.ok(deltas.slice(0, -1).reduce((sum, one) => sum + one, 0) <= Math.max(base / 2, 8192))
    assert.ok(round < 50)
  }
  server.call('flushall')
  rewrite(server)
  assert.deepEqual(indexBytes(machine, /\.delta\.checkpoint$/), [])
  const again = await restart(server, DISK)
  assert.equal(again.call('dbsize'), 0)
})
