import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latin1Text } from '../../src/lib/bytes.ts'
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

test('a damaged nodes file is replaced by the previous generation; without one the start is refused', async () => {
  const world = new VirtualWorld({ seed: 6 })
  const [node] = await startCluster(world, 1, 1, {})
  const { disk } = node.machine
  const path = disk.resolve('nodes.conf')
  await node.say('CLUSTER SAVECONFIG')
  const whole = disk.readFile(path)
  assert.match(latin1Text(whole), /^[0-9a-f]{40} .* connected 0-16383\nvars currentEpoch 1 .* checksum [0-9a-f]{16}\n$/)
  const damages = [
    whole.slice(0, 50),
    whole.map((byte, i) => (i === 60 ? byte ^ 1 : byte)),
    new Uint8Array(whole.length),
  ]
  for (const damaged of damages) {
    node.kill()
    disk.writeFile(path, damaged)
    await node.start()
    assert.equal(await clusterInfo(node, 'cluster_slots_assigned'), '16384')
    assert.match(node.log, /is damaged: its previous generation is used instead/)
    await node.say('CLUSTER SAVECONFIG')
    await node.say('CLUSTER SAVECONFIG')
  }
  node.kill()
  disk.writeFile(path, damages[1])
  disk.writeFile(`${path}.previous`, damages[0])
  await assert.rejects(node.start(), /corrupted cluster config file/)
})

test('that a slot moves between two others is in the nodes file within a tick, that it comes or goes at once', async () => {
  const world = new VirtualWorld({ seed: 7 })
  const [source, target, bystander] = await startCluster(world, 3, 3, {})
  const id = String(await target.call('CLUSTER', 'MYID'))
  const hasTarget = ({ machine: { disk } }: typeof source) =>
    new RegExp(`^${id} .* connected 0 5461-10922$`, 'm').test(latin1Text(disk.readFile(disk.resolve('nodes.conf'))))
  await target.call('CLUSTER', 'SETSLOT', '0', 'IMPORTING', String(await source.call('CLUSTER', 'MYID')))
  await world.run(1000)
  for (const node of [bystander, target, source]) {
    assert.equal(await node.call('CLUSTER', 'SETSLOT', '0', 'NODE', id), 'OK')
    assert.equal(hasTarget(node), node !== bystander)
  }
  await world.run(200)
  assert.ok([bystander, target, source].every(hasTarget))
})
