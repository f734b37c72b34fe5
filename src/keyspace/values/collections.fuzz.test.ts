// Hash, MemberSet and List against JavaScript's Map, Set and Array: through changes of encoding, copies, compaction and
// freeing in slices.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../../test/harness/random.ts'
import { Slice } from '../../lib/slice.ts'
import { Element } from '../../memory/element.ts'
import { Keyspace } from '../keyspace.ts'
import type { ValueType } from '../value-type.ts'
import { HashType } from './hash/hash-type.ts'
import { ListType } from './list/list-type.ts'
import type { MemberSet } from './set/set.ts'
import { SetType } from './set/set-type.ts'
import { RelocationCursor, relocateWhole } from './shared/relocation.ts'

const LIMITS = {
  hashMaxListpackEntries: 16,
  hashMaxListpackValue: 40,
  setMaxIntsetEntries: 20,
  setMaxListpackEntries: 16,
  setMaxListpackValue: 40,
  listMaxListpackSize: 8,
  listCompressDepth: 1,
}

function newSpace(seed: number): Keyspace {
  const random = randomFrom(seed)
  return new Keyspace({ databases: 1, random: () => random(2 ** 32) })
}

function text(random: (n: number) => number, pool: number): string {
  const n = random(pool)
  if (n % 9 === 0) return 'long'.repeat(n % 100) + n
  return n % 3 === 0 ? String(n * 7919) : `k${n}`
}

/** Copies a value, moves it about, and frees the first; the new one. */
function churn(space: Keyspace, kind: ValueType, encoding: number, value: number): number {
  const filler = Array.from({ length: 9000 }, () => space.arena.alloc(8000))
  let copy = kind.copy(encoding, value)
  assert.equal(kind.memory(encoding, copy, 0) > 0, true)
  for (const ref of filler) space.arena.free(ref)
  while (!kind.freeStep(encoding, value, 7));
  if (space.arena.evacuateSparse()) copy = relocateWhole(kind, new RelocationCursor(), encoding, copy)
  space.arena.endEvacuation()
  return copy
}

test('a hash behaves as a map', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const space = newSpace(seed)
    const before = space.arena.usedBytes
    const kind = new HashType(space, LIMITS)
    const random = randomFrom(seed * 7919)
    const hash = kind.current.create()
    const model = new Map<string, string>()
    for (let step = 0; step < 1500; step++) {
      const field = text(random, seed % 2 === 0 ? 20 : 400)
      if (random(3) > 0) {
        const value = text(random, 5000)
        assert.equal(hash.set(Slice.of(field), Slice.of(value)), !model.has(field))
        model.set(field, value)
      } else assert.equal(hash.remove(Slice.of(field)), model.delete(field))
      assert.equal(hash.length, model.size)
      if (step % 300 === 299) hash.open(hash.encoding, churn(space, kind, hash.encoding, hash.value))
      if (step % 50 !== 0) continue
      const seen = new Map<string, string>()
      hash.rewind()
      while (hash.next(kind.field, kind.text)) seen.set(kind.field.text().latin1(), kind.text.text().latin1())
      assert.deepEqual([...seen].sort(), [...model].sort())
      for (const [name, value] of model) {
        assert.ok(hash.get(Slice.of(name), kind.text))
        assert.equal(kind.text.text().latin1(), value)
      }
    }
    while (!kind.freeStep(hash.encoding, hash.value, 10));
    assert.equal(space.arena.usedBytes, before)
  }
})

function membersOf(set: MemberSet): string[] {
  const e = new Element()
  const members: string[] = []
  set.rewind()
  while (set.next(e)) members.push(e.text().latin1())
  return members.sort()
}

test('a set behaves as a set', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const space = newSpace(seed)
    const before = space.arena.usedBytes
    const kind = new SetType(space, LIMITS)
    const random = randomFrom(seed * 104729)
    const set = kind.current.createIntset()
    const model = new Set<string>()
    for (let step = 0; step < 1500; step++) {
      const member = step < 60 ? String(random(40) * 2 ** (step % 63)) : text(random, seed % 2 === 0 ? 20 : 400)
      if (random(3) > 0) {
        assert.equal(set.add(Slice.of(member)), !model.has(member))
        model.add(member)
      } else assert.equal(set.remove(Slice.of(member)), model.delete(member))
      assert.equal(set.has(Slice.of(member)), model.has(member))
      assert.equal(set.length, model.size)
      if (step % 300 === 299) set.open(set.encoding, churn(space, kind, set.encoding, set.value))
      if (step % 50 === 0) assert.deepEqual(membersOf(set), [...model].sort())
      if (step % 40 === 0 && model.size > 3) {
        const drawn = new Set<string>()
        set.sampleDistinct(2, kind.element, () => drawn.add(kind.element.text().latin1()))
        set.popDistinct(2, kind.element, () => assert.ok(model.delete(kind.element.text().latin1())))
        assert.equal(drawn.size, 2)
      }
    }
    while (!kind.freeStep(set.encoding, set.value, 10));
    assert.equal(space.arena.usedBytes, before)
  }
})

test('every member has the same chance to be drawn', () => {
  const space = newSpace(3)
  const kind = new SetType(space, LIMITS)
  for (const names of [5, 12, 60]) {
    const set = kind.current.createListpack()
    for (let i = 0; i < names; i++) set.add(Slice.of(`m${i}`))
    for (const count of [1, 3, names - 2]) {
      const hits = new Map<string, number>()
      const draws = Math.ceil((300 * names) / count)
      for (let i = 0; i < draws; i++) {
        set.sampleDistinct(count, kind.element, () => {
          const name = kind.element.text().latin1()
          hits.set(name, (hits.get(name) ?? 0) + 1)
        })
      }
      assert.equal(hits.size, names)
      for (const n of hits.values()) assert.ok(n > 200 && n < 400, `${n} of 300`)
    }
  }
})

test('a list behaves as an array', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const space = newSpace(seed)
    const before = space.arena.usedBytes
    const kind = new ListType(space, LIMITS)
    const random = randomFrom(seed * 31337)
    const list = kind.current.create()
    const model: string[] = []
    for (let step = 0; step < 1500; step++) {
      const s = text(random, 300)
      const atHead = random(2) === 0
      if (random(5) > 1 || model.length === 0) {
        list.tryConversion(1, s.length)
        list.push(Slice.of(s), atHead)
        if (atHead) model.unshift(s)
        else model.push(s)
      } else if (random(4) === 0) {
        const from = random(model.length)
        list.removeRange(from, 5)
        model.splice(from, 5)
        list.shrink()
      } else {
        list.peek(atHead, kind.element)
        assert.equal(kind.element.text().latin1(), atHead ? model.shift() : model.pop())
        list.drop(atHead)
        list.shrink()
      }
      assert.equal(list.length, model.length)
      if (step % 300 === 299) list.open(list.encoding, churn(space, kind, list.encoding, list.value))
      if (step % 50 !== 0 || model.length === 0) continue
      list.seek(0, true)
      for (const expected of model) {
        assert.ok(list.next(kind.element))
        assert.equal(kind.element.text().latin1(), expected)
      }
      assert.ok(!list.next(kind.element))
    }
    while (!kind.freeStep(list.encoding, list.value, 10));
    assert.equal(space.arena.usedBytes, before)
  }
})
