import assert from 'node:assert/strict'
import { test } from 'node:test'
import { numberEnd, numberValue, parseHexFloat, withoutLastZeros } from './strtod.ts'

/** The number at the start of the text, and the rest. */
function read(text: string): [number, string] {
  const end = numberEnd(text, 0)
  return [end === 0 ? 0 : numberValue(text, 0, end), text.slice(end)]
}

test('numbers end where strtod ends them', () => {
  const cases: [string, number, string][] = [
    ['12', 12, ''],
    ['-12.5e3x', -12500, 'x'],
    ['+.5', 0.5, ''],
    ['5.', 5, ''],
    ['.', 0, '.'],
    ['-', 0, '-'],
    ['', 0, ''],
    ['1e', 1, 'e'],
    ['1e+', 1, 'e+'],
    ['1.2.3', 1.2, '.3'],
    ['1e999', Number.POSITIVE_INFINITY, ''],
    ['-1e-999', -0, ''],
    ['0x', 0, 'x'],
    ['-0x.', -0, 'x.'],
    ['0x.8', 0.5, ''],
    ['0X1P+4p', 16, 'p'],
    ['0x1p', 1, 'p'],
    ['-0xff', -255, ''],
    ['inf', Number.POSITIVE_INFINITY, ''],
    ['-InFiNiTy', Number.NEGATIVE_INFINITY, ''],
    ['infinite', Number.POSITIVE_INFINITY, 'inite'],
    ['nan', Number.NaN, ''],
    ['nan(a_1)b', Number.NaN, 'b'],
    ['nan(a-', Number.NaN, '(a-'],
    ['na', 0, 'na'],
    [' 1', 0, ' 1'],
  ]
  for (const [text, value, rest] of cases) assert.deepEqual(read(text), [value, rest], text)
})

test('hexadecimal numbers are rounded once, half to even, however long they are', () => {
  const zeros = '0'.repeat(1000)
  assert.deepEqual(read('0x20000000000001'), [2 ** 53, ''])
  assert.deepEqual(read(`0x20000000000001${zeros}p-4000`), [2 ** 53, ''])
  assert.deepEqual(read(`0x20000000000001${zeros}1p-4004`), [2 ** 53 + 2, ''])
  assert.deepEqual(read(`0x20000000000003.${zeros}`), [2 ** 53 + 4, ''])
  assert.deepEqual(read(`0x0.${zeros}8p+4000`), [0.5, ''])
  assert.deepEqual(read('0x1p-1074'), [5e-324, ''])
  assert.deepEqual(read('0x1p-1075'), [0, ''])
  assert.deepEqual(read('0x1.8p-1075'), [5e-324, ''])
  assert.deepEqual(read('0x1.fffffffffffffp1023'), [Number.MAX_VALUE, ''])
  assert.deepEqual(read('0x1.fffffffffffff8p1023'), [Number.POSITIVE_INFINITY, ''])
  assert.deepEqual(read('0x0p99999999999999999999'), [0, ''])
  assert.deepEqual(read('0x1p-99999999999999999999'), [0, ''])
  assert.equal(parseHexFloat('0x1z'), undefined)
})

test('long texts of any kind are read once', () => {
  const length = 1_000_000
  for (const unit of ['1', '.', '0', 'f', '+', ' ', 'e1', '1e', 'n', '('])
    for (const head of ['', '-', '0x', '0x.', '1e', '0x1p', 'nan(', '1.']) {
      const text = `${head}${unit.repeat(length)}x`
      const end = numberEnd(text, 0)
      assert.ok(end <= text.length)
      if (end > 0) assert.equal(typeof numberValue(text, 0, end), 'number')
    }
})

test('zeros at the end go', () => {
  assert.equal(withoutLastZeros('10200'), '102')
  assert.equal(withoutLastZeros('000'), '')
  assert.equal(withoutLastZeros('1.000', 2), '1.')
  assert.equal(withoutLastZeros(''), '')
})
