import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Slice } from '../lib/slice.ts'
import { CallWords } from './call-words.ts'

const textsOf = (args: Slice[], count: number) => args.slice(0, count).map(one => Buffer.from(one.view()).toString())

test('words of any kind and length are arguments', () => {
  const words = new CallWords()
  const long = 'x'.repeat(70_000)
  const all = ['set', 'ü€', long, 7, -3n, new Uint8Array([65, 66]), Buffer.from('y'.repeat(1000)), '']
  for (let round = 0; round < 3; round++) {
    const mark = words.begin()
    const args = words.put(all)
    assert.deepEqual(textsOf(args, all.length), ['set', 'ü€', long, '7', '-3', 'AB', 'y'.repeat(1000), ''])
    words.end(mark, all.length)
  }
})

test('arguments stay as they are while calls within their call replace the buffer', () => {
  const words = new CallWords()
  const outer = words.begin()
  const args = words.put(['get', 'key'])
  for (let depth = 0; depth < 3; depth++) {
    const inner = words.begin()
    assert.deepEqual(textsOf(words.put(['a', 'b'.repeat(300_000 << depth)]), 1), ['a'])
    words.end(inner, 2)
  }
  const inner = words.begin()
  assert.deepEqual(textsOf(words.put(['echo', 'more']), 2), ['echo', 'more'])
  assert.deepEqual(textsOf(args, 2), ['get', 'key'])
  words.end(inner, 2)
  words.end(outer, 2)
})
