import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../system/random.ts'
import { crc16, keySlot } from './crc16.ts'
import { Slice } from './slice.ts'

/** Bit by bit. */
function naiveCrc(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return crc
}

function naiveSlot(key: Uint8Array): number {
  const open = key.indexOf(0x7b)
  const close = open < 0 ? -1 : key.indexOf(0x7d, open)
  return naiveCrc(close > open + 1 ? key.subarray(open + 1, close) : key) % 16384
}

test('the checksum is the one of the cluster specification', () => {
  assert.equal(crc16(Buffer.from('123456789'), 0, 9), 0x31c3)
})

test('the slot of a key is that of its hash tag, wherever braces are, at any length and offset', () => {
  const random = seededRandom(3)
  // Braces, bytes beside them, and bytes that differ from them in the high bit.
  const alphabet = [0x7b, 0x7d, 0x7a, 0x7c, 0xfb, 0xfd, 0x61, 0, 0xff]
  for (let run = 0; run < 20_000; run++) {
    const before = random.u32() % 5
    const length = random.u32() % 24
    const rare = random.u32() % 2
    const u8 = new Uint8Array(before + length + 3).fill(0x7b)
    for (let i = before; i < before + length; i++)
      u8[i] = rare === 1 && random.u32() % 8 > 0 ? random.u32() : alphabet[random.u32() % alphabet.length]
    const key = u8.subarray(before, before + length)
    assert.equal(keySlot(new Slice(u8, before, length)), naiveSlot(key), `key ${Buffer.from(key).toString('hex')}`)
  }
})
