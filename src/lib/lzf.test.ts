import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LzfCompressor, lzfDecompress } from './lzf.ts'
import { Slice } from './slice.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

function roundTrip(compressor: LzfCompressor, input: Uint8Array): number {
  const packed = new Uint8Array(input.length + Math.ceil(input.length / 32) + 8)
  const size = compressor.compress(input, 0, input.length, packed, 4)
  const back = new Uint8Array(input.length)
  assert.equal(lzfDecompress(packed, 4, 4 + size, back, 0), input.length)
  assert.deepEqual(back, input)
  return size
}

test('what is compressed expands to the same bytes', () => {
  const compressor = new LzfCompressor()
  let state = 7
  for (let round = 0; round < 300; round++) {
    const alphabet = 1 + (round % 7) * 20
    const input = new Uint8Array(1 + ((round * 131) % 3000)).map(() => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return (state >>> 16) % alphabet
    })
    roundTrip(compressor, input)
  }
})

test('repetition becomes small', () => {
  const compressor = new LzfCompressor()
  assert.ok(roundTrip(compressor, new Uint8Array(10_000).fill(97)) < 150)
  assert.ok(roundTrip(compressor, Slice.of('hello world, '.repeat(50)).u8) < 40)
})

test('copies that overlap what they write repeat it, of whatever period and length', () => {
  const compressor = new LzfCompressor()
  for (let period = 1; period < 70; period++)
    for (const length of [period + 31, period + 32, period * 3 + 33, 600])
      roundTrip(
        compressor,
        new Uint8Array(length).map((_, i) => (i % period) * 3),
      )
})

test('compressing into too little room answers 0', () => {
  const noise = new Uint8Array(100).map((_, i) => i)
  assert.equal(new LzfCompressor().compress(noise, 0, 100, new Uint8Array(200), 0, 96), 0)
  assert.equal(new LzfCompressor().compress(noise, 0, 0, new Uint8Array(200), 0), 0)
})

test('a known stream expands', () => {
  const out = new Uint8Array(16)
  assert.equal(lzfDecompress(bytes(0, 97, 0xe0, 1, 0), 0, 5, out, 0), 11)
  assert.equal(new Slice(out, 0, 11).latin1(), 'a'.repeat(11))
})

test('a damaged stream is refused, never followed outside a buffer', () => {
  const out = new Uint8Array(16)
  assert.equal(lzfDecompress(bytes(5, 97), 0, 2, out, 0), -1)
  assert.equal(lzfDecompress(bytes(0, 97, 0x20, 9), 0, 4, out, 0), -1)
  assert.equal(lzfDecompress(bytes(0, 97, 0x20), 0, 3, out, 0), -1)
  assert.equal(lzfDecompress(bytes(0, 97, 0xe0), 0, 3, out, 0), -1)
  assert.equal(lzfDecompress(bytes(0, 97, 0xe0, 200, 0), 0, 5, out, 0), -1)
})
