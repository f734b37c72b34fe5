import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { Talk } from '../../test/harness/talk.ts'
import { createServer } from '../index.ts'
import { ioredisOptions } from '../ioredis.ts'
import { nodeRedisOptions } from '../node-redis.ts'

const turn = () => new Promise(resolve => void setImmediate(resolve))

test("errors on demand have Redis's texts, and only for the commands that were named", async () => {
  await using server = await createServer()
  const talk = new Talk(server)
  server.faults.next('GET', { error: 'LOADING' })
  assert.equal(talk.ask('SET k v'), '+OK\r\n')
  assert.equal(talk.ask('GET k', 'GET k'), '-LOADING Redis is loading the dataset in memory\r\n$1\r\nv\r\n')
  const takeBack = server.faults.on(/^(set|del)$/, { error: 'READONLY' }, { after: 1, times: 2 })
  assert.equal(talk.ask('SET k 1', 'DEL k', 'SET k 2', 'SET k 3').split('-READONLY You can').length, 3)
  takeBack()
  server.faults.on('config get', { error: 'MOVED 1 127.0.0.1:7000' })
  assert.equal(talk.ask('CONFIG GET port'), '-MOVED 1 127.0.0.1:7000\r\n')
  assert.match(talk.ask('CONFIG SET maxmemory 1mb', 'INFO errorstats'), /^\+OK[\s\S]*errorstat_READONLY:count=2/)
  server.faults.clear()
  assert.match(talk.ask('CONFIG GET port'), /^\*2/)
  server.faults.next('SET', { error: 'OOM' })
  assert.match(talk.ask('MULTI', 'SET k v', 'EXEC'), /-OOM command not allowed[\s\S]*-EXECABORT/)
  assert.throws(() => server.faults.next('GET', { eror: 'x' } as never), /a fault is one of/)
})

test('connections end before and after a command, or within its reply', async () => {
  await using server = await createServer()
  const drop = (command: string, fault: object) => {
    const talk = new Talk(server)
    server.faults.next(command.split(' ')[0], fault)
    const received = talk.ask(command)
    assert.equal(talk.isClosed, true)
    return received
  }
  assert.equal(drop('SET before 1', { drop: 'before' }), '')
  assert.equal(drop('SET after 1', { drop: 'after' }), '')
  assert.equal(drop('MGET after before', { cutReplyAt: 6 }), '*2\r\n$1')
  assert.equal(new Talk(server).ask('MGET after before'), '*2\r\n$1\r\n1\r\n$-1\r\n')
})

test("a delay is on the server's clock, and what hangs goes on when the faults are cleared", async () => {
  await using server = await createServer({ clock: 'virtual' })
  const [slow, other] = [new Talk(server), new Talk(server)]
  server.faults.next('INCR', { delayMs: 5000 })
  assert.equal(slow.ask('INCR n', 'INCR n'), '')
  assert.equal(other.ask('INCR n'), ':1\r\n')
  await server.clock.advance(4999)
  assert.equal(slow.received, '')
  await server.clock.advance(1)
  assert.equal(slow.received, ':2\r\n:3\r\n')
  server.faults.on('GET', { hang: true })
  assert.equal(slow.ask('GET n'), '')
  await server.clock.advance('1d')
  assert.equal(slow.received, '')
  server.faults.clear()
  assert.equal(slow.received, '$1\r\n3\r\n')
})

test('a reply in pieces, with what follows behind it', async () => {
  await using server = await createServer()
  const pieces: string[] = []
  const socket = server.connect()
  socket.onData = bytes => pieces.push(new TextDecoder().decode(bytes))
  server.faults.next('ECHO', { splitReply: 4 })
  socket.write('ECHO hello\r\nPING\r\n')
  while (pieces.join('').length < 18) await turn()
  assert.deepEqual(pieces.splice(0), ['$5\r\n', 'hell', 'o\r\n', '+PONG\r\n'])
  // What comes by itself waits as well, although no fault is left to look for.
  server.faults.next('ECHO', { splitReply: 4 })
  socket.write('ECHO hello\r\n')
  socket.write('PING\r\n')
  while (pieces.join('').length < 18) await turn()
  assert.deepEqual(pieces, ['$5\r\n', 'hell', 'o\r\n', '+PONG\r\n'])
})

test('an outage: connections are closed and refused, in process and over TCP', async () => {
  await using server = await createServer()
  const port = await server.listen()
  const talk = new Talk(server)
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await new Promise(resolve => void socket.once('connect', resolve))
  const closed = new Promise(resolve => void socket.once('close', resolve))
  while (!talk.ask('INFO clients').includes('connected_clients:2')) await turn()
  server.faults.connected = false
  await closed
  assert.equal(talk.isClosed, true)
  const refused = new Talk(server)
  await turn()
  assert.equal(refused.isClosed, true)
  server.faults.connected = true
  assert.equal(server.faults.connected, true)
  assert.equal(new Talk(server).ask('PING'), '+PONG\r\n')
})

test('faults over TCP, and for one client', async () => {
  await using server = await createServer()
  const port = await server.listen()
  server.faults.on('GET', { error: 'BUSY' }, { client: 'unlucky' })
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', bytes => {
    received += bytes.toString()
  })
  socket.write('CLIENT SETNAME unlucky\r\nGET k\r\n')
  while (!received.includes('BUSY')) await turn()
  assert.match(received, /^\+OK\r\n-BUSY Redis is busy running a script/)
  assert.equal(new Talk(server).ask('GET k'), '$-1\r\n')
  socket.destroy()
})

test('history and waitFor', async () => {
  await using server = await createServer({ history: true })
  const talk = new Talk(server)
  const waited = server.waitFor('set', ([key]) => key === 'b')
  talk.ask('MGET a b', 'SET a 1', 'SET b 2', 'NOCOMMAND', 'HGETALL h')
  assert.deepEqual(
    server.history.commands.map(({ name, args, reply }) => [
      name,
      args.join(' '),
      reply instanceof Error ? reply.message : reply,
    ]),
    [
      ['mget', 'a b', [null, null]],
      ['set', 'a 1', 'OK'],
      ['set', 'b 2', 'OK'],
      ['nocommand', '', "ERR unknown command 'NOCOMMAND', with args beginning with: "],
      ['hgetall', 'h', []],
    ],
  )
  assert.deepEqual((await waited).args, ['b', '2'])
  server.history.stop()
  server.history.clear()
  talk.ask('PING')
  assert.equal(server.history.commands.length, 0)
})

test('interceptors answer, alter, delegate and wait', async () => {
  await using server = await createServer()
  const talk = new Talk(server)
  talk.ask('SET k v', 'RPUSH l a b')
  const out = server.use(({ name, args }, next) => {
    if (name === 'get' && args[0] === 'own') return 'answered'
    if (name === 'lrange') return [...(next() as string[]), 'more']
    if (name === 'del') throw new Error('not today')
    return next()
  })
  assert.equal(talk.ask('GET own', 'GET k'), '$8\r\nanswered\r\n$1\r\nv\r\n')
  assert.equal(talk.ask('LRANGE l 0 -1'), '*3\r\n$1\r\na\r\n$1\r\nb\r\n$4\r\nmore\r\n')
  assert.equal(talk.ask('DEL k', 'SET k w'), '-ERR not today\r\n+OK\r\n')
  out()
  const order: string[] = []
  server.use(async ({ name }, next) => {
    if (name !== 'incr') return next()
    order.push('before')
    await turn()
    const reply = await next()
    order.push(String(reply))
    return Number(reply) * 10
  })
  talk.ask('INCR n', 'INCR n', 'PING')
  while (!talk.received.includes('PONG')) await turn()
  assert.equal(talk.received, ':10\r\n:20\r\n+PONG\r\n')
  assert.deepEqual(order, ['before', '1', 'before', '2'])
})

test('events, and a listener that is taken back', async () => {
  await using server = await createServer({ clock: 'virtual', config: { maxmemoryPolicy: 'allkeys-random' } })
  const seen: string[] = []
  const off = server.on('command', ({ name }) => seen.push(name))
  server.on('connect', ({ client }) => seen.push(`connect ${client > 0}`))
  server.on('disconnect', ({ clientName }) => seen.push(`disconnect ${clientName}`))
  server.on('expired', ({ key, db }) => seen.push(`expired ${key} ${db}`))
  server.on('evicted', ({ key }) => seen.push(`evicted ${key}`))
  const socket = server.connect()
  socket.write('CLIENT SETNAME me\r\nSET k v PX 10\r\n')
  await server.clock.advance(10)
  socket.write('SET gone v\r\n')
  off()
  socket.write('CONFIG SET maxmemory 1\r\nSET x y\r\n')
  socket.close()
  assert.deepEqual(seen, ['connect true', 'client', 'set', 'expired k 0', 'set', 'evicted gone', 'disconnect me'])
})

test('a listener to expired keys may write, the key itself as well', async () => {
  await using server = await createServer({ clock: { mode: 'virtual', startMs: 0 } })
  const seen: [string, number, unknown][] = []
  server.on('expired', ({ key }) => {
    seen.push([key, server.clock.now(), server.callSync('DBSIZE')])
    if (seen.length < 4) server.callSync('SET', key, 'again', 'PX', 10)
  })
  server.callSync('SET', 'k', 'v', 'PX', 10)
  await server.clock.advance(100)
  assert.deepEqual(
    seen,
    [10, 20, 30, 40].map(at => ['k', at, 0]),
  )
})

test('ioredis and node-redis recover', async () => {
  await using server = await createServer()
  const redis = new Redis({ ...ioredisOptions(server), retryStrategy: () => 1 })
  server.faults.next('SET', { drop: 'before' })
  assert.equal(await redis.set('a', '1'), 'OK')
  server.faults.next('INCR', { drop: 'after' })
  assert.equal(await redis.incr('a'), 3)
  server.faults.next('GET', { cutReplyAt: 2 })
  assert.equal(await redis.get('a'), '3')
  server.faults.next('GET', { splitReply: 1 })
  assert.equal(await redis.get('a'), '3')
  server.faults.next('GET', { error: 'READONLY' })
  await assert.rejects(redis.get('a'), /READONLY/)
  redis.disconnect()
  const client = createClient({ ...nodeRedisOptions(server) })
  client.on('error', () => {})
  await client.connect()
  server.faults.next('GET', { error: 'LOADING' })
  await assert.rejects(client.get('a'), /LOADING/)
  server.faults.next('GET', { drop: 'before' })
  await client.get('a').catch(() => {})
  assert.equal(await client.get('a'), '3')
  client.destroy()
})
