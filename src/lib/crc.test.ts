import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc16, keySlot } from './crc16.ts'
import { Crc64 } from './crc64.ts'
import { Slice } from './slice.ts'

const bytes = (text: string) => Slice.of(text).u8

test('CRC16 of the check string', () => {
  assert.equal(crc16(bytes('123456789'), 0, 9), 0x31c3)
})

test('keys with the same tag share a slot', () => {
  assert.equal(keySlot(Slice.of('foo')), 12182)
  assert.equal(keySlot(Slice.of('{user1000}.following')), keySlot(Slice.of('user1000')))
  assert.equal(keySlot(Slice.of('foo{}{bar}')), crc16(bytes('foo{}{bar}'), 0, 10) % 16384)
  assert.equal(keySlot(Slice.of('foo{{bar}}zap')), keySlot(Slice.of('{bar')))
  assert.equal(keySlot(Slice.of('foo{bar}{zap}')), keySlot(Slice.of('bar')))
  assert.equal(keySlot(Slice.of('{')), crc16(bytes('{'), 0, 1) % 16384)
  assert.equal(keySlot(Slice.of('')), 0)
})

test('CRC64 of the check string', () => {
  const crc = new Crc64().update(bytes('123456789'))
  assert.equal(crc.hi, 0xe9c6d914)
  assert.equal(crc.lo, 0xc4b8d9ca)
})

test('CRC64 does not depend on how the bytes are cut', () => {
  const data = new Uint8Array(100).map((_, i) => (i * 37) & 255)
  const whole = new Crc64().update(data)
  for (let cut = 0; cut <= 100; cut++) {
    const parts = new Crc64().update(data, 0, cut).update(data, cut)
    assert.deepEqual([parts.lo, parts.hi], [whole.lo, whole.hi])
  }
})

test('CRC64 is stored least significant byte first', () => {
  const crc = new Crc64().update(bytes('123456789'))
  const out = new Uint8Array(10)
  crc.writeTo(out, 1)
  assert.deepEqual([...out], [0, 0xca, 0xd9, 0xb8, 0xc4, 0x14, 0xd9, 0xc6, 0xe9, 0])
  assert.ok(crc.equalsAt(out, 1))
  out[8] ^= 1
  assert.ok(!crc.equalsAt(out, 1))
})
