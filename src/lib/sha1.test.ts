import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sha1, sha1Hex } from './sha1.ts'
import { Slice } from './slice.ts'

test('the digests of the standard', () => {
  assert.equal(sha1Hex(Slice.of('')), 'da39a3ee5e6b4b0d3255bfef95601890afd80709')
  assert.equal(sha1Hex(Slice.of('abc')), 'a9993e364706816aba3e25717850c26c9cd0d89d')
  assert.equal(
    sha1Hex(Slice.of('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')),
    '84983e441c3bd26ebaae4aa1f95129e5e54670f1',
  )
  assert.equal(sha1Hex(Slice.of('x'.repeat(119))), '4300320394f7ee239bcdce7d3b8bcee173a0cd5c')
  assert.equal(sha1Hex(Slice.of('a'.repeat(1_000_000))), '34aa973cd4c4daa4f61eeb2bdbad27316534016f')
})

test('a message may come in pieces, and an instance serves again', () => {
  const text = Slice.of('x'.repeat(200))
  const whole = sha1Hex(text)
  const sha1 = new Sha1()
  for (let cut = 0; cut <= 200; cut += 7) {
    assert.equal(sha1.reset().update(text.u8, 0, cut).update(text.u8, cut, 200).hex(), whole)
  }
})
