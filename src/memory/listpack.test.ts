import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slice } from '../lib/slice.ts'
import { Arena } from './arena.ts'
import { Listpack } from './listpack.ts'
import { isListpack } from './listpack-format.ts'

const arena = new Arena()
const lps = new Listpack(arena)
const scratch = new Slice(new Uint8Array(24))

function hex(lp: number): string {
  return Buffer.from(lps.whole(lp, new Slice()).view()).toString('hex')
}

test('the bytes are those of a listpack that redis-server 7.2.4 dumped', () => {
  const words = (
    '0 127 128 -1 4095 -4096 4096 -32768 32767 32768 -8388608 8388607 8388608 -2147483648 2147483647 2147483648 ' +
    '9007199254740993 -9223372036854775808 9223372036854775807  a 01 -0 +1'
  ).split(' ')
  words.push('hello world', 'x'.repeat(63), 'y'.repeat(64), 'z'.repeat(200))
  let lp = lps.create()
  for (const word of words) lp = lps.append(lp, Slice.of(word))
  const expected =
    'da0100001c0000017f01c08002dfff02cfff02d00002f1001003f1008003f1ff7f03f200800004f200008004f2ffff7f04' +
    'f30000800005f30000008005f3ffffff7f05f4000000800000000009f4010000000000200009f4000000000000008009' +
    'f4ffffffffffffff7f09800181610282303103822d3003822b31038b68656c6c6f20776f726c640c' +
    `bf${'78'.repeat(63)}40e040${'79'.repeat(64)}42e0c8${'7a'.repeat(200)}01caff`
  assert.equal(hex(lp), expected)
  const u8 = Buffer.from(expected, 'hex')
  const s = new Slice(new Uint8Array(u8), 0, u8.length)
  assert.ok(isListpack(s.u8, s.dv, 0, s.len))
  const copy = lps.fromBytes(s)
  let pos = lps.first(copy)
  for (const word of words) {
    assert.equal(lps.get(copy, pos, new Slice(), scratch).latin1(), word)
    assert.ok(lps.equals(copy, pos, Slice.of(word)))
    pos = lps.next(copy, pos)
  }
  assert.equal(pos, -1)
  for (const word of words) assert.notEqual(lps.find(copy, lps.first(copy), Slice.of(word), 0), -1, word)
})

test('lengths readable backwards change their width where Redis changes it', () => {
  for (const len of [125, 126, 127, 16380, 16381, 16382, 16383, 2097145, 2097146, 2097147]) {
    let lp = lps.create()
    lp = lps.append(lp, Slice.of('x'.repeat(len)))
    lp = lps.append(lp, Slice.of('end'))
    const back = lps.prev(lp, lps.last(lp))
    assert.equal(back, lps.first(lp))
    const encoded = len + (len < 4096 ? 2 : 5)
    const width = encoded <= 127 ? 1 : encoded < 16383 ? 2 : encoded < 2097151 ? 3 : 4
    assert.equal(lps.last(lp) - back, encoded + width)
    lps.free(lp)
  }
})

test('a listpack counts beyond what its header can tell', () => {
  let lp = lps.create()
  for (let i = 0; i < 65534; i++) lp = lps.appendInteger(lp, 1)
  assert.equal(lps.count(lp), 65534)
  lp = lps.appendInteger(lp, 1)
  lp = lps.appendInteger(lp, 1)
  assert.equal(lps.count(lp), 65536)
  lp = lps.deleteRange(lp, 0, 3)
  assert.equal(lps.count(lp), 65533)
  assert.equal(hex(lp).slice(8, 12), 'fdff')
})

test('damaged bytes are told from a listpack', () => {
  let lp = lps.create()
  for (const word of ['abc', '5', '70000', 'x'.repeat(100), '9007199254740993']) lp = lps.append(lp, Slice.of(word))
  const good = lps.whole(lp, new Slice()).view().slice()
  const valid = (u8: Uint8Array): boolean => isListpack(u8, new DataView(u8.buffer), 0, u8.length)
  assert.ok(valid(good))
  assert.ok(!valid(good.subarray(0, 3).slice()))
  for (let i = 0; i < good.length; i++)
    for (const value of [0, 0x7f, 0x80, 0xe1, 0xf0, 0xf4, 0xfe, 0xff]) {
      const bad = good.slice()
      bad[i] = value
      if (!valid(bad)) continue
      // An accepted listpack can be traversed from both ends without leaving it.
      const copy = lps.fromBytes(new Slice(bad, 0, bad.length))
      let n = 0
      for (let p = lps.first(copy); p >= 0; p = lps.next(copy, p)) n++
      for (let p = lps.last(copy); p >= 0; p = lps.prev(copy, p)) n--
      assert.equal(n, 0)
      lps.free(copy)
    }
})
