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

/** When a job ran within `time` of fake timers, in milliseconds; `work` is what it does then. */
async function runsOf(options, work, jobOptions, time, order = 'before') {
  if (order === 'before') vi.useFakeTimers()
  const server = await createServer()
  const connection = await options(server)
  let begin = Date.now()
  const ran = []
  const queue = new Queue('mail', { connection })
  const run = async () => {
    ran.push(Date.now() - begin)
    work()
  }
  const worker = new Worker('mail', run, { connection })
  await worker.waitUntilReady()
  if (order === 'after') vi.useFakeTimers()
  begin = Date.now()
  await queue.add('letter', {}, jobOptions)
  await server.clock.advance(time)
  await Promise.all([worker.close(), queue.close()])
  await server.close()
  return ran
}

for (const [way, options] of Object.entries(ways)) {
  test(`${way}: a job of an hour later`, async () => {
    const ran = await runsOf(options, () => {}, { delay: 3_600_000 }, '1h')
    expect(ran).toEqual([3_600_000])
  })

  test(`${way}: a job of an hour later, with timers that were faked after the worker was made`, async () => {
    const ran = await runsOf(options, () => {}, { delay: 3_600_000 }, '1h', 'after')
    expect(ran).toEqual([3_600_000])
  })

  test(`${way}: attempts with a growing delay`, async () => {
    const fail = () => {
      throw new Error('not yet')
    }
    const ran = await runsOf(options, fail, { attempts: 4, backoff: { type: 'exponential', delay: 60_000 } }, '10m')
    expect(ran).toEqual([0, 60_000, 180_000, 420_000])
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
