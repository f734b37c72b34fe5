// For bun test: a server for the tests of a file or of a describe().

import { afterAll, beforeAll, beforeEach } from 'bun:test'
import { fixture, type RedisForTests, type RedisForTestsOptions } from './fixture.ts'

export type { RedisForTests, RedisForTestsOptions } from './fixture.ts'

/** Makes a server before the tests of this file or block, resets it before each, and closes it after them. */
export function useRedis(options: RedisForTestsOptions = {}): RedisForTests {
  return fixture({ beforeAll, beforeEach, afterAll }, options)
}
