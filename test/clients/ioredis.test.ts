// The client programs with ioredis.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { type Address, rateLimiter, type Store, sessionStore, withServer } from './programs.ts'

const unix = { skip: process.platform === 'win32' ? 'there are no Unix sockets' : false }

function storeOf(redis: Redis): Store {
  return {
    setFor: (key, value, seconds) => redis.set(key, value, 'EX', seconds),
    get: key => redis.get(key),
    putFields: (key, fields) => redis.hset(key, fields),
    fields: key => redis.hgetall(key),
    expire: (key, seconds) => redis.expire(key, seconds),
    secondsLeft: key => redis.ttl(key),
    remove: (...keys) => redis.del(...keys),
    async countUp(key, seconds) {
      const replies = await redis.multi().incr(key).expire(key, seconds).exec()
      return replies![0][1] as number
    },
    async slide(key, nowMs, windowMs, member) {
      const steps = redis.multi().zremrangebyscore(key, '-inf', `(${nowMs - windowMs}`)
      const replies = await steps.zadd(key, nowMs, member).zcard(key).pexpire(key, windowMs).exec()
      return replies![2][1] as number
    },
  }
}

async function run(body: (redis: Redis) => Promise<void>, target: (address: Address) => object): Promise<void> {
  await withServer(async address => {
    const redis = new Redis({ ...target(address), lazyConnect: true, retryStrategy: () => null })
    await redis.connect()
    try {
      await body(redis)
    } finally {
      redis.disconnect()
    }
  })
}

const overTcp = ({ host, port }: Address) => ({ host, port })
const overUnix = ({ path }: Address) => ({ path })
const pipelined = (address: Address) => ({ ...overTcp(address), enableAutoPipelining: true })

test('a session store over TCP', () => run(redis => sessionStore(storeOf(redis)), overTcp))
test('a session store over a Unix socket', unix, () => run(redis => sessionStore(storeOf(redis)), overUnix))
test('a session store with automatic pipelining', () => run(redis => sessionStore(storeOf(redis)), pipelined))
test('a rate limiter over TCP', () => run(redis => rateLimiter(storeOf(redis)), overTcp))
test('a rate limiter over a Unix socket', unix, () => run(redis => rateLimiter(storeOf(redis)), overUnix))

test('a limiter in Lua, SCAN as a stream and messages', () =>
  run(async redis => {
    const limit = `local n = redis.call('INCR', KEYS[1])
      if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
      return n <= tonumber(ARGV[2]) and 1 or 0`
    const answers: unknown[] = []
    for (let i = 0; i < 5; i++) answers.push(await redis.eval(limit, 1, 'lua:rate', 60, 3))
    assert.deepEqual(answers, [1, 1, 1, 0, 0])

    await redis.mset(...Array.from({ length: 300 }, (_, i) => [`scan:${i}`, i]).flat())
    const found = new Set<string>()
    for await (const keys of redis.scanStream({ match: 'scan:*', count: 50 })) for (const key of keys) found.add(key)
    assert.equal(found.size, 300)

    const listener = redis.duplicate()
    const heard = new Promise(resolve => listener.on('message', (channel, text) => resolve([channel, text])))
    await listener.subscribe('news')
    assert.equal(await redis.publish('news', 'hello'), 1)
    assert.deepEqual(await heard, ['news', 'hello'])
    listener.disconnect()
  }, overTcp))
