import assert from 'node:assert/strict'
import { anything, conversation, inAnyOrder } from '../../../test/harness/conversation.ts'

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => String(from + i))
const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `member:${i}`)

conversation('SADD and SREM tell how many came and went', async c => {
  await c.expectAll(
    ['SADD s a b a', 2],
    ['SADD s b c', 1],
    ['SCARD s', 3],
    ['SCARD none', 0],
    ['SMEMBERS s', inAnyOrder('a', 'b', 'c')],
    ['SMEMBERS none', []],
    ['SISMEMBER s a', 1],
    ['SISMEMBER s x', 0],
    ['SISMEMBER none a', 0],
    ['SMISMEMBER s a x c', [1, 0, 1]],
    ['SMISMEMBER none a b', [0, 0]],
    ['SREM s a x', 1],
    ['SREM s b c b', 2],
    ['EXISTS s', 0],
    ['SREM s a', 0],
  )
  await c.do('SET t text')
  for (const command of ['SADD t a', 'SREM t a', 'SCARD t', 'SMEMBERS t', 'SPOP t', 'SISMEMBER t a', 'SMISMEMBER t a'])
    await c.expectError(command, 'WRONGTYPE Operation against a key holding the wrong kind of value')
})

conversation(
  'a set is an intset, a listpack or a table, as its members are',
  async c => {
    await c.config('set-max-intset-entries', '6')
    await c.config('set-max-listpack-entries', '4')
    await c.do('SADD ints 3 -70000 9223372036854775807 1')
    await c.expect('OBJECT ENCODING ints', 'intset')
    await c.expect('SMEMBERS ints', ['-70000', '1', '3', '9223372036854775807'])
    await c.expectAll(['SISMEMBER ints 3', 1], ['SISMEMBER ints 03', 0], ['SREM ints 3', 1])
    await c.expect('SADD ints x', 1)
    await c.expect('OBJECT ENCODING ints', 'listpack')
    await c.expect('SMEMBERS ints', ['-70000', '1', '9223372036854775807', 'x'])
    await c.expect('SADD ints y', 1)
    await c.expect('OBJECT ENCODING ints', 'hashtable')
    await c.expect('SMEMBERS ints', inAnyOrder('-70000', '1', '9223372036854775807', 'x', 'y'))
    await c.do(['SADD', 'many', ...numbers(0, 6)])
    await c.expect('OBJECT ENCODING many', 'intset')
    await c.expect('SADD many 6', 1)
    await c.expect('OBJECT ENCODING many', 'hashtable')
    await c.do(['SADD', 'long', 'a', 'x'.repeat(65)])
    await c.expect('OBJECT ENCODING long', 'hashtable')
    await c.do('SADD five 1 2 3 4 5')
    await c.expect('SADD five x', 1)
    await c.expect('OBJECT ENCODING five', 'hashtable')
  },
  { since: '7.2' },
)

conversation('SMOVE moves a member', async c => {
  await c.do('SADD a 1 2 x')
  await c.expectAll(
    ['SMOVE a b x', 1],
    ['SMOVE a b x', 0],
    ['SMOVE a a 1', 1],
    ['SMOVE a a none', 0],
    ['SMEMBERS b', ['x']],
    ['SADD b 1', 1],
    ['SMOVE a b 1', 1],
    ['SMOVE a b 2', 1],
    ['EXISTS a', 0],
    ['SMOVE a b 2', 0],
    ['SMEMBERS b', inAnyOrder('x', '1', '2')],
  )
  await c.do('SET t text')
  await c.expect('SMOVE none t x', 0)
  await c.expectError('SMOVE b t x', /^WRONGTYPE/)
})

conversation(
  'SINTER, SUNION and SDIFF combine sets of any encoding',
  async c => {
    await c.do(['SADD', 'ints', ...numbers(0, 100)])
    await c.do(['SADD', 'few', '5', '50', '500', 'x'])
    await c.do(['SADD', 'table', ...names(200), ...numbers(40, 60), 'x'])
    await c.expectAll(
      ['SINTER ints few', inAnyOrder('5', '50')],
      ['SINTER few table', inAnyOrder('50', 'x')],
      ['SINTER ints few table', ['50']],
      ['SINTER ints none', []],
      ['SINTER few', inAnyOrder('5', '50', '500', 'x')],
      ['SINTERCARD 2 ints table', 20],
      ['SINTERCARD 2 ints table LIMIT 7', 7],
      ['SINTERCARD 2 ints none', 0],
      ['SUNION few none', inAnyOrder('5', '50', '500', 'x')],
      ['SUNION few few', inAnyOrder('5', '50', '500', 'x')],
      ['SDIFF few ints', inAnyOrder('500', 'x')],
      ['SDIFF few ints table', ['500']],
      ['SDIFF few few', []],
      ['SDIFF none few', []],
      ['SDIFF few none', inAnyOrder('5', '50', '500', 'x')],
      ['SDIFF table ints none', inAnyOrder(...names(200), 'x')],
    )
    await c.expectError('SINTERCARD 0 a', 'ERR numkeys should be greater than 0')
    await c.expectError('SINTERCARD 3 a b', "ERR Number of keys can't be greater than number of args")
    await c.expectError('SINTERCARD 1 a LIMIT -1', "ERR LIMIT can't be negative")
    await c.expectError('SINTERCARD 1 a LIMIT', 'ERR syntax error')
    await c.do('SET t text')
    for (const command of ['SINTER none t', 'SUNION few t', 'SDIFF few t', 'SINTERSTORE d none t'])
      await c.expectError(command, /^WRONGTYPE/)
  },
  { since: '7.0' },
)

conversation('the ...STORE forms write what they find, or remove the key', async c => {
  await c.do('SADD a 1 2 3 x')
  await c.do('SADD b 2 3 4')
  await c.expectAll(
    ['SINTERSTORE d a b', 2],
    ['SMEMBERS d', ['2', '3']],
    ['OBJECT ENCODING d', 'intset'],
    ['SUNIONSTORE d a b', 5],
    ['SMEMBERS d', inAnyOrder('1', '2', '3', '4', 'x')],
    ['SDIFFSTORE a a b', 2],
    ['SMEMBERS a', inAnyOrder('1', 'x')],
    ['SINTERSTORE d a none', 0],
    ['EXISTS d', 0],
    ['SET d text', 'OK'],
    ['SUNIONSTORE d none none', 0],
    ['EXISTS d', 0],
    ['SET d text', 'OK'],
    ['SDIFFSTORE d b a', 3],
    ['TYPE d', 'set'],
  )
})

conversation('SRANDMEMBER draws and SPOP takes', async c => {
  await c.expectAll(['SRANDMEMBER none', null], ['SRANDMEMBER none 2', []], ['SPOP none', null], ['SPOP none 2', []])
  await c.expectWire('SPOP none 2', { 2: '*0\r\n', 3: '~0\r\n' })
  await c.expectError('SPOP none -1', 'ERR value is out of range, must be positive')
  await c.expectError('SRANDMEMBER none 1 2', 'ERR syntax error')
  await c.expectError('SPOP none 1 2', 'ERR syntax error')
  await c.expectError('SRANDMEMBER none -9223372036854775808', /^ERR value is out of range/)
  for (const members of [numbers(0, 50), names(50), names(500)]) {
    await c.do(['DEL', 's'])
    await c.do(['SADD', 's', ...members])
    await c.expect('SRANDMEMBER s', anything)
    await c.expect('SRANDMEMBER s 0', [])
    await c.expect('SRANDMEMBER s 1000', inAnyOrder(...members))
    for (const count of [1, 10, members.length - 3, -7]) {
      const drawn = (await c.do(`SRANDMEMBER s ${count}`)) as string[]
      assert.equal(drawn.length, Math.abs(count))
      assert.ok(drawn.every(member => members.includes(member)))
      if (count > 0) assert.equal(new Set(drawn).size, count)
    }
    const taken = [String(await c.do('SPOP s'))]
    // A few of many, then nearly all, then the rest.
    for (const count of [5, members.length - 9, 100]) taken.push(...((await c.do(`SPOP s ${count}`)) as string[]))
    assert.deepEqual(taken.sort(), [...members].sort())
    await c.expect('EXISTS s', 0)
  }
})

conversation('SSCAN shows every member', async c => {
  await c.expect('SSCAN none 0', ['0', []])
  await c.do('SADD ints 3 1 2')
  await c.expect('SSCAN ints 0', ['0', ['1', '2', '3']])
  await c.do(['SADD', 's', ...names(700)])
  const seen = new Set<string>()
  let cursor = '0'
  do {
    const [next, members] = (await c.do(`SSCAN s ${cursor} MATCH *7* COUNT 30`)) as [string, string[]]
    for (const member of members) seen.add(member)
    cursor = next
  } while (cursor !== '0')
  assert.deepEqual(
    [...seen].sort(),
    names(700)
      .filter(name => name.includes('7'))
      .sort(),
  )
  await c.expectError('SSCAN s 0 COUNT x', 'ERR value is not an integer or out of range')
})
