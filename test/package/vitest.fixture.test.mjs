import { redisFixtures } from 'redstart/vitest'
import { test as base, expect } from 'vitest'

const test = base.extend(redisFixtures({ data: { visits: 1 } }))

test.concurrent('one server', async ({ redis }) => {
  expect(redis.callSync('INCR', 'visits')).toBe(2)
})

test.concurrent('and another, with a port', async ({ redis, redisUrl }) => {
  expect(redisUrl).toBe(`redis://127.0.0.1:${redis.port}`)
  expect(await redis.call('INCR', 'visits')).toBe(2)
  expect(redis.toJSON()).toEqual({ visits: '2' })
})

base('no server', () => {
  expect(1).toBe(1)
})
