// A server for the tests of one file: made before them, reset before each, closed after them. For the entries of the
// test runners (jest.ts, node-test.ts, bun-test.ts), which differ in their hooks only.
//
//   beforeAll ─▶ createServer, listen      beforeEach ─▶ reset      afterAll ─▶ close
//
// Always: nothing is made before the first hook runs; `server` is an error outside of tests and hooks.

import { type CreateServerOptions, createServer, type EmbeddedServer } from './index.ts'

export interface RedisForTestsOptions extends CreateServerOptions {
  /** Whether it listens on a free port, for `url`. Default: yes. */
  readonly listen?: boolean
  /** The environment variable that has its URL while the tests run: 'REDIS_URL'. */
  readonly env?: string
  /** Whether each test begins with the server as it was made (server.reset()). Default: yes. */
  readonly reset?: boolean
}

export interface RedisForTests {
  readonly server: EmbeddedServer
  /** redis://127.0.0.1:port */
  readonly url: string
}

/** What test runners call around tests. */
export interface TestHooks {
  beforeAll(run: () => Promise<void>): void
  beforeEach(run: () => void): void
  afterAll(run: () => Promise<void>): void
}

export function fixture(hooks: TestHooks, options: RedisForTestsOptions): RedisForTests {
  const { listen = true, env, reset = true, ...serverOptions } = options
  let server: EmbeddedServer | undefined
  const there = () => {
    if (server === undefined) throw new Error('the server is there in tests, and in hooks that were set after this one')
    return server
  }
  let before: string | undefined
  hooks.beforeAll(async () => {
    server = await createServer(serverOptions)
    if (listen) await server.listen()
    if (env === undefined) return
    before = process.env[env]
    process.env[env] = server.url
  })
  hooks.beforeEach(() => {
    if (reset) there().reset()
  })
  hooks.afterAll(async () => {
    if (env !== undefined) {
      if (before === undefined) delete process.env[env]
      else process.env[env] = before
    }
    await server?.close()
    server = undefined
  })
  return {
    get server() {
      return there()
    },
    get url() {
      return there().url
    },
  }
}
