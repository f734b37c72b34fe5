import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useRedis } from 'redstart/node-test'

const redis = useRedis({ data: { visits: 1 } })

for (const time of ['first', 'second'])
  test(`the ${time} test begins with the data`, () => assert.equal(redis.server.callSync('INCR', 'visits'), 2))
