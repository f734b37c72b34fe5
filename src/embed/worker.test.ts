import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { createServer } from '../index.ts'
import { ioredisOptions } from '../ioredis.ts'

test('a server in a worker: its client, messages, transactions and errors', async () => {
  await using server = await createServer({
    worker: true,
    config: { requirepass: 'sécret' },
    data: { k: 'v', l: ['a'] },
  })
  const client = server.client()
  assert.equal(await client.get('k'), 'v')
  assert.deepEqual(await client.multi().incr('n').lrange('l', 0, -1).exec(), [1, ['a']])
  await assert.rejects(client.incr('k'), /not an integer/)
  const messages = await client.subscribe('c')
  await client.publish('c', 'hello')
  assert.deepEqual((await messages.next()).value, { channel: 'c', message: 'hello' })
  const big = 'x'.repeat(3_000_000)
  await client.set('big', big)
  assert.equal(await client.get('big'), big)
  assert.deepEqual(await Promise.all(Array.from({ length: 3000 }, () => client.incr('many'))), range(3000))
  assert.equal(await server.call('DBSIZE'), 5)
  messages.close()
})

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i + 1)
}

test('its load does not disturb the event loop of the program', async () => {
  await using server = await createServer({ worker: true })
  // A command that takes a while, which no other can interrupt.
  const busy = server.call('EVAL', "for i = 1, 2e5 do redis.call('PING') end return 'done'", 0)
  let turns = 0
  let isOver = false
  void busy.then(() => {
    isOver = true
  })
  while (!isOver) {
    await new Promise(resolve => void setImmediate(resolve))
    turns++
  }
  assert.equal(await busy, 'done')
  assert.ok(turns > 100, `${turns} turns`)
})

test('ioredis, a port and fetch reach a server in a worker', async () => {
  const server = await createServer({ worker: true })
  const redis = new Redis(ioredisOptions(server))
  assert.equal(await redis.set('k', 'v'), 'OK')
  assert.equal(await redis.quit(), 'OK')
  assert.throws(() => server.url, /listen/)
  const port = await server.listen()
  assert.equal(server.url, `redis://127.0.0.1:${port}`)
  const other = new Redis(server.url)
  assert.equal(await other.get('k'), 'v')
  other.disconnect()
  const response = await server.fetch(new Request('http://localhost/get/k'))
  assert.deepEqual(await response.json(), { result: 'v' })
  await server.close()
})

test('its state and its clock are asked for and changed', async () => {
  await using server = await createServer({ worker: true, clock: { mode: 'virtual', startMs: 0 } })
  await server.call('SET', 'k', 'v', 'EX', 60)
  const snapshot = await server.snapshot()
  assert.equal(snapshot.keys, 1)
  await server.clock.advance('61s')
  assert.equal(await server.clock.now(), 61_000)
  assert.deepEqual(await server.toJSON(), {})
  await server.clock.set(0)
  await server.restore(snapshot)
  assert.deepEqual(await server.toJSON(), { k: 'v' })
  const rdb = await server.rdb()
  await using copy = await createServer({ data: rdb, clock: { mode: 'virtual', startMs: 0 } })
  assert.equal(copy.callSync('GET', 'k'), 'v')
  await server.reset()
  assert.equal(await server.call('DBSIZE'), 0)
  await assert.rejects(server.restore({ keys: 0, bytes: 0 }), /of this server/)
})

test('what cannot cross, or is refused, is an error', async () => {
  await assert.rejects(createServer({ worker: true, audit: () => {} }), /audit cannot be given/)
  await assert.rejects(createServer({ worker: true, config: { 'maxmemory-policy': 'nosuch' as never } }), /nosuch/)
  const server = await createServer({ worker: true })
  const client = server.client()
  const waiting = client.blpop('q', 0)
  await client.duplicate().ping()
  await Promise.all([assert.rejects(waiting, /closed/), server.close()])
  assert.throws(() => server.connect(), /closed/)
  await assert.rejects(server.rdb(), /closed/)
  assert.equal(await server.close(), undefined)
})

test('a synchronous call waits for the thread, behind what was sent before', async () => {
  await using server = await createServer({ worker: true })
  const set = server.client().set('k', 'v')
  assert.equal(server.callSync('GET', 'k'), 'v')
  const big = 'x'.repeat(3_000_000)
  assert.equal(server.callSync('SET', 'big', big), 'OK')
  assert.equal(server.callSync('GET', 'big'), big)
  assert.deepEqual(server.callSync('CONFIG GET', 'databases'), { databases: '16' })
  assert.throws(() => server.callSync('INCR', 'k'), { name: 'RedisError', code: 'ERR' })
  assert.throws(() => server.callSync('BLPOP', 'q', 0))
  assert.equal(await set, 'OK')
})

test('a fork has the data and the clock of its original, and a thread of its own', async () => {
  await using server = await createServer({ worker: true, clock: { mode: 'virtual', startMs: 0 } })
  server.callSync('SET', 'k', 'v', 'EX', 60)
  await server.clock.advance('30s')
  await using fork = await server.fork()
  assert.equal(fork.callSync('TTL', 'k'), 30)
  await fork.clock.advance('31s')
  assert.equal(fork.callSync('GET', 'k'), null)
  assert.equal(server.callSync('GET', 'k'), 'v')
})

test('faults reach a server in a worker, before what is sent next', async () => {
  await using server = await createServer({ worker: true })
  const client = server.client()
  server.faults.next('GET', { error: 'LOADING' })
  await assert.rejects(client.get('k'), { code: 'LOADING' })
  assert.equal(await client.get('k'), null)
  const takeBack = server.faults.on(/^set$/, { error: 'READONLY' })
  await assert.rejects(client.set('k', 'v'), { code: 'READONLY' })
  takeBack()
  assert.equal(await client.set('k', 'v'), 'OK')
  server.faults.connected = false
  await assert.rejects(client.ping(), /closed/)
  server.faults.clear()
  assert.equal(server.faults.connected, true)
  assert.equal(await server.client().ping(), 'PONG')
  assert.throws(() => server.faults.next('GET', { nosuch: 1 } as never), /a fault is one of/)
  assert.throws(() => server.faults.next(() => true, { hang: true }), /match by name/)
})
