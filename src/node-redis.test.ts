import assert from 'node:assert/strict'
import { connect, Socket } from 'node:net'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { createServer } from './index.ts'
import { intercept, nodeRedisOptions } from './node-redis.ts'

test('node-redis in process: commands, transactions, messages, blocking commands', async () => {
  await using server = await createServer()
  const client = createClient(nodeRedisOptions(server))
  client.on('error', () => {})
  await client.connect()
  assert.equal(await client.set('k', 'v'), 'OK')
  assert.deepEqual(await client.multi().incr('n').get('k').exec(), [1, 'v'])
  const subscriber = client.duplicate()
  subscriber.on('error', () => {})
  await subscriber.connect()
  const message = new Promise(resolve => void subscriber.subscribe('c', resolve))
  while ((await client.publish('c', 'hello')) === 0) {}
  assert.equal(await message, 'hello')
  const blocked = client.duplicate()
  blocked.on('error', () => {})
  await blocked.connect()
  const popped = blocked.blPop('q', 0)
  await client.rPush('q', 'job')
  assert.deepEqual({ ...(await popped) }, { key: 'q', element: 'job' })
  const big = 'x'.repeat(3_000_000)
  await client.set('big', big)
  assert.equal(await client.get('big'), big)
  assert.equal(server.port, 0)
  for (const one of [client, subscriber, blocked]) await one.close()
})

test('an intercepted address is reached in process, until it is disposed of', async () => {
  await using server = await createServer()
  const original = Socket.prototype.connect
  const interception = intercept('redis://redis.test:7000', server)
  const redis = new Redis({ host: 'redis.test', port: 7000, lazyConnect: true })
  redis.on('error', () => {})
  await redis.set('k', 'v')
  assert.equal(server.callSync('GET', 'k'), 'v')
  const closed = new Promise(resolve => void redis.once('end', resolve))
  await redis.quit()
  await closed
  // It would ask DNS for the host before it tells the server its kind of address.
  const client = createClient({ url: 'redis://redis.test:7000', maintNotifications: 'disabled' })
  client.on('error', () => {})
  await client.connect()
  assert.equal(await client.get('k'), 'v')
  await client.close()
  interception.dispose()
  assert.equal(Socket.prototype.connect, original)
})

test('a server that closes ends intercepted sockets, and refuses new ones', async () => {
  const server = await createServer()
  const interception = intercept('localhost:*', server)
  const socket = connect(7001, '127.0.0.1')
  const order: string[] = []
  for (const event of ['connect', 'end', 'close']) socket.on(event, () => order.push(event))
  const pong = new Promise(resolve => void socket.once('data', resolve))
  socket.write('PING\r\n')
  assert.equal(String(await pong), '+PONG\r\n')
  const ended = new Promise(resolve => void socket.once('close', resolve))
  socket.resume()
  await server.close()
  await ended
  assert.deepEqual(order, ['connect', 'end', 'close'])
  const refused = connect({ port: 7001 })
  const error = await new Promise<NodeJS.ErrnoException>(resolve => void refused.once('error', resolve))
  assert.equal(error.code, 'ECONNREFUSED')
  interception.dispose()
})

test('an address that cannot be intercepted is an error', async () => {
  await using server = await createServer()
  assert.throws(() => intercept('rediss://localhost:6379', server), /TLS/)
  assert.throws(() => intercept('localhost:x', server), /not an address/)
})
