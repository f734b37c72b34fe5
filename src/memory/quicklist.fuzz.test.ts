// Quicklist against a JavaScript array of strings, over several fills, compress depths and plain-node thresholds.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { Slice } from '../lib/slice.ts'
import { Arena, type Ref } from './arena.ts'
import { Element } from './element.ts'
import { ListCursor } from './list-cursor.ts'
import { Listpack } from './listpack.ts'
import { isListpack } from './listpack-format.ts'
import { Quicklist } from './quicklist.ts'

class Pair {
  readonly arena = new Arena()
  readonly listpack = new Listpack(this.arena)
  readonly lists = new Quicklist(this.arena, this.listpack)
  readonly cursor = new ListCursor()
  readonly e = new Element()
  q: Ref
  model: string[] = []
  readonly random: (n: number) => number
  readonly fill: number
  readonly depth: number

  constructor(seed: number, fill: number, depth: number, packedThreshold: number) {
    this.random = randomFrom(seed)
    this.fill = fill
    this.depth = depth
    this.lists.packedThreshold = packedThreshold
    this.q = this.lists.create(fill, depth)
  }

  text(): string {
    const kind = this.random(10)
    if (kind < 4) return `value:${this.random(100)}`
    if (kind < 6) return String(this.random(100000) - 500)
    if (kind < 9) return 'ab'.repeat(this.random(60))
    return 'x'.repeat(this.random(this.random(10) === 0 ? 9000 : 700))
  }

  step(): void {
    const { lists, model, cursor, e, random } = this
    const grow = model.length < 200 ? 8 : 4
    const op = random(grow + 6)
    const s = this.text()
    if (op < grow / 2) {
      lists.pushTail(this.q, Slice.of(s))
      model.push(s)
    } else if (op < grow) {
      lists.pushHead(this.q, Slice.of(s))
      model.unshift(s)
    } else if (model.length > 0) this.middle(op - grow, random(model.length), s)
    if (model.length > 0) {
      lists.first(this.q, e)
      assert.equal(e.text().latin1(), model[0])
      lists.last(this.q, e)
      assert.equal(e.text().latin1(), model[model.length - 1])
      const index = random(model.length)
      lists.open(this.q, index, true, cursor)
      assert.ok(lists.next(cursor, e))
      assert.equal(e.text().latin1(), model[index])
    }
  }

  middle(op: number, index: number, s: string): void {
    const { lists, model, cursor, e, random } = this
    if (op === 0) {
      for (let n = random(4); n >= 0 && model.length > 0; n--) {
        lists.dropFirst(this.q)
        model.shift()
      }
    } else if (op === 1) {
      for (let n = random(4); n >= 0 && model.length > 0; n--) {
        lists.dropLast(this.q)
        model.pop()
      }
    } else if (op === 2) {
      const after = random(2) === 0
      // Found by looking for it from somewhere before, every other time.
      const from = random(index + 1)
      const wanted = model[index]
      lists.open(this.q, after ? from : index, true, cursor)
      if (after) assert.ok(lists.nextEqual(cursor, Slice.of(wanted)))
      else lists.next(cursor, e)
      if (after) index = model.indexOf(wanted, from)
      lists.insertAt(this.q, cursor, Slice.of(s), after)
      model.splice(after ? index + 1 : index, 0, s)
    } else if (op === 3) {
      lists.open(this.q, index, false, cursor)
      lists.next(cursor, e)
      lists.replaceAt(this.q, cursor, Slice.of(s))
      model[index] = s
    } else if (op === 4) {
      const n = random(random(5) === 0 ? 100 : 6)
      lists.deleteRange(this.q, index, n, cursor)
      model.splice(index, n)
    } else this.removeSome(index, random(2) === 0)
  }

  removeEqual(from: number, forward: boolean): void {
    const { lists, model, cursor } = this
    const wanted = model[from]
    lists.open(this.q, from, forward, cursor)
    let at = from
    for (let left = 5; left > 0 && lists.nextEqual(cursor, Slice.of(wanted)); left--) {
      at = forward ? model.indexOf(wanted, at) : model.lastIndexOf(wanted, at)
      assert.ok(at >= 0)
      lists.deleteAt(this.q, cursor)
      model.splice(at, 1)
      if (!forward) at--
    }
    lists.settle(cursor)
  }

  removeSome(from: number, forward: boolean): void {
    const { lists, model, cursor, e, random } = this
    if (random(3) === 0) return this.removeEqual(from, forward)
    lists.open(this.q, from, forward, cursor)
    const modulus = 2 + random(5)
    let at = from
    for (let i = 0; i < 40 && lists.next(cursor, e); i++) {
      assert.equal(e.text().latin1(), model[at])
      assert.ok(lists.equals(cursor, Slice.of(model[at])))
      if (i % modulus === 0) {
        lists.deleteAt(this.q, cursor)
        model.splice(at, 1)
        if (!forward) at--
      } else at += forward ? 1 : -1
    }
    lists.settle(cursor)
  }

  check(): void {
    const { lists, model, cursor, e, listpack } = this
    assert.equal(lists.count(this.q), model.length)
    for (const forward of [true, false]) {
      let at = forward ? 0 : model.length - 1
      if (model.length > 0) lists.open(this.q, at, forward, cursor)
      while (model.length > 0 && lists.next(cursor, e)) {
        assert.equal(e.text().latin1(), model[at])
        at += forward ? 1 : -1
      }
      assert.equal(at, forward ? model.length : -1)
    }
    let nodes = 0
    const out = new Slice()
    for (let node = lists.firstNode(this.q); node !== 0; node = lists.nextNode(node)) {
      nodes++
      lists.nodeContents(node, out, cursor)
      if (lists.isPlain(node)) continue
      assert.ok(isListpack(out.u8, out.dv, out.off, out.len))
      const lp = listpack.fromBytes(out)
      const count = listpack.count(lp)
      assert.ok(count > 0)
      // A replaced element may make a node larger than its fill says, but never longer.
      if (this.fill > 0) assert.ok(count <= this.fill)
      listpack.free(lp)
    }
    assert.equal(nodes, lists.nodes(this.q))
  }
}

function run(seed: number, fill: number, depth: number, packedThreshold: number, steps: number): void {
  const pair = new Pair(seed, fill, depth, packedThreshold)
  for (let i = 0; i < steps; i++) {
    pair.step()
    if (i % 50 === 0) pair.check()
    if (i % 200 === 199) {
      const copy = pair.lists.copy(pair.q)
      while (!pair.lists.drain(pair.q, 3));
      pair.q = copy
    }
  }
  pair.check()
  while (!pair.lists.drain(pair.q, 2));
  assert.equal(pair.arena.count, 0)
}

test('a quicklist behaves as an array of strings', () => {
  let seed = 1
  for (const fill of [-1, -2, -5, 1, 4, 128])
    for (const depth of [0, 1, 3])
      for (const threshold of [1 << 30, 100]) run((seed += 7919), fill, depth, threshold, 400)
})

test('inner nodes are packed when that saves memory, end nodes never', () => {
  const pair = new Pair(5, 8, 2, 1 << 30)
  for (let i = 0; i < 200; i++) pair.lists.pushTail(pair.q, Slice.of('abcabcabcabc'.repeat(4)))
  const plain = new Pair(5, 8, 0, 1 << 30)
  for (let i = 0; i < 200; i++) plain.lists.pushTail(plain.q, Slice.of('abcabcabcabc'.repeat(4)))
  assert.ok(pair.lists.memory(pair.q, 0) < plain.lists.memory(plain.q, 0) / 2)
})

test('a list survives the emptying of the segment it lies in', () => {
  const pair = new Pair(11, -2, 1, 1 << 30)
  const filler: Ref[] = []
  for (let i = 0; i < 3000; i++) {
    const s = pair.text()
    pair.lists.pushTail(pair.q, Slice.of(s))
    pair.model.push(s)
    for (let k = 0; k < 4; k++) filler.push(pair.arena.alloc(8000))
  }
  for (const ref of filler) pair.arena.free(ref)
  for (let i = 1; i < pair.arena.segments.length; i++)
    if (pair.arena.segments[i]) pair.arena.segments[i].evacuating = false
  const before = pair.arena.segmentBytes
  if (pair.arena.evacuateSparse()) {
    pair.q = pair.arena.relocate(pair.q)
    for (let from = 0; from >= 0; ) from = pair.lists.relocateNodes(pair.q, from, 7)
  }
  pair.arena.endEvacuation()
  assert.ok(pair.arena.segmentBytes <= before)
  pair.check()
})
