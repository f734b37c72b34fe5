import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer, RedisError } from '../index.ts'

test('a client has a method for each command, with replies as values', async () => {
  await using server = await createServer()
  const client = server.client()
  assert.equal(await client.set('k', 'wörter', 'EX', 60), 'OK')
  assert.equal(await client.get('k'), 'wörter')
  assert.equal(await client.ttl('k'), 60)
  assert.equal(await client.get('absent'), null)
  assert.equal(await client.hset('h', { f: 1, g: 'two' }), 2)
  assert.deepEqual(await client.hgetall('h'), { f: '1', g: 'two' })
  assert.equal(await client.zadd('z', [1.5, 'a'], 2, 'b'), 2)
  assert.deepEqual(await client.zrange('z', 0, -1, 'WITHSCORES'), [
    ['a', 1.5],
    ['b', 2],
  ])
  assert.equal(await client.zscore('z', 'a'), 1.5)
  assert.equal(await client.del(['k', 'h'], 'z'), 3)
  assert.deepEqual(await client.configGet('databases'), { databases: '16' })
  assert.equal(await client.incrby('n', 2n ** 62n), 2n ** 62n)
  await assert.rejects(client.hget('n', 'f'), (error: RedisError) => error.code === 'WRONGTYPE')
  assert.deepEqual(await client.call('CONFIG GET', 'databases'), { databases: '16' })
  assert.equal(await client.call<string>('config', 'set', 'maxmemory', '0'), 'OK')
})

test('a client may have strings as bytes, a database and a password', async () => {
  await using server = await createServer({ config: { requirepass: 'two wörds' } })
  const client = server.client({ bytes: true, db: 3 })
  const value = new Uint8Array([0, 255, 13, 10])
  await client.set('k', value)
  assert.deepEqual(await client.get('k'), value)
  assert.match(server.callSync('INFO', 'keyspace'), /db3:keys=1/)
  const other = server.client({ password: 'wrong' })
  await assert.rejects(other.ping(), /WRONGPASS/)
})

test('callSync() replies at once, throws errors, and does not wait', async () => {
  await using server = await createServer()
  assert.equal(server.callSync('SET', 'k', 1), 'OK')
  assert.equal(server.callSync('GET', 'k'), '1')
  assert.equal(server.callSync('GET', 'absent'), null)
  assert.throws(() => server.callSync('LPUSH', 'k', 'a'), RedisError)
  assert.throws(() => server.callSync('BLPOP', 'q', 0), /BLPOP does not reply at once/)
  assert.equal(server.callSync('INCR', 'k'), 2)
  assert.equal(await server.call('GET', 'k'), '2')
  await server.close()
  assert.throws(() => server.callSync('PING'), /closed/)
})

test('a transaction is sent by exec(): replies, errors and watched keys', async () => {
  await using server = await createServer()
  const client = server.client()
  const queued = client.multi().set('k', '1').incr('k').call('GET', 'k')
  assert.equal(await client.exists('k'), 0)
  assert.deepEqual(await queued.exec(), ['OK', 2, '2'])
  await client.watch('k')
  server.callSync('SET', 'k', 'other')
  assert.equal(await client.multi().get('k').exec(), null)
  await assert.rejects(client.multi().incr('k').get('k').exec(), (error: RedisError) => {
    assert.match(error.message, /not an integer/)
    assert.equal(error.replies?.[1], 'other')
    return true
  })
  await assert.rejects(client.multi().call('NOSUCH').exec(), /EXECABORT/)
})

test('subscriptions are iterated over until they are closed', async () => {
  await using server = await createServer()
  const client = server.client()
  const channels = await client.subscribe('a', 'b')
  const patterns = await client.psubscribe('a*')
  await client.publish('a', 'one')
  await client.publish('b', 'two')
  const got: string[] = []
  for await (const { channel, message } of channels) {
    got.push(`${channel} ${message}`)
    if (got.length === 2) break
  }
  assert.deepEqual(got, ['a one', 'b two'])
  assert.deepEqual((await patterns.next()).value, { channel: 'a', message: 'one', pattern: 'a*' })
  const last = patterns.next()
  patterns.close()
  assert.deepEqual(await last, { done: true, value: undefined })
  assert.equal(await client.publish('a', 'nobody'), 0)
})

test('MONITOR and invalidations reach a client', async () => {
  await using server = await createServer()
  const client = server.client()
  const lines = await client.monitor()
  await client.echo('hello')
  for (let line = ''; !/"echo" "hello"$/i.test(line); ) line = (await lines.next()).value ?? 'ended'
  lines.close()
  const pushes: unknown[] = []
  client.onPush = items => pushes.push(items)
  await client.clientTracking('ON')
  await client.get('k')
  server.callSync('SET', 'k', 'v')
  assert.deepEqual(pushes, [['invalidate', ['k']]])
})

test('a blocking command waits on its connection, a duplicate is free', async () => {
  await using server = await createServer()
  const client = server.client()
  const popped = client.blpop('q', 0)
  await client.duplicate().rpush('q', 'job')
  assert.deepEqual(await popped, ['q', 'job'])
})

test('scans are iterated over', async () => {
  await using server = await createServer()
  const client = server.client()
  const names = Array.from({ length: 500 }, (_, i) => `key:${i}`)
  await client.mset(Object.fromEntries(names.map(name => [name, name])))
  await client.sadd('set', names)
  await client.hset('hash', { f: 'v' })
  await client.zadd('zset', 'inf', 'a')
  const found = new Set<string>()
  for await (const key of client.scanIterator({ match: 'key:*', count: 10 })) found.add(key)
  assert.equal(found.size, 500)
  const all = async <T>(items: AsyncGenerator<T>) => {
    const list: T[] = []
    for await (const item of items) list.push(item)
    return list
  }
  assert.equal(new Set(await all(client.sscanIterator('set'))).size, 500)
  assert.deepEqual(await all(client.scanIterator({ type: 'hash' })), ['hash'])
  assert.deepEqual(await all(client.hscanIterator('hash')), [['f', 'v']])
  assert.deepEqual(await all(client.zscanIterator('zset')), [['a', Number.POSITIVE_INFINITY]])
})

test('a client opens a new connection after the old one was lost', async () => {
  const server = await createServer()
  const client = server.client({ db: 2 })
  await client.set('k', 'v')
  const waiting = client.blpop('q', 0)
  server.callSync('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await assert.rejects(waiting, /closed the connection/)
  assert.equal(await client.get('k'), 'v')
  const last = client.blpop('q', 0)
  await server.close()
  await assert.rejects(last, /closed the connection/)
  await assert.rejects(client.ping(), /the server is closed/)
})

test('what is no argument is an error that names it, and sends nothing', async () => {
  await using server = await createServer()
  const client = server.client()
  await assert.rejects(client.call('SET', 'k', undefined as never), /not undefined/)
  await assert.rejects(client.call('SET', 'k', null as never), /not null/)
  assert.equal(await client.ping(), 'PONG')
})

test('calls are typed from the table of commands', async () => {
  await using server = await createServer()
  const client = server.client()
  const text: string | null = await client.get('k')
  const fields: Record<string, string> = await client.hgetall('h')
  const done: [number, string | null] | null = await client.multi().incr('n').get('k').exec()
  const bytes: Uint8Array | null = await server.client({ bytes: true }).get('k')
  const count: number = server.callSync('DBSIZE')
  const size: number = await server.call('strlen', 'k')
  // @ts-expect-error: GET replies no number
  const wrong: number = await client.get('k')
  // @ts-expect-error: a transaction of two commands has two replies
  const three: [number, string | null, number] | null = await client.multi().incr('n').get('k').exec()
  // @ts-expect-error: SETRANGE takes three arguments
  await assert.rejects(client.setrange('k', 1))
  // @ts-expect-error: there is no such command
  assert.throws(() => client.nosuch())
  // @ts-expect-error: an argument is no boolean
  await assert.rejects(client.set('k', true))
  assert.deepEqual(
    [text, fields, done, bytes, count, size, wrong, three],
    [null, {}, [1, null], null, 1, 0, null, [2, null]],
  )
})
