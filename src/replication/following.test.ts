import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicationWorld } from '../../test/harness/replication-world.ts'
import { textOf } from '../../test/harness/resp.ts'
import type { Following } from './following.ts'

for (const [name, directives] of [
  ['to a file', {}],
  ['into the empty dataset', { 'repl-diskless-load': 'on-empty-db' }],
  ['beside the old dataset', { 'repl-diskless-load': 'swapdb' }],
] as const)
  for (const diskless of ['yes', 'no'])
    test(`a replica gets the dataset ${name} and follows the stream: repl-diskless-sync ${diskless}`, async () => {
      const world = new ReplicationWorld(1)
      const primary = await world.start({ 'repl-diskless-sync': diskless })
      const replica = await world.start(directives)
      for (let i = 0; i < 300; i++) primary.send('SET', `key:${i}`, 'x'.repeat(i))
      await primary.call('FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
      await replica.say('SET old 1')
      await replica.follow(primary)
      assert.ok(await world.caughtUp(primary, replica))
      assert.equal(replica.digest, primary.digest)
      assert.equal(((await replica.say('FUNCTION LIST')) as unknown[]).length, 1)
      await primary.say('SELECT 3')
      await primary.say('LPUSH list a b c')
      await primary.say('MULTI')
      await primary.say('INCR n')
      await primary.say('INCR n')
      await primary.say('EXEC')
      assert.ok(await world.caughtUp(primary, replica))
      assert.equal(replica.digest, primary.digest)
      assert.equal(await replica.info('role'), 'slave')
      assert.equal(await replica.info('master_link_status'), 'up')
      assert.equal(await replica.info('slave_repl_offset'), String(primary.offset))
      assert.deepEqual(await replica.call('ROLE'), ['slave', '10.0.0.1', 6379, 'connected', primary.offset])
      assert.equal(textOf(await replica.say('SET a 1')), "READONLY You can't write against a read only replica.")
    })

for (const load of ['disabled', 'swapdb'])
  test(`tracking clients hear that the dataset is replaced: repl-diskless-load ${load}`, async () => {
    const world = new ReplicationWorld(10)
    const primary = await world.start()
    const replica = await world.start({ 'repl-diskless-load': load })
    await replica.say('HELLO 3')
    await replica.say('CLIENT TRACKING ON')
    await replica.say('GET old')
    await replica.follow(primary)
    assert.ok(await world.caughtUp(primary, replica))
    await world.world.run(1000)
    assert.deepEqual(replica.taken(), [['invalidate', null]])
  })

test('what a load depends on cannot be changed while a replica loads beside its old dataset', async () => {
  const world = new ReplicationWorld(12)
  const primary = await world.start({ 'repl-backlog-size': '16384', rdbcompression: 'no' })
  const replica = await world.start({ 'repl-diskless-load': 'swapdb' })
  await replica.follow(primary)
  assert.ok(await world.caughtUp(primary, replica))
  world.cut(primary, replica)
  for (let i = 0; i < 20; i++) await primary.call('SET', `key${i}`, 'x'.repeat(20_000))
  await world.world.run(70_000)
  world.world.network.setLink(primary.machine.host, replica.machine.host, { bytesPerSecond: 50_000 })
  world.heal()
  for (let left = 500; left > 0 && (await replica.info('async_loading')) !== '1'; left--) await world.world.run(20)
  assert.equal(await replica.info('async_loading'), '1', replica.log.slice(-900))
  for (const line of ['CONFIG SET appendonly yes', 'CONFIG SET repl-diskless-load disabled', 'REPLICAOF NO ONE'])
    assert.match(JSON.stringify(await replica.say(line)), /LOADING/)
  assert.equal(await replica.say('CONFIG SET maxclients 500'), 'OK')
})

test('a cut link goes on where it was; a promoted replica keeps the history', async () => {
  const world = new ReplicationWorld(2)
  const primary = await world.start()
  const replica = await world.start({ 'repl-timeout': '3' })
  const second = await world.start({ 'repl-timeout': '3' })
  await replica.follow(primary)
  await second.follow(primary)
  await primary.say('SET a 1')
  assert.ok(await world.caughtUp(primary, replica, second))
  world.cut(primary, replica)
  await primary.say('SET b 1')
  await world.world.run(5000)
  assert.equal(await replica.info('master_link_status'), 'down')
  assert.equal(await replica.say('GET b'), null)
  world.heal()
  assert.ok(await world.caughtUp(primary, replica, second))
  assert.equal(await primary.info('sync_full'), '2')
  assert.equal(await primary.info('sync_partial_ok'), '1')
  const before = await replica.info('master_replid')
  await replica.say('REPLICAOF NO ONE')
  assert.equal(await replica.info('role'), 'master')
  assert.equal(await replica.info('master_replid2'), before)
  await replica.say('SET c 1')
  await primary.follow(replica)
  await second.follow(replica)
  assert.ok(await world.caughtUp(replica, primary, second))
  assert.equal(await replica.info('sync_full'), '0')
  assert.equal(await replica.info('sync_partial_ok'), '2')
  assert.equal(primary.digest, replica.digest)
  assert.equal(second.digest, replica.digest)
})

test('the stream passes through a chain byte for byte', async () => {
  const world = new ReplicationWorld(3)
  const primary = await world.start()
  const middle = await world.start()
  const last = await world.start()
  await middle.follow(primary)
  await last.follow(middle)
  for (let i = 0; i < 50; i++) {
    await primary.call('SELECT', String(i % 4))
    await primary.call('SET', `k${i}`, 'x'.repeat(i * 1000))
  }
  assert.ok(await world.caughtUp(primary, middle, last))
  assert.equal(last.digest, primary.digest)
  assert.equal(await last.info('master_replid'), await primary.info('master_replid'))
  // The primary's transaction reaches the last replica as a whole.
  await primary.say('MULTI')
  await primary.say('SET m 1')
  await primary.say('DEL k1')
  await primary.say('EXEC')
  assert.ok(await world.caughtUp(primary, middle, last))
  // The last one follows the first: a partial synchronisation.
  await last.follow(primary)
  assert.ok(await world.caughtUp(primary, middle, last))
  assert.equal(await primary.info('sync_full'), '1')
  assert.equal(last.digest, primary.digest)
})

test('expired keys are hidden by a replica, and removed when the primary says so', async () => {
  const world = new ReplicationWorld(4)
  const primary = await world.start()
  const replica = await world.start()
  await replica.follow(primary)
  await primary.say('DEBUG SET-ACTIVE-EXPIRE 0')
  await primary.say('SET k v PX 500')
  assert.ok(await world.caughtUp(primary, replica))
  await world.world.run(1000)
  assert.equal(await replica.say('GET k'), null)
  assert.equal(await replica.say('DBSIZE'), 1)
  // Applied to the key that the replica no longer shows.
  await primary.say('GET k')
  assert.ok(await world.caughtUp(primary, replica))
  assert.equal(await replica.say('DBSIZE'), 0)
})

test('a replica that restarts from its RDB file goes on with a partial synchronisation', async () => {
  const world = new ReplicationWorld(5)
  const primary = await world.start()
  const replica = await world.start()
  await primary.say('SET a 1')
  await replica.follow(primary)
  assert.ok(await world.caughtUp(primary, replica))
  await primary.say('SELECT 5')
  await primary.say('SET b 1')
  assert.ok(await world.caughtUp(primary, replica))
  await replica.say('SAVE')
  await replica.stop()
  await primary.say('SET c 1')
  await replica.start({ replicaof: '10.0.0.1 6379' })
  assert.ok(await world.caughtUp(primary, replica))
  assert.equal(replica.digest, primary.digest)
  assert.equal(await primary.info('sync_full'), '1')
  assert.equal(await primary.info('sync_partial_ok'), '1')
})

test('a primary that restarts from its RDB file goes on for its replicas, expired keys included', async () => {
  const world = new ReplicationWorld(6)
  const primary = await world.start({ 'repl-ping-replica-period': '3600' })
  const replica = await world.start()
  await replica.follow(primary)
  await primary.say('SET a 1')
  await primary.say('SET soon 1 PX 1500')
  assert.ok(await world.caughtUp(primary, replica))
  await primary.say('SAVE')
  await primary.stop()
  await world.world.run(3000)
  await primary.start()
  await primary.say('SET b 1')
  assert.ok(await world.caughtUp(primary, replica))
  assert.equal(await primary.info('sync_partial_ok'), '1')
  assert.equal(await primary.info('sync_full'), '0')
  assert.equal(replica.digest, primary.digest)
  assert.equal(await replica.say('DBSIZE'), 2)
})

test('without a link and replica-serve-stale-data a replica refuses what needs data', async () => {
  const world = new ReplicationWorld(7)
  const replica = await world.start({ 'replica-serve-stale-data': 'no' })
  await replica.call('REPLICAOF', '10.0.0.9', '1')
  assert.equal(
    textOf(await replica.say('GET a')),
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  )
  assert.equal(((await replica.say('INFO')) as string).includes('role:slave'), true)
  assert.equal(((await replica.call('ROLE')) as unknown[])[3], 'connecting')
  await replica.say('REPLICAOF NO ONE')
  assert.equal(await replica.say('GET a'), null)
})

test('a writable replica removes the keys to which its own clients gave an expiry', async () => {
  const world = new ReplicationWorld(8)
  const primary = await world.start()
  const replica = await world.start({ 'replica-read-only': 'no' })
  await replica.follow(primary)
  await primary.say('DEBUG SET-ACTIVE-EXPIRE 0')
  await primary.say('SET theirs 1 PX 500')
  assert.ok(await world.caughtUp(primary, replica))
  await replica.say('SET own 1 PX 500')
  await replica.say('SET kept 1 PX 500')
  await replica.say('PERSIST kept')
  assert.equal(await replica.info('slave_expires_tracked_keys'), '2')
  await world.world.run(2000)
  assert.equal(await replica.info('slave_expires_tracked_keys'), '0')
  assert.equal(await replica.say('DBSIZE'), 2)
  // A write to the primary's key that has expired here begins anew.
  assert.equal(await replica.say('INCR theirs'), 1)
  // Writes of a replica are its own.
  assert.equal(await primary.say('EXISTS kept'), 0)
})

test('a command of the primary that fails is logged, and ends a replica that is to panic', async () => {
  const world = new ReplicationWorld(9)
  const primary = await world.start()
  const replica = await world.start()
  await replica.follow(primary)
  assert.ok(await world.caughtUp(primary, replica))
  await primary.say('DEBUG REPLICATE nosuchcommand x')
  assert.ok(await world.caughtUp(primary, replica))
  assert.match(replica.log, /== CRITICAL == This replica is sending an error to its master: 'unknown command/)
  assert.equal(await replica.info('unexpected_error_replies'), '1')
  await replica.say('CONFIG SET propagation-error-behavior panic-on-replicas')
  await assert.rejects(async () => {
    await primary.say('DEBUG REPLICATE INCR')
    await world.world.run(1000)
  }, /exit 1/)
  assert.equal(replica.machine.exitCode, 1)
  assert.match(replica.log, /This replica panicked sending an error to its master/)
})

test('a replica whose log is never fsynced confirms what came with the dataset, which the base has', async () => {
  const world = new ReplicationWorld(31)
  const first = await world.start({ appendonly: 'yes', appendfsync: 'always' })
  const second = await world.start({ appendonly: 'yes', appendfsync: 'always' })
  const replica = await world.start({ appendonly: 'yes', appendfsync: 'no' })
  const another = await world.start()
  await another.follow(first)
  await replica.follow(second)
  assert.ok((await world.caughtUp(first, another)) && (await world.caughtUp(second, replica)))
  await second.say('SET a 1')
  assert.deepEqual(await second.say('WAITAOF 1 1 3000'), [1, 0])
  await first.say('SET a 2')
  first.send('WAITAOF', 1, 1, 0)
  await replica.follow(first)
  await world.world.run(3000)
  assert.deepEqual(first.taken(), [[1, 1]])
})

test('a log that is turned off and on again confirms what it was not fsynced for: its base has it', async () => {
  const world = new ReplicationWorld(32)
  const server = await world.start({ appendonly: 'yes', appendfsync: 'no' })
  await server.say('SET a 1')
  assert.deepEqual(await server.say('WAITAOF 1 0 3000'), [0, 0])
  await server.say('CONFIG SET appendonly no')
  await server.say('CONFIG SET appendonly yes')
  assert.deepEqual(await server.say('WAITAOF 1 0 3000'), [1, 0])
  assert.equal(await server.info('aof_rewrite_in_progress'), '0')
})

/** A primary that sends a second for each key, with a replica that waits for the first of them. */
async function slowSync(directives: Record<string, string>) {
  const world = new ReplicationWorld(33)
  const primary = await world.start({ 'rdb-key-save-delay': '1000000', ...directives })
  const replica = await world.start()
  for (let i = 0; i < 10; i++) await primary.call('SET', i, i)
  await replica.follow(primary)
  await world.world.run(1000)
  assert.equal(await primary.info('rdb_bgsave_in_progress'), '1')
  assert.match(await primary.info('slave0'), /state=wait_bgsave/)
  return { world, primary, replica }
}

for (const diskless of ['yes', 'no'])
  test(`a snapshot that no replica waits for any more ends: repl-diskless-sync ${diskless}`, async () => {
    const { world, primary, replica } = await slowSync({ 'repl-diskless-sync': diskless })
    await replica.say('REPLICAOF NO ONE')
    await world.world.run(200)
    assert.equal(await primary.info('rdb_bgsave_in_progress'), '0')
    await primary.say('CONFIG SET rdb-key-save-delay 0')
    await replica.follow(primary)
    assert.ok(await world.caughtUp(primary, replica))
    assert.equal(replica.digest, primary.digest)
  })

test('with save points the file for replicas is written to its end', async () => {
  const { world, primary, replica } = await slowSync({ 'repl-diskless-sync': 'no', save: '900 1' })
  await replica.say('REPLICAOF NO ONE')
  await world.world.run(200)
  assert.equal(await primary.info('rdb_bgsave_in_progress'), '1')
})

for (const diskless of ['yes', 'no'])
  test(`FLUSHALL ends the snapshot for replicas, which synchronise anew: repl-diskless-sync ${diskless}`, async () => {
    const { world, primary, replica } = await slowSync({ 'repl-diskless-sync': diskless })
    await primary.say('FLUSHALL')
    await world.world.run(3000)
    assert.ok(replica.isLinked)
    assert.equal(await primary.info('sync_full'), '2')
    assert.equal(await replica.call('DBSIZE'), 0)
  })

test('a replica that still loads its own files does not connect to its primary', async () => {
  const world = new ReplicationWorld(34)
  const primary = await world.start()
  const replica = await world.start()
  await replica.follow(primary)
  assert.ok(await world.caughtUp(primary, replica))
  const following = replica.server.engine.replicas.following as Following
  following.lead()
  following.begin({ host: '10.0.0.1', port: 6379 })
  await world.world.run(2500)
  assert.equal(following.state, 'connect')
  following.loaded(undefined)
  assert.equal(following.state, 'connecting')
})

/** A primary, its replica and that one's: the replica has just begun to follow another, whose dataset comes slowly. */
async function slowlyFollowingAnother(seed: number, directives: Record<string, string>) {
  const world = new ReplicationWorld(seed)
  const primary = await world.start()
  const other = await world.start({ rdbcompression: 'no' })
  const replica = await world.start(directives)
  const sub = await world.start()
  for (let i = 0; i < 50; i++) await other.call('SET', `key${i}`, 'x'.repeat(20_000))
  await replica.follow(primary)
  await sub.follow(replica)
  assert.ok(await world.caughtUp(primary, replica, sub))
  world.world.network.setLink(other.machine.host, replica.machine.host, { bytesPerSecond: 50_000 })
  await replica.follow(other)
  return { world, primary, other, replica, sub }
}

test('a replica goes on with its primary while the dataset of another one has not come', async () => {
  const { world, primary, replica, sub } = await slowlyFollowingAnother(13, {})
  await world.world.run(3000)
  assert.equal(await replica.info('master_sync_in_progress'), '1')
  await primary.say('SET a 1')
  await replica.follow(primary)
  assert.ok(await world.caughtUp(primary, replica, sub))
  assert.deepEqual([await primary.info('sync_full'), await primary.info('sync_partial_ok')], ['1', '1'])
  assert.deepEqual([await replica.info('sync_full'), await replica.info('sync_partial_ok')], ['1', '0'])
  assert.equal(replica.digest, sub.digest)
})

test('a replica whose load has failed continues nobody when it is promoted', async () => {
  const { world, other, replica, sub } = await slowlyFollowingAnother(14, { 'repl-diskless-load': 'on-empty-db' })
  for (let left = 500; left > 0 && (await replica.info('loading')) !== '1'; left--) await world.world.run(20)
  world.cut(other, replica)
  await world.world.run(90_000)
  assert.equal(await replica.info('loading'), '0')
  await replica.say('REPLICAOF NO ONE')
  assert.ok(await world.caughtUp(replica, sub))
  assert.deepEqual([await replica.info('sync_full'), await replica.info('sync_partial_ok')], ['2', '0'])
})

test('a dataset that comes in long pieces is read in slices, beside which others are served', async () => {
  const world = new ReplicationWorld(15)
  const primary = await world.start({ rdbcompression: 'no' })
  const replica = await world.start({ 'repl-diskless-load': 'swapdb' })
  for (let i = 0; i < 100; i++) await primary.call('SET', `key${i}`, 'x'.repeat(5000))
  const { clock } = replica.server.persistence.parts
  const { monotonicUs } = clock
  let spentUs = 0
  let reads = 0
  // Each look at the clock finds that two milliseconds have passed.
  clock.monotonicUs = () => monotonicUs.call(clock) + (spentUs += 2000)
  const { progress } = replica.server.persistence
  await replica.follow(primary)
  await world.world.run(5000, () => {
    if (progress.keysLoaded > 0 && progress.keysLoaded < 100) reads++
    return replica.isLinked
  })
  clock.monotonicUs = monotonicUs
  assert.ok(await world.caughtUp(primary, replica))
  assert.ok(reads > 20, `${reads} turns between`)
  assert.equal(replica.digest, primary.digest)
})
