import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CommandRecord, createServer } from '../index.ts'

// The same of a server in the program's thread and of one in its own.
for (const worker of [false, true]) {
  const made = (options: object) =>
    createServer({ ...options, ...(worker ? { worker } : {}) } as { worker: true; config?: object })
  const where = worker ? 'in a worker' : "in the program's thread"

  test(`history, waitFor and events of a server ${where}`, async () => {
    await using server = await made({
      history: true,
      clock: 'virtual',
      config: { maxmemoryPolicy: 'allkeys-random' },
    })
    const seen: unknown[] = []
    const off = server.on('command', ({ name, args }) => seen.push([name, ...args]))
    server.on('disconnect', ({ clientName }) => seen.push(`disconnect ${clientName}`))
    server.on('expired', ({ key, db }) => seen.push(`expired ${key} ${db}`))
    server.on('key-changed', ({ event, key, database, type }) => seen.push([event, key.length, database, type]))
    const waited = server.waitFor(/^set$/, ([key]) => key === 'b')
    const client = server.client()
    await client.clientSetname('me')
    await client.set('a', '1', 'PX', 10)
    assert.deepEqual(seen.slice(-3), [
      ['set', 'a', '1', 'PX', '10'],
      ['set', 1, 0, 'string'],
      ['expire', 1, 0, 'string'],
    ])
    await client.set('b', new Uint8Array([0xff, 0]))
    const { args, bytes, reply, db, atMs } = await waited
    assert.deepEqual([args[0], [...bytes[1]], reply, db], ['b', [0xff, 0], 'OK', 0])
    assert.equal(atMs, await server.clock.now())
    await assert.rejects(client.incr('b'), /not an integer/)
    const last = (record: CommandRecord) => [record.name, String(record.reply)]
    assert.deepEqual(server.history.commands.slice(-2).map(last), [
      ['set', 'OK'],
      ['incr', 'RedisError: ERR value is not an integer or out of range'],
    ])
    server.history.stop()
    await client.ping()
    off()
    await server.clock.advance(10)
    client.close()
    await server.call('PING')
    assert.deepEqual(seen.slice(-3), [['ping'], 'expired a 0', 'disconnect me'])
    assert.equal(server.history.commands.at(-1)?.name, 'incr')
    server.history.clear()
    assert.deepEqual(server.history.commands, [])
    assert.throws(() => server.on('nosuch' as never, () => {}), /there is no event 'nosuch'/)
    assert.throws(() => server.on('nosuch' as never, () => {}), /there is no event 'nosuch'/)
  })

  test(`interceptors of a server ${where}`, async () => {
    await using server = await made({ history: true })
    const client = server.client()
    await client.set('k', 'v')
    await client.rpush('l', ['a', 'b'])
    const order: unknown[] = []
    const out = server.use(async ({ name, args }, next) => {
      if (name === 'get' && args[0] === 'own') return 'answered'
      if (name === 'lrange') return [...((await next()) as string[]), 'more']
      if (name === 'del') throw new Error('not today')
      if (name === 'hget') return new Error('NOTNOW later')
      if (name === 'incr') {
        const reply = await next()
        order.push(reply instanceof Error ? reply.name : reply, await next())
        return Number(reply) * 10
      }
      return next()
    })
    assert.equal(await client.get('own'), 'answered')
    assert.equal(await client.get('k'), 'v')
    assert.deepEqual(await client.lrange('l', 0, -1), ['a', 'b', 'more'])
    await assert.rejects(client.del('k'), { code: 'ERR', message: 'ERR not today' })
    await assert.rejects(client.hget('k', 'f'), { code: 'NOTNOW' })
    assert.deepEqual(await Promise.all([client.incr('n'), client.incr('n'), client.ping()]), [10, 20, 'PONG'])
    assert.deepEqual(order, [1, 1, 2, 2])
    await assert.rejects(client.lpush('k', 'x'), { code: 'WRONGTYPE' })
    assert.equal(server.history.commands.at(-1)?.name, 'lpush')
    assert.throws(() => server.callSync('GET', 'k'), worker ? /interceptor of the program/ : /does not reply at once/)
    out()
    assert.equal(server.callSync('GET', 'k'), 'v')
    // Inner ones reply to outer ones.
    server.use(async ({ name }, next) => (name === 'get' ? `<${await next()}>` : undefined))
    server.use(async ({ name }, next) => (name === 'get' ? `[${await next()}]` : undefined))
    assert.equal(await client.get('k'), '<[v]>')
    assert.equal(await client.set('k', 'w'), 'OK')
    await server.reset()
    assert.equal(await client.get('k'), null)
  })
}

test('what a program cannot send to a worker is an error reply', async () => {
  await using server = await createServer({ worker: true })
  server.use(() => () => {})
  await assert.rejects(server.call('GET', 'k'), /ERR .*clone/)
  server.faults.connected = false
  await server.reset()
  assert.equal(server.faults.connected, true)
  assert.equal(await server.call('PING'), 'PONG')
})
