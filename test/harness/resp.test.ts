import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCommand, latin1Bytes, latin1Text, parseReply, plain, ReplyReader, RespError, replyEnd } from './resp.ts'
import { splitWords } from './words.ts'

const read = (wire: string) => plain(parseReply(latin1Bytes(wire), 0))

test('replies of both protocols become plain values', () => {
  assert.equal(read('+OK\r\n'), 'OK')
  assert.deepEqual(read('-ERR no\r\n'), new RespError('ERR no'))
  assert.equal(read(':-5\r\n'), -5)
  assert.equal(read(':9223372036854775807\r\n'), 9223372036854775807n)
  assert.equal(read('$3\r\n\x00\xff\r\r\n'), '\x00\xff\r')
  assert.equal(read('$-1\r\n'), null)
  assert.equal(read('*-1\r\n'), null)
  assert.equal(read('_\r\n'), null)
  assert.equal(read('#t\r\n'), 1)
  assert.equal(read(',1.5\r\n'), '1.5')
  assert.equal(read('=6\r\ntxt:hi\r\n'), 'hi')
  assert.deepEqual(read('%1\r\n+a\r\n*1\r\n:1\r\n'), ['a', [1]])
  assert.deepEqual(read('|1\r\n+k\r\n+v\r\n~2\r\n+a\r\n+b\r\n'), ['a', 'b'])
})

test('an incomplete reply is not taken', () => {
  const wire = latin1Bytes('*2\r\n%1\r\n+a\r\n$2\r\nxy\r\n:1\r\n')
  for (let to = 0; to < wire.length; to++) assert.equal(replyEnd(wire, 0, to), -1)
  assert.equal(replyEnd(wire, 0, wire.length), wire.length)
})

test('replies come out whole however the bytes are cut', () => {
  const wire = latin1Bytes('+OK\r\n*1\r\n$2\r\nxy\r\n:1\r\n')
  const reader = new ReplyReader()
  const replies: string[] = []
  for (const byte of wire) {
    reader.push(Uint8Array.of(byte))
    for (let reply = reader.next(); reply; reply = reader.next()) replies.push(latin1Text(reply))
  }
  assert.deepEqual(replies, ['+OK\r\n', '*1\r\n$2\r\nxy\r\n', ':1\r\n'])
})

test('a command becomes an array of bulk strings', () => {
  assert.equal(latin1Text(encodeCommand(['SET', 'k', 5])), '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n5\r\n')
  assert.equal(latin1Text(encodeCommand(['\xff', Uint8Array.of(0)])), '*2\r\n$1\r\n\xff\r\n$1\r\n\x00\r\n')
})

test('a line is split as redis-cli splits it', () => {
  assert.deepEqual(splitWords(`SET  k "a b\\x00\\n" 'c "d"' ""`), ['SET', 'k', 'a b\x00\n', 'c "d"', ''])
})
