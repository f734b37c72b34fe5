import assert from 'node:assert/strict'
import { test } from 'node:test'
import { u32From } from '../../test/harness/random.ts'
import { Defrag } from '../keyspace/defrag.ts'
import { Keyspace } from '../keyspace/keyspace.ts'
import { keySlot } from '../lib/crc16.ts'
import { Slice } from '../lib/slice.ts'

const KEYS = 3000
const STEPS = 40_000

/** Keys of many slots, and many of one. */
function keyOf(n: number): string {
  return n % 3 === 0 ? `{tag}${n}` : `key:${n}`
}

test('a database by slots holds what a plain one holds', () => {
  const random = u32From(7)
  const space = new Keyspace({ databases: 1, random, bySlot: true })
  const [db] = space.databases
  const slots = space.slotTables!
  const model = new Map<string, number>()
  for (let step = 0; step < STEPS; step++) {
    const name = keyOf(random() % KEYS)
    const key = Slice.of(name)
    const what = random() % 10
    if (what < 5) {
      space.strings.set(db, key, Slice.of(`v${step}`))
      model.set(name, step)
    } else if (what < 9) assert.equal(db.delete(key), model.delete(name))
    else if (model.has(name)) {
      const value = db.find(key)
      assert.notEqual(value, 0)
    } else assert.equal(db.find(key), 0)
    assert.equal(db.size, model.size)
  }
  // An entry in another slot's table is not found where its own slot has none.
  const lonely = db.find(Slice.of([...model.keys()][0]))
  const empty = slots.create()
  assert.equal(slots.findRef(empty, lonely, slots.hashOf(lonely), db.slot), false)
  assert.equal(db.slot.entry, 0)
  const bySlot = new Map<number, string[]>()
  for (const name of model.keys()) {
    const slot = keySlot(Slice.of(name))
    bySlot.set(slot, [...(bySlot.get(slot) ?? []), name])
  }
  for (let slot = 0; slot < 16384; slot++) {
    const names: string[] = []
    for (let cursor = 0; ; ) {
      cursor = slots.scanSlot(db.mainTable, slot, cursor, entry => {
        names.push(db.entries.keyOf(entry, new Slice()).latin1())
      })
      if (cursor === 0) break
    }
    assert.deepEqual(names.sort(), (bySlot.get(slot) ?? []).sort())
    assert.equal(slots.countInSlot(db.mainTable, slot), names.length)
  }
  const scanned: string[] = []
  for (let cursor = 0; ; ) {
    cursor = db.scan(cursor, entry => scanned.push(db.entries.keyOf(entry, new Slice()).latin1()))
    if (cursor === 0) break
  }
  assert.deepEqual(scanned.sort(), [...model.keys()].sort())
  for (let i = 0; i < 100; i++) assert.ok(model.has(db.entries.keyOf(db.randomEntry(), new Slice()).latin1()))
  const sampled = new Uint32Array(16)
  const found = db.sample(false, 16, sampled)
  assert.equal(new Set(sampled.subarray(0, found)).size, 16)
  assert.equal(db.clear(), model.size)
  while (!space.lazyFreeStep(1000));
  assert.equal(db.size, 0)
})

test('keys of small and large tables are found after compaction has moved their tables', () => {
  const random = u32From(9)
  const space = new Keyspace({ databases: 1, random, bySlot: true })
  const [db] = space.databases
  const value = Slice.of('x'.repeat(900))
  const names = Array.from({ length: 80_000 }, (_, i) => keyOf(i % 40 === 0 ? i * 3 : i * 3 + 1))
  for (const name of names) space.strings.set(db, Slice.of(name), value)
  const kept = names.filter((_, i) => i % 80 < 8)
  const remaining = new Set(kept)
  for (const name of names) if (!remaining.has(name)) db.delete(Slice.of(name))
  let us = 0
  const defrag = new Defrag(space, () => ++us)
  const before = space.arena.segmentBytes
  for (let i = 0; i < 500; i++) {
    us += 1e6
    if (defrag.begin(10)) defrag.slice(1e6)
  }
  assert.ok(space.arena.segmentBytes < before / 2, `${space.arena.segmentBytes} of ${before} bytes`)
  for (const name of kept) assert.notEqual(db.find(Slice.of(name)), 0, name)
  for (const name of names) assert.equal(db.find(Slice.of(name)) !== 0, remaining.has(name))
})
