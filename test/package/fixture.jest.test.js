const { useRedis } = require('redstart/jest')

const redis = useRedis({ data: { visits: 1 }, env: 'REDIS_URL' })

for (const time of ['first', 'second'])
  test(`the ${time} test begins with the data`, () => {
    expect(process.env.REDIS_URL).toBe(redis.url)
    expect(redis.server.callSync('INCR', 'visits')).toBe(2)
  })
