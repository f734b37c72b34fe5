// Every function of lib/ that reads a slice: the same bytes alone, between hostile neighbours and under a guard must
// give the same result.

import { test } from 'node:test'
import { assertReadsOnlyItsSlice, type Read, textFrom, textsOver } from '../../test/harness/neighbours.ts'
import { randomFrom } from '../../test/harness/random.ts'
import { NameIndex } from '../engine/catalog/name-index.ts'
import { countBits, findBit, readBits } from './bits.ts'
import { equalsNoCase } from './bytes.ts'
import { crc16, keySlot } from './crc16.ts'
import { Crc64 } from './crc64.ts'
import { globMatch } from './glob.ts'
import { Int64 } from './int64.ts'
import { formatLongDouble, parseLongDouble } from './longdouble.ts'
import { LzfCompressor, lzfDecompress } from './lzf.ts'
import { registerAndRun } from './murmur.ts'
import { parseBigInt64, parseDouble, parseInt64 } from './number.ts'
import { compareBytes, Slice } from './slice.ts'
import { TextCache } from './text-cache.ts'

const int64 = new Int64()
const names = new NameIndex(['inf', '-', '0', '"', 'get', 'limit', 'zrange', 'x'].map((n, i) => [Slice.of(n), i]))
const packed = new Uint8Array(4096)
const other = Slice.of('0.1')

const NUMBERS: { readonly [name: string]: Read } = {
  parseInt64,
  parseBigInt64: s => (Number.isNaN(parseInt64(s)) ? undefined : parseBigInt64(s)),
  Int64: s => (int64.parse(s) ? `${int64.hi} ${int64.lo}` : undefined),
  parseDouble,
  parseLongDouble(s) {
    const value = parseLongDouble(s)
    return value && formatLongDouble(value)
  },
}

const WORDS: { readonly [name: string]: Read } = {
  latin1: s => s.latin1(),
  copy: s => s.copy().latin1(),
  equalsNoCase: s => equalsNoCase(s, 'inf') || equalsNoCase(s, '-') || equalsNoCase(s, ''),
  compareBytes: s => `${compareBytes(s, other)} ${compareBytes(other, s)} ${s.equals(other)}`,
  NameIndex: s => names.find(s),
  TextCache: s => new TextCache().textOf(s),
  keySlot,
  crc16: s => crc16(s.u8, s.off, s.off + s.len),
  registerAndRun,
}

const GLOBS: { readonly [name: string]: Read } = {
  pattern: s => ['', '0', '1.', 'x"', '-7', '[', ']', '\\'].map(t => globMatch(s, Slice.of(t))).join(),
  'pattern, any case': s => ['', 'X', 'EE', 'inF'].map(t => globMatch(s, Slice.of(t), true)).join(),
  text: s => ['*', '?', '-*', '*0', '[0-9]*', '\\-', '*[^x]'].map(p => globMatch(Slice.of(p), s)).join(),
}

const BYTES: { readonly [name: string]: Read } = {
  crc64(s) {
    const sum = new Uint8Array(8)
    new Crc64().update(s.u8, s.off, s.off + s.len).writeTo(sum, 0)
    return sum.join()
  },
  countBits: s => countBits(s.u8, s.dv, s.off, 0, s.len * 8) + countBits(s.u8, s.dv, s.off, 3, s.len * 8 - 2),
  findBit: s => [0, 1].map(bit => findBit(s.u8, s.dv, s.off, Math.min(3, s.len * 8), s.len * 8, bit)).join(),
  readBits: s => [5, 17, 40].map(at => readBits(s.u8, s.off, s.off + s.len, at, 23)).join(),
  lzfDecompress(s) {
    const length = lzfDecompress(s.u8, s.off, s.off + s.len, packed, 0)
    return length < 0 ? length : new Slice(packed, 0, length).latin1()
  },
  lzfCompress(s) {
    const length = new LzfCompressor().compress(s.u8, s.off, s.off + s.len, packed, 0)
    return new Slice(packed, 0, length).latin1()
  },
}

const SIGNS_AND_DIGITS = '-+0123.eExXinf"\'\\'
const LONG_NUMBERS = [
  '9007199254740991',
  '9007199254740992',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '-9223372036854775809',
  '18446744073709551615',
  '99999999999999999999',
  'infinity',
  '-Infinity',
  '+inf',
  '0x1.8p3',
  '-0X.8p-1',
  '1.7976931348623157e308',
  '4.9e-324',
  '1e400',
]

test('readers of numbers look at nothing but their slice, in any short text', () => {
  for (const text of textsOver(SIGNS_AND_DIGITS, 3)) assertReadsOnlyItsSlice(NUMBERS, text)
})

test('readers of numbers look at nothing but their slice, in longer texts and cut off ones', () => {
  for (const text of LONG_NUMBERS)
    for (let length = 0; length <= text.length; length++) assertReadsOnlyItsSlice(NUMBERS, text.slice(0, length))
  const random = randomFrom(41)
  for (let i = 0; i < 3000; i++) assertReadsOnlyItsSlice(NUMBERS, textFrom(random, `${SIGNS_AND_DIGITS}456789pPyt`, 24))
})

test('readers of words look at nothing but their slice', () => {
  for (const text of textsOver('-0"x\\[]{}', 3)) assertReadsOnlyItsSlice(WORDS, text)
  const random = randomFrom(42)
  for (let i = 0; i < 2000; i++) assertReadsOnlyItsSlice(WORDS, textFrom(random, 'getlimzranxGETX-0{}\0\xff', 20))
})

test('glob patterns and their texts are looked at inside their slice only', () => {
  for (const text of textsOver('*?[]^-\\0x', 4)) assertReadsOnlyItsSlice(GLOBS, text)
})

test('checksums, bits and LZF look at nothing but their slice', () => {
  const random = randomFrom(43)
  const alphabet = '\0\0\0\xff\xff\xff\x01\x1f\x20\x3f\x80\xe0ab'
  for (let i = 0; i < 2000; i++) assertReadsOnlyItsSlice(BYTES, textFrom(random, alphabet, 48))
})
