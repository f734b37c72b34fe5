import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addLongDoubles, formatLongDouble, parseLongDouble } from './longdouble.ts'
import { Slice } from './slice.ts'

function sum(a: string, b: string): string | undefined {
  const x = parseLongDouble(Slice.of(a))
  const y = parseLongDouble(Slice.of(b))
  assert.ok(x && y, `${a} ${b}`)
  const total = addLongDoubles(x, y)
  return total && formatLongDouble(total)
}

// The expected texts are from a redis-server on x86-64.
test('sums come out as INCRBYFLOAT replies', () => {
  assert.equal(sum('10.50', '0.1'), '10.6')
  assert.equal(sum('0.1', '0.2'), '0.3')
  assert.equal(sum('5.0e3', '2.0e2'), '5200')
  assert.equal(sum('3', '1.1'), '4.1')
  assert.equal(sum('5000.1', '0.1'), '5000.20000000000000018')
  assert.equal(sum('1e18', '0.3'), '1000000000000000000.3125')
  assert.equal(sum('17179869184', '1.5'), '17179869185.5')
  assert.equal(sum('-1.1', '1.1'), '0')
  assert.equal(sum('-1e-30', '0'), '0')
  assert.equal(sum('0x1.8p1', '1'), '4')
  assert.equal(sum('9223372036854775807', '1'), '9223372036854775808')
  assert.equal(sum('1e-17', '0'), '0.00000000000000001')
})

test('infinity is a number to read but not a sum', () => {
  assert.equal(sum('inf', '1'), undefined)
  assert.equal(sum('-inf', 'inf'), undefined)
  assert.equal(sum('1.1e4932', '1.1e4932'), undefined)
})

test('what is no long double, overflows or vanishes is refused', () => {
  const bad = [
    '',
    ' 1',
    '1 ',
    'abc',
    'nan',
    '1.2.3',
    '1e',
    '1e5000',
    '1e-5000',
    '1e99999999999',
    '0x',
    '1'.repeat(5120),
  ]
  for (const text of bad) assert.equal(parseLongDouble(Slice.of(text)), undefined, text.slice(0, 20))
})

test('an integer is taken exactly', () => {
  assert.equal(formatLongDouble({ mantissa: -9223372036854775808n, exponent: 0, infinite: 0 }), '-9223372036854775808')
})
