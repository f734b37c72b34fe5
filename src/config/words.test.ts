import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOfText, latin1, looseInteger, memoryAmount, memoryText, strictInteger, textOfBytes } from './words.ts'

test('numbers as the server takes them', () => {
  assert.deepEqual(['0', '-5', '007', '+1', '', '9223372036854775808'].map(strictInteger), [
    0n,
    -5n,
    null,
    null,
    null,
    null,
  ])
  assert.deepEqual([' 7', '+7', '', '7x', '99999999999999999999'].map(looseInteger), [7n, 7n, 0n, null, 2n ** 63n - 1n])
})

test('memory has units of thousands and of 1024', () => {
  const cases: [string, bigint | null][] = [
    ['10', 10n],
    ['1k', 1000n],
    ['1Kb', 1024n],
    ['2mb', 2097152n],
    ['1G', 1000000000n],
    ['mb', 0n],
    ['-1', null],
    ['1tb', null],
    ['1.5mb', null],
    ['18446744073709551615', 2n ** 64n - 1n],
  ]
  for (const [word, amount] of cases) assert.equal(memoryAmount(word), amount, word)
  assert.deepEqual([0n, 1000n, 1024n, 3n << 20n, 1n << 30n].map(memoryText), ['0', '1000', '1kb', '3mb', '1gb'])
})

test('byte strings and text', () => {
  assert.equal(bytesOfText('é'), '\xc3\xa9')
  assert.equal(textOfBytes('\xc3\xa9'), 'é')
  assert.equal(textOfBytes('\xe9'), '\xe9')
  assert.equal(latin1(new Uint8Array([0x41, 0x80, 0xff])), 'A\x80\xff')
})
