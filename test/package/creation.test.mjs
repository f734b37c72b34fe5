// What a server and an ioredis of its own cost each of 50 tests: vitest prints it ('tests 200ms').
// With REDIS_PORT the same tests empty a redis-server there, which is what ioredis and vitest cost by themselves.

import process from 'node:process'
import Redis from 'ioredis'
import { ioredisOptions } from 'redstart/ioredis'
import { expect, test } from 'vitest'

const port = process.env.REDIS_PORT
const { createServer } = port === undefined ? await import('redstart') : {}

for (let i = 0; i < 50; i++)
  test(`test ${i}`, async () => {
    const server = await createServer?.()
    const redis = new Redis(server === undefined ? Number(port) : ioredisOptions(server))
    if (server === undefined) await redis.flushall()
    await redis.set('k', i)
    expect(await redis.get('k')).toBe(String(i))
    redis.disconnect()
    await server?.close()
  })
