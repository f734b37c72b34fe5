import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { bytesOf, latin1Text } from '../lib/bytes.ts'
import { PayloadReader } from './payload-reader.ts'

const MARK = '0123456789abcdef0123456789abcdef01234567'

/** The result of a wire in pieces: size, file, state or error, and the bytes after it. */
function read(wire: string, cut: (at: number) => number) {
  let size = Number.NaN
  let file = ''
  let behind = ''
  const payload = new PayloadReader({
    rdbBegins: bytes => {
      size = bytes
    },
    rdb: bytes => {
      file += latin1Text(bytes)
    },
  })
  for (let at = 0; at < wire.length; ) {
    const to = Math.min(wire.length, cut(at))
    const piece = bytesOf(wire.slice(at, to))
    at = to
    if (payload.state === 'end') behind += latin1Text(piece)
    else behind += latin1Text(piece.subarray(payload.take(piece)))
    if (payload.error !== '') return payload.error
  }
  return { size, file, behind, state: payload.state }
}

test('a dataset of known length comes whole, whatever stands around it', () => {
  const file = 'REDIS0011\xff\r\n$EOF:'
  const wire = `\n\n$${file.length}\r\n${file}*1\r\n$4\r\nPING\r\n`
  const expected = { size: file.length, file, behind: '*1\r\n$4\r\nPING\r\n', state: 'end' }
  for (let cut = 1; cut < wire.length; cut++)
    assert.deepEqual(
      read(wire, at => (at < cut ? cut : wire.length)),
      expected,
    )
  for (const piece of [1, 2, 7])
    assert.deepEqual(
      read(wire, at => at + piece),
      expected,
    )
  assert.deepEqual(
    read('$0\r\nx', () => 99),
    { size: 0, file: '', behind: 'x', state: 'end' },
  )
})

test('a dataset of unknown length ends with its mark, of which nothing is passed on', () => {
  const random = randomFrom(5)
  for (let round = 0; round < 300; round++) {
    // Byte sequences like the EOF marker, which are not it, are frequent.
    const parts = Array.from({ length: random(6) }, () => [
      MARK.slice(random(40)),
      MARK.slice(0, random(40)),
      'x',
      '\0\r\n',
    ])
    const file = parts.map(choices => choices[random(4)]).join('')
    if ((file + MARK).indexOf(MARK) < file.length) continue
    const wire = `$EOF:${MARK}\r\n${file}${MARK}`
    const expected = { size: -1, file, behind: '', state: 'end' }
    assert.deepEqual(
      read(wire, at => at + 1),
      expected,
    )
    assert.deepEqual(
      read(wire, at => at + 1 + random(60)),
      expected,
    )
    for (let cut = 1; cut < wire.length; cut++)
      assert.deepEqual(
        read(wire, at => (at < cut ? cut : wire.length)),
        expected,
      )
    const early = wire.slice(0, -1 - random(20))
    assert.equal((read(early, () => 9999) as { state: string }).state, 'body')
  }
})

test('what is no dataset is an error that says what came', () => {
  const cases: [string, string][] = [
    ['-ERR unknown command\r\n', 'ERR unknown command'],
    ['\n\n-NOMASTERLINK no\r\n', 'NOMASTERLINK no'],
    ['+OK\r\n', 'the server sends no dataset but +OK'],
    ['$-1\r\n', 'the server sends no dataset but $-1'],
    ['$1x\r\n', 'the server sends no dataset but $1x'],
    ['$EOF:short\r\n', 'the server sends no dataset but $EOF:short'],
    ['x'.repeat(1025), 'the server sends no dataset'],
  ]
  for (const [wire, expected] of cases)
    for (const piece of [1, 10, 2000])
      assert.equal(
        read(wire, at => at + piece),
        expected,
      )
})
