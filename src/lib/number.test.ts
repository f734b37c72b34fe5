import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  digits,
  memoryUnits,
  parseBigInt64,
  parseDouble,
  parseInt64,
  parseLooseDouble,
  writeBigInt,
  writeInt,
} from './number.ts'
import { Slice } from './slice.ts'

const int = (text: string) => parseInt64(Slice.of(text))
const double = (text: string) => parseDouble(Slice.of(text))

test('integers have one spelling', () => {
  assert.equal(int('0'), 0)
  assert.equal(int('-1'), -1)
  assert.equal(int('1234567890123'), 1234567890123)
  for (const bad of ['', '-', '-0', '00', '01', '+1', ' 1', '1 ', '1.0', '1e3', '0x10', 'abc', '1\0'])
    assert.ok(Number.isNaN(int(bad)), bad)
})

test('integers beyond 53 bits announce themselves', () => {
  assert.equal(int('9007199254740991'), Number.MAX_SAFE_INTEGER)
  assert.equal(int('-9007199254740991'), Number.MIN_SAFE_INTEGER)
  for (const big of ['9007199254740992', '9007199254740993', '99999999999999999', '9223372036854775807']) {
    assert.equal(int(big), Number.POSITIVE_INFINITY, big)
    assert.equal(parseBigInt64(Slice.of(big)), BigInt(big))
  }
  assert.equal(int('-9223372036854775808'), Number.NEGATIVE_INFINITY)
})

test('integers beyond 64 bits are none', () => {
  for (const bad of [
    '9223372036854775808',
    '-9223372036854775809',
    '18446744073709551616',
    '99999999999999999999',
    '9'.repeat(40),
  ])
    assert.ok(Number.isNaN(int(bad)), bad)
})

test('a slice in the middle of a buffer stays inside its bounds', () => {
  const around = Slice.of('12345')
  assert.equal(parseInt64(new Slice(around.u8, 1, 3)), 234)
  assert.ok(Number.isNaN(parseInt64(new Slice(Slice.of('-5').u8, 0, 1))))
  assert.equal(parseDouble(new Slice(Slice.of('1.25e3').u8, 0, 4)), 1.25)
})

test('integers are written in decimal', () => {
  const buffer = new Uint8Array(32)
  const written = [0, 7, -7, 10, 99, 100, 2147483647, 2147483648, -2147483648, 4294967296, 1e15, -(2 ** 53 - 1)]
  for (const n of written) {
    const length = writeInt(buffer, 2, n)
    assert.equal(new Slice(buffer, 2, length).latin1(), String(n))
    assert.equal(length, digits(n))
  }
  const length = writeBigInt(buffer, 0, -9223372036854775808n)
  assert.equal(new Slice(buffer, 0, length).latin1(), '-9223372036854775808')
})

test('doubles of a thousand digits and more are read to the last digit that matters', () => {
  const zeros = '0'.repeat(5000)
  assert.equal(double(`${zeros}1.5${zeros}`), 1.5)
  assert.equal(double(`-0.${zeros}25e5001`), -2.5)
  assert.equal(double(`25${zeros}e-5000`), 25)
  assert.equal(double(`9007199254740993.${zeros}`), 9007199254740992)
  assert.equal(double(`9007199254740993.${zeros}1`), 9007199254740994)
  assert.equal(double(`1${'23'.repeat(500)}e-990`), Number(`1${'23'.repeat(500)}e-990`))
  assert.ok(Number.isNaN(double('1'.repeat(5000))))
  assert.ok(Number.isNaN(double(`0.${zeros}1`)))
  assert.ok(Number.isNaN(double(`${zeros}1.1.1`)))
})

test('doubles are read as strtod reads them', () => {
  assert.equal(double('3'), 3)
  assert.equal(double('+3.25'), 3.25)
  assert.equal(double('.5'), 0.5)
  assert.equal(double('5.'), 5)
  assert.equal(double('1e3'), 1000)
  assert.equal(double('-1.5E-3'), -0.0015)
  assert.equal(double('0.1234567890123456789'), 0.12345678901234568)
  assert.equal(double('17976931348623157e292'), Number.MAX_VALUE)
  assert.equal(double('4.9e-324'), 5e-324)
  assert.ok(Object.is(double('-0'), -0))
  assert.equal(double('0e-999'), 0)
  assert.equal(double('inf'), Number.POSITIVE_INFINITY)
  assert.equal(double('+INF'), Number.POSITIVE_INFINITY)
  assert.equal(double('-Infinity'), Number.NEGATIVE_INFINITY)
})

test('hexadecimal doubles count', () => {
  assert.equal(double('0x10'), 16)
  assert.equal(double('-0X1.8p1'), -3)
  assert.equal(double('0x.8'), 0.5)
  assert.equal(double('0x1p-1074'), 5e-324)
  assert.equal(double('0x1.fffffffffffff8p0'), 2)
  assert.equal(double('0x0'), 0)
  for (const bad of ['0x', '0x.', '0x1p', '0xg', '0x1p1024', '0x1p-1076', '0x1p99999999999'])
    assert.ok(Number.isNaN(double(bad)), bad)
})

test('what is no double, overflows or vanishes is refused', () => {
  const bad = ['', '-', '.', 'e5', '1e', '1e+', '1.2.3', ' 1', '1 ', 'nan', '-nan', 'infi', 'abc', '1e400', '1e-400']
  for (const text of bad) assert.ok(Number.isNaN(double(text)), text)
})

test('memory sizes take units', () => {
  assert.equal(memoryUnits('100'), 100)
  assert.equal(memoryUnits('1k'), 1000)
  assert.equal(memoryUnits('1KB'), 1024)
  assert.equal(memoryUnits('2mb'), 2 * 1024 * 1024)
  assert.equal(memoryUnits('1gb'), 1024 ** 3)
  assert.equal(memoryUnits('1G'), 1e9)
  assert.equal(memoryUnits('5b'), 5)
  for (const bad of ['-1', '1.5gb', '1tb', 'abc', '1 gb']) assert.ok(Number.isNaN(memoryUnits(bad)), bad)
})

test('loose doubles are those of strtod: blanks in front, a NUL behind, out of range clamped', () => {
  const cases: [string, number][] = [
    ['', 0],
    ['\0x', 0],
    ['5\0x', 5],
    [' \t-1.5', -1.5],
    ['1e999', Number.POSITIVE_INFINITY],
    ['-1e-999', -0],
    ['0x1p-9999', 0],
    [' ', Number.NaN],
    ['-', Number.NaN],
    ['.', Number.NaN],
    ['5 ', Number.NaN],
    ['nan', Number.NaN],
  ]
  for (const [text, value] of cases) assert.deepEqual(parseLooseDouble(Slice.of(text)), value, text)
})

test('loose doubles of long text are those of short text', () => {
  const long = (char: string) => char.repeat(5000)
  const cases: [string, number][] = [
    [long('1'), Number.POSITIVE_INFINITY],
    [`-${long('1')}e-4999`, -10 / 9],
    [`${long('0')}12.5`, 12.5],
    [`0.${long('0')}1`, 0],
    [`-0.${long('0')}1`, -0],
    [`0.${long('0')}125e5001`, 1.25],
    [`1e${long('1')}`, Number.POSITIVE_INFINITY],
    [`1e-${long('1')}`, 0],
    [`${long(' ')}7`, 7],
    [`7\0${long('x')}`, 7],
    [`\0${long('x')}`, 0],
    [`0x${long('f')}`, Number.POSITIVE_INFINITY],
    [`-0X1${long('0')}p-20000`, -1],
    [`+0x${long('0')}.8`, 0.5],
    [`0x.${long('0')}8p+20000`, 0.5],
    [`0x1.${long('0')}`, 1],
    [`0x1.00000000000008${long('0')}`, 1],
    [`0x1.00000000000008${long('0')}1`, 1 + 2 ** -52],
    [`-0x${long('0')}`, -0],
    [`0x1p-${long('1')}`, 0],
    [`${long('1')}x`, Number.NaN],
    [`${long('1')}.1.`, Number.NaN],
    [`0x${long('f')}g`, Number.NaN],
    [`0x${long('f')}p`, Number.NaN],
    [`0x${long('f')}p+`, Number.NaN],
    [`0x${long('f')}p1x`, Number.NaN],
    [`0x${long('.')}`, Number.NaN],
    [`${long('1')} `, Number.NaN],
    [`inf${long('i')}`, Number.NaN],
    [`nan(${long('a')})`, Number.NaN],
    [long('.'), Number.NaN],
    [long('-'), Number.NaN],
    [long(' '), Number.NaN],
  ]
  for (const [text, value] of cases) assert.deepEqual(parseLooseDouble(Slice.of(text)), value, text.slice(0, 20))
})
