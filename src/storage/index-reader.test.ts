import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { randomFrom } from '../../test/harness/random.ts'
import { virtualSystem } from '../system/virtual.ts'

const DISK = { storage: 'disk', 'storage-memory': '1', appendonly: 'yes' }
const VALUES = 'appendonlydir/appendonly.aof.values'

async function withCheckpoint(
  directives: Readonly<Record<string, string>>,
  fill: (server: MachineServer) => void,
): Promise<MachineServer> {
  const server = await MachineServer.start(virtualSystem(), { ...DISK, ...directives })
  fill(server)
  server.machine.advance(5000)
  server.call('bgrewriteaof')
  server.machine.advance(5000)
  assert.match(String(server.call('info', 'persistence')), /aof_rewrite_in_progress:0.*aof_last_bgrewrite_status:ok/s)
  return server
}

/** What is known of a key without its value. */
function aboutKey(server: MachineServer, key: string, access: 'freq' | 'idletime'): unknown[] {
  const words = [['type'], ['pexpiretime'], ['object', 'encoding'], ['object', access], ['debug', 'storage']]
  return words.map(command => server.call(...command, key))
}

for (const [policy, access] of [
  ['noeviction', 'idletime'],
  ['allkeys-lfu', 'freq'],
] as const) {
  test(`keys of every form come back from an index as they were, with ${policy}`, async () => {
    const directives = { 'maxmemory-policy': policy }
    const keys = [
      '12',
      '-3000',
      '1234567890',
      'k'.repeat(254),
      'k'.repeat(255),
      'k'.repeat(400),
      '',
      'ä'.repeat(30),
      'z',
    ]
    const server = await withCheckpoint(directives, server => {
      for (const key of keys) server.call('set', key, 'v'.repeat(200))
      server.call('rpush', 'list', 'e'.repeat(100), 'f'.repeat(100))
      for (let i = 0; i < 20; i++) server.call('get', 'z')
      server.call('pexpireat', 'z', '9007199254740000')
      server.call('pexpireat', '12', '9123372036854775000')
      server.call('expire', 'k'.repeat(254), '100000')
      server.call('select', '9')
      server.call('zadd', 'zset', '1', 'm'.repeat(200))
      server.call('select', '0')
    })
    const all = [...keys, 'list']
    const digest = server.call('debug', 'digest')
    const before = all.map(key => aboutKey(server, key, access))
    await server.stop(['nosave'])
    const again = await MachineServer.start(server.machine, { ...DISK, ...directives })
    const after = all.map(key => aboutKey(again, key, access))
    for (const [i, was] of before.entries()) {
      const [wasAccess, isAccess] = [Number(was.splice(3, 1)), Number(after[i].splice(3, 1))]
      assert.deepEqual(after[i], was, all[i])
      assert.ok(Math.abs(wasAccess - isAccess) <= 5, `${all[i]}: ${access} ${isAccess}, was ${wasAccess}`)
    }
    assert.equal(again.call('debug', 'digest'), digest)
    assert.match(String(again.call('info', 'keyspace')), /db0:keys=10,expires=3,.*db9:keys=1,expires=0,/s)
  })
}

test('an index of several windows has each key once, in tables of the same seed', async () => {
  const KEYS = 6000
  const below = randomFrom(5)
  const word = () => below(0x40000000).toString(36)
  const server = await withCheckpoint({}, server => {
    const value = 'v'.repeat(80)
    for (let i = 0; i < KEYS; i++) server.call('set', Array.from({ length: 5 + (i % 60) }, word).join(''), value)
  })
  const base = server.machine.disk.stat('appendonlydir/appendonly.aof.2.base.checkpoint')!
  assert.ok(base.sizeBytes > 1 << 20, String(base.sizeBytes))
  const digest = server.call('debug', 'digest')
  const { seed } = server.server.engine.keyspace.hasher
  await server.stop(['nosave'])
  const again = await MachineServer.start(server.machine, DISK)
  assert.deepEqual(again.server.engine.keyspace.hasher.seed, seed)
  assert.equal(again.call('dbsize'), KEYS)
  assert.equal(again.call('debug', 'digest'), digest)
  assert.match(String(again.call('info', 'storage')), new RegExp(`storage_cold_keys:${KEYS}\\r`))
})

test('an index that names a file that is too short is refused, with the name of a key', async () => {
  const server = await withCheckpoint({}, server => {
    for (let i = 0; i < 2000; i++) server.call('set', `key ${i}`, 'v'.repeat(100))
  })
  await server.stop(['nosave'])
  const { disk } = server.machine
  const [name] = disk.readdir(VALUES)
  const fd = disk.open(`${VALUES}/${name}`, 'r+')
  disk.truncate(fd, 100_000)
  disk.close(fd)
  await assert.rejects(MachineServer.start(server.machine, DISK))
  assert.match(server.machine.out, /The value of the key 'key \d+' is not there: .*is too short/)
})
