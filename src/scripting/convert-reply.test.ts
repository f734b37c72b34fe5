import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../lib/bytes.ts'
import { ReplyConverter } from './convert-reply.ts'
import { LuaTable } from './lua/table.ts'
import type { LuaValue } from './lua/value.ts'

const REPLIES = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':-42\r\n',
  ':9223372036854775807\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*2\r\n$1\r\n-\r\n*1\r\n:0\r\n',
  '%1\r\n+k\r\n,-inf\r\n',
  '~1\r\n#t\r\n',
  '=5\r\ntxt:-\r\n',
  '(-12\r\n',
  '_\r\n',
]
const NEIGHBOURS = ['0000', '----', '\r\n\r\n', '$1\r\n0\r\n', '\xff\xff\xff', '\0\0\0\0', 'e5', '']

function shown(value: LuaValue): unknown {
  if (!(value instanceof LuaTable)) return value
  const fields = ['ok', 'err', 'map', 'set', 'double', 'big_number', 'verbatim_string', 'string', 'format', 'k', true]
  return [1, 2, ...fields].map(key => shown(value.get(key)))
}

test('a reply is read up to its end, whatever stands behind it in the buffer', () => {
  const reader = new ReplyConverter({ serial: 0 })
  for (const reply of REPLIES) {
    const alone = shown(reader.read(bytesOf(reply)))
    for (const behind of NEIGHBOURS) {
      assert.deepEqual(shown(reader.read(bytesOf(reply + behind))), alone, reply)
      assert.equal(reader.pos, reply.length)
    }
  }
})
