// For node:test: a server for the tests of a file or of a describe().
//
//   const redis = useRedis()
//   test('…', async () => assert.equal(await app(redis.url).visits(), 1))

import { after, before, beforeEach } from 'node:test'
import { fixture, type RedisForTests, type RedisForTestsOptions } from './fixture.ts'

export type { RedisForTests, RedisForTestsOptions } from './fixture.ts'

/** Makes a server before the tests of this file or block, resets it before each, and closes it after them. */
export function useRedis(options: RedisForTestsOptions = {}): RedisForTests {
  return fixture({ beforeAll: before, beforeEach, afterAll: after }, options)
}
