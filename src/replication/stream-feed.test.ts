import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicationWorld } from '../../test/harness/replication-world.ts'

const WRITES = 100

for (const [name, directives, expected] of [
  [
    'goes to a file beyond repl-sync-memory',
    { 'repl-sync-memory': '1' },
    /bytes of the stream, [1-9]\d* of them from a file/,
  ],
  [
    'waits in memory without repl-sync-memory',
    { 'repl-sync-memory': '0' },
    /bytes of the stream, 0 of them from a file/,
  ],
] as const)
  test(`what is written while a replica is sent the dataset ${name}, and comes in order`, async () => {
    const world = new ReplicationWorld(3)
    const primary = await world.start({ ...directives, 'repl-backlog-size': '16384', rdbcompression: 'no' })
    await primary.call('SET', 'large', 'x'.repeat(300_000))
    const replica = await world.start()
    const { network } = world.world
    network.setLink(primary.machine.host, replica.machine.host, { bytesPerSecond: 150_000, latencyUs: 1000 })
    await replica.follow(primary)
    await world.world.run(100)
    for (let i = 0; i < WRITES; i++) {
      primary.send('SET', `key${i}`, String(i).repeat(5000))
      primary.send('APPEND', 'log', String(i))
      await world.world.run(10)
    }
    primary.taken()
    assert.equal(replica.isLinked, false)
    network.heal()
    network.setLink(primary.machine.host, replica.machine.host, { bytesPerSecond: 10_000_000, latencyUs: 100 })
    assert.ok(await world.caughtUp(primary, replica))
    assert.equal(replica.digest, primary.digest)
    assert.match(primary.log, expected)
    assert.equal(await primary.info('sync_full'), '1')
    for (let i = 0; i < 20; i++) await primary.call('APPEND', 'log', String(i))
    assert.ok(await world.caughtUp(primary, replica))
    assert.equal(replica.digest, primary.digest)
    assert.deepEqual(
      primary.machine.disk.readdir('.').filter(file => file.includes('stream')),
      [],
    )
  })

test('what is in a file does not count as output of the replica, what is in memory does', async () => {
  for (const memory of ['65536', '0']) {
    const world = new ReplicationWorld(4)
    const limits = { 'client-output-buffer-limit': 'replica 400kb 0 0', 'repl-backlog-size': '16384' }
    const primary = await world.start({ ...limits, 'repl-sync-memory': memory, rdbcompression: 'no' })
    await primary.call('SET', 'large', 'x'.repeat(300_000))
    const replica = await world.start()
    world.world.network.setLink(primary.machine.host, replica.machine.host, {
      bytesPerSecond: 150_000,
      latencyUs: 1000,
    })
    await replica.follow(primary)
    await world.world.run(100)
    for (let i = 0; i < WRITES; i++) {
      primary.send('SET', `key${i}`, 'x'.repeat(10_000))
      await world.world.run(10)
    }
    primary.taken()
    assert.equal(/overcoming of output buffer limits/.test(primary.log), memory === '0')
    assert.equal(await primary.info('connected_slaves'), memory === '0' ? '0' : '1')
  }
})
