import assert from 'node:assert/strict'
import { test } from 'node:test'
import { u32From } from '../../test/harness/random.ts'
import { Slice } from '../lib/slice.ts'
import { Eviction } from './eviction.ts'
import { Keyspace } from './keyspace.ts'

interface Run {
  space: Keyspace
  eviction: Eviction
  evicted: string[]
  run(policy: string, bytesToFree: number): string
}

/** 400 keys; the first half has an expiry, and key i was used at second i. */
function start(): Run {
  const space = new Keyspace({ databases: 2, random: u32From(11) })
  space.nowMs = 1_000_000
  const db = space.databases[0]
  for (let i = 0; i < 400; i++) {
    space.lruClock = i
    const key = Slice.of(`${i}`.padStart(4, '0'))
    const entry = db.strings.set(db, key, Slice.of('x'.repeat(100)))
    if (i < 200) db.setExpiry(key, entry, 2_000_000 + i * 1000)
  }
  space.lruClock = 400
  const evicted: string[] = []
  const eviction = new Eviction(space, {
    usedBytes: () => space.arena.usedBytes,
    usedBytesRoughly: () => space.arena.usedBytes,
    nowUs: () => 1,
    isObserved: () => true,
    evicted: (_, key) => evicted.push(key.latin1()),
    took() {},
  })
  const run = (maxmemoryPolicy: string, bytesToFree: number) =>
    eviction.run({
      maxmemory: space.arena.usedBytes - bytesToFree,
      maxmemoryPolicy,
      maxmemorySamples: 10,
      maxmemoryEvictionTenacity: 10,
      latencyMonitorThreshold: 0,
    })
  return { space, eviction, evicted, run }
}

const mean = (keys: readonly string[]) => keys.reduce((sum, key) => sum + Number(key), 0) / keys.length

test('below the limit nothing goes', () => {
  const { run, evicted } = start()
  assert.equal(run('allkeys-lru', -1000), 'ok')
  assert.equal(evicted.length, 0)
})

test('noeviction refuses', () => {
  const { run, evicted, eviction } = start()
  assert.equal(run('noeviction', 1000), 'failed')
  assert.equal(evicted.length, 0)
  assert.equal(eviction.currentExceededUs, 0)
  assert.equal(eviction.exceededUs, 0)
})

test('allkeys-lru takes keys unused for long', () => {
  const { run, evicted } = start()
  assert.equal(run('allkeys-lru', 5000), 'ok')
  assert.ok(evicted.length >= 20 && evicted.length < 60)
  assert.ok(mean(evicted) < 80)
})

test('volatile policies take keys with an expiry only, and fail when there are none left', () => {
  for (const policy of ['volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl']) {
    const { run, evicted, space } = start()
    assert.equal(run(policy, 1e9), 'failed')
    assert.equal(evicted.length, 200, policy)
    assert.ok(evicted.every(key => Number(key) < 200))
    assert.equal(space.databases[0].size, 200)
  }
})

test('volatile-ttl takes what runs out first', () => {
  const { run, evicted } = start()
  assert.equal(run('volatile-ttl', 5000), 'ok')
  assert.ok(mean(evicted) < 60)
})

test('allkeys-lfu takes keys that are seldom used', () => {
  const { run, evicted, space } = start()
  const db = space.databases[0]
  const key = new Slice()
  let cursor = 0
  do {
    cursor = db.scan(cursor, entry => {
      db.entries.setAccess(entry, Number(db.entries.keyOf(entry, key).latin1()) < 300 ? 200 : 5)
    })
  } while (cursor !== 0)
  space.lfuDecayMinutes = 0
  assert.equal(run('allkeys-lfu', 3000), 'ok')
  // The first samples may have none of them.
  assert.ok(evicted.filter(name => Number(name) < 300).length <= 2)
})

test('a key that was used since it was pooled is passed over', () => {
  const { run, evicted, space } = start()
  // The pool is full of the least recently used, of which one is evicted.
  while (evicted.length < 20) assert.equal(run('allkeys-lru', 1), 'ok')
  const db = space.databases[0]
  for (let i = 0; i < 200; i++) {
    const entry = db.find(Slice.of(`${i}`.padStart(4, '0')))
    if (entry !== 0) db.entries.touch(entry)
  }
  const before = evicted.length
  while (evicted.length < before + 30) assert.equal(run('allkeys-lru', 1), 'ok')
  // A sample may have none of them.
  assert.ok(evicted.slice(before).filter(key => Number(key) < 200).length <= 1)
})

test('nothing is refused for what was above the limit a few commands ago', () => {
  const space = new Keyspace({ databases: 1, random: u32From(5) })
  let used = 80
  const eviction = new Eviction(space, {
    usedBytes: () => used,
    usedBytesRoughly: () => 120,
    nowUs: () => 1000,
    isObserved: () => false,
    evicted() {},
    took() {},
  })
  const settings = {
    maxmemory: 100,
    maxmemoryPolicy: 'noeviction',
    maxmemorySamples: 5,
    maxmemoryEvictionTenacity: 10,
    latencyMonitorThreshold: 0,
  }
  assert.equal(eviction.run(settings), 'ok')
  used = 101
  assert.equal(eviction.run(settings), 'failed')
})

test('time above the limit counts from a run that ended above it', () => {
  const space = new Keyspace({ databases: 1, random: u32From(5) })
  let nowUs = 1000
  let used = 200
  const parts = {
    usedBytes: () => used,
    usedBytesRoughly: () => used,
    nowUs: () => nowUs,
    isObserved: () => false,
    evicted() {},
    took() {},
  }
  const eviction = new Eviction(space, parts)
  const settings = {
    maxmemory: 100,
    maxmemoryPolicy: 'allkeys-lru',
    maxmemorySamples: 5,
    maxmemoryEvictionTenacity: 10,
    latencyMonitorThreshold: 0,
  }
  assert.equal(eviction.run(settings), 'failed')
  nowUs += 500
  assert.deepEqual([eviction.currentExceededUs, eviction.exceededUs], [500, 500])
  used = 100
  assert.equal(eviction.run(settings), 'ok')
  nowUs += 500
  assert.deepEqual([eviction.currentExceededUs, eviction.exceededUs], [0, 500])
})

test('a run that is out of time goes on later', () => {
  const space = new Keyspace({ databases: 1, random: u32From(5) })
  const db = space.databases[0]
  for (let i = 0; i < 400; i++) db.strings.set(db, Slice.of(`k${i}`), Slice.of('x'.repeat(100)))
  let nowUs = 1000
  const eviction = new Eviction(space, {
    usedBytes: () => space.arena.usedBytes,
    usedBytesRoughly: () => space.arena.usedBytes,
    nowUs: () => (nowUs += 400),
    isObserved: () => false,
    evicted() {},
    took() {},
  })
  const maxmemory = space.arena.usedBytes - 15_000
  const run = () =>
    eviction.run({
      maxmemory,
      maxmemoryPolicy: 'allkeys-random',
      maxmemorySamples: 5,
      maxmemoryEvictionTenacity: 10,
      latencyMonitorThreshold: 0,
    })
  assert.equal(run(), 'running')
  assert.equal(run(), 'running')
  let runs = 2
  while (run() === 'running') runs++
  assert.ok(runs > 1 && runs < 10)
  assert.ok(space.arena.usedBytes <= maxmemory)
})

test('what is freed is what was too much at the beginning', () => {
  const { space, evicted } = start()
  let owed = 0
  const eviction = new Eviction(space, {
    // Every eviction costs more in messages than it frees.
    usedBytes: () => space.arena.usedBytes + owed,
    usedBytesRoughly: () => space.arena.usedBytes + owed,
    nowUs: () => 1,
    isObserved: () => true,
    evicted(_, key) {
      evicted.push(key.latin1())
      owed += 1000
    },
    took() {},
  })
  const settings = {
    maxmemory: space.arena.usedBytes - 2000,
    maxmemoryPolicy: 'allkeys-random',
    maxmemorySamples: 5,
    maxmemoryEvictionTenacity: 10,
    latencyMonitorThreshold: 0,
  }
  assert.equal(eviction.run(settings), 'ok')
  assert.ok(evicted.length < 30)
})
