// redstart/ioredis-mock in the place of ioredis, in Jest.

jest.mock('ioredis', () => require('redstart/ioredis-mock'))

const Redis = require('ioredis')

afterAll(() => Redis.closeServers())

test('the program under test makes clients as always', async () => {
  const { Cluster } = require('ioredis')
  const redis = new Redis({ data: { user: { name: 'ann' } } })
  expect(await redis.hgetall('user')).toEqual({ name: 'ann' })
  expect(await redis.eval("return cjson.encode({redis.call('HGET', KEYS[1], 'name')})", 1, 'user')).toBe('["ann"]')
  const cluster = new Cluster([{ host: 'localhost', port: 7001 }])
  expect(await cluster.incr('n')).toBe(1)
  await cluster.quit()
  await redis.quit()
})
