import assert from 'node:assert/strict'
import { anything, conversation } from '../../../test/harness/conversation.ts'

const LONG = 'x'.repeat(9000)
/** More elements than one quicklist node has by default. */
const MANY = Array.from({ length: 1500 }, (_, i) => `element:${i}`)

conversation('LPUSH and RPUSH add to the ends and tell the length', async c => {
  await c.expectAll(
    ['LPUSH l b a', 2],
    ['RPUSH l c d', 4],
    ['LLEN l', 4],
    ['LRANGE l 0 -1', ['a', 'b', 'c', 'd']],
    ['LPUSHX none x', 0],
    ['RPUSHX none x', 0],
    ['EXISTS none', 0],
    ['LPUSHX l 0', 5],
    ['RPUSHX l 1 2', 7],
    ['LRANGE l -3 -1', ['d', '1', '2']],
    ['LRANGE l -2 1', []],
    ['LRANGE l 3 1', []],
    ['LRANGE l 5 500', ['1', '2']],
    ['LRANGE none 0 -1', []],
  )
  await c.do('SET s text')
  for (const command of ['LPUSH s a', 'RPUSHX s a', 'LLEN s', 'LRANGE s 0 1', 'LPOP s', 'LINDEX s 0', 'LREM s 0 a'])
    await c.expectError(command, 'WRONGTYPE Operation against a key holding the wrong kind of value')
  await c.expectError('LRANGE l a 1', 'ERR value is not an integer or out of range')
})

conversation('elements come back as they went in, however they are stored', async c => {
  const odd = ['', '0', '-0', '007', '9223372036854775807', '-9223372036854775808', '9223372036854775808', '12.0', LONG]
  await c.expect(['RPUSH', 'l', ...odd], odd.length)
  await c.expect('LRANGE l 0 -1', odd)
  for (let i = 0; i < odd.length; i++) await c.expect(`LINDEX l ${i}`, odd[i])
  for (const element of odd) await c.expect('LPOP l', element)
  await c.expect('EXISTS l', 0)
})

conversation(
  'a list is a listpack while it is small, then a quicklist, and shrinks back',
  async c => {
    await c.expect(['RPUSH', 'l', ...MANY.slice(0, 10)], 10)
    await c.expect('OBJECT ENCODING l', 'listpack')
    await c.expect(['RPUSH', 'l', ...MANY.slice(10)], 1500)
    await c.expect('OBJECT ENCODING l', 'quicklist')
    await c.expect('LRANGE l 0 -1', MANY)
    await c.expect('LINDEX l 777', 'element:777')
    await c.expect('LINDEX l -1', 'element:1499')
    await c.expect('LTRIM l 700 709', 'OK')
    await c.expect('LRANGE l 0 -1', MANY.slice(700, 710))
    await c.expect('OBJECT ENCODING l', 'listpack')
    await c.expect(['LSET', 'l', '3', LONG], 'OK')
    await c.expect('OBJECT ENCODING l', 'quicklist')
    await c.expect('LSET l 3 short', 'OK')
    await c.expect('OBJECT ENCODING l', 'listpack')
  },
  { since: '7.2' },
)

conversation('LPOP and RPOP take one element or several', async c => {
  await c.do('RPUSH l a b c d e f')
  await c.expectAll(
    ['LPOP l', 'a'],
    ['RPOP l', 'f'],
    ['LPOP l 2', ['b', 'c']],
    ['RPOP l 0', []],
    ['RPOP l 10', ['e', 'd']],
    ['EXISTS l', 0],
    ['LPOP l', null],
    ['RPOP l 3', null],
  )
  await c.do('RPUSH l a')
  await c.expectError('LPOP l -1', 'ERR value is out of range, must be positive')
  await c.expectError('RPOP l x', 'ERR value is out of range, must be positive')
  await c.expectError('LPOP l 1 2', "ERR wrong number of arguments for 'lpop' command")
  await c.expectWire('LPOP none 1', { 2: '*-1\r\n', 3: '_\r\n' })
  await c.expectWire('LPOP none', { 2: '$-1\r\n', 3: '_\r\n' })
})

conversation('LMPOP pops from the first list that has elements', async c => {
  await c.do('RPUSH b 1 2 3')
  await c.expectAll(
    ['LMPOP 2 a b LEFT', ['b', ['1']]],
    ['LMPOP 2 a b RIGHT COUNT 5', ['b', ['3', '2']]],
    ['LMPOP 1 b LEFT', null],
  )
  await c.expectError('LMPOP 0 b LEFT', 'ERR numkeys should be greater than 0')
  await c.expectError('LMPOP x b LEFT', 'ERR numkeys should be greater than 0')
  await c.expectError('LMPOP 3 b LEFT', 'ERR syntax error')
  await c.expectError('LMPOP 1 b UP', 'ERR syntax error')
  await c.expectError('LMPOP 1 b LEFT COUNT 0', 'ERR count should be greater than 0')
  await c.expectError('LMPOP 1 b LEFT COUNT 1 COUNT 2', 'ERR syntax error')
})

conversation('LMOVE and RPOPLPUSH move between lists, or within one', async c => {
  await c.do('RPUSH a 1 2 3')
  await c.expectAll(
    ['RPOPLPUSH a b', '3'],
    ['LMOVE a b LEFT RIGHT', '1'],
    ['LRANGE b 0 -1', ['3', '1']],
    ['LMOVE b b LEFT RIGHT', '3'],
    ['LRANGE b 0 -1', ['1', '3']],
    ['LMOVE a b right left', '2'],
    ['EXISTS a', 0],
    ['LMOVE a b LEFT LEFT', null],
    ['RPOPLPUSH b b', '3'],
    ['LRANGE b 0 -1', ['3', '2', '1']],
    ['RPUSH one x', 1],
    ['RPOPLPUSH one one', 'x'],
    ['LRANGE one 0 -1', ['x']],
  )
  await c.expectError('LMOVE b c UP LEFT', 'ERR syntax error')
  await c.do('SET s text')
  await c.expectError('LMOVE b s LEFT LEFT', /^WRONGTYPE/)
  await c.expect('LLEN b', 3)
})

conversation('LINSERT puts an element beside the first that matches', async c => {
  await c.do('RPUSH l a b a')
  await c.expectAll(
    ['LINSERT l BEFORE a 0', 4],
    ['LINSERT l after b 1', 5],
    ['LINSERT l AFTER none 1', -1],
    ['LINSERT none AFTER a 1', 0],
    ['LRANGE l 0 -1', ['0', 'a', 'b', '1', 'a']],
  )
  await c.expectError('LINSERT l ASIDE a 1', 'ERR syntax error')
  await c.do(['RPUSH', 'q', ...MANY])
  for (const i of [0, 1, 400, 780, 1499]) {
    await c.expect(['LINSERT', 'q', 'BEFORE', MANY[i], LONG], anything)
    await c.expect(['LINSERT', 'q', 'AFTER', MANY[i], `after:${i}`], anything)
  }
  const expected = MANY.flatMap((m, i) => ([0, 1, 400, 780, 1499].includes(i) ? [LONG, m, `after:${i}`] : [m]))
  await c.expect('LRANGE q 0 -1', expected)
})

conversation('LSET, LREM and LTRIM change the middle', async c => {
  await c.do('RPUSH l a b a c a')
  await c.expectAll(
    ['LSET l 1 B', 'OK'],
    ['LSET l -1 A', 'OK'],
    ['LREM l 1 a', 1],
    ['LRANGE l 0 -1', ['B', 'a', 'c', 'A']],
    ['LREM l -1 none', 0],
    ['LREM none 0 a', 0],
    ['LTRIM l 1 2', 'OK'],
    ['LRANGE l 0 -1', ['a', 'c']],
    ['LTRIM l 5 9', 'OK'],
    ['EXISTS l', 0],
    ['LTRIM l 0 1', 'OK'],
  )
  await c.expectError('LSET l 0 x', 'ERR no such key')
  await c.do('RPUSH l 1 2 1 3 1')
  await c.expectError('LSET l 5 x', 'ERR index out of range')
  await c.expect('LREM l -2 1', 2)
  await c.expect('LRANGE l 0 -1', ['1', '2', '3'])
  await c.expect('LREM l 0 1', 1)
  await c.do(['RPUSH', 'q', ...MANY, ...MANY])
  await c.expect('LREM q -1 element:5', 1)
  await c.expect('LREM q 0 element:700', 2)
  await c.expect(
    'LRANGE q 0 -1',
    [...MANY, ...MANY].filter((m, i) => m !== 'element:700' && i !== 1505),
  )
})

conversation(
  'LPOS finds matches by rank, count and length',
  async c => {
    await c.do('RPUSH l a b c d 1 2 3 c c')
    await c.expectAll(
      ['LPOS l c', 2],
      ['LPOS l none', null],
      ['LPOS none c', null],
      ['LPOS none c COUNT 1', []],
      ['LPOS l c RANK 2', 7],
      ['LPOS l c RANK -1', 8],
      ['LPOS l c RANK -4', null],
      ['LPOS l c COUNT 2', [2, 7]],
      ['LPOS l c COUNT 0', [2, 7, 8]],
      ['LPOS l c COUNT 0 RANK -2', [7, 2]],
      ['LPOS l 1 MAXLEN 4', null],
      ['LPOS l c MAXLEN 8 COUNT 0', [2, 7]],
      ['LPOS l 2', 5],
    )
    await c.expectError('LPOS l c RANK 0', /^ERR RANK can't be zero: use 1 to start from the first match/)
    await c.expectError('LPOS l c COUNT -1', "ERR COUNT can't be negative")
    await c.expectError('LPOS l c MAXLEN -1', "ERR MAXLEN can't be negative")
    await c.expectError('LPOS l c RANK', 'ERR syntax error')
    await c.expectError('LPOS l c RANK -9223372036854775808', /^ERR value is out of range, value must between/)
  },
  { since: '7.2' },
)

conversation('blocking pops answer at once when there is something', async c => {
  await c.do('RPUSH l a b c d')
  await c.expectAll(
    ['BLPOP none l 0', ['l', 'a']],
    ['BRPOP l 1', ['l', 'd']],
    ['BLMPOP 1 2 none l RIGHT COUNT 5', ['l', ['c', 'b']]],
    ['RPUSH l x', 1],
    ['BRPOPLPUSH l m 0', 'x'],
    ['BLMOVE m l LEFT RIGHT 0', 'x'],
    ['LRANGE l 0 -1', ['x']],
  )
  await c.expectError('BLPOP l -1', 'ERR timeout is negative')
  await c.expectError('BLPOP l x', 'ERR timeout is not a float or out of range')
  await c.expectError('BLMPOP 1 0 l LEFT', 'ERR numkeys should be greater than 0')
  await c.expectAll(['MULTI', 'OK'], ['BLPOP none 0', 'QUEUED'], ['BLMOVE none m LEFT LEFT 0', 'QUEUED'])
  await c.expect('EXEC', [null, null])
})

conversation('clients that wait are served in the order they came', async c => {
  const one = await c.another()
  const two = await c.another()
  const first = await one.start('BLPOP none l 0')
  const second = await two.start('BRPOP l 0')
  await c.expect('RPUSH l 1 2 3', 3)
  assert.deepEqual(await first.value(), ['l', '1'])
  assert.deepEqual(await second.value(), ['l', '3'])
  await c.expect('LRANGE l 0 -1', ['2'])
})

conversation('a moved element wakes who waits for it', async c => {
  const mover = await c.another()
  const taker = await c.another()
  const move = await mover.start('BLMOVE a b LEFT RIGHT 0')
  const take = await taker.start('BLPOP b 0')
  await c.expect('RPUSH a v', 1)
  assert.deepEqual(await move.value(), 'v')
  assert.deepEqual(await take.value(), ['b', 'v'])
  await c.expect('EXISTS a b', 0)
})

conversation('waiting ends with the time', async c => {
  const waiter = await c.another()
  const pop = await waiter.start('BLPOP none 0.2')
  await c.pass(400)
  assert.deepEqual(await pop.value(), null)
  const move = await waiter.start('BRPOPLPUSH none other 0.2')
  await c.pass(400)
  assert.deepEqual(await move.value(), null)
})

conversation(
  'looking whether a waiting client can be served removes no key that has run out',
  async c => {
    await c.do('DEBUG SET-ACTIVE-EXPIRE 0')
    const other = await c.another()
    const waiting = await other.start('BRPOP k 0')
    await c.do('SELECT 1')
    await c.do('RPUSH k x')
    await c.do('PEXPIRE k 1')
    await c.pass(10)
    await c.expectAll(
      ['SWAPDB 0 1', 'OK'],
      ['SELECT 0', 'OK'],
      ['DBSIZE', 1],
      ['EXISTS k', 0],
      ['DBSIZE', 0],
      ['RPUSH k y', 1],
      ['DEBUG SET-ACTIVE-EXPIRE 1', 'OK'],
    )
    await other.expectReply(waiting, ['k', 'y'])
  },
  { since: '7.2' },
)
