import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addLong, longOf, readCounter, readLong, readRounded, writeCounter, writeLong } from './long-field.ts'

test('integers of 64 bits are read as they were written', () => {
  const dv = new DataView(new ArrayBuffer(8))
  const some = [-1n, 0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 0x3ff0000000000000n, 0x4010000000000000n]
  for (const n of [
    ...some,
    0x4030000000000000n,
    0x7fe0000000000000n,
    2n ** 62n + 3n,
    2n ** 63n - 1n,
    0x7ff8000000000001n,
  ]) {
    writeLong(dv, 0, longOf(n))
    assert.equal(BigInt(readLong(dv, 0)), n)
    assert.equal(readRounded(dv, 0), Number(n))
  }
})

test('sums wrap around at 64 bits', () => {
  assert.equal(addLong(2 ** 53 - 1, 1), 2 ** 53)
  assert.equal(addLong(2 ** 53, 1), 2n ** 53n + 1n)
  assert.equal(addLong(2n ** 53n + 1n, -1), 2 ** 53)
  assert.equal(addLong(2n ** 63n - 1n, 1), -(2n ** 63n))
})

test('counters are any integer of 64 bits', () => {
  const dv = new DataView(new ArrayBuffer(16))
  for (const power of [0n, 31n, 32n, 33n, 52n, 53n, 54n, 62n, 63n])
    for (const sign of [1n, -1n])
      for (const beside of [-1n, 0n, 1n]) {
        const n = BigInt.asIntN(64, sign * 2n ** power + beside)
        writeCounter(dv, 8, longOf(n))
        assert.equal(dv.getBigInt64(8, true), n)
        assert.equal(readCounter(dv, 8), longOf(n))
      }
})
