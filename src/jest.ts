// For Jest, and for other runners with its hooks as globals: a server for the tests of a file.
//
//   const redis = useRedis({ data: { k: 'v' } })
//   test('…', () => expect(redis.server.callSync('GET', 'k')).toBe('v'))

import { fixture, type RedisForTests, type RedisForTestsOptions, type TestHooks } from './fixture.ts'

export type { RedisForTests, RedisForTestsOptions } from './fixture.ts'

/** Makes a server before the tests of this file or block, resets it before each, and closes it after them. */
export function useRedis(options: RedisForTestsOptions = {}): RedisForTests {
  const { beforeAll, beforeEach, afterAll } = globalThis as unknown as Partial<TestHooks>
  if (beforeAll === undefined || beforeEach === undefined || afterAll === undefined)
    throw new Error('there is no global beforeAll(): useRedis() of redstart/jest is for test files of Jest')
  return fixture({ beforeAll, beforeEach, afterAll }, options)
}
