// Programs that run with every client library, written for an interface common to all: a session store and a rate
// limiter. withServer() offers TCP and a Unix socket.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from '../../src/index.ts'

/** The operations of a program; each client library implements them. */
export interface Store {
  setFor(key: string, value: string, seconds: number): Promise<unknown>
  get(key: string): Promise<string | null>
  putFields(key: string, fields: Record<string, string>): Promise<unknown>
  fields(key: string): Promise<Record<string, string>>
  expire(key: string, seconds: number): Promise<unknown>
  secondsLeft(key: string): Promise<number>
  remove(...keys: string[]): Promise<number>
  /** INCR and EXPIRE in one transaction; the count. */
  countUp(key: string, seconds: number): Promise<number>
  /** Drops what is older than the window, adds `now`, counts: one transaction. */
  slide(key: string, nowMs: number, windowMs: number, member: string): Promise<number>
}

/** The addresses of a server. */
export interface Address {
  host: string
  port: number
  /** The Unix socket. */
  path: string
}

/** Runs `body` with a server that listens on both. */
export async function withServer(body: (address: Address) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-clients-'))
  const path = join(folder, 'redis.sock')
  const server = await createServer({ config: process.platform === 'win32' ? {} : { unixsocket: path } })
  try {
    await body({ host: '127.0.0.1', port: await server.listen(), path })
  } finally {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Signs in, reads, renews and signs out many users at once. */
export async function sessionStore(store: Store): Promise<void> {
  const users = Array.from({ length: 50 }, (_, i) => `user${i}`)
  await Promise.all(users.map((user, i) => store.setFor(`token:${i}`, user, 60)))
  await Promise.all(
    users.map(user => store.putFields(`session:${user}`, { name: `Zoë ${user}`, visits: '1', '': '✓' })),
  )
  await Promise.all(users.map(user => store.expire(`session:${user}`, 60)))

  for (const [i, user] of users.entries()) {
    assert.equal(await store.get(`token:${i}`), user)
    assert.deepEqual({ ...(await store.fields(`session:${user}`)) }, { name: `Zoë ${user}`, visits: '1', '': '✓' })
  }
  const left = await store.secondsLeft('session:user7')
  assert.ok(left > 0 && left <= 60, `${left}`)

  assert.equal(await store.remove('token:7', 'session:user7', 'token:none'), 2)
  assert.equal(await store.get('token:7'), null)
  assert.deepEqual({ ...(await store.fields('session:user7')) }, {})
  assert.equal(await store.secondsLeft('session:user7'), -2)

  const large = 'é'.repeat(200_000)
  await store.setFor('token:large', large, 60)
  assert.equal(await store.get('token:large'), large)
}

/** Allows ten requests per fixed window, and five per sliding window. */
export async function rateLimiter(store: Store): Promise<void> {
  const counts = await Promise.all(Array.from({ length: 25 }, () => store.countUp('rate:fixed', 30)))
  assert.equal(counts.filter(count => count <= 10).length, 10)
  assert.deepEqual(
    counts.sort((a, b) => a - b),
    Array.from({ length: 25 }, (_, i) => i + 1),
  )
  const left = await store.secondsLeft('rate:fixed')
  assert.ok(left > 0 && left <= 30, `${left}`)

  const startMs = 1_700_000_000_000
  const allowed: number[] = []
  for (let i = 0; i < 20; i++) {
    const nowMs = startMs + i * 100
    if ((await store.slide('rate:sliding', nowMs, 1000, `request ${i}`)) <= 5) allowed.push(i)
  }
  // Refused requests count as well, so the window never empties again.
  assert.deepEqual(allowed, [0, 1, 2, 3, 4])
  assert.equal(await store.slide('rate:sliding', startMs + 10_000, 1000, 'later'), 1)
}
