// Arguments that are adjacent in memory, as in transactions, scripts, functions and the append-only file: each is read
// by its own bytes alone, whatever the next one begins with.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Conversation, conversation, error } from '../../test/harness/conversation.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { encodeCommand } from '../../test/harness/resp.ts'
import { virtualSystem } from '../system/virtual.ts'

const NOT_AN_INTEGER = 'ERR value is not an integer or out of range'
const LIBRARY =
  '#!lua name=adjacent\nredis.register_function("call", function(keys, args) return redis.pcall(unpack(args)) end)'
const SCRIPT = 'return redis.pcall(unpack(ARGV))'

type Line = readonly [words: readonly string[], reply: unknown]
type Run = (c: Conversation, lines: readonly Line[]) => Promise<void>

const WAYS: { readonly [name: string]: Run } = {
  async 'one by one'(c, lines) {
    for (const [words, reply] of lines) await c.expect(words, reply as never)
  },
  async 'in a transaction'(c, lines) {
    await c.expect('MULTI', 'OK')
    for (const [words] of lines) await c.expect(words, 'QUEUED')
    await c.expect('EXEC', lines.map(([, reply]) => reply) as never)
  },
  async 'in a script'(c, lines) {
    for (const [words, reply] of lines) await c.expect(['EVAL', SCRIPT, '0', ...words], reply as never)
  },
  async 'in a function'(c, lines) {
    await c.expect(['FUNCTION', 'LOAD', 'REPLACE', LIBRARY], 'adjacent')
    for (const [words, reply] of lines) await c.expect(['FCALL', 'call', '0', ...words], reply as never)
  },
}

function inEveryWay(title: string, lines: readonly Line[]): void {
  for (const way in WAYS) conversation(`${title}, ${way}`, c => WAYS[way](c, lines), { resp: 2 })
}

const words = (line: string): string[] => line.split(' ').map(word => (word === "''" ? '' : word))
const refused = error(NOT_AN_INTEGER)

inEveryWay('what only looks like a number is kept as it is written', [
  [words('HSET user name - 0phone 1 00 -0 + 01'), 4],
  [words('HGET user name'), '-'],
  [words('HGETALL user'), ['name', '-', '0phone', '1', '00', '-0', '+', '01']],
  [words("RPUSH list - 0 + 1 -0 00 '' 7 - 12 - '' 0"), 13],
  [words('LRANGE list 0 -1'), ['-', '0', '+', '1', '-0', '00', '', '7', '-', '12', '-', '', '0']],
  [words('MSET counter - 0status 0 a + b -0'), 'OK'],
  [words('MGET counter 0status a b'), ['-', '0', '+', '-0']],
  [words('OBJECT ENCODING counter'), 'embstr'],
  [words('GETSET a -'), '+'],
  [words('GET a'), '-'],
  [words('ZADD ranks 1 - 0 0m 2 -0 3 00'), 4],
  [words('ZRANGE ranks 0 -1'), ['0m', '-', '-0', '00']],
])

inEveryWay('a lone sign is no member of a set of integers', [
  [words('SADD set 0 1'), 2],
  [words('SISMEMBER set -'), 0],
  [words('SMISMEMBER set - 0 + 1'), [0, 1, 0, 1]],
  [words('SREM set - 01 - 0x'), 0],
  [words('SADD set - 0'), 1],
  [words('SCARD set'), 3],
  [words('SISMEMBER set -'), 1],
])

inEveryWay('a lone sign is no integer', [
  [words('RPUSH l a b c'), 3],
  [words('LTRIM l - 0'), refused],
  [words('LRANGE l - 0'), refused],
  [words('LINSERT l BEFORE - 0'), -1],
  [words('LREM l - 0'), refused],
  [words('LSET l - 0'), refused],
  [words('LINDEX l -'), refused],
  [words('LPOP l -'), error('ERR value is out of range, must be positive')],
  [words('LRANGE l 0 -1'), ['a', 'b', 'c']],
  [words('SETRANGE s - 0'), refused],
  [words('GETRANGE s - 0'), refused],
  [words('SETEX s - 0'), refused],
  [words('SET s v EX -'), refused],
  [words('INCRBY s -'), refused],
  [words('HSET h f - 0g 1'), 2],
  [words('HINCRBY h f 1'), error('ERR hash value is not an integer')],
  [words('HINCRBY h 0g -'), refused],
  [words('HINCRBYFLOAT h 0g -'), error('ERR value is not a valid float')],
  [words('ZADD z - 0'), error('ERR value is not a valid float')],
  [words("ZADD z '' 0"), error('ERR value is not a valid float')],
  [words('ZADD z 1 a'), 1],
  [words('ZRANGE z - 0'), refused],
  [words('ZRANGEBYSCORE z 0 9 LIMIT - 0'), refused],
  [words('SRANDMEMBER nothing -'), refused],
  [words('XADD x - 0 1'), error('ERR Invalid stream ID specified as stream command argument')],
  [words("XADD x '' 0 1"), error('ERR Invalid stream ID specified as stream command argument')],
  [words('EXPIRE l -'), refused],
  [words('EXISTS s x'), 0],
])

inEveryWay('BITFIELD takes a lone sign and an empty word for what they are', [
  [words('BITFIELD b SET u8 0 - 0'), refused],
  [words('BITFIELD b SET i64 0 - 0'), refused],
  [words('BITFIELD b INCRBY i64 0 - 0'), refused],
  [words('BITFIELD b GET u8 - 0'), error('ERR bit offset is not an integer or out of range')],
  [words('BITFIELD b GET u8 # 0'), error('ERR bit offset is not an integer or out of range')],
  [
    words("BITFIELD b GET '' i8 0"),
    error('ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.'),
  ],
  [
    words('BITFIELD b GET u 8'),
    error('ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.'),
  ],
  [words('EXISTS b'), 0],
  [words('SET b -'), 'OK'],
  [words('BITFIELD b INCRBY i8 0 1'), [46]],
])

conversation('a HyperLogLog whose last opcode is cut off ends where it ends', async c => {
  const head = 'HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80'
  // ZERO runs of 255 and, with 0 for the byte that is not there, 16129 registers.
  const cut = `${head}\x40\xfe\x7f`
  await c.expect(['SET', 'h', `${cut}\xff\xff\xff`], 'OK')
  await c.expect(['SET', 'h', cut], 'OK')
  await c.expect('PFCOUNT h', 0)
  await c.expect(['SET', 'h', cut], 'OK')
  await c.expect(
    ['EVAL', "redis.call('set', KEYS[1], ARGV[1]) return redis.call('pfcount', KEYS[1])", '1', 'h', cut, '\xff'],
    0,
  )
})

test('what the log says is what memory holds after a start', async () => {
  const machine = virtualSystem()
  const directives = { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }
  const server = await MachineServer.start(machine, directives)
  const lines = [
    ['hset', 'user', 'name', '-', '0phone', '1', '00', '-0'],
    ['rpush', 'list', '-', '0', '+', '1', '-0', '00', '', '7', '-', '12'],
    ['mset', 'counter', '-', '0status', '0'],
    ['sadd', 'set', '-', '0', '1'],
  ]
  const written = lines.concat([['multi']], lines, [['exec']])
  for (const line of written) machine.disk.append('appendonlydir/appendonly.aof.1.incr.aof', encodeCommand(line))
  await server.stop()
  const again = await MachineServer.start(machine, directives)
  assert.deepEqual(again.call('hgetall', 'user'), ['name', '-', '0phone', '1', '00', '-0'])
  const list = ['-', '0', '+', '1', '-0', '00', '', '7', '-', '12']
  assert.deepEqual(again.call('lrange', 'list', '0', '-1'), [...list, ...list])
  assert.deepEqual(again.call('mget', 'counter', '0status'), ['-', '0'])
  assert.deepEqual(again.call('smismember', 'set', '-', '0', '1'), [1, 1, 1])
  await again.stop()
})
