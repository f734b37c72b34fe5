import assert from 'node:assert/strict'
import { test } from 'node:test'
import RedisMock, { Cluster } from './ioredis-mock.ts'

test('data is there when a client is made, behind its prefix', async () => {
  const data = {
    user_next: '3',
    count: 5,
    emails: { 'clark@daily.planet': '1', 'bruce@wayne.enterprises': 2 },
    queue: ['a', 'b'],
    tags: new Set(['x', 'y']),
    scores: new Map([
      ['ann', { value: 'ann', score: 3 }],
      ['bob', { value: 'bob', score: 1 }],
    ]),
    log: [['1-1', ['f', 'v']]],
    bytes: Buffer.from([0, 255]),
  }
  const redis = new RedisMock({ data, keyPrefix: 'app:' })
  assert.equal(await redis.get('user_next'), '3')
  assert.equal(await redis.incr('count'), 6)
  assert.deepEqual(await redis.hgetall('emails'), { 'clark@daily.planet': '1', 'bruce@wayne.enterprises': '2' })
  assert.deepEqual(await redis.lrange('queue', 0, -1), ['a', 'b'])
  assert.equal(await redis.scard('tags'), 2)
  assert.deepEqual(await redis.zrange('scores', '0', '-1', 'WITHSCORES'), ['bob', '1', 'ann', '3'])
  assert.deepEqual(await redis.xrange('log', '-', '+'), [['1-1', ['f', 'v']]])
  assert.deepEqual(await redis.getBuffer('bytes'), Buffer.from([0, 255]))
  const plain = new RedisMock()
  assert.equal(await plain.get('app:user_next'), '3')
  await RedisMock.closeServers()
  for (const one of [redis, plain]) one.disconnect()
})

test('data leaves no connection behind', async () => {
  const redis = new RedisMock({ data: { a: '1', b: '2', c: '3' } })
  assert.equal(
    String(await redis.client('LIST'))
      .trim()
      .split('\n').length,
    1,
  )
  await RedisMock.closeServers()
  redis.disconnect()
})

test('clients of a host and port share a server, others do not', async () => {
  const a = new RedisMock()
  const same = new RedisMock('redis://localhost:6379')
  const port = new RedisMock(6380)
  const host = new RedisMock(6379, 'other')
  const database = new RedisMock({ db: 1 })
  await a.set('k', 'v')
  assert.equal(await same.get('k'), 'v')
  for (const other of [port, host, database]) assert.equal(await other.get('k'), null)
  assert.equal(await a.duplicate().get('k'), 'v')
  assert.equal(await new RedisMock({ data: { k: 'new' } }).get('k'), 'new')
  assert.equal(await a.get('k'), 'new')
  assert.equal(typeof (RedisMock as unknown as { Command: unknown }).Command, 'function')
  for (const one of [a, same, port, host, database]) await one.quit()
  await RedisMock.closeServers()
})

test('messages, keyspace events and scripts are those of Redis', async () => {
  const redis = new RedisMock({ notifyKeyspaceEvents: 'KEA' })
  const subscriber = redis.duplicate()
  const message = new Promise(
    resolve => void subscriber.on('pmessage', (_pattern, channel, text) => resolve([channel, text])),
  )
  await subscriber.psubscribe('__keyspace@0__:*')
  await redis.set('k', 'v')
  assert.deepEqual(await message, ['__keyspace@0__:k', 'set'])
  redis.defineCommand('twice', { numberOfKeys: 1, lua: "return redis.call('GET', KEYS[1]) .. cjson.encode({1})" })
  assert.equal(await (redis as unknown as { twice(key: string): Promise<string> }).twice('k'), 'v[1]')
  for (const one of [redis, subscriber]) await one.quit()
  await RedisMock.closeServers()
})

test('a cluster is a client with nodes', async () => {
  const cluster = new Cluster(['redis://localhost:7001', { host: 'localhost', port: 7002 }])
  assert.equal(cluster.nodes().length, 2)
  assert.equal(cluster.nodes('slave').length, 2)
  assert.equal(await cluster.set('k', 'v'), 'OK')
  assert.equal(await cluster.get('k'), 'v')
  assert.ok(new RedisMock.Cluster(['redis://localhost:7001']) instanceof RedisMock)
  await cluster.quit()
  await RedisMock.closeServers()
})
