import assert from 'node:assert/strict'
import { test } from 'node:test'
import Redis from 'ioredis'
import { ioredisOptions } from 'redstart/ioredis'
import { useRedis } from 'redstart/node-test'

const redis = useRedis({ data: { visits: 1 } })

for (const time of ['first', 'second'])
  test(`the ${time} test begins with the data`, () => assert.equal(redis.server.callSync('INCR', 'visits'), 2))

test('a session ends after an hour', async () => {
  const client = new Redis(ioredisOptions(redis.server))
  await client.set('session', 'alice', 'EX', 3600)
  await redis.server.clock.advance('1h')
  assert.equal(await client.get('session'), null)
  client.disconnect()
})
