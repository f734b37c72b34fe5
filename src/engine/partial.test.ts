import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conversation } from '../../test/harness/conversation.ts'
import { randomFrom } from '../../test/harness/random.ts'
import { bytesOf } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import { Arena } from '../memory/arena.ts'
import { LentAllocations } from '../memory/lent.ts'
import { BIG_ARGUMENT_BYTES, PartialCommands } from './partial.ts'

test('arguments of all lengths come out as they went in, in objects that are used again', () => {
  const below = randomFrom(1)
  const arena = new Arena()
  const partials = new PartialCommands(new LentAllocations(arena))
  for (let round = 0; round < 30; round++) {
    const words = Array.from({ length: below(100) + 1 }, (_, i) =>
      String.fromCharCode(97 + ((round + i) % 26)).repeat(below(10) > 0 ? below(300) : below(BIG_ARGUMENT_BYTES * 3)),
    )
    const partial = partials.begin(words.length)
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
    partials.end(partial)
    assert.equal(arena.count, 0)
  }
})

test('an argument that promises much gets its memory when much has come', () => {
  const arena = new Arena()
  const partials = new PartialCommands(new LentAllocations(arena))
  const partial = partials.begin(1)
  partial.beginBulk(100_000_000)
  assert.ok(arena.usedBytes < 20 * 1024 * 1024)
  const piece = new Uint8Array(5_000_000).fill(120)
  for (let i = 0; i < 20; i++) assert.equal(partial.fill(piece, 0, piece.length), piece.length)
  assert.equal(partial.fill(bytesOf('\r\nnext'), 0, 6), 2)
  partial.endBulk()
  assert.ok(arena.usedBytes >= 100_000_000 && arena.usedBytes < 101_000_000)
  const [argument] = partial.arguments()
  assert.equal(argument.len, 100_000_000)
  for (let at = 0; at < argument.len; at += 9973) assert.equal(argument.byte(at), 120)
  partials.end(partial)
  assert.equal(arena.usedBytes, 0)
})

test('very many arguments take a few bytes each until they are whole, and nothing afterwards', () => {
  const partials = new PartialCommands(new LentAllocations(new Arena()))
  const partial = partials.begin(1_000_000)
  const empty = partial.memoryBytes
  const word = Slice.of('1')
  for (let i = 0; i < 1_000_000; i++) partial.add(word)
  assert.ok(partial.memoryBytes < 12_000_000, `${partial.memoryBytes} bytes`)
  partials.end(partial)
  assert.equal(partial.memoryBytes, empty)
})

test('an argument that a value takes over stays, the others are freed', () => {
  const arena = new Arena()
  const lent = new LentAllocations(arena)
  const partials = new PartialCommands(lent)
  const partial = partials.begin(3)
  for (const word of ['a', 'b', 'c']) partial.add(Slice.of(word.repeat(100_000)))
  const args = partial.arguments()
  assert.equal(lent.take(args[1]), 0, 'no command runs')
  assert.equal(lent.bytes, arena.usedBytes)
  lent.offer(partial.bigArguments)
  const ref = lent.take(args[1])
  assert.notEqual(ref, 0)
  assert.equal(lent.take(args[1]), 0, 'it is taken')
  assert.equal(lent.take(Slice.of('b'.repeat(100_000))), 0, 'only equal to it')
  lent.offer([])
  partials.end(partial)
  assert.equal(lent.bytes, 0)
  assert.equal(arena.count, 1)
  assert.equal(arena.usedBytes, arena.sizeOf(ref))
  assert.equal(args[1].latin1(), 'b'.repeat(100_000))
})

conversation('long values of one command are each their own, whatever happens to them', async c => {
  const long = (letter: string) => letter.repeat(200_000)
  await c.expect(['MSET', 'a', long('a'), 'b', long('b'), 'a', long('c')], 'OK')
  await c.expect(['MGET', 'a', 'b'], [long('c'), long('b')])
  await c.expect(['SET', 'a', long('d'), 'GET'], long('c'))
  await c.expect(['SET', 'a', long('e'), 'NX'], null)
  await c.expect(['APPEND', 'a', long('f')], 400_000)
  await c.expect(['GETSET', 'b', long('g')], long('b'))
  await c.expect('MULTI', 'OK')
  await c.expect(['SET', 'b', long('h')], 'QUEUED')
  await c.expect('EXEC', ['OK'])
  await c.expect(['SET', 'late', long('i'), 'PXAT', '1'], 'OK')
  await c.expect(['RPUSH', 'list', long('k'), long('l')], 2)
  await c.expect(['EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', 's', long('m')], 'OK')
  await c.expect(['MGET', 'a', 'b', 'late', 's'], [long('d') + long('f'), long('h'), null, long('m')])
  await c.expect('LRANGE list 0 -1', [long('k'), long('l')])
  await c.expect('DEL a b s list', 4)
})
