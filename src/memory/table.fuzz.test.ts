// HashTable against a JavaScript Map.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { Hasher } from '../lib/siphash.ts'
import { Slice } from '../lib/slice.ts'
import { Arena, type Ref } from './arena.ts'
import { HashTable } from './table.ts'
import { TableSlot } from './table-slot.ts'

class Pair {
  readonly arena = new Arena()
  readonly slot = new TableSlot(this.arena)
  readonly tables: HashTable
  readonly t: Ref
  readonly model = new Map<string, Ref>()
  readonly keyAt: number
  private readonly slice = new Slice()

  constructor(seed: number, keyAt: number) {
    this.keyAt = keyAt
    this.tables = new HashTable(this.arena, new Hasher(seed, seed ^ 0x5bd1e995), keyAt)
    this.t = this.tables.create()
  }

  newEntry(key: string): Ref {
    const entry = this.arena.alloc(this.keyAt + 5 + key.length)
    const u8 = this.arena.u8(entry)
    let at = this.arena.at(entry) + this.keyAt
    if (key.length < 255) u8[at++] = key.length
    else {
      u8[at] = 255
      this.arena.dv(entry).setUint32(at + 1, key.length, true)
      at += 5
    }
    for (let i = 0; i < key.length; i++) u8[at + i] = key.charCodeAt(i)
    return entry
  }

  textOf(entry: Ref): string {
    return this.tables.keyOf(entry, this.slice).latin1()
  }

  add(key: string): void {
    const s = Slice.of(key)
    const hash = this.tables.hash(s)
    const found = this.tables.find(this.t, s, hash, this.slot)
    assert.equal(found, this.model.get(key) ?? 0)
    const entry = this.newEntry(key)
    assert.equal(this.tables.hashOf(entry), hash)
    if (found !== 0) {
      this.tables.replaceAt(this.slot, entry)
      this.arena.free(found)
    } else this.tables.insert(this.t, entry, hash)
    this.model.set(key, entry)
  }

  remove(key: string): void {
    const s = Slice.of(key)
    const hash = this.tables.hash(s)
    const entry = this.tables.find(this.t, s, hash, this.slot)
    assert.equal(entry, this.model.get(key) ?? 0)
    if (entry === 0) return
    this.tables.removeAt(this.t, this.slot)
    this.arena.free(entry)
    this.model.delete(key)
  }

  check(): void {
    const { tables, t, model } = this
    assert.equal(tables.count(t), model.size)
    for (const [key, entry] of model) {
      const s = Slice.of(key)
      assert.equal(tables.find(t, s, tables.hash(s), this.slot), entry)
      assert.ok(tables.findRef(t, entry, tables.hash(s), this.slot))
    }
    const seen: string[] = []
    let cursor = 0
    do cursor = tables.scan(t, cursor, entry => seen.push(this.textOf(entry)))
    while (cursor !== 0)
    assert.equal(seen.length, model.size)
    assert.equal(new Set(seen).size, model.size)
    let buckets = 0
    for (let i = 0; i < tables.buckets(t); i++)
      tables.mapBucket(t, i, entry => {
        buckets++
        return entry
      })
    assert.equal(buckets, model.size)
  }
}

function run(seed: number, keyAt: number, keys: number, steps: number): void {
  const random = randomFrom(seed)
  const pair = new Pair(seed, keyAt)
  const own = pair.arena.usedBytes
  for (let step = 0; step < steps; step++) {
    const k = random(keys)
    const key = k % 50 === 0 ? 'long'.repeat(70) + k : `k${k}`
    const growing = Math.floor(step / (steps / 5)) % 2 === 0
    if (random(10) < (growing ? 8 : 2)) pair.add(key)
    else pair.remove(key)
    if (step % 997 === 0) pair.check()
  }
  pair.check()
  let entries = 0
  for (const entry of pair.model.values()) entries += pair.arena.sizeOf(entry)
  assert.equal(pair.arena.usedBytes, entries + pair.tables.bytes(pair.t), 'bytes() tells what the table takes')
  for (const key of [...pair.model.keys()]) pair.remove(key)
  // The only chunk may retain a few spare buckets.
  assert.ok(pair.arena.usedBytes <= own + 3 * 64)
}

test('a table behaves as a map', () => {
  run(1, 0, 40, 4000)
  run(2, 5, 700, 8000)
  run(3, 8, 5000, 20000)
  run(4, 0, 20000, 40000)
})

test('a scan sees every key that stays, whatever the table does meanwhile', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = randomFrom(seed * 104729)
    const pair = new Pair(seed, 0)
    const staying = 5 + random(400)
    for (let i = 0; i < staying; i++) pair.add(`stay${i}`)
    for (let i = 0; i < 3000; i++) pair.add(`pass${i}`)
    const seen = new Set<string>()
    let cursor = 0
    let calls = 0
    let next = seed % 2 === 0 ? 3000 : 0
    do {
      cursor = pair.tables.scan(pair.t, cursor, entry => seen.add(pair.textOf(entry)))
      calls++
      // The table shrinks in waves or grows in waves during the scan.
      for (let i = random(80); i > 0; i--) {
        if (seed % 3 === 0 ? calls % 40 < 20 : seed % 2 !== 0) pair.remove(`pass${random(3000)}`)
        else pair.add(`pass${next++ % 9000}`)
      }
      assert.ok(calls < 100000)
    } while (cursor !== 0)
    for (let i = 0; i < staying; i++) assert.ok(seen.has(`stay${i}`), `seed ${seed} lost stay${i}`)
    pair.check()
  }
})

test('random entries are chosen fairly', () => {
  const random = randomFrom(4711)
  for (const size of [1, 2, 7, 30, 100]) {
    const pair = new Pair(size, 0)
    for (let i = 0; i < size; i++) pair.add(`k${i}`)
    const hits = new Map<Ref, number>()
    const draws = size * 400
    for (let i = 0; i < draws; i++) {
      const entry = pair.tables.random(pair.t, () => random(2 ** 32))
      hits.set(entry, (hits.get(entry) ?? 0) + 1)
    }
    assert.equal(hits.size, size)
    for (const n of hits.values()) assert.ok(n > 250 && n < 580, `${n} of 400 in a table of ${size}`)
  }
})

test('samples are different entries, and each entry has its chance', () => {
  const random = randomFrom(1517)
  const out = new Uint32Array(8)
  for (const size of [0, 1, 5, 30, 1000]) {
    const pair = new Pair(size + 1, 0)
    for (let i = 0; i < size; i++) pair.add(`k${i}`)
    const hits = new Map<Ref, number>()
    for (let i = 0; i < size * 100; i++) {
      const found = pair.tables.sample(pair.t, () => random(2 ** 32), 5, out)
      const sampled = [...out.subarray(0, found)]
      assert.ok(found > 0 && found <= Math.min(5, size))
      assert.equal(new Set(sampled).size, found)
      for (const entry of sampled) hits.set(entry, (hits.get(entry) ?? 0) + 1)
    }
    assert.equal(hits.size, size)
    for (const n of hits.values()) assert.ok(n > 60, `${n} of 500 in a table of ${size}`)
  }
  const empty = new Pair(9, 0)
  assert.equal(
    empty.tables.sample(empty.t, () => 0, 5, out),
    0,
  )
})

test('a table whose sampled entries are removed keeps its entries spread over its buckets', () => {
  const random = randomFrom(97)
  for (const wanted of [1, 5]) {
    // Halfway between two powers of two: a third of the buckets is not split yet.
    const pair = new Pair(6, 0)
    for (let i = 0; i < 12_000; i++) pair.add(`k${i}`)
    const out = new Uint32Array(8)
    for (let i = 12_000; i < 120_000; i++) {
      pair.tables.sample(pair.t, () => random(2 ** 32), wanted, out)
      pair.remove(pair.textOf(out[0]))
      pair.add(`k${i}`)
    }
    const buckets = pair.tables.buckets(pair.t)
    const overflow = (pair.tables.bytes(pair.t) - buckets * 64) / 64
    assert.ok(overflow < buckets * 0.25, `${overflow} overflow buckets of ${buckets}`)
  }
})

test('a sample of a table with few entries in many buckets is not empty', () => {
  const pair = new Pair(7, 0)
  pair.tables.reserve(pair.t, 20_000)
  pair.add('lonely')
  const random = randomFrom(3)
  const out = new Uint32Array(4)
  for (let i = 0; i < 20; i++) {
    assert.equal(
      pair.tables.sample(pair.t, () => random(2 ** 32), 4, out),
      1,
    )
    assert.equal(pair.textOf(out[0]), 'lonely')
  }
})

test('a table is drained in slices and leaves nothing', () => {
  const pair = new Pair(77, 0)
  const before = pair.arena.usedBytes - pair.tables.bytes(pair.t)
  for (let i = 0; i < 20000; i++) pair.add(`k${i}`)
  let visited = 0
  let slices = 0
  for (;;) {
    let inSlice = 0
    const done = pair.tables.drain(pair.t, 100, entry => {
      assert.ok(pair.model.delete(pair.textOf(entry)))
      pair.arena.free(entry)
      inSlice++
      visited++
    })
    slices++
    assert.ok(inSlice <= 140)
    if (done) break
    if (slices === 50) pair.check()
  }
  assert.equal(visited, 20000)
  assert.equal(pair.arena.usedBytes, before)
})

test('a table survives the emptying of the segment it lies in', () => {
  const pair = new Pair(5, 0)
  const filler: Ref[] = []
  for (let i = 0; i < 30000; i++) {
    pair.add(`k${i}`)
    if (i % 3 === 0) filler.push(pair.arena.alloc(8000))
  }
  for (const ref of filler) pair.arena.free(ref)
  while (pair.arena.evacuateSparse()) {
    for (let from = 0; from >= 0; ) from = pair.tables.relocateChunks(pair.t, from, 16)
    for (let i = 0; i < pair.tables.buckets(pair.t); i++)
      pair.tables.mapBucket(pair.t, i, entry => {
        const moved = pair.arena.relocate(entry)
        pair.model.set(pair.textOf(moved), moved)
        return moved
      })
    pair.arena.endEvacuation()
    pair.check()
    if (pair.arena.segmentBytes <= 2 * (16 << 20)) break
  }
})

test('a table that was made for so many entries behaves as one that has grown', () => {
  for (const reserved of [0, 1, 8, 9, 256, 257, 1000, 4096, 20000]) {
    for (const share of [0, 0.1, 1, 1.5]) {
      const pair = new Pair(reserved + 3, 0)
      pair.tables.reserve(pair.t, reserved)
      const buckets = pair.tables.buckets(pair.t)
      const entries = Math.floor(reserved * share)
      for (let i = 0; i < entries; i++) pair.add(`k${i}`)
      if (share <= 1) assert.equal(pair.tables.buckets(pair.t), buckets, 'nothing was split')
      pair.check()
      pair.tables.trim(pair.t)
      assert.ok(pair.tables.buckets(pair.t) <= Math.max(1, entries), 'what was not needed is given up')
      pair.check()
      for (let i = 0; i < entries; i += 2) pair.remove(`k${i}`)
      for (let i = 0; i < 300; i++) pair.add(`more ${i}`)
      pair.check()
    }
  }
})
