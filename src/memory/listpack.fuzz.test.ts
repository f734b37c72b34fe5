// Listpack against a JavaScript array of strings.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { Slice } from '../lib/slice.ts'
import { Arena, type Ref } from './arena.ts'
import { Element } from './element.ts'
import { Listpack } from './listpack.ts'
import { isListpack } from './listpack-format.ts'

function randomText(random: (n: number) => number): string {
  const kind = random(10)
  if (kind < 3) return 'k' + random(50)
  if (kind < 5) return String(random(300) - 100)
  if (kind < 7) {
    const n = BigInt.asIntN(random(64) + 1, (BigInt(random(2 ** 31)) << 33n) ^ BigInt(random(2 ** 31)))
    return n.toString()
  }
  if (kind < 9) return 'y'.repeat(random(140))
  return random(8) === 0 ? 'z'.repeat(random(20000)) : '0' + random(9)
}

/** The listpack is whole, and reads forwards and backwards as the model does. */
function check(lps: Listpack, lp: Ref, model: readonly string[]): void {
  const e = new Element()
  const scratch = new Slice(new Uint8Array(24))
  assert.equal(lps.count(lp), model.length)
  const s = lps.whole(lp, new Slice())
  assert.ok(isListpack(s.u8, s.dv, s.off, s.len))
  let pos = lps.first(lp)
  for (const text of model) {
    lps.read(lp, pos, e)
    assert.equal(e.text().latin1(), text)
    assert.equal(lps.get(lp, pos, new Slice(), scratch).latin1(), text)
    const n = lps.integerAt(lp, pos)
    if (!Number.isNaN(n) && Number.isFinite(n)) assert.equal(String(n), text)
    pos = lps.next(lp, pos)
  }
  assert.equal(pos, -1)
  pos = lps.last(lp)
  for (let i = model.length - 1; i >= 0; i--) {
    assert.ok(lps.equals(lp, pos, Slice.of(model[i])))
    pos = lps.prev(lp, pos)
  }
  assert.equal(pos, -1)
}

/** Among all elements, and among every second one, as keys of pairs. */
function checkFind(lps: Listpack, lp: Ref, model: readonly string[], text: string): void {
  for (const skip of [0, 1]) {
    const at = model.findIndex((one, i) => one === text && i % (skip + 1) === 0)
    assert.equal(lps.find(lp, lps.first(lp), Slice.of(text), skip), at < 0 ? -1 : lps.seek(lp, at))
  }
}

function run(seed: number, steps: number): void {
  const random = randomFrom(seed)
  const arena = new Arena()
  const lps = new Listpack(arena)
  let lp = lps.create()
  const model: string[] = []
  for (let step = 0; step < steps; step++) {
    const text = randomText(random)
    const s = Slice.of(text)
    const index = random(model.length + 1)
    const pos = index < model.length ? lps.seek(lp, random(2) ? index : index - model.length) : -1
    const op = model.length > 120 ? 5 + random(3) : random(9)
    if (op === 0) {
      lp =
        /^-?[0-9]{1,15}$/.test(text) && String(Number(text)) === text
          ? lps.appendInteger(lp, Number(text))
          : lps.append(lp, s)
      model.push(text)
    } else if (op === 1) {
      lp = lps.prepend(lp, s)
      model.unshift(text)
    } else if (op === 2 && pos >= 0) {
      lp = lps.insertBefore(lp, pos, s)
      model.splice(index, 0, text)
    } else if (op === 3 && pos >= 0) {
      lp = lps.insertAfter(lp, pos, s)
      model.splice(index + 1, 0, text)
    } else if (op === 4 && pos >= 0) {
      lp = lps.replace(lp, pos, s)
      model[index] = text
    } else if (op === 5 && pos >= 0) {
      lp = lps.delete(lp, pos)
      model.splice(index, 1)
      assert.equal(lps.elementAt(lp, pos), index < model.length ? pos : -1)
    } else if (op === 6) {
      const n = random(12)
      lp = lps.deleteRange(lp, index, n)
      model.splice(index, n)
    } else if (op === 7 && pos >= 0) {
      const other = lps.splitOff(lp, pos)
      lps.setCount(other, model.length - index)
      lp = lps.deleteRange(lp, index, model.length)
      const swapped = random(2) === 0
      lp = swapped ? lps.merge(other, lp) : lps.merge(lp, other)
      if (swapped) model.unshift(...model.splice(index))
    } else if (op === 8) checkFind(lps, lp, model, text)
    if (step % 7 === 0) check(lps, lp, model)
  }
  check(lps, lp, model)
  lps.free(lp)
  assert.equal(arena.count, 0)
}

test('a listpack behaves as an array of strings', () => {
  for (let seed = 1; seed <= 12; seed++) run(seed * 7919, 600)
})
