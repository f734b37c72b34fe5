// The fake timers of vitest lead a server, whether they are installed before it is made or after, in process and over
// TCP; and clock.advance() leads them.

import Redis from 'ioredis'
import { createServer } from 'redstart'
import { ioredisOptions } from 'redstart/ioredis'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => vi.useRealTimers())

const ways = {
  'in process': async server => new Redis(ioredisOptions(server)),
  TCP: async server => new Redis(await server.listen(), '127.0.0.1'),
}
const fakes = {
  all: { use: () => vi.useFakeTimers(), pass: ms => vi.advanceTimersByTime(ms) },
  'the date': {
    use: () => vi.useFakeTimers({ toFake: ['Date'] }),
    pass: ms => vi.setSystemTime(Date.now() + ms),
  },
}

for (const [way, connect] of Object.entries(ways)) {
  for (const [fake, { use, pass }] of Object.entries(fakes))
    for (const order of ['before', 'after'])
      test(`${way}: a key expires, ${fake} faked ${order} the server was made`, async () => {
        if (order === 'before') use()
        const server = await createServer()
        const redis = await connect(server)
        if (order === 'after') use()
        await redis.set('k', 'v', 'EX', 60)
        pass(59_000)
        expect(await redis.get('k')).toBe('v')
        pass(1_000)
        expect(await redis.get('k')).toBeNull()
        redis.disconnect()
        await server.close()
      })

  test(`${way}: a blocked client times out`, async () => {
    vi.useFakeTimers()
    const server = await createServer()
    const redis = await connect(server)
    await redis.ping()
    const begin = Date.now()
    const popped = redis.blpop('q', 30)
    const ended = popped.then(() => Date.now() - begin)
    await server.clock.advance('1h')
    expect(await popped).toBeNull()
    expect(await ended).toBe(30_000)
    redis.disconnect()
    await server.close()
  })

  test(`${way}: a server made under fake timers goes on with the real ones`, async () => {
    vi.useFakeTimers()
    const server = await createServer()
    const redis = await connect(server)
    await redis.set('k', 'v', 'PX', 30)
    vi.useRealTimers()
    await redis.set('k2', 'v', 'PX', 30)
    expect(await redis.blpop('q', 0.05)).toBeNull()
    expect(await redis.get('k2')).toBeNull()
    redis.disconnect()
    await server.close()
  })
}
