import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicationWorld } from '../../test/harness/replication-world.ts'
import { textOf } from '../../test/harness/resp.ts'

async function pair(seed: number) {
  const world = new ReplicationWorld(seed)
  const primary = await world.start()
  const replica = await world.start()
  await replica.follow(primary)
  await primary.say('SET a 1')
  assert.ok(await world.caughtUp(primary, replica))
  return { world, primary, replica }
}

test('FAILOVER exchanges the roles; no write is lost, and none is accepted meanwhile', async () => {
  const { world, primary, replica } = await pair(1)
  const third = await world.start()
  await third.follow(primary)
  assert.ok(await world.caughtUp(primary, replica, third))
  for (let i = 0; i < 100; i++) primary.send('INCR', 'n')
  primary.send('FAILOVER', 'TO', '10.0.0.2', '6379')
  primary.send('INCR', 'n')
  await world.world.run(5000)
  const replies = primary.taken()
  assert.equal(replies[99], 100)
  assert.equal(replies[100], 'OK')
  assert.equal(textOf(replies[101]), "READONLY You can't write against a read only replica.")
  assert.equal(await replica.info('role'), 'master')
  assert.equal(await primary.info('role'), 'slave')
  assert.equal(await primary.info('master_failover_state'), 'no-failover')
  assert.equal(await replica.say('GET n'), '100')
  await replica.say('SET b 1')
  await third.follow(replica)
  assert.ok(await world.caughtUp(replica, primary, third))
  assert.equal(primary.digest, replica.digest)
  assert.equal(third.digest, replica.digest)
  for (const one of [primary, replica, third]) assert.equal(await one.info('sync_full'), one === primary ? '2' : '0')
})

test('FAILOVER takes any replica that has everything, or none before its time-out', async () => {
  const { world, primary, replica } = await pair(2)
  world.cut(primary, replica)
  await primary.say('SET b 1')
  assert.equal(await primary.say('FAILOVER TIMEOUT 500'), 'OK')
  assert.equal(await primary.info('master_failover_state'), 'waiting-for-sync')
  assert.equal(textOf(await primary.say('FAILOVER')), 'ERR FAILOVER already in progress.')
  assert.equal(textOf(await primary.say('REPLICAOF NO ONE')), 'ERR REPLICAOF not allowed while failing over.')
  await world.world.run(1000)
  assert.equal(await primary.info('master_failover_state'), 'no-failover')
  assert.match(primary.log, /FAILOVER to any replica aborted: Replica never caught up before timeout/)
  assert.equal(await primary.say('SET c 1'), 'OK')
  world.heal()
  assert.ok(await world.caughtUp(primary, replica))
  assert.equal(await primary.say('FAILOVER'), 'OK')
  await world.world.run(3000)
  assert.equal(await primary.info('role'), 'slave')
  assert.equal(await replica.say('GET c'), '1')
})

test('FAILOVER with FORCE goes on without the target; ABORT makes the server a primary again', async () => {
  const { world, primary, replica } = await pair(3)
  world.cut(primary, replica)
  await primary.say('SET b 1')
  assert.equal(await primary.say('FAILOVER TO 10.0.0.2 6379 FORCE TIMEOUT 100'), 'OK')
  await world.world.run(1000)
  assert.equal(await primary.info('master_failover_state'), 'failover-in-progress')
  assert.equal(await primary.info('role'), 'slave')
  assert.equal(await primary.say('FAILOVER ABORT'), 'OK')
  assert.equal(await primary.info('role'), 'master')
  assert.equal(await primary.say('SET c 1'), 'OK')
  world.heal()
  assert.ok(await world.caughtUp(primary, replica))
  assert.equal(replica.digest, primary.digest)
})

test('FAILOVER says why it is impossible', async () => {
  const { primary, replica } = await pair(4)
  const cases = [
    [replica, 'FAILOVER', 'ERR FAILOVER is not valid when server is a replica.'],
    [primary, 'FAILOVER ABORT', 'ERR No failover in progress.'],
    [
      primary,
      'FAILOVER TO 10.0.0.2 6379 FORCE',
      'ERR FAILOVER with force option requires both a timeout and target HOST and IP.',
    ],
    [primary, 'FAILOVER TO 10.0.0.2 1', 'ERR FAILOVER target HOST and PORT is not a replica.'],
    [primary, 'FAILOVER TIMEOUT 0', 'ERR FAILOVER timeout must be greater than 0'],
    [primary, 'FAILOVER TO host', 'ERR syntax error'],
    [primary, 'PSYNC x 1 FAILOVER', "ERR PSYNC FAILOVER can't be sent to a master."],
    [replica, 'PSYNC x 1 FAILOVER', 'ERR PSYNC FAILOVER replid must match my replid.'],
  ] as const
  for (const [server, line, expected] of cases) assert.equal(textOf(await server.say(line)), expected, line)
  await replica.say('REPLICAOF NO ONE')
  assert.equal(textOf(await replica.say('FAILOVER')), 'ERR FAILOVER requires connected replicas.')
})

test('a shutdown waits until replicas have everything, for shutdown-timeout at most', async () => {
  const { world, primary, replica } = await pair(5)
  world.cut(primary, replica)
  await primary.say('SET b 1')
  let isOver = false
  const ending = primary.server.shutdown().then(() => {
    isOver = true
  })
  await world.world.run(5000)
  assert.equal(isOver, false)
  world.heal()
  await world.world.run(5000, () => isOver)
  await ending
  assert.match(primary.log, /1 of 1 replicas are in sync when shutting down/)
  assert.equal(await replica.say('GET b'), '1')

  const second = await pair(6)
  second.world.cut(second.primary, second.replica)
  await second.primary.say('SET b 1')
  await second.world.world.until(second.primary.server.shutdown(), 11_000)
  assert.match(second.primary.log, /Lagging replica 10.0.0.2:6379 reported offset \d+ behind master/)
  assert.match(second.primary.log, /0 of 1 replicas are in sync when shutting down/)
})
