import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drainPlan, type Move, rangePlan, rebalancePlan, reshardPlan } from './plan.ts'

interface Holder {
  name: string
  slots: number[]
}

/** Primaries with that many slots, in order. */
function holders(...counts: number[]): Holder[] {
  let next = 0
  return counts.map((count, i) => ({ name: `n${i}`, slots: Array.from({ length: count }, () => next++) }))
}

/** How many slots each has afterwards; every move is checked. */
function after(all: readonly Holder[], plan: readonly Move<Holder>[]): number[] {
  const counts = new Map(all.map(one => [one, one.slots.length]))
  const moved = new Set<number>()
  for (const { source, target, slots } of plan) {
    assert.ok(slots.length > 0 && source !== target)
    for (const slot of slots) {
      assert.ok(source.slots.includes(slot) && !moved.has(slot))
      moved.add(slot)
    }
    counts.set(source, counts.get(source)! - slots.length)
    counts.set(target, counts.get(target)! + slots.length)
  }
  return [...counts.values()]
}

const NO_WEIGHTS = new Map<Holder, number>()

test('rebalance gives equal shares, and nothing below the threshold', () => {
  const all = holders(16384, 0, 0)
  assert.deepEqual(after(all, rebalancePlan(all, NO_WEIGHTS, true, 2)), [5462, 5461, 5461])
  assert.deepEqual(rebalancePlan(all, NO_WEIGHTS, false, 2), [])
  const nearly = holders(5500, 5442, 5442)
  assert.deepEqual(rebalancePlan(nearly, NO_WEIGHTS, false, 2), [])
  assert.deepEqual(after(nearly, rebalancePlan(nearly, NO_WEIGHTS, false, 0)), [5462, 5461, 5461])
})

test('rebalance heeds weights; 0 empties a primary, and one with a weight takes part', () => {
  const all = holders(8192, 8192, 0)
  const weights = (...list: number[]) => new Map(list.map((weight, i) => [all[i], weight]))
  assert.deepEqual(after(all, rebalancePlan(all, weights(1, 3), false, 2)), [4096, 12288, 0])
  assert.deepEqual(after(all, rebalancePlan(all, weights(0, 1, 1), false, 2)), [0, 8192, 8192])
  assert.throws(() => rebalancePlan(all, weights(0, 0), false, 2), /needs a weight above 0/)
})

test('reshard takes from all others in proportion, or from those that are named', () => {
  const all = holders(8192, 4096, 4096)
  assert.deepEqual(after(all, reshardPlan(all, 1000, all[2])), [8192 - 667, 4096 - 333, 5096])
  assert.deepEqual(after(all, reshardPlan([all[0]], 1000, all[2])), [7192, 4096, 5096])
  assert.throws(() => reshardPlan([all[1]], 5000, all[2]), /5000 slots are more than the 4096/)
})

test('chosen slots go to one primary, whoever has them', () => {
  const all = holders(10, 10, 10)
  const plan = rangePlan(all, [8, 9, 10, 11, 20, 21], all[2])
  assert.deepEqual(
    plan.map(({ source, slots }) => [source.name, ...slots]),
    [
      ['n0', 8, 9],
      ['n1', 10, 11],
    ],
  )
})

test('drain fills up those with the fewest first', () => {
  const all = holders(1000, 3000, 3400, 8984)
  assert.deepEqual(after(all, drainPlan(all, all[0], false)), [0, 3700, 3700, 8984])
  const even = holders(5462, 5461, 5461)
  assert.deepEqual(after(even, drainPlan(even, even[2], false)), [8192, 8192, 0])
  const last = holders(100, 0)
  assert.throws(() => drainPlan(last, last[0], false), /no other primary/)
  assert.deepEqual(after(last, drainPlan(last, last[0], true)), [0, 100])
})
