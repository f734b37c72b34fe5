import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Crc64 } from '../lib/crc64.ts'
import { Slice } from '../lib/slice.ts'
import { dumpLibraries, readLibraries } from './functions-dump.ts'

/** Adds a valid version and checksum. */
function sealed(bytes: number[], version = 10): Slice {
  const u8 = Uint8Array.from([...bytes, version, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  new Crc64().update(u8, 0, u8.length - 8).writeTo(u8, u8.length - 8)
  return new Slice(u8, 0, u8.length)
}

function texts(payload: Slice): string[] | string {
  const codes = readLibraries(payload)
  return typeof codes === 'string' ? codes : codes.map(code => code.latin1())
}

test('what is dumped is read back, whatever its length', () => {
  for (const length of [0, 1, 63, 64, 100, 16383, 16384, 70000]) {
    const plain = Array.from({ length }, (_, i) => String.fromCharCode((i * i * 7 + (i >> 3)) & 0xff)).join('')
    const even = 'abc'.repeat(length)
    assert.deepEqual(texts(dumpLibraries([Slice.of(plain), Slice.of(even)])), [plain, even])
  }
  assert.deepEqual(texts(dumpLibraries([])), [])
})

test('strings that are integers are read too', () => {
  assert.deepEqual(texts(sealed([245, 0xc0, 0xff, 245, 0xc1, 0, 1, 245, 0xc2, 1, 0, 0, 0])), ['-1', '256', '1'])
})

test('damaged payloads are refused', () => {
  const wrong = 'DUMP payload version or checksum are wrong'
  assert.equal(texts(Slice.of('short')), wrong)
  assert.equal(texts(sealed([], 12)), wrong)
  assert.equal(texts(sealed([246, 0])), 'Pre-GA function format not supported')
  assert.equal(texts(sealed([0, 0])), 'given type is not a function')
  const unreadable = 'Failed loading library payload'
  for (const bytes of [
    [245],
    [245, 5, 97],
    [245, 0x40],
    [245, 0x80, 0xff],
    [245, 0x82],
    [245, 0xc4, 1, 1],
    [245, 0xc2, 1],
  ])
    assert.equal(texts(sealed(bytes)), unreadable, bytes.join())
  // LZF: a copy from before the beginning, an impossible length, missing literals.
  for (const bytes of [
    [2, 3, 0x20, 0],
    [2, 0x80, 0x7f, 0xff, 0xff, 0xff, 0, 97],
    [2, 9, 8, 97],
  ])
    assert.equal(texts(sealed([245, 0xc3, ...bytes])), unreadable, bytes.join())
})
