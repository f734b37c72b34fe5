// ScoreTree against a sorted JavaScript array.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { compareBytes, Slice } from '../lib/slice.ts'
import { Arena, type Ref } from './arena.ts'
import { OrderedCursor, ScoreTree } from './ordered.ts'

interface Item {
  score: number
  member: string
  ref: Ref
}

function before(a: Item, b: Item): number {
  return a.score !== b.score ? a.score - b.score : compareBytes(Slice.of(a.member), Slice.of(b.member))
}

class Pair {
  readonly arena = new Arena()
  readonly tree = new ScoreTree(this.arena)
  readonly t: Ref = this.tree.create()
  items: Item[] = []
  private readonly cursor = new OrderedCursor()
  private readonly slice = new Slice()

  entry(score: number, member: string): Ref {
    const ref = this.arena.alloc(8 + 1 + 4 + member.length)
    const at = this.arena.at(ref)
    const u8 = this.arena.u8(ref)
    this.arena.dv(ref).setFloat64(at, score, true)
    let to = at + 9
    if (member.length < 255) u8[at + 8] = member.length
    else {
      u8[at + 8] = 255
      this.arena.dv(ref).setUint32(at + 9, member.length, true)
      to += 4
    }
    for (let i = 0; i < member.length; i++) u8[to + i] = member.charCodeAt(i)
    return ref
  }

  insert(score: number, member: string): void {
    const item = { score, member, ref: 0 }
    const index = this.lowerBound(item)
    if (this.items[index] && before(this.items[index], item) === 0) return
    item.ref = this.entry(score, member)
    this.tree.insert(this.t, item.ref)
    this.items.splice(index, 0, item)
  }

  remove(index: number): void {
    const [item] = this.items.splice(index, 1)
    this.tree.remove(this.t, item.ref)
    this.arena.free(item.ref)
  }

  setScore(index: number, score: number): void {
    const [item] = this.items.splice(index, 1)
    const moved = { score, member: item.member, ref: item.ref }
    const to = this.lowerBound(moved)
    if (this.items[to] && before(this.items[to], moved) === 0) {
      this.items.splice(index, 0, item)
      return
    }
    this.tree.setScore(this.t, item.ref, score)
    this.items.splice(to, 0, moved)
  }

  removeRange(from: number, count: number): void {
    const gone: Ref[] = []
    this.tree.removeRange(this.t, from, count, entry => {
      gone.push(entry)
      this.arena.free(entry)
    })
    assert.deepEqual(
      gone,
      this.items.splice(from, count).map(item => item.ref),
    )
  }

  lowerBound(item: Item): number {
    let low = 0
    for (let high = this.items.length; low < high; ) {
      const mid = (low + high) >>> 1
      if (before(this.items[mid], item) < 0) low = mid + 1
      else high = mid
    }
    return low
  }

  /** Everything that can be asked about one place. */
  probe(index: number, score: number, member: string): void {
    const { tree, t, cursor, items } = this
    if (index < items.length) {
      assert.equal(tree.rank(t, items[index].ref), index)
      assert.equal(tree.seekRank(t, index, cursor), true)
      assert.equal(tree.entryAt(cursor), items[index].ref)
      assert.equal(tree.memberOf(items[index].ref, this.slice).latin1(), items[index].member)
      assert.equal(tree.previous(cursor), index > 0)
      if (index > 0) assert.equal(tree.entryAt(cursor), items[index - 1].ref)
    }
    const atLeast = items.findIndex(item => item.score >= score)
    const above = items.findIndex(item => item.score > score)
    this.seeks(tree.seekScore(t, score, false, cursor), atLeast)
    this.seeks(tree.seekScore(t, score, true, cursor), above)
    const key = { score, member, ref: 0 }
    const from = items.findIndex(item => before(item, key) >= 0)
    const after = items.findIndex(item => before(item, key) > 0)
    this.seeks(tree.seekKey(t, score, Slice.of(member), false, cursor), from)
    this.seeks(tree.seekKey(t, score, Slice.of(member), true, cursor), after)
  }

  seeks(rank: number, index: number): void {
    assert.equal(rank, index < 0 ? this.items.length : index)
    if (index < 0) assert.equal(this.cursor.leaf, 0)
    else assert.equal(this.tree.entryAt(this.cursor), this.items[index].ref)
    assert.equal(this.tree.previousIn(this.t, this.cursor), rank > 0)
    if (rank > 0) assert.equal(this.tree.entryAt(this.cursor), this.items[rank - 1].ref)
  }

  check(): void {
    const { tree, t, cursor } = this
    assert.equal(tree.count(t), this.items.length)
    const forward: Ref[] = []
    for (let more = tree.first(t, cursor); more; more = tree.next(cursor)) forward.push(tree.entryAt(cursor))
    const expected = this.items.map(item => item.ref)
    assert.deepEqual(forward, expected)
    const back: Ref[] = []
    for (let more = tree.last(t, cursor); more; more = tree.previous(cursor)) back.push(tree.entryAt(cursor))
    assert.deepEqual(back.reverse(), expected)
    for (let i = 0; i < this.items.length; i += 97) assert.equal(tree.rank(t, this.items[i].ref), i)
    const entries = this.items.reduce((sum, item) => sum + this.arena.sizeOf(item.ref), 0)
    assert.equal(this.arena.usedBytes, tree.bytes(t) + entries)
  }
}

const LETTERS = 'ab\x00\xff'

function member(random: (n: number) => number): string {
  let s = ''
  for (let n = random(6); n > 0; n--) s += LETTERS[random(4)]
  return random(200) === 0 ? s.padEnd(240 + random(30), 'x') : s
}

function run(seed: number, steps: number, scores: number): void {
  const random = randomFrom(seed)
  const pair = new Pair()
  for (let step = 0; step < steps; step++) {
    const growing = (step / (steps / 6)) % 2 < 1
    const size = pair.items.length
    const dice = random(100)
    const score = scores === 0 ? 0 : (random(scores) - scores / 2) / 4
    if (dice < (growing ? 70 : 15) || size === 0) pair.insert(score, member(random))
    else if (dice < 75) pair.remove(random(4) === 0 ? (random(2) ? 0 : size - 1) : random(size))
    else if (dice < 90) {
      const index = random(size)
      pair.setScore(index, random(3) === 0 ? score : pair.items[index].score + (random(3) - 1) / 8)
    } else if (dice < 91 && !growing) pair.removeRange(random(size), random(1 + (size >>> 3)))
    else pair.probe(random(size), score, member(random))
    if (step % 997 === 0) pair.check()
  }
  pair.check()
  let calls = 0
  while (!pair.tree.drain(pair.t, 100, entry => pair.arena.free(entry))) calls++
  assert.equal(calls, Math.ceil(pair.items.length / 100) - (pair.items.length > 0 ? 1 : 0))
  assert.equal(pair.arena.usedBytes, 0)
}

test('many scores', () => run(1, 30000, 1 << 20))
test('few scores, so that members decide', () => run(2, 20000, 8))
test('one score', () => run(3, 12000, 0))

test('entries that come in order fill their leaves', () => {
  for (const direction of [1, -1]) {
    const pair = new Pair()
    const items: Item[] = []
    for (let i = 0; i < 20000; i++) {
      const item = { score: i * direction, member: `m${i}`, ref: 0 }
      item.ref = pair.entry(item.score, item.member)
      pair.tree.insert(pair.t, item.ref)
      items.push(item)
    }
    pair.items = direction > 0 ? items : items.reverse()
    pair.check()
    assert.ok(pair.tree.bytes(pair.t) / 20000 < 13)
    for (let i = 0; i < 20000; i += 777) pair.probe(i, i * direction, '')
    for (let i = 0; i < 19000; i++) pair.tree.removeRange(pair.t, 0, 1, entry => pair.arena.free(entry))
    pair.items = pair.items.slice(19000)
    pair.check()
  }
})

test('members in lexicographic ranges', () => {
  const random = randomFrom(5)
  const pair = new Pair()
  const cursor = new OrderedCursor()
  for (let i = 0; i < 3000; i++) pair.insert(1, member(random))
  for (let i = 0; i < 1500; i++) {
    const bound = Slice.of(member(random))
    const atLeast = pair.items.filter(item => compareBytes(Slice.of(item.member), bound) < 0).length
    const equal = pair.items[atLeast] && compareBytes(Slice.of(pair.items[atLeast].member), bound) === 0 ? 1 : 0
    assert.equal(pair.tree.seekMember(pair.t, bound, false, cursor), atLeast)
    assert.equal(pair.tree.seekMember(pair.t, bound, true, cursor), atLeast + equal)
    if (i % 3 === 0 && pair.items.length > 0) pair.remove(random(pair.items.length))
  }
})

test('a tree moves out of evacuating segments', () => {
  const pair = new Pair()
  const random = randomFrom(6)
  for (let i = 0; i < 5000; i++) pair.insert(random(1000), member(random))
  const evacuator = pair.arena as unknown as { evacuate(index: number): void }
  evacuator.evacuate(0)
  const renamed = new Map(pair.items.map(item => [item.ref, item]))
  for (let rank = 0; rank >= 0; ) {
    rank = pair.tree.relocate(pair.t, rank, entry => {
      const item = renamed.get(entry)
      assert.ok(item)
      item.ref = pair.arena.relocate(entry)
      return item.ref
    })
  }
  pair.check()
  for (const item of pair.items) assert.equal(pair.arena.isEvacuating(item.ref), false)
  pair.arena.endEvacuation()
  while (pair.items.length > 0) pair.remove(random(pair.items.length))
  pair.check()
})
