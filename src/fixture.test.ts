import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fixture, type TestHooks } from './fixture.ts'
import type { EmbeddedServer } from './index.ts'
import { useRedis } from './jest.ts'
import { redisFixtures } from './vitest.ts'

/** Hooks that a test calls by hand. */
function handHooks() {
  const set: { [hook: string]: () => unknown } = {}
  const hooks: TestHooks = {
    beforeAll: run => void (set.beforeAll = run),
    beforeEach: run => void (set.beforeEach = run),
    afterAll: run => void (set.afterAll = run),
  }
  return { hooks, set }
}

test('a server for a file: made before the tests, new for each, closed after them', async () => {
  const { hooks, set } = handHooks()
  const redis = fixture(hooks, { data: { k: 'v' }, env: 'REDSTART_FIXTURE_URL' })
  assert.throws(() => redis.server, /in tests/)
  await set.beforeAll()
  const { server } = redis
  assert.equal(process.env.REDSTART_FIXTURE_URL, redis.url)
  for (let i = 0; i < 2; i++) {
    set.beforeEach()
    assert.deepEqual(server.toJSON(), { k: 'v' })
    server.callSync('SET', 'k', 'changed')
    server.faults.on('GET', { error: 'LOADING' })
  }
  await set.afterAll()
  assert.equal(process.env.REDSTART_FIXTURE_URL, undefined)
  assert.throws(() => server.connect(), /closed/)
})

test('the hooks of Jest are its globals, and what is missing is said', () => {
  const scope = globalThis as unknown as Partial<TestHooks>
  const before = { ...scope }
  const { hooks, set } = handHooks()
  Object.assign(scope, { beforeAll: undefined })
  assert.throws(() => useRedis(), /no global beforeAll/)
  Object.assign(scope, hooks)
  useRedis()
  assert.deepEqual(Object.keys(set), ['beforeAll', 'beforeEach', 'afterAll'])
  Object.assign(scope, { beforeAll: before.beforeAll, beforeEach: before.beforeEach, afterAll: before.afterAll })
})

test('fixtures of vitest: a fork for each test, which depends on what its text says', async () => {
  const { redis, redisUrl } = redisFixtures({ data: { k: 'v' } })
  assert.match(String(redis), /^async \(\{\s*\},/)
  assert.match(String(redisUrl), /^async \(\{\s*redis\s*\},/)
  let last: EmbeddedServer | undefined
  for (let i = 0; i < 2; i++)
    await redis({}, async server => {
      last = server
      assert.equal(server.callSync('GET', 'k'), 'v')
      server.callSync('DEL', 'k')
      await redisUrl({ redis: server }, async url => assert.equal(url, `redis://127.0.0.1:${server.port}`))
    })
  assert.throws(() => last!.connect(), /closed/)
})

// Each runtime has the hooks of its own runner.
if (process.versions.bun === undefined) {
  const { useRedis: use } = await import('./node-test.ts')
  describe('with node:test', () => {
    const redis = use({ data: { n: 1 } })
    for (const name of ['first', 'second']) test(name, () => assert.equal(redis.server.callSync('INCR', 'n'), 2))
  })
} else {
  const runner = await import('bun:test')
  const { useRedis: use } = await import('./bun-test.ts')
  runner.describe('with bun test', () => {
    const redis = use({ data: { n: 1 } })
    for (const name of ['first', 'second']) runner.test(name, () => assert.equal(redis.server.callSync('INCR', 'n'), 2))
  })
}
