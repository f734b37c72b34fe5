// A lookup after FoundAhead.find() finds what is there, whatever happened in between.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom, u32From } from '../../test/harness/random.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { TableSlot } from '../memory/table-slot.ts'
import { type Database, LOOKUP_READ, LOOKUP_WRITE } from './database.ts'
import { entryExpiry } from './entry.ts'
import { Keyspace } from './keyspace.ts'

const KEYS = 10

test('a key that was found ahead is found again, or what has become of it', () => {
  const random = randomFrom(9)
  const space = new Keyspace({ databases: 2, random: u32From(9) })
  space.nowMs = 1_000_000
  const slot = new TableSlot(space.arena)
  const keys = Array.from({ length: KEYS }, (_, i) => Slice.of(`key ${i}`))
  const values = ['x', 'y'.repeat(40), 'z'.repeat(300)].map(text => Slice.of(text))
  const anyKey = () => keys[random(KEYS)]

  /** Without what a database remembers. */
  const entryOf = (db: Database, key: Slice): Ref => {
    const entry = space.tables.find(db.mainTable, key, space.hasher.hashBytes(key.dv, key.off, key.len), slot)
    const expiryMs = entry === 0 ? -1 : entryExpiry(space.arena, entry)
    return expiryMs >= 0 && expiryMs <= space.nowMs ? 0 : entry
  }
  const expire = (db: Database, key: Slice): void => {
    const entry = db.find(key)
    if (entry !== 0) db.setExpiry(key, entry, space.nowMs + random(5))
  }
  const changes: ((db: Database, key: Slice) => void)[] = [
    (db, key) => db.strings.set(db, key, values[random(3)]),
    (db, key) => db.delete(key),
    (db, key) => db.find(key),
    (db, key) => db.lookup(key, LOOKUP_READ),
    (db, key) => db.lookup(key, LOOKUP_WRITE),
    (db, key) => space.entries.ahead.find(db, key),
    () => (space.nowMs += random(3)),
    expire,
  ]
  let taken = 0
  for (let round = 0; round < 50_000; round++) {
    const db = space.databases[random(2)]
    const key = anyKey()
    space.entries.ahead.find(db, key)
    if (random(2) === 0) changes[random(changes.length)](space.databases[random(2)], anyKey())
    const other = random(10) === 0 ? space.databases[random(2)] : db
    if (space.entries.ahead.key === key) taken++
    const expected = entryOf(other, key)
    assert.equal(other.lookup(key, random(2) === 0 ? LOOKUP_READ : LOOKUP_WRITE), expected)
    assert.notEqual(space.entries.ahead.key, key)
  }
  assert.ok(taken > 1000, String(taken))
})
