import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDouble, formatG14, formatG17 } from './double.ts'

test('doubles in the form Redis replies with', () => {
  const expected: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [3, '3'],
    [-12.5, '-12.5'],
    [0.1, '0.1'],
    [0.1 + 0.2, '0.30000000000000004'],
    [1e15, '1000000000000000'],
    [2 ** 53 + 2, '9007199254740994'],
    [2 ** 62, '4611686018427387904'],
    [1e20, '1e+20'],
    [12345678901234567e3, '12345678901234567000'],
    [1e-6, '0.000001'],
    [1e-7, '1e-7'],
    [1.5e-7, '1.5e-7'],
    [12345.678901234567, '1.2345678901234567e+4'],
    [123.45678901234567, '123.45678901234567'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [5e-324, '5e-324'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [Number.NaN, 'nan'],
  ]
  for (const [n, text] of expected) assert.equal(formatDouble(n), text)
})

test('digits are those of Redis also where they are not the shortest or nearest', () => {
  assert.equal(formatDouble(66e21), '65999999999999996000000')
  assert.equal(formatDouble(3.3397903442382812), '3.3397903442382813')
  assert.equal(formatDouble(189e-22), '1.8899999999999998e-20')
  assert.equal(formatDouble(2 ** -1022), '2.2250738585072014e-308')
})

test('%.17g and %.14g', () => {
  assert.equal(formatG17(0.1), '0.10000000000000001')
  assert.equal(formatG17(100), '100')
  assert.equal(formatG17(1e17), '1e+17')
  assert.equal(formatG17(12345678901234568), '12345678901234568')
  assert.equal(formatG17(1.5e-5), '1.5e-05')
  assert.equal(formatG17(-0), '-0')
  assert.equal(formatG14(0.1), '0.1')
  assert.equal(formatG14(Math.PI), '3.1415926535898')
  assert.equal(formatG14(1e14), '1e+14')
  assert.equal(formatG14(99999999999999), '99999999999999')
  assert.equal(formatG14(1e100), '1e+100')
  assert.equal(formatG14(0.0001), '0.0001')
})

test('an exact tie goes to the even digit', () => {
  assert.equal(formatG17(2 ** -25), '2.9802322387695312e-08')
  assert.equal(formatG17(3 * 2 ** -25), '8.9406967163085938e-08')
})

test('every form reads back as the same number', () => {
  const words = new Uint32Array(2)
  const asDouble = new Float64Array(words.buffer)
  let state = 1
  for (let i = 0; i < 5000; i++) {
    for (let k = 0; k < 2; k++) words[k] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    if (Number.isFinite(asDouble[0])) assert.equal(Number(formatDouble(asDouble[0])), asDouble[0])
  }
})
