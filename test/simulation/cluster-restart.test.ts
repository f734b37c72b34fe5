import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Following } from '../../src/replication/following.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import { clusterInfo, startCluster, until } from './cluster-world.ts'

test('a replica of a cluster that restarts is a replica from the start: it keeps expired keys, and goes on in the stream', async () => {
  const world = new VirtualWorld({ seed: 3 })
  const [primary, replica] = await startCluster(world, 2, 1, {})
  await replica.call('CLUSTER', 'REPLICATE', String(await primary.call('CLUSTER', 'MYID')))
  assert.ok(await until(world, async () => replica.isLinked))
  assert.ok(await until(world, async () => (await clusterInfo(primary, 'cluster_state')) === 'ok'))
  await primary.say('DEBUG SET-ACTIVE-EXPIRE 0')
  assert.equal(await primary.say('SET a 1 PX 3000'), 'OK')
  assert.ok(await until(world, async () => replica.offset === primary.offset))
  assert.equal(await replica.say('SAVE'), 'OK')
  replica.kill()
  await world.run(5000)
  await replica.start()
  assert.equal(await replica.say('DBSIZE'), 1)
  assert.ok(await until(world, async () => replica.isLinked))
  assert.equal(await primary.info('sync_full'), '1')
  assert.equal(await primary.info('sync_partial_ok'), '1')
})

test('clients are not sent to a replica while it receives the dataset', async () => {
  const world = new VirtualWorld({ seed: 4 })
  const [primary, replica] = await startCluster(world, 2, 1, {})
  const id = String(await replica.call('CLUSTER', 'MYID'))
  const isListed = async () => JSON.stringify(await primary.say('CLUSTER SLOTS')).includes(id)
  await primary.say('DEBUG POPULATE 200')
  await replica.call('CLUSTER', 'REPLICATE', String(await primary.call('CLUSTER', 'MYID')))
  assert.ok(await until(world, isListed))
  await replica.say('CONFIG SET key-load-delay 50000')
  await primary.say('DEBUG CHANGE-REPL-ID')
  await primary.say('CLIENT KILL TYPE replica')
  assert.ok(await until(world, async () => !(await isListed())))
  assert.equal(await replica.info('loading'), '1')
  assert.ok(await until(world, isListed))
  assert.ok(replica.isLinked)
})

test('a replica has one link, also when it began to connect before its dataset was loaded', async () => {
  const world = new VirtualWorld({ seed: 5 })
  const [primary, replica] = await startCluster(world, 2, 1, {})
  await replica.call('CLUSTER', 'REPLICATE', String(await primary.call('CLUSTER', 'MYID')))
  assert.ok(await until(world, async () => replica.isLinked))
  const following = replica.server.engine.replicas.following as Following
  const { host, port } = following.primary!
  const id = await primary.info('master_replid')
  following.follow(host, port)
  following.loaded({ id, offset: replica.offset, database: 0 })
  await world.run(3000)
  assert.ok(replica.isLinked)
  assert.equal(await primary.info('connected_slaves'), '1')
})
