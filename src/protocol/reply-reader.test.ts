import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../lib/bytes.ts'
import { type ReplyLimits, ReplyReader } from './reply-reader.ts'
import { firstError, Push, ReplyError, textOf, type Value } from './value.ts'

/** Everything that pieces of `wire` are made into. */
function read(wire: string, piece = wire.length, limits?: Partial<ReplyLimits>): (Value | Push)[] {
  const reader = new ReplyReader(limits)
  const values: (Value | Push)[] = []
  for (let at = 0; at < wire.length; at += piece) {
    reader.feed(bytesOf(wire.slice(at, at + piece)))
    for (let value = reader.next(); value !== undefined; value = reader.next()) values.push(value)
  }
  return values
}

const WIRE = '+OK\r\n:-42\r\n$5\r\nhe\r\no\r\n$-1\r\n\n*-1\r\n*3\r\n:1\r\n*2\r\n$0\r\n\r\n-ERR no\r\n*0\r\n'
const VALUES: Value[] = ['OK', -42, bytesOf('he\r\no'), null, null, [1, [bytesOf(''), new ReplyError('ERR no')], []]]

test('replies come out the same, however their bytes come in', () => {
  for (let piece = 1; piece <= WIRE.length; piece++)
    assert.deepEqual(read(WIRE, piece), VALUES, `in pieces of ${piece}`)
})

test('RESP3 comes out as RESP2 has it, maps as flat lists and attributes left out', () => {
  const wire = [
    '%2\r\n+a\r\n:1\r\n$1\r\nb\r\n~2\r\n#t\r\n#f\r\n',
    '|1\r\n+ttl\r\n:3600\r\n*2\r\n|0\r\n_\r\n,1.5e3\r\n',
    '>2\r\n$7\r\nmessage\r\n+x\r\n',
    '=7\r\ntxt:abc\r\n!6\r\nERR no\r\n(12345678901234567890123\r\n,-inf\r\n:9223372036854775807\r\n%0\r\n',
  ].join('')
  const expected = [
    ['a', 1, bytesOf('b'), [true, false]],
    [null, 1500],
    new Push([bytesOf('message'), 'x']),
    bytesOf('abc'),
    new ReplyError('ERR no'),
    '12345678901234567890123',
    Number.NEGATIVE_INFINITY,
    9223372036854775807n,
    [],
  ]
  for (const piece of [1, 2, 7, wire.length]) assert.deepEqual(read(wire, piece), expected)
  assert.ok(Number.isNaN(read(',nan\r\n')[0]))
})

test('what follows the last reply can be taken away as it is', () => {
  const reader = new ReplyReader()
  reader.feed(bytesOf('+FULLRESYNC x 1\r\n$3\r\nab'))
  assert.equal(reader.next(), 'FULLRESYNC x 1')
  assert.equal(reader.consumed, 17)
  assert.deepEqual(reader.rest(), bytesOf('$3\r\nab'))
  assert.equal(reader.next(), undefined)
})

test('what is no RESP is an error at its first bytes, and stays one', () => {
  const wrong = [
    'HTTP/1.1 400',
    '\0',
    '\r\n',
    '$x',
    '$5x\r\n',
    '$-2\r\n',
    '$\r\n',
    '$1\r\nabc',
    ':1.5\r\n',
    ':--1\r\n',
    ':123456789012345678901',
    '*4294967296\r\n',
    '%-2\r\n',
    '+a\nb',
    '+a\rb',
    '#x\r\n',
    '_x\r\n',
    ',0x10\r\n',
    ',\r\n',
    '(1e5\r\n',
    '=3\r\nabc\r\n',
    '*1\r\n>1\r\n',
    '>0\r\n',
    '*1\r\n\n',
    '$?\r\n',
  ]
  for (const wire of wrong) {
    const reader = new ReplyReader()
    reader.feed(bytesOf(`+OK\r\n${wire}\r\n\r\n`))
    assert.equal(reader.next(), 'OK')
    assert.throws(() => reader.next(), /^Error: the server/, JSON.stringify(wire))
    reader.feed(bytesOf('+OK\r\n'))
    assert.throws(() => reader.next(), /^Error: the server/, JSON.stringify(wire))
  }
})

test('replies beyond the limits are errors, before they are kept', () => {
  assert.throws(() => read(`+${'x'.repeat(11)}`, 1, { lineBytesMax: 10 }), /too long/)
  assert.deepEqual(read(`+${'x'.repeat(10)}\r\n`, 1, { lineBytesMax: 10 }), ['x'.repeat(10)])
  assert.throws(() => read('$11\r\n', 1, { bulkBytesMax: 10 }), /beyond all bounds/)
  assert.throws(() => read('*1\r\n*1\r\n*1\r\n*1\r\n', 1, { depthMax: 3 }), /lists within lists/)
  assert.deepEqual(read('*1\r\n*1\r\n*1\r\n:1\r\n', 1, { depthMax: 3 }), [[[[1]]]])
  assert.throws(() => read('*100\r\n:1\r\n:2\r\n:3\r\n:4\r\n', 1, { replyBytesMax: 20 }), /more than is allowed/)
  assert.throws(() => read('*2\r\n$100\r\n', 1, { replyBytesMax: 20 }), /more than is allowed/)
  // The limit is for one reply each; empty lines are none.
  const many = `${'\n'.repeat(50)}+0123456789\r\n`.repeat(3)
  assert.equal(read(many, 1, { replyBytesMax: 20 }).length, 3)
})

test('a count or a length that lies takes no memory', () => {
  const reader = new ReplyReader()
  reader.feed(bytesOf('*2147483647\r\n%2147483647\r\n$4000000000\r\nabc'))
  assert.equal(reader.next(), undefined)
  for (let i = 0; i < 100; i++) {
    reader.feed(new Uint8Array(10_000))
    assert.equal(reader.next(), undefined)
  }
  assert.ok((reader as unknown as { u8: Uint8Array }).u8.length < 4 << 20)
})

test('a long string is handed out without another copy, and what follows it is not lost', () => {
  const value = new Uint8Array(5 << 20).map((_, i) => i * 7)
  const reader = new ReplyReader()
  reader.feed(bytesOf(`*3\r\n:1\r\n$${value.length}\r\n`))
  const values: (Value | Push)[] = []
  const drain = () => {
    for (let got = reader.next(); got !== undefined; got = reader.next()) values.push(got)
  }
  for (let at = 0; at < value.length; at += 65_536) {
    reader.feed(value.subarray(at, at + 65_536))
    drain()
  }
  reader.feed(bytesOf('\r\n+end\r\n:5\r\n$1\r\n'))
  drain()
  reader.feed(bytesOf('z\r\n'))
  drain()
  const [list] = values as Value[][]
  const bytes = list[1] as Uint8Array
  assert.deepEqual([list.length, list[0], list[2]], [3, 1, 'end'])
  assert.ok(bytes.length === value.length && bytes.every((byte, i) => byte === value[i]))
  assert.ok(bytes.buffer.byteLength < value.length * 1.1)
  assert.deepEqual(values.slice(1), [5, bytesOf('z')])
  assert.equal((reader as unknown as { u8: Uint8Array }).u8.length, 64 * 1024)
})

test('values have their text, and lists their first error', () => {
  assert.deepEqual([textOf('a'), textOf(bytesOf('\xff')), textOf(1), textOf(null)], ['a', '\xff', '', ''])
  const error = new ReplyError('WRONGTYPE no')
  assert.equal(firstError([1, [[], ['x', error]], new ReplyError('ERR later')]), error)
  assert.equal(firstError([1, 'x', []]), undefined)
})
