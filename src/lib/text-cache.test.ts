import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slice } from './slice.ts'
import { TextCache } from './text-cache.ts'

test('TextCache gives the text of every name, however many share a place', () => {
  const cache = new TextCache()
  for (let round = 0; round < 2; round++)
    for (let i = 0; i < 2000; i++) assert.equal(cache.textOf(Slice.of(`name:${i}`)), `name:${i}`)
})

test('TextCache looks at every byte', () => {
  const cache = new TextCache()
  // With 31 as the factor of the hash these pairs have the same slot.
  for (const text of ['Aa', 'BB', 'AaAa', 'BBBB', 'AaBB', '', '\0', 'ÿ\0'])
    assert.equal(cache.textOf(Slice.of(text)), text)
})

test('TextCache does not keep the buffer a name stood in', () => {
  const cache = new TextCache()
  const name = Slice.of('one')
  assert.equal(cache.textOf(name), 'one')
  name.u8[0] = 0x4f
  assert.equal(cache.textOf(name), 'One')
})

test('TextCache takes names of any length', () => {
  const cache = new TextCache()
  for (const length of [63, 64, 65, 10_000])
    assert.equal(cache.textOf(Slice.of('x'.repeat(length))), 'x'.repeat(length))
})
