// For vitest: a server of its own for each test, as a fixture of test.extend(), so that tests may run at the same time.
//
//   import { test as base } from 'vitest'
//   const test = base.extend(redisFixtures({ data: { k: 'v' } }))
//   test('…', async ({ redis, redisUrl }) => …)
//
// Always: the data are made once; each test gets a fork, which is closed after it.

import { type CreateServerOptions, createServer, type EmbeddedServer } from './index.ts'

type Use<Value> = (value: Value) => Promise<void>

/** What test.extend() takes. */
interface RedisFixtures {
  /** A server for this test. */
  redis: (context: object, use: Use<EmbeddedServer>) => Promise<void>
  /** It listens, and this is its URL. */
  redisUrl: (context: { redis: EmbeddedServer }, use: Use<string>) => Promise<void>
}

export function redisFixtures(options: CreateServerOptions = {}): RedisFixtures {
  let base: Promise<EmbeddedServer> | undefined
  return {
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the text what a fixture depends on
    redis: async ({}, use) => {
      base ??= createServer(options)
      const server = await (await base).fork()
      await use(server)
      await server.close()
    },
    redisUrl: async ({ redis }, use) => {
      await redis.listen()
      await use(redis.url)
    },
  }
}
