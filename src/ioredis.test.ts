import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { createServer } from './index.ts'
import { ioredisOptions } from './ioredis.ts'

test('ioredis in process: commands, transactions, scripts, big values, QUIT', async () => {
  const server = await createServer()
  const redis = new Redis(ioredisOptions(server))
  assert.equal(await redis.set('k', 'v', 'EX', 60), 'OK')
  assert.deepEqual(await redis.multi().incr('n').get('k').exec(), [
    [null, 1],
    [null, 'v'],
  ])
  assert.equal(await redis.eval("return redis.call('GET', KEYS[1])", 1, 'k'), 'v')
  const big = Buffer.alloc(3_000_000, 'x')
  await redis.set('big', big)
  assert.ok(big.equals((await redis.getBuffer('big'))!))
  const names: string[] = []
  for await (const keys of redis.scanStream()) names.push(...(keys as string[]))
  assert.deepEqual(names.sort(), ['big', 'k', 'n'])
  assert.equal(await redis.quit(), 'OK')
  await server.close()
})

test('ioredis in process asks no INFO before its first command, unless it is told to', async () => {
  const server = await createServer({ history: true })
  const names = () => server.history.commands.map(({ name }) => name)
  const redis = new Redis(ioredisOptions(server))
  await redis.set('k', 'v')
  assert.equal(redis.status, 'ready')
  assert.deepEqual(new Set(names()), new Set(['hello', 'client', 'set']))
  const checked = new Redis({ ...ioredisOptions(server), enableReadyCheck: true })
  await checked.ping()
  assert.ok(names().includes('info'))
  redis.disconnect()
  checked.disconnect()
  await server.close()
})

test('ioredis in process: messages, blocking commands and duplicates', async () => {
  const server = await createServer()
  const redis = new Redis(ioredisOptions(server))
  redis.on('error', () => {})
  const subscriber = redis.duplicate()
  subscriber.on('error', () => {})
  const message = new Promise(resolve => void subscriber.once('message', (_channel, text) => resolve(text)))
  await subscriber.subscribe('c')
  const popped = subscriber.duplicate().blpop('q', 0)
  await redis.publish('c', 'hello')
  assert.equal(await message, 'hello')
  await redis.rpush('q', 'job')
  assert.deepEqual(await popped, ['q', 'job'])
  await server.close()
  redis.disconnect()
  subscriber.disconnect()
})

test('ioredis in process reconnects after its connection was killed', async () => {
  const server = await createServer()
  const redis = new Redis({ ...ioredisOptions(server), retryStrategy: () => 1 })
  const id = await redis.client('ID')
  const again = new Promise(resolve => void redis.once('reconnecting', resolve))
  const killer = new Redis(ioredisOptions(server))
  await killer.client('KILL', 'ID', String(id))
  await again
  assert.notEqual(await redis.client('ID'), id)
  redis.disconnect()
  killer.disconnect()
  await server.close()
})

test('a socket of a server is a stream that may be slow', async () => {
  const server = await createServer()
  const socket = server.socket()
  const order: string[] = []
  socket.on('connect', () => order.push('connect'))
  socket.write('PING\r\n', () => order.push('written'))
  socket.once('data', bytes => order.push(String(bytes)))
  await new Promise(resolve => void socket.once('data', resolve))
  assert.deepEqual(order, ['connect', 'written', '+PONG\r\n'])
  socket.pause()
  const value = 'x'.repeat(1_000_000)
  socket.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n${value}\r\n${'GET k\r\n'.repeat(5)}`)
  for (let turns = 20; turns > 0; turns--) await new Promise(resolve => void setImmediate(resolve))
  let bytes = 0
  socket.on('data', (piece: Buffer) => {
    bytes += piece.length
  })
  socket.resume()
  const wanted = 5 + 5 * (value.length + 12)
  while (bytes < wanted) await new Promise(resolve => void setImmediate(resolve))
  assert.equal(bytes, wanted)
  const closed = new Promise(resolve => void socket.once('close', resolve))
  socket.end()
  await closed
  await server.close()
})

test('a client whose server is closed ends, without another attempt', async () => {
  const server = await createServer()
  const redis = new Redis(ioredisOptions(server))
  const errors: unknown[] = []
  redis.on('error', error => errors.push(error))
  await redis.set('k', 'v')
  const ended = new Promise(resolve => void redis.once('end', resolve))
  await server.close()
  await ended
  await assert.rejects(redis.get('k'), /Connection is closed/)
  assert.deepEqual(errors, [])
})
