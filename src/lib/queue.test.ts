import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { Queue } from './queue.ts'

test('a queue gives items in the order they came, whatever comes and goes between', () => {
  const random = randomFrom(3)
  const queue = new Queue<number>()
  const model: number[] = []
  for (let step = 0; step < 20_000; step++) {
    if (random(5) < (step % 2000 < 1000 ? 3 : 2)) {
      queue.push(step)
      model.push(step)
    } else assert.equal(queue.shift(), model.shift())
    if (random(3000) === 0) {
      queue.clear()
      model.length = 0
    }
    assert.deepEqual([queue.length, queue.first(), queue.last()], [model.length, model[0], model[model.length - 1]])
  }
})
