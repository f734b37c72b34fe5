import assert from 'node:assert/strict'
import { test } from 'node:test'
import { u32From } from '../../test/harness/random.ts'
import { Slice } from '../lib/slice.ts'
import { ExpireCycle } from './expire-cycle.ts'
import { Keyspace, NO_REPLICA, READ_ONLY_REPLICA } from './keyspace.ts'

/** A keyspace at second 1000 with `count` keys in each of the databases, one in `every` of them expired. */
function keyspaceWith(count: number, every: number, databases = [0]): Keyspace {
  const space = new Keyspace({ databases: 4, random: u32From(7) })
  space.nowMs = 1_000_000
  for (const index of databases) {
    const db = space.databases[index]
    for (let i = 0; i < count; i++) {
      const key = Slice.of(`k${i}`)
      db.setExpiry(key, db.strings.set(db, key, Slice.of('v')), i % every === 0 ? 999_000 : 2_000_000)
    }
  }
  return space
}

/** Runs slow cycles on a clock that moves one microsecond with every look at it. */
function run(space: Keyspace, cycles: number): ExpireCycle {
  let us = 0
  const cycle = new ExpireCycle(space, () => us++)
  for (let i = 0; i < cycles; i++) if (cycle.begin(10)) for (let left = 10_000; left > 0 && !cycle.slice(1000); left--);
  return cycle
}

test('keys that have run out go, in every database, others stay', () => {
  const space = keyspaceWith(1000, 1, [0, 3])
  run(space, 10)
  assert.deepEqual(
    space.databases.map(db => db.size),
    [0, 0, 0, 0],
  )
  assert.equal(space.expiredKeys, 2000)
})

test('a database with few keys run out is left after one sample', () => {
  const space = keyspaceWith(5000, 50)
  run(space, 1)
  const { size } = space.databases[0]
  assert.ok(size > 4900 && size <= 5000)
  run(space, 500)
  assert.ok(space.databases[0].size < 4950)
})

test('the average time to live is what is left of it', () => {
  const space = keyspaceWith(1000, 1001)
  run(space, 3)
  assert.ok(Math.abs(space.databases[0].averageTtlMs - 1_000_000) < 1000)
})

test('nothing goes on a replica, while expiry is paused, or when it is switched off', () => {
  const space = keyspaceWith(100, 1)
  space.replica = READ_ONLY_REPLICA
  run(space, 3)
  space.replica = NO_REPLICA
  space.hideExpired = true
  run(space, 3)
  space.hideExpired = false
  const cycle = new ExpireCycle(space, () => 0)
  cycle.enabled = false
  assert.equal(cycle.begin(10), false)
  assert.equal(space.databases[0].size, 100)
})

test('a cycle whose time is over says so, and a fast one follows', () => {
  const space = keyspaceWith(20_000, 1)
  let us = 0
  const cycle = new ExpireCycle(space, () => {
    us += 100
    return us
  })
  assert.ok(cycle.begin(10))
  while (!cycle.slice(1000));
  assert.equal(cycle.timeCapReached, 1)
  assert.ok(space.databases[0].size > 0)
  cycle.stalePercent = 50
  assert.ok(cycle.beginFast())
})
