import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Int64 } from './int64.ts'
import { Slice } from './slice.ts'

function check(n: bigint): void {
  const v = new Int64()
  assert.ok(v.parse(Slice.of(n.toString())))
  const dv = new DataView(new ArrayBuffer(8))
  v.write(dv, 0)
  assert.equal(dv.getBigInt64(0, true), n)
  const out = new Slice(new Uint8Array(24))
  out.len = v.render(out.u8, 0)
  assert.equal(out.latin1(), n.toString())
}

test('64-bit integers pass through text and bytes unharmed', () => {
  const edges = [0n, 1n, 127n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 10n ** 18n, 9n * 10n ** 18n, 2n ** 63n - 1n]
  for (const edge of edges)
    for (let d = -3n; d <= 3n; d++) {
      const n = BigInt.asIntN(64, edge + d)
      check(n)
      check(BigInt.asIntN(64, -n))
    }
  check(-(2n ** 63n))
  let x = 88172645463325252n
  for (let i = 0; i < 2000; i++) {
    x = BigInt.asUintN(64, x ^ (x << 13n))
    x ^= x >> 7n
    x = BigInt.asUintN(64, x ^ (x << 17n))
    check(BigInt.asIntN(64, x) >> BigInt(i % 60))
  }
})

test('what is no 64-bit integer is refused', () => {
  const v = new Int64()
  for (const text of ['', '-', '-0', '01', '+1', ' 1', '1 ', '9223372036854775808', '-9223372036854775809', '1e3'])
    assert.equal(v.parse(Slice.of(text)), false, text)
})

test('comparison orders signed integers', () => {
  const a = new Int64()
  const b = new Int64()
  const ordered = ['-9223372036854775808', '-4294967297', '-1', '0', '4294967295', '4294967296', '9223372036854775807']
  for (let i = 0; i < ordered.length; i++)
    for (let j = 0; j < ordered.length; j++) {
      a.parse(Slice.of(ordered[i]))
      b.parse(Slice.of(ordered[j]))
      assert.equal(Math.sign(a.compare(b)), Math.sign(i - j))
    }
})
