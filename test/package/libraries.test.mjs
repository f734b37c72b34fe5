// Libraries that keep their state in Redis, after the examples of their documentation, on a server in this process.

import KeyvRedis from '@keyv/redis'
import { createAdapter } from '@socket.io/redis-adapter'
import { Redis as Upstash } from '@upstash/redis'
import BeeQueue from 'bee-queue'
import Bull from 'bull'
import { RedisStore } from 'connect-redis'
import { Redis } from 'ioredis'
import { Keyv } from 'keyv'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { createClient } from 'redis'
import redlock from 'redlock'
import { createServer } from 'redstart'
import { ioredisOptions } from 'redstart/ioredis'
import { RedisMock } from 'redstart/ioredis-mock'
import { RedisMemoryServer } from 'redstart/memory-server'
import { intercept, nodeRedisOptions } from 'redstart/node-redis'
import { requester, restHandler } from 'redstart/upstash'
import { Server } from 'socket.io'
import { afterEach, expect, test, vi } from 'vitest'

const Redlock = redlock.default ?? redlock
const closing = []

/** node-redis and Bull wait for setImmediate. */
const toFake = ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']

afterEach(async () => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  for (const close of closing.splice(0).reverse()) await close()
})

async function started(options) {
  const server = await createServer(options)
  closing.push(() => server.close())
  return server
}

function ioredis(server) {
  const redis = new Redis(ioredisOptions(server))
  closing.push(() => redis.quit())
  return redis
}

async function nodeRedis(server) {
  const client = createClient(nodeRedisOptions(server))
  client.on('error', () => {})
  await client.connect()
  closing.push(() => client.close())
  return client
}

test('Bull: a job, its progress and result; a job of an hour later', async () => {
  vi.useFakeTimers({ toFake })
  const server = await started()
  const queue = new Bull('video transcoding', { redis: ioredisOptions(server) })
  closing.push(() => queue.close())
  const begin = Date.now()
  const ran = []
  queue.process(async job => {
    ran.push([job.data.video, Date.now() - begin])
    await job.progress(42)
    return { done: job.data.video }
  })
  const completed = []
  queue.on('completed', (_job, result) => completed.push(result.done))
  await queue.isReady()
  await queue.add({ video: 'now' })
  await queue.add({ video: 'later' }, { delay: 3_600_000 })
  await server.clock.advance('61m')
  expect(ran[0]).toEqual(['now', expect.any(Number)])
  expect(ran[1][0]).toBe('later')
  expect(ran[1][1]).toBeGreaterThanOrEqual(3_600_000)
  expect(completed).toEqual(['now', 'later'])
  expect((await queue.getCompleted()).map(job => job._progress)).toEqual([42, 42])
})

test('bee-queue: a job and its result', async () => {
  const server = await started()
  const interception = intercept('127.0.0.1:6379', server)
  closing.push(async () => interception.dispose())
  const queue = new BeeQueue('example', { redis: { host: '127.0.0.1', port: 6379 } })
  closing.push(() => queue.close())
  queue.process(async job => job.data.x + job.data.y)
  const job = queue.createJob({ x: 2, y: 3 })
  const result = new Promise(resolve => job.on('succeeded', resolve))
  await job.timeout(3000).retries(2).save()
  expect(await result).toBe(5)
})

test('connect-redis: sessions, and their end', async () => {
  vi.useFakeTimers({ toFake })
  const server = await started()
  const store = new RedisStore({ client: await nodeRedis(server), prefix: 'app:' })
  await store.set('sid', { cookie: { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000) }, user: 'ann' })
  expect((await store.get('sid')).user).toBe('ann')
  expect(await store.length()).toBe(1)
  expect(server.callSync('TTL', 'app:sid')).toBe(60)
  await server.clock.advance('61s')
  expect(await store.get('sid')).toBeNull()
})

test('rate-limiter-flexible: points are used up, and come back', async () => {
  vi.useFakeTimers()
  const server = await started()
  const limiter = new RateLimiterRedis({ storeClient: ioredis(server), points: 3, duration: 60, keyPrefix: 'limit' })
  for (const remaining of [2, 1, 0]) expect((await limiter.consume('ip')).remainingPoints).toBe(remaining)
  await expect(limiter.consume('ip')).rejects.toMatchObject({ remainingPoints: 0 })
  await server.clock.advance('61s')
  expect((await limiter.consume('ip')).remainingPoints).toBe(2)
})

test('keyv: values, their end, and clear()', async () => {
  vi.useFakeTimers({ toFake })
  const server = await started()
  const keyv = new Keyv({ store: new KeyvRedis(await nodeRedis(server)), namespace: 'cache' })
  await keyv.set('a', { n: 1 }, 1000)
  await keyv.set('b', 'forever')
  expect(await keyv.get('a')).toEqual({ n: 1 })
  await server.clock.advance('2s')
  expect(await keyv.get('a')).toBeUndefined()
  expect(await keyv.get('b')).toBe('forever')
  await keyv.clear()
  expect(server.callSync('DBSIZE')).toBe(0)
})

test('redlock: a lock keeps others out until it is released, or ends', async () => {
  vi.useFakeTimers()
  const server = await started()
  const locks = new Redlock([ioredis(server)], { retryCount: 0 })
  const lock = await locks.acquire(['a'], 5000)
  await expect(locks.acquire(['a'], 5000)).rejects.toThrow()
  const longer = await lock.extend(10_000)
  await server.clock.advance('6s')
  await expect(locks.acquire(['a'], 5000)).rejects.toThrow()
  await longer.release()
  await locks.acquire(['a'], 5000)
  await server.clock.advance('6s')
  expect((await locks.acquire(['a'], 5000)).value).toEqual(expect.any(String))
})

test('socket.io: servers reach each other through the adapter', async () => {
  const server = await started()
  const servers = [1, 2].map(() => {
    const [pub, sub] = [ioredis(server), ioredis(server)]
    const io = new Server({ adapter: createAdapter(pub, sub) })
    closing.push(async () => io.of('/').adapter.close())
    return io
  })
  servers[1].on('hello', (name, answer) => answer(`hello ${name}`))
  await vi.waitFor(async () => expect(await servers[0].of('/').adapter.serverCount()).toBe(2))
  const answers = await servers[0].serverSideEmitWithAck('hello', 'ann')
  expect(answers).toEqual(['hello ann'])
})

test('@upstash/redis: by a requester, and by fetch', async () => {
  const server = await started()
  const handle = restHandler(server, { token: 'dev' })
  vi.stubGlobal('fetch', handle)
  const byFetch = new Upstash({ url: 'http://redis.test', token: 'dev' })
  for (const redis of [new Upstash(requester(server)), byFetch]) {
    await redis.flushall()
    await redis.set('user', { name: 'ännchen', age: 7 }, { ex: 60 })
    expect(await redis.get('user')).toEqual({ name: 'ännchen', age: 7 })
    expect(await redis.hset('h', { f: 1, g: 'two' })).toBe(2)
    expect(await redis.hgetall('h')).toEqual({ f: 1, g: 'two' })
    expect(await redis.mget('user', 'absent')).toEqual([{ name: 'ännchen', age: 7 }, null])
    await redis.zadd('z', { score: 1.5, member: 'a' })
    expect(await redis.zrange('z', 0, -1, { withScores: true })).toEqual(['a', 1.5])
    expect(await redis.pipeline().incr('n').get('n').exec()).toEqual([1, 1])
    expect(await redis.multi().incr('n').type('h').exec()).toEqual([2, 'hash'])
    expect(await redis.eval('return {KEYS[1], ARGV[1]}', ['k'], ['v'])).toEqual(['k', 'v'])
    await expect(redis.incr('h')).rejects.toThrow(/WRONGTYPE/)
    const subscription = redis.subscribe('c')
    const message = new Promise(resolve => subscription.on('message', resolve))
    while ((await redis.publish('c', { hello: 1 })) === 0) await new Promise(resolve => setTimeout(resolve, 1))
    expect(await message).toEqual({ channel: 'c', message: { hello: 1 } })
    await subscription.unsubscribe()
  }
  await expect(new Upstash({ url: 'http://redis.test', token: 'no', retry: false }).ping()).rejects.toThrow(/Unauthor/)
})

test('the drop-ins of the package', async () => {
  const redis = new RedisMock({ data: { k: 'v' }, keyPrefix: 'p:' })
  expect(await redis.get('k')).toBe('v')
  expect(redis).toBeInstanceOf(Redis)
  await redis.quit()
  await RedisMock.closeServers()
  const memory = await RedisMemoryServer.create()
  expect(await memory.getPort()).toBeGreaterThan(0)
  await memory.stop()
})
