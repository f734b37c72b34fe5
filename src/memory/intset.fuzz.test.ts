// Intset against a sorted JavaScript array of bigints.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { Int64 } from '../lib/int64.ts'
import { Slice } from '../lib/slice.ts'
import { Arena } from './arena.ts'
import { Element } from './element.ts'
import { Intset, isIntset } from './intset.ts'

function hex(sets: Intset, is: number): string {
  return Buffer.from(sets.whole(is, new Slice()).view()).toString('hex')
}

test('the bytes are those of intsets that redis-server 7.2.4 dumped', () => {
  const sets = new Intset(new Arena())
  const v = new Int64()
  let is = sets.create()
  const add = (text: string): void => {
    v.parse(Slice.of(text))
    is = sets.add(is, v)
  }
  for (const text of ['1', '-5', '300']) add(text)
  assert.equal(hex(sets, is), '0200000003000000fbff01002c01')
  add('-70000')
  assert.equal(hex(sets, is), '040000000400000090eefefffbffffff010000002c010000')
  add('9223372036854775807')
  assert.equal(
    hex(sets, is),
    '080000000500000090eefefffffffffffbffffffffffffff01000000000000002c01000000000000ffffffffffffff7f',
  )
})

function run(seed: number, bits: number): void {
  const random = randomFrom(seed)
  const arena = new Arena()
  const sets = new Intset(arena)
  const v = new Int64()
  const e = new Element()
  let is = sets.create()
  const model: bigint[] = []
  for (let step = 0; step < 700; step++) {
    const width = random(20) === 0 ? bits : Math.min(bits, 1 + random(12))
    const n = BigInt.asIntN(width, (BigInt(random(2 ** 31)) << 33n) ^ BigInt(random(2 ** 31)) ^ BigInt(random(7)))
    v.parse(Slice.of(n.toString()))
    const index = model.findIndex(m => m >= n)
    const there = index >= 0 && model[index] === n
    assert.equal(sets.has(is, v), there)
    if (random(3) > 0) {
      is = sets.add(is, v)
      assert.equal(sets.changed, !there)
      if (!there) model.splice(index < 0 ? model.length : index, 0, n)
    } else if (random(4) === 0 && model.length > 0) {
      const at = random(model.length)
      is = sets.removeAt(is, at)
      model.splice(at, 1)
    } else {
      is = sets.remove(is, v)
      assert.equal(sets.changed, there)
      if (there) model.splice(index, 1)
    }
    assert.equal(sets.length(is), model.length)
    if (step % 5 !== 0 || model.length === 0) continue
    const whole = sets.whole(is, new Slice())
    assert.ok(isIntset(whole.dv, whole.off, whole.len))
    for (let i = 0; i < model.length; i++) {
      sets.read(is, i, e, v)
      assert.equal(e.text().latin1(), model[i].toString())
    }
    const damaged = new Slice(whole.view().slice(), 0, whole.len)
    if (model.length > 1) {
      const width = sets.width(is)
      damaged.u8.copyWithin(8 + width, 8, 8 + width)
      assert.ok(!isIntset(damaged.dv, 0, damaged.len))
    }
    assert.ok(!isIntset(damaged.dv, 0, damaged.len - 1))
  }
  sets.free(is)
  assert.equal(arena.count, 0)
}

test('an intset behaves as a sorted array', () => {
  for (const bits of [8, 16, 17, 32, 33, 54, 64]) for (let seed = 1; seed <= 4; seed++) run(seed * 104729 + bits, bits)
})
