import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../../lib/bytes.ts'
import { ReplyError, ReplyReader, type Value } from './replies.ts'

const WIRE = '+OK\r\n:-42\r\n$5\r\nhe\r\no\r\n$-1\r\n\n*-1\r\n*3\r\n:1\r\n*2\r\n$0\r\n\r\n-ERR no\r\n*0\r\n'
const VALUES: Value[] = ['OK', -42, bytesOf('he\r\no'), null, null, [1, [bytesOf(''), new ReplyError('ERR no')], []]]

test('replies come out the same, however their bytes come in', () => {
  for (let piece = 1; piece <= WIRE.length; piece++) {
    const reader = new ReplyReader()
    const values: Value[] = []
    for (let at = 0; at < WIRE.length; at += piece) {
      reader.feed(bytesOf(WIRE.slice(at, at + piece)))
      for (let value = reader.next(); value !== undefined; value = reader.next()) values.push(value)
    }
    assert.deepEqual(values, VALUES, `in pieces of ${piece}`)
  }
})

test('what follows the last reply can be taken away as it is', () => {
  const reader = new ReplyReader()
  reader.feed(bytesOf('+FULLRESYNC x 1\r\n$3\r\nab'))
  assert.equal(reader.next(), 'FULLRESYNC x 1')
  assert.deepEqual(reader.rest(), bytesOf('$3\r\nab'))
})

test('what is no RESP is an error', () => {
  const reader = new ReplyReader()
  reader.feed(bytesOf('HTTP/1.1 400\r\n'))
  assert.throws(() => reader.next(), /no Redis protocol/)
})

test('bytes that stood behind the end before are not read again', () => {
  for (let length = 0; length < WIRE.length; length++) {
    const used = new ReplyReader()
    used.feed(bytesOf('$60\r\n' + '0-\r\n$1\r\n9\r\n:1\r\n'.repeat(4) + '\r\n'))
    used.next()
    used.rest()
    const fresh = new ReplyReader()
    for (const reader of [used, fresh]) reader.feed(bytesOf(WIRE.slice(0, length)))
    for (let value = fresh.next(); value !== undefined; value = fresh.next()) assert.deepEqual(used.next(), value)
    assert.equal(used.next(), undefined)
    assert.deepEqual(used.rest(), fresh.rest())
  }
})
