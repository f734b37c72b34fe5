// BullMQ on a server in this process: no port, and no waiting for delays.

import { Queue, QueueEvents, Worker } from 'bullmq'
import { createServer } from 'redstart'
import { ioredisOptions } from 'redstart/ioredis'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => vi.useRealTimers())

const ways = {
  'in process': async server => ioredisOptions(server),
  TCP: async server => ({ port: await server.listen(), host: '127.0.0.1', maxRetriesPerRequest: null }),
}

for (const [way, options] of Object.entries(ways)) {
  test(`${way}: a job of an hour later`, async () => {
    vi.useFakeTimers()
    const server = await createServer()
    const connection = await options(server)
    const begin = Date.now()
    const ran = []
    const queue = new Queue('mail', { connection })
    const worker = new Worker('mail', async () => void ran.push(Date.now() - begin), { connection })
    await worker.waitUntilReady()
    await queue.add('reminder', {}, { delay: 3_600_000 })
    await server.clock.advance('1h')
    expect(ran).toEqual([3_600_000])
    await Promise.all([worker.close(), queue.close()])
    await server.close()
  })

  test(`${way}: attempts with a growing delay`, async () => {
    vi.useFakeTimers()
    const server = await createServer()
    const connection = await options(server)
    const begin = Date.now()
    const ran = []
    const queue = new Queue('mail', { connection })
    const fail = async () => {
      ran.push(Date.now() - begin)
      throw new Error('not yet')
    }
    const worker = new Worker('mail', fail, { connection })
    await worker.waitUntilReady()
    await queue.add('letter', {}, { attempts: 4, backoff: { type: 'exponential', delay: 60_000 } })
    await server.clock.advance('10m')
    expect(ran).toEqual([0, 60_000, 180_000, 420_000])
    await Promise.all([worker.close(), queue.close()])
    await server.close()
  })

  test(`${way}: events`, async () => {
    const server = await createServer()
    const connection = await options(server)
    const queue = new Queue('mail', { connection })
    const events = new QueueEvents('mail', { connection })
    await events.waitUntilReady()
    const worker = new Worker('mail', async job => job.data.to, { connection })
    const job = await queue.add('letter', { to: 'alice' })
    expect(await job.waitUntilFinished(events)).toBe('alice')
    await Promise.all([worker.close(), queue.close(), events.close()])
    await server.close()
  })
}
