import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backlog } from './backlog.ts'

function joined(chunks: Uint8Array[] | undefined): number[] | undefined {
  return chunks?.flatMap(chunk => [...chunk])
}

test('the stream can be had from any offset that is still there', () => {
  const backlog = new Backlog(100)
  backlog.add(Uint8Array.of(0, 1, 2), 1000, Number.POSITIVE_INFINITY)
  backlog.add(Uint8Array.of(3), 1000, Number.POSITIVE_INFINITY)
  backlog.add(Uint8Array.of(4, 5), 1000, Number.POSITIVE_INFINITY)
  assert.deepEqual(joined(backlog.since(100)), [0, 1, 2, 3, 4, 5])
  assert.deepEqual(joined(backlog.since(102)), [2, 3, 4, 5])
  assert.deepEqual(joined(backlog.since(104)), [4, 5])
  assert.deepEqual(joined(backlog.since(106)), [])
  assert.equal(backlog.since(99), undefined)
  assert.equal(backlog.since(107), undefined)
})

test('the limit is kept, and never less than that', () => {
  const backlog = new Backlog(0)
  for (let i = 0; i < 5000; i++) {
    backlog.add(new Uint8Array(1 + (i % 7)).fill(i), 100, Number.POSITIVE_INFINITY)
    assert.ok(backlog.bytes < 100 + 7)
    if (i > 100) assert.ok(backlog.bytes >= 100)
    assert.equal(joined(backlog.since(backlog.start))?.length, backlog.bytes)
  }
  assert.equal(joined(backlog.since(backlog.end - 1))?.[0], 4999 & 255)
})
