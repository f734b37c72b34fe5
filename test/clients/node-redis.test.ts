// The client programs with node-redis, in both protocols.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from 'redis'
import { type Address, rateLimiter, type Store, sessionStore, withServer } from './programs.ts'

const unix = { skip: process.platform === 'win32' ? 'there are no Unix sockets' : false }

type Protocol = 2 | 3

function clientOf(target: { host: string; port: number } | { path: string }, RESP: Protocol) {
  return createClient({ socket: { ...target, reconnectStrategy: false }, RESP })
}

type Client = ReturnType<typeof clientOf>

function storeOf(redis: Client): Store {
  return {
    setFor: (key, value, seconds) => redis.set(key, value, { expiration: { type: 'EX', value: seconds } }),
    get: key => redis.get(key),
    putFields: (key, fields) => redis.hSet(key, fields),
    fields: key => redis.hGetAll(key),
    expire: (key, seconds) => redis.expire(key, seconds),
    secondsLeft: key => redis.ttl(key),
    remove: (...keys) => redis.del(keys),
    async countUp(key, seconds) {
      const replies = await redis.multi().incr(key).expire(key, seconds).exec()
      return Number(replies[0])
    },
    async slide(key, nowMs, windowMs, member) {
      const steps = redis.multi().zRemRangeByScore(key, '-inf', `(${nowMs - windowMs}`)
      const replies = await steps.zAdd(key, { score: nowMs, value: member }).zCard(key).pExpire(key, windowMs).exec()
      return Number(replies[2])
    },
  }
}

async function run(body: (redis: Client) => Promise<void>, over: 'TCP' | 'Unix', protocol: Protocol): Promise<void> {
  await withServer(async ({ host, port, path }: Address) => {
    const redis = clientOf(over === 'TCP' ? { host, port } : { path }, protocol)
    redis.on('error', () => {}) // what goes wrong rejects the call
    await redis.connect()
    try {
      await body(redis)
    } finally {
      redis.destroy()
    }
  })
}

for (const protocol of [2, 3] as const) {
  const name = `in RESP${protocol}`
  test(`a session store over TCP ${name}`, () => run(redis => sessionStore(storeOf(redis)), 'TCP', protocol))
  test(`a session store over a Unix socket ${name}`, unix, () =>
    run(redis => sessionStore(storeOf(redis)), 'Unix', protocol),
  )
  test(`a rate limiter over TCP ${name}`, () => run(redis => rateLimiter(storeOf(redis)), 'TCP', protocol))
  test(`a rate limiter over a Unix socket ${name}`, unix, () =>
    run(redis => rateLimiter(storeOf(redis)), 'Unix', protocol),
  )

  test(`SCAN, messages and a blocking pop ${name}`, () =>
    run(
      async redis => {
        await redis.mSet(Array.from({ length: 300 }, (_, i) => [`scan:${i}`, `${i}`] as [string, string]))
        const found = new Set<string>()
        for await (const keys of redis.scanIterator({ MATCH: 'scan:*', COUNT: 50 }))
          for (const key of keys) found.add(key)
        assert.equal(found.size, 300)

        const other = redis.duplicate()
        other.on('error', () => {})
        await other.connect()
        const popped = other.blPop('jobs', 5)
        await redis.rPush('jobs', 'first')
        assert.deepEqual({ ...(await popped) }, { key: 'jobs', element: 'first' })
        let hear: (text: string) => void = () => {}
        const heard = new Promise<string>(resolve => (hear = resolve))
        await other.subscribe('news', text => hear(text))
        assert.equal(await redis.publish('news', 'hello'), 1)
        assert.equal(await heard, 'hello')
        other.destroy()
      },
      'TCP',
      protocol,
    ))
}
