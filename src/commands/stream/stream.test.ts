import assert from 'node:assert/strict'
import { anything, between, byProtocol, conversation } from '../../../test/harness/conversation.ts'
import type { PlainValue } from '../../../test/harness/resp.ts'

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'
const BAD_ID = 'ERR Invalid stream ID specified as stream command argument'

conversation('XADD makes ids that only grow', async c => {
  await c.expectAll(
    ['XADD s 5-1 a 1', '5-1'],
    ['XADD s 5-* a 2', '5-2'],
    ['XADD s 7 a 3', '7-0'],
    ['XADD s 7-* a 4', '7-1'],
    ['XADD s 8-* a 5', '8-0'],
    ['XADD s * a 6', /^\d{13}-\d+$/],
    ['XLEN s', 6],
    ['XADD none NOMKSTREAM * a 1', null],
    ['EXISTS none', 0],
    ['XLEN none', 0],
  )
  const small = 'ERR The ID specified in XADD is equal or smaller than the target stream top item'
  await c.expectError('XADD s 5-1 a 1', small)
  await c.expectError('XADD s 5-* a 1', small)
  await c.expectError('XADD s 0-0 a 1', 'ERR The ID specified in XADD must be greater than 0-0')
  await c.expectError('XADD s x a 1', BAD_ID)
  await c.expectError('XADD s 9-0 a', "ERR wrong number of arguments for 'xadd' command")
  await c.expect('XADD last 18446744073709551615-18446744073709551614 a 1', '18446744073709551615-18446744073709551614')
  await c.expect('XADD last 18446744073709551615-* a 1', '18446744073709551615-18446744073709551615')
  await c.expectError('XADD last * a 1', 'ERR The stream has exhausted the last possible ID, unable to add more items')
  await c.do('SET text x')
  for (const command of ['XADD text * a 1', 'XLEN text', 'XRANGE text - +', 'XREAD STREAMS text 0', 'XDEL text 1'])
    await c.expectError(command, WRONG_TYPE)
})

conversation('entries come back as they went in', async c => {
  const words = ['f', '', '12', '-7', 'same', '9223372036854775807', '\x00\xff', 'x'.repeat(5000)]
  await c.expect(['XADD', 's', '1-1', ...words], '1-1')
  await c.expect('XADD s 1-2 f 1', '1-2')
  await c.expect('XADD s 9007199254740993-3 f 2', '9007199254740993-3')
  await c.expect('XRANGE s - +', [
    ['1-1', words],
    ['1-2', ['f', '1']],
    ['9007199254740993-3', ['f', '2']],
  ])
})

conversation('ranges in both directions', async c => {
  for (let i = 1; i <= 250; i++) await c.do(`XADD s ${i}-1 n ${i}`)
  const entry = (i: number) => [`${i}-1`, ['n', String(i)]]
  await c.expectAll(
    ['XRANGE s 100 102', [entry(100), entry(101), entry(102)]],
    ['XRANGE s (100-1 102-0', [entry(101)]],
    ['XRANGE s 249 +', [entry(249), entry(250)]],
    ['XRANGE s - + COUNT 2', [entry(1), entry(2)]],
    ['XRANGE s 5 4', []],
    ['XREVRANGE s + - COUNT 3', [entry(250), entry(249), entry(248)]],
    ['XREVRANGE s (103-1 101', [entry(102), entry(101)]],
    ['XRANGE s - + COUNT 0', null],
    ['XRANGE none - +', []],
  )
  await c.expectError('XRANGE s x +', BAD_ID)
  await c.expectError('XRANGE s (18446744073709551615-18446744073709551615 +', 'ERR invalid start ID for the interval')
  await c.expectError('XRANGE s - (0-0', 'ERR invalid end ID for the interval')
  await c.expectError('XRANGE s - + COUNT', 'ERR syntax error')
})

conversation('deleting and trimming', async c => {
  await c.config('stream-node-max-entries', '10')
  for (let i = 1; i <= 55; i++) await c.do(`XADD s ${i} n ${i}`)
  await c.expectAll(
    ['XDEL s 1 3 3 99', 2],
    [
      'XRANGE s - + COUNT 2',
      [
        ['2-0', ['n', '2']],
        ['4-0', ['n', '4']],
      ],
    ],
    ['XTRIM s MAXLEN 50', 3],
    ['XTRIM s MAXLEN ~ 46', 0],
    ['XTRIM s MAXLEN ~ 35', 15],
    ['XTRIM s MINID 30', 9],
    ['XRANGE s - + COUNT 1', [['30-0', ['n', '30']]]],
    ['XTRIM s MINID ~ 41 LIMIT 5', 1],
    ['XTRIM s MINID ~ 41 LIMIT 50', 10],
    ['XADD s MAXLEN = 3 100 n 100', '100-0'],
    ['XLEN s', 3],
    ['XTRIM s MAXLEN 0', 3],
    ['EXISTS s', 1],
    ['XADD s 101 n 101', '101-0'],
  )
  await c.expectError('XTRIM s', "ERR wrong number of arguments for 'xtrim' command")
  await c.expectError('XTRIM s MAXLEN -1', 'ERR The MAXLEN argument must be >= 0.')
  await c.expectError('XTRIM s MAXLEN x', 'ERR value is not an integer or out of range')
  await c.expectError('XTRIM s MAXLEN 1 LIMIT 1', 'ERR syntax error, LIMIT cannot be used without the special ~ option')
  await c.expectError(
    'XADD s MAXLEN 1 MINID 1 * a 1',
    'ERR syntax error, MAXLEN and MINID options at the same time are not compatible',
  )
})

conversation('XSETID', async c => {
  await c.do('XADD s 5-5 a 1')
  await c.expect('XSETID s 10-0 ENTRIESADDED 100 MAXDELETEDID 4-0', 'OK')
  await c.expectError('XSETID s 5-4', 'ERR The ID specified in XSETID is smaller than the target stream top item')
  await c.expectError('XSETID none 5', 'ERR no such key')
  await c.expectError(
    'XSETID s 10-0 ENTRIESADDED 0',
    'ERR The entries_added specified in XSETID is smaller than the target stream length',
  )
  await c.expect('XADD s 10-* a 2', '10-1')
})

conversation('XREAD', async c => {
  await c.do('XADD a 1-1 f 1')
  await c.do('XADD a 2-1 f 2')
  await c.do('XADD b 5-1 g 1')
  const a1 = ['1-1', ['f', '1']]
  const a2 = ['2-1', ['f', '2']]
  const b1 = ['5-1', ['g', '1']]
  await c.expectAll(
    ['XREAD STREAMS a 0', byProtocol([['a', [a1, a2]]], ['a', [a1, a2]])],
    [
      'XREAD COUNT 1 STREAMS a b 0 0',
      byProtocol(
        [
          ['a', [a1]],
          ['b', [b1]],
        ],
        ['a', [a1], 'b', [b1]],
      ),
    ],
    ['XREAD STREAMS a b 2-1 5', byProtocol([['b', [b1]]], ['b', [b1]])],
    ['XREAD STREAMS a none 2-1 0', null],
    ['XREAD STREAMS a $', null],
  )
  await c.expectError(
    'XREAD STREAMS a b 0',
    /^ERR Unbalanced '?xread'? list of streams: for each stream key an ID or '\$' must be specified\.$/i,
  )
  await c.expectError('XREAD STREAMS a x', BAD_ID)
  await c.expectError('XREAD COUNT 1 a', 'ERR syntax error')
})

conversation('XREAD waits for entries', async c => {
  const other = await c.another()
  const waiting = await other.start('XREAD BLOCK 0 STREAMS a b $ $')
  await c.expect('XADD b 3-1 f 1', '3-1')
  await other.expectReply(waiting, byProtocol([['b', [['3-1', ['f', '1']]]]], ['b', [['3-1', ['f', '1']]]]))
  const again = await other.start('XREAD BLOCK 0 STREAMS b $')
  await c.expect('XADD b 4-1 f 2', '4-1')
  await other.expectReply(again, byProtocol([['b', [['4-1', ['f', '2']]]]], ['b', [['4-1', ['f', '2']]]]))
  const never = await other.start('XREAD BLOCK 30 STREAMS b $')
  await c.pass(60)
  await other.expectReply(never, null)
})

conversation('a group hands out entries and remembers who has them', async c => {
  for (let i = 1; i <= 4; i++) await c.do(`XADD s ${i} n ${i}`)
  const entry = (i: number) => [`${i}-0`, ['n', String(i)]]
  const read = (...entries: (string | string[])[][]) => byProtocol([['s', entries]], ['s', entries])
  await c.expectAll(
    ['XGROUP CREATE s g 1', 'OK'],
    ['XREADGROUP GROUP g alice COUNT 2 STREAMS s >', read(entry(2), entry(3))],
    ['XREADGROUP GROUP g bob STREAMS s >', read(entry(4))],
    ['XREADGROUP GROUP g bob STREAMS s >', null],
    ['XREADGROUP GROUP g alice STREAMS s 2', read(entry(3))],
    [
      'XPENDING s g',
      [
        3,
        '2-0',
        '4-0',
        [
          ['alice', '2'],
          ['bob', '1'],
        ],
      ],
    ],
    ['XPENDING s g - + 10 bob', [['4-0', 'bob', anything, 1]]],
    ['XPENDING s g (2-0 3 10', [['3-0', 'alice', anything, 2]]],
    ['XACK s g 2 2 99', 1],
    ['XPENDING s g - + 1', [['3-0', 'alice', anything, 2]]],
    ['XDEL s 3', 1],
    ['XREADGROUP GROUP g alice STREAMS s 0', byProtocol([['s', [['3-0', null]]]], ['s', [['3-0', null]]])],
    ['XCLAIM s g carol 0 4 3 JUSTID', ['4-0']],
    ['XPENDING s g', [1, '4-0', '4-0', [['carol', '1']]]],
    ['XCLAIM s g carol 0 2 FORCE', [entry(2)]],
    ['XAUTOCLAIM s g dave 0 - COUNT 1', ['4-0', [entry(2)], []]],
    ['XGROUP DELCONSUMER s g dave', 1],
    ['XGROUP DELCONSUMER s g dave', 0],
    ['XGROUP CREATECONSUMER s g eve', 1],
    ['XGROUP CREATECONSUMER s g eve', 0],
    ['XGROUP SETID s g 0', 'OK'],
    ['XREADGROUP GROUP g eve NOACK COUNT 1 STREAMS s >', read(entry(1))],
    ['XPENDING s g - + 10 eve', []],
    ['XGROUP DESTROY s g', 1],
    ['XGROUP DESTROY s g', 0],
  )
})

conversation('the history of a consumer, with entries that are gone and entries of others between them', async c => {
  await c.do('CONFIG SET stream-node-max-entries 3')
  for (let ms = 1; ms <= 12; ms++) await c.expect(`XADD s ${ms}-1 f ${ms}`, `${ms}-1`)
  await c.expect('XADD s 12-* f y g z', '12-2')
  await c.expect('XGROUP CREATE s g 0', 'OK')
  await c.do('XREADGROUP GROUP g one COUNT 6 STREAMS s >')
  await c.do('XREADGROUP GROUP g two COUNT 2 STREAMS s >')
  await c.do('XREADGROUP GROUP g one STREAMS s >')
  await c.expectAll(['XDEL s 2-1 3-1 11-1', 3], ['XACK s g 5-1', 1])
  const entry = (ms: number) => [`${ms}-1`, ['f', `${ms}`]]
  const own = [entry(1), ['2-1', null], ['3-1', null], entry(4), entry(6), entry(9), entry(10), ['11-1', null]]
  const history = (entries: PlainValue[]) => byProtocol([['s', entries]], ['s', entries])
  await c.expect('XREADGROUP GROUP g one STREAMS s 0', history([...own, entry(12), ['12-2', ['f', 'y', 'g', 'z']]]))
  await c.expect('XREADGROUP GROUP g one COUNT 3 STREAMS s 1', history(own.slice(0, 3)))
  await c.expect('XREADGROUP GROUP g two STREAMS s 7-1', history([entry(8)]))
  await c.expect('XREADGROUP GROUP g one COUNT 2 STREAMS s 11', history([['11-1', null], entry(12)]))
  await c.do('CONFIG SET stream-node-max-entries 100')
})

conversation('what is wrong with a group', async c => {
  const noKey =
    'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM ' +
    'option to create an empty stream automatically.'
  await c.expectError('XGROUP CREATE s g $', noKey)
  await c.expect('XGROUP CREATE s g $ MKSTREAM', 'OK')
  await c.expectError('XGROUP CREATE s g $', 'BUSYGROUP Consumer Group name already exists')
  await c.expectError('XGROUP SETID s none $', "NOGROUP No such consumer group 'none' for key name 's'")
  await c.expectError(
    'XREADGROUP GROUP none a STREAMS s >',
    "NOGROUP No such key 's' or consumer group 'none' in XREADGROUP with GROUP option",
  )
  await c.expectError('XPENDING s none', "NOGROUP No such key 's' or consumer group 'none'")
  await c.expectError('XCLAIM s g c 0 1 FOO', "ERR Unrecognized XCLAIM option 'FOO'")
  await c.expectError('XAUTOCLAIM s g c 0 0 COUNT 0', 'ERR COUNT must be > 0')
  await c.expectError('XREADGROUP NOACK COUNT 1 STREAMS s >', 'ERR Missing GROUP option for XREADGROUP')
  await c.expectError('XINFO GROUPS none', 'ERR no such key')
  await c.expectError('XPENDING s g - +', 'ERR syntax error')
  await c.expect('XACK s none 1', 0)
  const help = [...((await c.do('XGROUP HELP')) as string[]), ...((await c.do('XINFO HELP')) as string[])]
  assert.equal(help.filter(line => line.endsWith('. Subcommands are:')).length, 2)
  await c.expect('XACK none g 1', 0)
})

conversation('a consumer waits for its group', async c => {
  await c.do('XGROUP CREATE s g $ MKSTREAM')
  const alice = await c.another()
  const bob = await c.another()
  const a = await alice.start('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  const b = await bob.start('XREADGROUP GROUP g bob BLOCK 0 STREAMS s >')
  await c.do('XADD s 1-1 n 1')
  await alice.expectReply(a, byProtocol([['s', [['1-1', ['n', '1']]]]], ['s', [['1-1', ['n', '1']]]]))
  await c.expect('XPENDING s g - + 10', [['1-1', 'alice', anything, 1]])
  await c.expect('DEL s', 1)
  await c.expect('EXISTS s', 0)
  const gone = await c.another()
  await gone.expectReply(b, anything)
})

conversation('a consumer that waits hears that its stream is gone', async c => {
  await c.do('XGROUP CREATE s g $ MKSTREAM')
  const alice = await c.another()
  const waiting = await alice.start('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  await c.expect('SET s text', 'OK')
  await alice.expectReply(waiting, anything)
})

conversation(
  'XINFO tells what there is',
  async c => {
    await c.do('XADD s 1-1 a 1')
    await c.do('XADD s 2-1 a 2')
    await c.do('XGROUP CREATE s g 0')
    await c.do('XREADGROUP GROUP g alice COUNT 1 STREAMS s >')
    await c.do('XDEL s 2-1')
    const common = ['length', 1, 'radix-tree-keys', 1, 'radix-tree-nodes', 2, 'last-generated-id', '2-1']
    const more = ['max-deleted-entry-id', '2-1', 'entries-added', 2, 'recorded-first-entry-id', '1-1']
    const first = ['1-1', ['a', '1']]
    await c.expect('XINFO STREAM s', [...common, ...more, 'groups', 1, 'first-entry', first, 'last-entry', first])
    const position = ['last-delivered-id', '1-1', 'entries-read', 1, 'lag']
    await c.expect('XINFO GROUPS s', [['name', 'g', 'consumers', 1, 'pending', 1, ...position, anything]])
    await c.expect('XINFO CONSUMERS s g', [
      ['name', 'alice', 'pending', 1, 'idle', between(0, 5000), 'inactive', between(0, 5000)],
    ])
    await c.expect('XINFO STREAM s FULL', [
      ...common,
      ...more,
      'entries',
      [first],
      'groups',
      [
        [
          ...['name', 'g', ...position, anything, 'pel-count', 1, 'pending', [['1-1', 'alice', anything, 1]]],
          'consumers',
          [
            [
              ...['name', 'alice', 'seen-time', anything, 'active-time', anything],
              ...['pel-count', 1, 'pending', [['1-1', anything, 1]]],
            ],
          ],
        ],
      ],
    ])
  },
  { since: '7.2' },
)

conversation('sequences of ids may have a sign where strtoull takes one', async c => {
  await c.expect('XADD a 1--01 f v', '1-18446744073709551615')
  await c.expect('XADD b 1--18446744073709551615 f v', '1-1')
  await c.expect('XADD c 1-+5 f v', '1-5')
  await c.expect(['XADD', 'd', '1- -1', 'f', 'v'], '1-18446744073709551615')
  await c.expect('XADD e 1--0 f v', '1-0')
  const invalid = 'ERR Invalid stream ID specified as stream command argument'
  for (const id of ['1--1', '1--9223372036854775808', '1--18446744073709551616', '1- - 1', '1--', '1-+', '-1-1', '--1'])
    await c.expectError(['XADD', 'f', id, 'f', 'v'], invalid)
  await c.expect('XADD g 1--9223372036854775809 f v', '1-9223372036854775807')
})
