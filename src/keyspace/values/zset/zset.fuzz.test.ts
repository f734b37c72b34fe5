// ZSet in both encodings, and across the change from one to the other, against a JavaScript Map.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../../../test/harness/random.ts'
import { compareBytes, Slice } from '../../../lib/slice.ts'
import { Keyspace } from '../../keyspace.ts'
import { ENC_LISTPACK, ENC_SKIPLIST } from '../../types.ts'
import { RelocationCursor, relocateWhole } from '../shared/relocation.ts'
import {
  ADD_GT,
  ADD_INCR,
  ADD_LT,
  ADD_NX,
  ADD_XX,
  ADDED,
  NOT_A_NUMBER,
  REFUSED,
  UNCHANGED,
  UPDATED,
  type ZSet,
  ZSetCursor,
} from './zset.ts'
import { ZSetType } from './zset-type.ts'

const SCORES = [
  0,
  1,
  2,
  3,
  -1,
  0.5,
  1.25,
  -7.75,
  1e20,
  -1e-7,
  2 ** 53,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
]
const LETTERS = 'ab1\xff'

function sorted(model: Map<string, number>): [string, number][] {
  return [...model].sort((a, b) => (a[1] !== b[1] ? a[1] - b[1] || (a[1] < b[1] ? -1 : 1) : order(a[0], b[0])))
}

function order(a: string, b: string): number {
  return compareBytes(Slice.of(a), Slice.of(b))
}

function list(z: ZSet): [string, number][] {
  const c = new ZSetCursor()
  const out: [string, number][] = []
  for (let more = z.seekRank(0, c); more; more = z.next(c)) out.push([c.member.latin1(), c.score])
  return out
}

function addToModel(model: Map<string, number>, member: string, score: number, flags: number): number {
  const old = model.get(member)
  if (old === undefined) {
    if (flags & ADD_XX) return REFUSED
    model.set(member, score)
    return ADDED
  }
  if (flags & ADD_NX) return REFUSED
  if (flags & ADD_INCR) score += old
  if (Number.isNaN(score)) return NOT_A_NUMBER
  if ((flags & ADD_GT && score <= old) || (flags & ADD_LT && score >= old)) return REFUSED
  model.set(member, score)
  return score === old ? UNCHANGED : UPDATED
}

class Run {
  readonly random: (n: number) => number
  readonly space: Keyspace
  readonly kind: ZSetType
  readonly z: ZSet
  model = new Map<string, number>()

  constructor(seed: number, entriesMax: number) {
    this.random = randomFrom(seed)
    this.space = new Keyspace({ databases: 0, random: () => this.random(0xffffffff) })
    this.kind = new ZSetType(this.space, { zsetMaxListpackEntries: entriesMax, zsetMaxListpackValue: 20 })
    this.z = this.kind.current.create(1, 1)
  }

  member(): string {
    let s = ''
    for (let n = this.random(5); n > 0; n--) s += LETTERS[this.random(4)]
    return s
  }

  score(): number {
    return this.random(3) === 0 ? this.random(50) / 4 : SCORES[this.random(SCORES.length)]
  }

  step(): void {
    const { random, z, model } = this
    const member = this.member()
    const score = this.score()
    const dice = random(100)
    if (dice < 50) {
      const flags = random(2) * [0, ADD_NX, ADD_XX, ADD_GT, ADD_LT, ADD_INCR, ADD_XX | ADD_GT][random(7)]
      assert.equal(z.add(Slice.of(member), score, flags), addToModel(model, member, score, flags))
      if (model.has(member)) assert.equal(z.scoreOf(Slice.of(member)), model.get(member))
    } else if (dice < 70) assert.equal(z.remove(Slice.of(member)), model.delete(member))
    else if (dice < 72 && model.size > 0) {
      const from = random(model.size)
      const gone = sorted(model).slice(from, from + 1 + random(5))
      z.removeRanks(from, gone.length)
      for (const [m] of gone) model.delete(m)
    } else if (dice < 85) {
      const all = sorted(model)
      assert.equal(
        z.rank(Slice.of(member)),
        all.findIndex(([m]) => m === member),
      )
      assert.equal(z.countBelow(score, false), all.filter(([, s]) => s < score).length)
      assert.equal(z.countBelow(score, true), all.filter(([, s]) => s <= score).length)
    } else this.check()
  }

  check(): void {
    const { z, model } = this
    const all = sorted(model)
    assert.equal(z.length, all.length)
    assert.deepEqual(list(z), all)
    const c = new ZSetCursor()
    const back: string[] = []
    for (let more = z.seekRank(all.length - 1, c); more; more = z.previous(c)) back.push(c.member.latin1())
    assert.deepEqual(
      back.reverse(),
      all.map(([m]) => m),
    )
    assert.equal(z.seekRank(all.length, c), false)
  }

  finish(): void {
    const { z, kind, space } = this
    this.check()
    const all = sorted(this.model)
    const twin = kind.copy(z.encoding, z.value)
    assert.deepEqual(list(kind.destination.open(z.encoding, twin)), all)
    assert.ok(kind.memory(z.encoding, twin, 0) >= 16)
    while (!kind.freeStep(z.encoding, twin, 10));
    if (z.encoding === ENC_SKIPLIST) {
      z.packIfSmall(3, 3)
      assert.deepEqual(list(z), all)
    }
    z.discard()
    assert.equal(space.arena.count, 0)
  }
}

test('listpack', () => {
  const run = new Run(1, 1000)
  for (let i = 0; i < 4000; i++) run.step()
  assert.equal(run.z.encoding, ENC_LISTPACK)
  run.finish()
})

test('tree', () => {
  const run = new Run(2, 0)
  for (let i = 0; i < 4000; i++) run.step()
  assert.equal(run.z.encoding, ENC_SKIPLIST)
  run.finish()
})

test('a listpack becomes a tree when it has too many members', () => {
  for (let seed = 3; seed < 20; seed++) {
    const run = new Run(seed, 20)
    const { z } = run
    let most = 0
    for (let i = 0; i < 300; i++) {
      run.step()
      most = Math.max(most, z.length)
      assert.equal(z.encoding, most > 20 ? ENC_SKIPLIST : ENC_LISTPACK)
    }
    assert.ok(most > 20)
    run.finish()
  }
})

test('a listpack becomes a tree when a member is too long', () => {
  const run = new Run(50, 20)
  const { z } = run
  assert.equal(z.add(Slice.of('a'), 1, 0), ADDED)
  assert.equal(z.encoding, ENC_LISTPACK)
  for (const length of [21, 254, 255, 70000]) assert.equal(z.add(Slice.of('x'.repeat(length)), length, 0), ADDED)
  assert.equal(z.encoding, ENC_SKIPLIST)
  assert.deepEqual(
    list(z).map(([m]) => m.length),
    [1, 21, 254, 255, 70000],
  )
  for (const length of [255, 21, 70000]) assert.equal(z.remove(Slice.of('x'.repeat(length))), true)
  assert.equal(z.length, 2)
})

test('the bytes of a listpack are those of Redis', () => {
  const run = new Run(51, 20)
  const { z } = run
  z.add(Slice.of('b'), 1.5, 0)
  z.add(Slice.of('12'), 3, 0)
  z.add(Slice.of('a'), -0, 0)
  const bytes = run.kind.packed.lists.whole(z.value, new Slice())
  assert.equal(
    Buffer.from(bytes.view()).toString('hex'),
    '18000000' + '0600' + '816102' + '0001' + '816202' + '83312e3504' + '0c01' + '0301' + 'ff',
  )
})

test('moving out of evacuating segments', () => {
  const run = new Run(52, 0)
  for (let i = 0; i < 3000; i++) run.step()
  const { arena } = run.space
  ;(arena as unknown as { evacuate(index: number): void }).evacuate(0)
  const value = relocateWhole(run.kind, new RelocationCursor(), run.z.encoding, run.z.value)
  assert.equal(arena.isEvacuating(value), false)
  run.z.open(run.z.encoding, value)
  run.check()
  arena.endEvacuation()
  for (let i = 0; i < 3000; i++) run.step()
  run.finish()
})
