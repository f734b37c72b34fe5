import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partSeed, seededRandom } from './random.ts'
import { type EventOwner, Scheduler } from './scheduler.ts'
import { Trace } from './trace.ts'

const owner = (number: number): EventOwner => ({ number, busyUntilUs: 0 })

test('events come in order of their moments, however they were made', () => {
  const scheduler = new Scheduler(1)
  const random = seededRandom(3)
  const a = owner(0)
  const seen: number[] = []
  const events = Array.from({ length: 500 }, () => {
    const due = random.u32() % 1000
    return scheduler.at(due, a, () => {
      assert.equal(scheduler.nowUs, due)
      seen.push(due)
    })
  })
  const gone = events.filter(() => random.u32() % 3 === 0)
  for (const event of gone) scheduler.cancel(event)
  for (const event of gone) scheduler.cancel(event)
  scheduler.advance(2000)
  assert.equal(seen.length, 500 - gone.length)
  assert.deepEqual(
    seen,
    seen.toSorted((one, other) => one - other),
  )
  assert.equal(scheduler.nowUs, 2000)
})

test('at one moment a machine keeps its order, and the seed decides between machines', () => {
  const orders = new Set<string>()
  for (let seed = 0; seed < 50; seed++) {
    const scheduler = new Scheduler(seed)
    const seen: string[] = []
    for (let i = 0; i < 3; i++)
      for (const number of [0, 1, 2]) scheduler.at(100, owner(number), () => seen.push(`${number}${i}`))
    scheduler.advance(100)
    for (const number of ['0', '1', '2'])
      assert.deepEqual(
        seen.filter(one => one.startsWith(number)),
        [`${number}0`, `${number}1`, `${number}2`],
      )
    orders.add(seen.map(one => one[0]).join(''))
  }
  assert.equal(orders.size, 6)
})

test('who stands still handles events later, in their order', () => {
  const scheduler = new Scheduler(1)
  const a = owner(0)
  const seen: string[] = []
  scheduler.at(20, a, () => seen.push(`second@${scheduler.nowUs}`))
  scheduler.at(10, a, () => seen.push(`first@${scheduler.nowUs}`))
  scheduler.at(15, owner(1), () => seen.push(`other@${scheduler.nowUs}`))
  a.busyUntilUs = 100
  scheduler.advance(200)
  assert.deepEqual(seen, ['other@15', 'first@100', 'second@100'])
})

test('what is forgotten does not happen', () => {
  const scheduler = new Scheduler(1)
  const [a, b] = [owner(0), owner(1)]
  const seen: string[] = []
  const never = scheduler.at(5, a, () => seen.push('a'))
  for (let i = 0; i < 10; i++) scheduler.at(10 - i, b, () => seen.push(`b${scheduler.nowUs}`))
  scheduler.forget(a)
  scheduler.cancel(never)
  scheduler.advance(20)
  assert.deepEqual(seen, ['b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'b8', 'b9', 'b10'])
})

test('promises have run to their end before the next event, however long they are', async () => {
  const scheduler = new Scheduler(1)
  const a = owner(0)
  const seen: string[] = []
  const chain = async (links: number) => {
    for (let i = 0; i < links; i++) await (i % 2 === 0 ? Promise.resolve(i) : new Promise(resolve => resolve(i)))
    seen.push(`chain ${links}@${scheduler.nowUs}`)
  }
  scheduler.at(10, a, () => void chain(1000))
  scheduler.at(10, a, () => void chain(1))
  scheduler.at(11, a, () => seen.push('next'))
  await scheduler.run(20)
  assert.deepEqual(seen, ['chain 1000@10', 'chain 1@10', 'next'])
  assert.equal(scheduler.nowUs, 20)
})

test('time stops where it is asked to, and not inside itself', async () => {
  const scheduler = new Scheduler(1)
  const a = owner(0)
  let events = 0
  const again = () => {
    events++
    scheduler.at(scheduler.nowUs + 1, a, again)
  }
  scheduler.at(1, a, again)
  await scheduler.run(1_000_000, () => events === 2500)
  assert.equal(scheduler.nowUs, 2500)
  scheduler.forget(a)
  scheduler.at(3000, a, () => scheduler.advance(1))
  await assert.rejects(scheduler.run(4000), /time passes already/)
  assert.throws(() => {
    scheduler.at(3500, a, () => {
      throw new Error('a bug')
    })
    scheduler.advance(4000)
  }, /a bug/)
})

/** What awaits, waits and races on several machines, as servers do. */
async function traceOfPromises(seed: number): Promise<string> {
  const scheduler = new Scheduler(seed)
  const random = seededRandom(partSeed(seed, 1))
  const trace = new Trace()
  scheduler.onEvent = event => {
    trace.add(event.dueUs)
    trace.add(event.owner.number)
    trace.add(event.order)
  }
  const pause = (one: EventOwner, us: number) =>
    new Promise<number>(resolve => scheduler.at(scheduler.nowUs + us, one, () => resolve(us)))
  const worker = async (one: EventOwner, number: number) => {
    for (let round = 0; round < 8; round++) {
      const pauses = Array.from({ length: 1 + (random.u32() % 3) }, () => pause(one, random.u32() % 4))
      trace.add(await Promise.race(pauses))
      await Promise.all(pauses).finally(() => trace.add(number * 100 + round))
      if (random.u32() % 4 === 0) await Promise.reject(new Error('lost')).catch(() => trace.add(round))
      for await (const part of [1, Promise.resolve(2)]) trace.add(part)
    }
  }
  for (const number of [0, 1, 2]) for (let i = 0; i < 3; i++) void worker(owner(number), number * 10 + i)
  await scheduler.run(1000)
  assert.ok(trace.words > 500)
  return trace.digest
}

test('a seed gives the same order of promises on every runtime', async () => {
  const all = new Trace()
  for (let seed = 0; seed < 1000; seed++) all.bytes(new TextEncoder().encode(await traceOfPromises(seed)))
  assert.equal(all.digest, '65394c41c2dc78bf')
})
