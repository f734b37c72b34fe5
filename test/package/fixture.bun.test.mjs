import { expect, test } from 'bun:test'
import { useRedis } from 'redstart/bun-test'

const redis = useRedis({ data: { visits: 1 } })

for (const time of ['first', 'second'])
  test(`the ${time} test begins with the data`, () => expect(redis.server.callSync('INCR', 'visits')).toBe(2))
