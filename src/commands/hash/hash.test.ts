import assert from 'node:assert/strict'
import {
  anything,
  between,
  byProtocol,
  conversation,
  inAnyOrder,
  pairsInAnyOrder,
} from '../../../test/harness/conversation.ts'

const LONG = 'v'.repeat(300)

conversation('HSET sets fields and tells how many are new', async c => {
  await c.expectAll(
    ['HSET h a 1 b 2', 2],
    ['HSET h b 3 c 4', 1],
    ['HMSET h d 5 a 6', 'OK'],
    ['HSETNX h a 7', 0],
    ['HSETNX h e 7', 1],
    ['HSETNX fresh e 7', 1],
    ['HLEN h', 5],
    ['HLEN none', 0],
    ['HGET h a', '6'],
    ['HGET h none', null],
    ['HGET none a', null],
    ['HMGET h a none c', ['6', null, '4']],
    ['HMGET none a b', [null, null]],
    ['HEXISTS h a', 1],
    ['HEXISTS h none', 0],
    ['HSTRLEN h a', 1],
    ['HSTRLEN h none', 0],
    ['HGETALL h', ['a', '6', 'b', '3', 'c', '4', 'd', '5', 'e', '7']],
    ['HKEYS h', ['a', 'b', 'c', 'd', 'e']],
    ['HVALS h', ['6', '3', '4', '5', '7']],
    ['HGETALL none', []],
  )
  await c.expectError('HSET h a', "ERR wrong number of arguments for 'hset' command")
  await c.expectError('HMSET h a 1 b', "ERR wrong number of arguments for 'hmset' command")
  await c.expectWire('HGETALL fresh', { 2: '*2\r\n$1\r\ne\r\n$1\r\n7\r\n', 3: '%1\r\n$1\r\ne\r\n$1\r\n7\r\n' })
  await c.do('SET s text')
  for (const command of ['HSET s a 1', 'HGET s a', 'HMGET s a', 'HDEL s a', 'HGETALL s', 'HINCRBY s a 1', 'HLEN s'])
    await c.expectError(command, 'WRONGTYPE Operation against a key holding the wrong kind of value')
})

conversation('HDEL takes fields out, and the key with the last', async c => {
  await c.do('HSET h a 1 b 2 c 3')
  await c.expectAll(['HDEL h a none', 1], ['HDEL h b c b', 2], ['EXISTS h', 0], ['HDEL h a', 0])
})

conversation(
  'a hash becomes a table when it has many fields or long ones',
  async c => {
    await c.config('hash-max-listpack-entries', '4')
    await c.do('HSET h a 1 b 2 c 3 d 4')
    await c.expect('OBJECT ENCODING h', 'listpack')
    await c.expect('HSET h a 5', 0)
    await c.expect('OBJECT ENCODING h', 'listpack')
    await c.expect('HSET h e 5', 1)
    await c.expect('OBJECT ENCODING h', 'hashtable')
    await c.expect('HGETALL h', pairsInAnyOrder('a', '5', 'b', '2', 'c', '3', 'd', '4', 'e', '5'))
    await c.expect('HDEL h a b c d', 4)
    await c.expect('OBJECT ENCODING h', 'hashtable')
    await c.do(['HSET', 'long', 'a', LONG])
    await c.expect('OBJECT ENCODING long', 'hashtable')
    await c.expect('HSTRLEN long a', 300)
    await c.do(['HSET', 'long', LONG, 'short', 'a', '12'])
    await c.expect(['HGET', 'long', LONG], 'short')
    await c.expect('HGET long a', '12')
    await c.do(['HSETNX', 'name', LONG, '1'])
    await c.expect('OBJECT ENCODING name', 'hashtable')
    await c.expect('HDEL name a', 0)
  },
  { since: '7.0' },
)

conversation(
  'a table keeps thousands of fields apart',
  async c => {
    for (let i = 0; i < 3000; i += 100)
      await c.do(['HSET', 'h', ...Array.from({ length: 100 }, (_, k) => [`field:${i + k}`, `value:${i + k}`]).flat()])
    await c.expect('HLEN h', 3000)
    for (const i of [0, 7, 1234, 2999]) await c.expect(`HGET h field:${i}`, `value:${i}`)
    for (let i = 0; i < 3000; i += 2) await c.do(`HSET h field:${i} ${'longer'.repeat(i % 30)}:${i}`)
    await c.expect('HGET h field:1238', `${'longer'.repeat(1238 % 30)}:1238`)
    await c.expect('HGET h field:1239', 'value:1239')
    for (let i = 0; i < 2990; i++) await c.expect(`HDEL h field:${i}`, 1)
    const left = Array.from({ length: 10 }, (_, k) => `field:${2990 + k}`)
    await c.expect('HKEYS h', inAnyOrder(...left))
  },
  { over: 'in process' },
)

conversation('HINCRBY counts in 64 bits', async c => {
  await c.expectAll(
    ['HINCRBY h n 5', 5],
    ['HINCRBY h n -7', -2],
    ['HSET h big 9223372036854775800', 1],
    ['HINCRBY h big 7', 9223372036854775807n],
    ['HINCRBY h small -9223372036854775808', -9223372036854775808n],
    ['HGET h big', '9223372036854775807'],
  )
  await c.expectError('HINCRBY h big 1', 'ERR increment or decrement would overflow')
  await c.expectError('HINCRBY h small -1', 'ERR increment or decrement would overflow')
  await c.expectError('HINCRBY h n x', 'ERR value is not an integer or out of range')
  await c.do('HSET h text abc spaced " 1"')
  await c.expectError('HINCRBY h text 1', 'ERR hash value is not an integer')
  await c.expectError('HINCRBY h spaced 1', 'ERR hash value is not an integer')
  await c.expect('HINCRBY h small 9223372036854775807', -1)
})

conversation(
  'HINCRBYFLOAT adds in long doubles',
  async c => {
    await c.expectAll(
      ['HINCRBYFLOAT h f 2.56', '2.56'],
      ['HINCRBYFLOAT h f 0.1', '2.66'],
      ['HSET h i 5', 1],
      ['HINCRBYFLOAT h i -5', '0'],
      ['HINCRBYFLOAT h e 1.5e2', '150'],
    )
    await c.expectError('HINCRBYFLOAT h f x', 'ERR value is not a valid float')
    await c.expectError('HINCRBYFLOAT h f inf', 'ERR value is NaN or Infinity')
    await c.do('HSET h text abc')
    await c.expectError('HINCRBYFLOAT h text 1', 'ERR hash value is not a float')
  },
  { since: '7.2' },
)

conversation('HRANDFIELD draws fields', async c => {
  await c.expect('HRANDFIELD none', null)
  await c.expect('HRANDFIELD none 5', [])
  await c.do('HSET h a 1 b 2 c 3')
  await c.expect('HRANDFIELD h', /^[abc]$/)
  await c.expect('HRANDFIELD h 0', [])
  await c.expect('HRANDFIELD h 10', inAnyOrder('a', 'b', 'c'))
  await c.expect('HRANDFIELD h -5', [anything, anything, anything, anything, anything])
  await c.expect('HRANDFIELD h 1 WITHVALUES', byProtocol([/^[abc]$/, /^[123]$/], [[/^[abc]$/, /^[123]$/]]))
  await c.expectError('HRANDFIELD h 1 x', 'ERR syntax error')
  await c.expectError('HRANDFIELD h x', 'ERR value is not an integer or out of range')
  await c.expectError('HRANDFIELD h -9223372036854775808', /^ERR value is out of range/)
  await c.expectError('HRANDFIELD h -9223372036854775807 WITHVALUES', 'ERR value is out of range')
  await c.do(['HSET', 'big', ...Array.from({ length: 300 }, (_, i) => [`f${i}`, `${i}`]).flat()])
  for (const count of [5, 60, 250]) {
    const fields = await c.do(`HRANDFIELD big ${count}`)
    assert.ok(Array.isArray(fields) && fields.length === count && new Set(fields).size === count)
  }
})

conversation('HSCAN shows every field', async c => {
  await c.expect('HSCAN none 0', ['0', []])
  await c.do('HSET h a 1 b 2 ab 3')
  await c.expect('HSCAN h 0', ['0', ['a', '1', 'b', '2', 'ab', '3']])
  await c.expect('HSCAN h 0 MATCH a* COUNT 1', ['0', ['a', '1', 'ab', '3']])
  await c.do(['HSET', 'big', ...Array.from({ length: 600 }, (_, i) => [`f${i}`, `${i}`]).flat()])
  const seen = new Map<unknown, unknown>()
  let cursor = '0'
  do {
    const [next, flat] = (await c.do(`HSCAN big ${cursor} COUNT 50`)) as [string, string[]]
    for (let i = 0; i < flat.length; i += 2) seen.set(flat[i], flat[i + 1])
    cursor = next
  } while (cursor !== '0')
  assert.equal(seen.size, 600)
  assert.equal(seen.get('f77'), '77')
  await c.expectError('HSCAN h x', 'ERR invalid cursor')
  await c.expectError('HSCAN h 0 COUNT 0', 'ERR syntax error')
  await c.expectError('HSCAN h 0 LIMIT 3', 'ERR syntax error')
  await c.expect('HLEN big', between(600, 600))
})

conversation('an update converts a hash that a lowered limit no longer allows', async c => {
  for (const update of ['HINCRBY h a 2', 'HINCRBYFLOAT h a 0.5', 'HSET h a 3']) {
    await c.expectAll(
      ['DEL h', anything],
      ['CONFIG SET hash-max-listpack-entries 128', 'OK'],
      ['HSET h a 1 b 2', 2],
      ['CONFIG SET hash-max-listpack-entries 1', 'OK'],
      ['OBJECT ENCODING h', 'listpack'],
      [update, anything],
      ['OBJECT ENCODING h', 'hashtable'],
      ['HGET h b', '2'],
    )
  }
  await c.expect('CONFIG SET hash-max-listpack-entries 128', 'OK')
})
