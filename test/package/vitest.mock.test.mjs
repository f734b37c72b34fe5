import Redis, { Cluster } from 'ioredis'
import { afterAll, expect, test, vi } from 'vitest'

vi.mock('ioredis', () => import('redstart/ioredis-mock'))

afterAll(() => Redis.closeServers())

test('redstart/ioredis-mock in the place of ioredis', async () => {
  const redis = new Redis({ data: { emails: { 'ann@example.com': '1' } } })
  expect(await redis.hgetall('emails')).toEqual({ 'ann@example.com': '1' })
  const cluster = new Cluster([{ host: 'localhost', port: 7001 }])
  expect(await cluster.incr('n')).toBe(1)
  await cluster.quit()
  await redis.quit()
})
