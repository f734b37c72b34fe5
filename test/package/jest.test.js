const Redis = require('ioredis')
const { createServer } = require('redstart')
const { ioredisOptions } = require('redstart/ioredis')

afterEach(() => jest.useRealTimers())

test('a server over TCP', async () => {
  const server = await createServer()
  const redis = new Redis(await server.listen(), '127.0.0.1')
  expect(await redis.ping()).toBe('PONG')
  redis.disconnect()
  await server.close()
})

// ioredis and the sockets of Node need these.
const real = { doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }

for (const order of ['before', 'after'])
  test(`fake timers installed ${order} the server was made`, async () => {
    if (order === 'before') jest.useFakeTimers(real)
    const server = await createServer()
    const redis = new Redis(ioredisOptions(server))
    if (order === 'after') jest.useFakeTimers(real)
    await redis.set('k', 'v', 'EX', 60)
    jest.advanceTimersByTime(61_000)
    expect(await redis.get('k')).toBeNull()
    const popped = redis.blpop('q', 30)
    await server.clock.advance('31s')
    expect(await popped).toBeNull()
    redis.disconnect()
    await server.close()
  })
