// The fake timers of Sinon, of whatever version: clock.advance() leads them, as in vitest and Jest, which use them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import FakeTimers from '@sinonjs/fake-timers'
import Redis from 'ioredis'
import { createServer } from 'redstart'
import { ioredisOptions } from 'redstart/ioredis'

test('a blocked client times out among the timers of the program', async () => {
  const server = await createServer()
  const redis = new Redis(ioredisOptions(server))
  await redis.ping()
  const clock = FakeTimers.install({ toNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] })
  const seen = []
  setTimeout(() => seen.push(['timer', clock.now]), 29_999)
  const popped = redis.blpop('q', 30).then(reply => seen.push([reply, clock.now]))
  await server.clock.advance('1h')
  await popped
  assert.deepEqual(seen, [
    ['timer', 29_999],
    [null, 30_000],
  ])
  assert.equal(clock.now, 3_600_000)
  clock.uninstall()
  redis.disconnect()
  await server.close()
})
