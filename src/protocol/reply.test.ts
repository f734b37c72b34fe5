import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slice } from '../lib/slice.ts'
import { Reply } from './reply.ts'

test('what is cut off for good takes no room, until the limit is set anew', () => {
  const reply = new Reply()
  reply.integer(1)
  const { pos } = reply
  const long = Slice.of('x'.repeat(100_000))
  reply.cutOff(pos, true)
  for (let i = 0; i < 100; i++) {
    reply.bulk(long)
    reply.array(2)
    reply.error('ERR no')
    assert.ok(reply.pos < pos + 100)
  }
  assert.ok(reply.u8.length < long.len, 'it has not grown')
  reply.limitTo()
  reply.pos = pos
  reply.bulk(long)
  assert.equal(reply.pos, pos + '$100000\r\n\r\n'.length + long.len)
})

test('what is cut off may still be wanted', () => {
  const reply = new Reply()
  reply.cutOff(0)
  reply.integer(1)
  reply.bulk(Slice.of('text'))
  reply.limitTo()
  assert.equal(new TextDecoder().decode(reply.u8.subarray(0, reply.pos)), ':1\r\n$4\r\ntext\r\n')
})
