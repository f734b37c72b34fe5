import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import { CommandWriter } from './command-writer.ts'

const text = (out: CommandWriter) => new Slice(out.u8, 0, out.len).latin1()

test('a command is an array of bulk strings, whichever way its words come', () => {
  const expected = '*3\r\n$3\r\nSET\r\n$2\r\n\xff\n\r\n$2\r\n12\r\n'
  const slices = new CommandWriter()
  slices.command([Slice.of('SET'), Slice.of('\xff\n'), Slice.of('12')])
  assert.equal(text(slices), expected)
  const words = new CommandWriter()
  words.count(3)
  words.word('SET')
  words.bytes(bytesOf('\xff\n'))
  words.integer(12)
  assert.equal(text(words), expected)
  const parts = new CommandWriter()
  parts.count(3)
  parts.argument(Slice.of('SET'))
  parts.beginArgument(2)
  const key = Slice.of('\xff\n')
  for (let i = 0; i < 2; i++) parts.part(key.u8, key.dv, i, 1)
  parts.endArgument()
  parts.plain('$2\r\n12\r\n')
  assert.equal(text(parts), expected)
})

test('counts and lengths are written in decimal at every number of digits', () => {
  for (const n of [0, 1, 9, 10, 11, 19, 20, 42, 59, 60, 99, 100, 101, 999, 1000, 65_536, 1_000_000]) {
    const out = new CommandWriter()
    out.count(n)
    assert.equal(text(out), `*${n}\r\n`)
    if (n > 2000) continue
    const expected = `$${n}\r\n${'x'.repeat(n)}\r\n`
    for (const write of ['word', 'argument', 'bytes'] as const) {
      const one = new CommandWriter()
      if (write === 'word') one.word('x'.repeat(n))
      else if (write === 'bytes') one.bytes(bytesOf('x'.repeat(n)))
      else one.argument(Slice.of('x'.repeat(n)))
      assert.equal(text(one), expected, `${write} of ${n}`)
    }
  }
})

test('what was sent is dropped from the front, and a large buffer is given up when it is empty', () => {
  const out = new CommandWriter()
  assert.equal(out.u8.length, 0)
  out.word('a')
  out.take()
  const startBytes = out.u8.length
  out.word('a'.repeat(3 << 20))
  out.plain('tail')
  out.drop(out.len - 4)
  assert.equal(text(out), 'tail')
  assert.ok(out.u8.length > 3 << 20)
  assert.deepEqual(out.take(), bytesOf('tail'))
  assert.equal(out.len, 0)
  assert.equal(out.u8.length, startBytes)
  assert.equal(out.dv.buffer, out.u8.buffer)
})

test('one writer takes over a copy of what another holds', () => {
  const [a, b] = [new CommandWriter(), new CommandWriter()]
  a.plain('one')
  b.plain('two'.repeat(20_000))
  a.append(b)
  assert.equal(text(a), `one${'two'.repeat(20_000)}`)
  assert.equal(b.len, 60_000)
})

test('a buffer that has grown keeps what was written, and frees the buffers before it', () => {
  const out = new CommandWriter()
  const piece = 'x'.repeat(50_000)
  const grown = new Set<Uint8Array>()
  for (let i = 0; i < 40; i++) {
    out.plain(piece)
    grown.add(out.u8)
  }
  assert.equal(text(out), piece.repeat(40))
  out.drop(out.len)
  grown.add(out.u8)
  assert.ok(out.u8.length < piece.length)
  grown.delete(out.u8)
  // Short ones are left to the collector, and so are all where a buffer cannot be released.
  const short = 64 * 1024
  const isReleased = 'transfer' in ArrayBuffer.prototype
  for (const u8 of grown) assert.ok(u8.length === 0 ? isReleased : !isReleased || u8.length < short)
})
