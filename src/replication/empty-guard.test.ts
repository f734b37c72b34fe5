import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicationWorld } from '../../test/harness/replication-world.ts'

const GUARDED = { 'primary-empty-guard': 'yes' }

/** A primary that lost its data while a replica has some. */
async function afterLoss(seed: number, directives: Readonly<Record<string, string>>) {
  const world = new ReplicationWorld(seed)
  const primary = await world.start(directives)
  const replica = await world.start()
  await replica.follow(primary)
  await primary.say('SET a 1')
  assert.ok(await world.caughtUp(primary, replica))
  // The stream has begun: at least a PING is in it.
  await world.world.run(3000)
  primary.kill()
  await primary.start()
  await world.world.run(10_000)
  return { world, primary, replica }
}

test('a primary that restarts empty empties its replicas, unless it is guarded', async () => {
  const { replica } = await afterLoss(1, {})
  assert.equal(await replica.say('DBSIZE'), 0)
  const guarded = await afterLoss(2, GUARDED)
  assert.equal(await guarded.replica.say('GET a'), '1')
  assert.equal(await guarded.replica.info('master_link_status'), 'down')
  assert.ok(Number(await guarded.primary.info('primary_empty_guard')) > 1)
  assert.equal(guarded.primary.log.split('has started without data').length, 2)
})

test('keys that are written meanwhile do not lift the guard; REPLICAOF NO ONE does', async () => {
  const { world, primary, replica } = await afterLoss(3, GUARDED)
  await primary.say('SET b 2')
  await world.world.run(5000)
  assert.equal(await replica.say('GET a'), '1')
  assert.equal(await primary.say('REPLICAOF NO ONE'), 'OK')
  assert.ok(await world.caughtUp(primary, replica))
  assert.equal(replica.digest, primary.digest)
  assert.equal(await primary.info('primary_empty_guard'), '')
})

test('a replica that is made the primary keeps its data, and gives them to the empty one', async () => {
  const { world, primary, replica } = await afterLoss(4, GUARDED)
  await replica.say('REPLICAOF NO ONE')
  await primary.follow(replica)
  assert.ok(await world.caughtUp(replica, primary))
  assert.equal(await primary.say('GET a'), '1')
})

test('a new replica, and a primary that has its data, are not guarded against', async () => {
  const world = new ReplicationWorld(5)
  const primary = await world.start(GUARDED)
  const replica = await world.start()
  await replica.say('SET old 1')
  await replica.follow(primary)
  assert.ok(await world.caughtUp(primary, replica))
  await primary.say('SET a 1')
  await primary.say('SAVE')
  primary.kill()
  await primary.start()
  assert.ok(await world.caughtUp(primary, replica))
  assert.equal(await replica.say('GET a'), '1')
})
