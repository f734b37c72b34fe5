import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { bytesOf } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import { BIG_ARGUMENT_BYTES, BufferPool } from './partial.ts'

test('arguments of all lengths come out as they went in, in rooms that are used again', () => {
  const below = randomFrom(1)
  const rooms = new BufferPool()
  for (let round = 0; round < 30; round++) {
    const words = Array.from({ length: below(100) + 1 }, (_, i) =>
      String.fromCharCode(97 + ((round + i) % 26)).repeat(below(10) > 0 ? below(300) : below(BIG_ARGUMENT_BYTES * 3)),
    )
    const partial = rooms.begin(words.length)
    for (const word of words) {
      if (word.length < BIG_ARGUMENT_BYTES || below(2) === 0) {
        partial.add(Slice.of(word))
        partial.argsLeft--
        continue
      }
      partial.beginBulk(word.length)
      const bytes = bytesOf(`${word}\r\nnext`)
      for (let at = 0; at < word.length + 2; ) at += partial.fill(bytes, at, Math.min(bytes.length, at + 30000))
      partial.endBulk()
    }
    assert.equal(partial.argsLeft, 0)
    assert.deepEqual(
      partial.arguments().map(arg => arg.latin1()),
      words,
    )
    rooms.end(partial)
  }
})

test('an argument that promises much gets its room when much has come', () => {
  const partial = new BufferPool().begin(1)
  partial.beginBulk(500_000_000)
  assert.ok(partial.memoryBytes < 20 * 1024 * 1024)
})

test('very many arguments take a few bytes each until they are whole, and nothing afterwards', () => {
  const rooms = new BufferPool()
  const partial = rooms.begin(1_000_000)
  const empty = partial.memoryBytes
  const word = Slice.of('1')
  for (let i = 0; i < 1_000_000; i++) partial.add(word)
  assert.ok(partial.memoryBytes < 12_000_000, `${partial.memoryBytes} bytes`)
  rooms.end(partial)
  assert.equal(partial.memoryBytes, empty)
})

test('rooms that nobody wants any more are let go of', () => {
  const rooms = new BufferPool()
  const room = rooms.take(100_000)
  rooms.recycle(room)
  assert.equal(rooms.take(100_000), room)
  rooms.recycle(room)
  rooms.tick()
  assert.notEqual(rooms.take(50_000), room, 'it is much longer')
  assert.equal(rooms.take(90_000), room, 'it was wanted in between')
  rooms.recycle(room)
  rooms.tick()
  rooms.tick()
  assert.notEqual(rooms.take(90_000), room)
})

test('a buffer is at most an eighth longer than the argument', () => {
  const rooms = new BufferPool()
  for (let bytes = 64 * 1024; bytes < 2 ** 22; bytes = Math.ceil(bytes * 1.07)) {
    const { length } = rooms.take(bytes).u8
    assert.ok(length >= bytes && length <= bytes * 1.125, `${length} for ${bytes}`)
  }
})
