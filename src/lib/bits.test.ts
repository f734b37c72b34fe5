import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { countBits, countBytes, findBit, readBits, writeBits } from './bits.ts'

// Each function against a naive one on a bit string, for random bytes, offsets and lengths.
function bytes(seed: number, length: number): Uint8Array {
  const u8 = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    // Long runs of equal bytes, so that whole words are skipped.
    u8[i] = (seed >>> 24) % 5 > 2 ? seed >>> 16 : (seed >>> 20) % 2 === 0 ? 0 : 255
  }
  return u8
}

function text(u8: Uint8Array, base: number): string {
  return [...u8.subarray(base)].map(byte => byte.toString(2).padStart(8, '0')).join('')
}

const onesIn = (s: string) => [...s].filter(c => c === '1').length

test('counting ones and finding bits agree with the bit string', () => {
  for (let seed = 1; seed < 200; seed++) {
    const u8 = bytes(seed, 3 + (seed % 60))
    const dv = new DataView(u8.buffer)
    const base = seed % 3
    const all = text(u8, base)
    assert.equal(countBytes(u8, dv, base, u8.length), onesIn(all))
    for (let i = 0; i < 30; i++) {
      const from = (seed * 7 + i * 13) % all.length
      const to = from + ((seed * 11 + i * 29) % (all.length - from + 1))
      assert.equal(countBits(u8, dv, base, from, to), onesIn(all.slice(from, to)), `count ${seed} ${from} ${to}`)
      for (const bit of [0, 1]) {
        const found = all.slice(from, to).indexOf(String(bit))
        assert.equal(findBit(u8, dv, base, from, to, bit), found < 0 ? -1 : from + found, `find ${seed} ${from} ${to}`)
      }
    }
  }
})

test('ones of long ranges are counted at any alignment', () => {
  for (let seed = 1; seed < 200; seed++) {
    const all = bytes(seed, 1500)
    const u8 = all.subarray(seed % 5, all.length - (seed % 7))
    const dv = new DataView(u8.buffer, u8.byteOffset, u8.length)
    const from = (seed * 31) % 90
    const to = from + ((seed * 173) % (u8.length - from + 1))
    assert.equal(countBytes(u8, dv, from, to), onesIn(text(u8.subarray(0, to), from)), `${seed} ${from} ${to}`)
  }
})

test('fields are read and written between other bits', () => {
  for (let seed = 1; seed < 300; seed++) {
    const u8 = bytes(seed, 20)
    const base = seed % 3
    const before = text(u8, base)
    const count = 1 + (seed % 52)
    const from = (seed * 17) % (before.length - count)
    assert.equal(readBits(u8, base, u8.length, from, count), Number.parseInt(before.slice(from, from + count), 2))
    const value = Math.floor(((seed * 0.6180339887) % 1) * 2 ** count)
    writeBits(u8, base, from, count, value)
    const bits = value.toString(2).padStart(count, '0')
    assert.equal(text(u8, base), before.slice(0, from) + bits + before.slice(from + count))
  }
})

test('what lies behind the end reads as zero', () => {
  const u8 = new Uint8Array([0xff, 0xff])
  assert.equal(readBits(u8, 0, 1, 4, 8), 0xf0)
  assert.equal(readBits(u8, 0, 2, 100, 8), 0)
})

test('long strings are counted and searched as short ones are', () => {
  const below = randomFrom(3)
  for (let round = 0; round < 200; round++) {
    const u8 = Uint8Array.from({ length: below(300) + 1 }, () => below(3) * below(128))
    const dv = new DataView(u8.buffer)
    const from = below(8)
    let expected = 0
    for (let at = Math.min(from, u8.length); at < u8.length; at++)
      for (let b = u8[at]; b > 0; b >>= 1) expected += b & 1
    assert.equal(countBytes(u8, dv, Math.min(from, u8.length), u8.length), expected)
    for (const bit of [0, 1]) {
      const same = new Uint8Array(u8.length + 100).fill(bit === 1 ? 0 : 0xff)
      const place = below(same.length * 8)
      same[place >>> 3] ^= 0x80 >>> (place & 7)
      assert.equal(findBit(same, new DataView(same.buffer), 0, 0, same.length * 8, bit), place)
      assert.equal(findBit(same, new DataView(same.buffer), 0, 0, place, bit), -1)
    }
  }
})

test('bits are found behind any number of skipped blocks', () => {
  const below = randomFrom(4)
  for (let round = 0; round < 100; round++)
    for (const bit of [0, 1]) {
      const u8 = new Uint8Array(30_000).fill(bit === 1 ? 0 : 0xff)
      const base = below(20)
      const to = (u8.length - base - below(9000)) * 8 - below(8)
      const from = below(to)
      const place = from + below(to - from)
      u8[base + (place >>> 3)] ^= 0x80 >>> (place & 7)
      const dv = new DataView(u8.buffer)
      assert.equal(findBit(u8, dv, base, from, to, bit), place)
      assert.equal(findBit(u8, dv, base, from, place, bit), -1)
    }
})
