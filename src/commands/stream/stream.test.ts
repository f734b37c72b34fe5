import { anything, byProtocol, conversation } from '../../../test/harness/conversation.ts'

conversation('XADD, XLEN, XRANGE, XREVRANGE and XDEL', async c => {
  await c.expectAll(
    ['XADD s 1-1 a 1 b 2', '1-1'],
    ['XADD s 1-2 a 3 b 4', '1-2'],
    ['XADD s 2-* c 5', '2-0'],
    ['XADD none NOMKSTREAM * a 1', null],
    ['XLEN s', 3],
    ['XLEN none', 0],
    [
      'XRANGE s - +',
      [
        ['1-1', ['a', '1', 'b', '2']],
        ['1-2', ['a', '3', 'b', '4']],
        ['2-0', ['c', '5']],
      ],
    ],
    ['XRANGE s (1-1 + COUNT 1', [['1-2', ['a', '3', 'b', '4']]]],
    [
      'XREVRANGE s + 1-2',
      [
        ['2-0', ['c', '5']],
        ['1-2', ['a', '3', 'b', '4']],
      ],
    ],
    ['XDEL s 1-2 9-9', 1],
    ['XLEN s', 2],
  )
  await c.expectError(
    'XADD s 1-1 a 1',
    'ERR The ID specified in XADD is equal or smaller than the target stream top item',
  )
  await c.expectError('XADD s * a', "ERR wrong number of arguments for 'xadd' command")
})

conversation('XTRIM and XSETID', async c => {
  for (let i = 1; i <= 10; i++) await c.expect(`XADD s ${i}-0 n ${i}`, `${i}-0`)
  await c.expectAll(
    ['XTRIM s MAXLEN 7', 3],
    ['XTRIM s MINID = 6', 2],
    ['XTRIM s MAXLEN ~ 1', 0],
    ['XLEN s', 5],
    ['XSETID s 20-0 ENTRIESADDED 100 MAXDELETEDID 5-0', 'OK'],
    ['XADD s 20-* n 1', '20-1'],
  )
  await c.expectError('XSETID s 6-0', 'ERR The ID specified in XSETID is smaller than the target stream top item')
  await c.expectError('XSETID none 1-0', 'ERR no such key')
})

conversation('a consumer group hands out, keeps and takes back', async c => {
  for (let i = 1; i <= 4; i++) await c.expect(`XADD s ${i}-0 n ${i}`, `${i}-0`)
  await c.expect('XGROUP CREATE s g 0', 'OK')
  await c.expectError('XGROUP CREATE s g 0', 'BUSYGROUP Consumer Group name already exists')
  await c.do('XREADGROUP GROUP g alice COUNT 2 STREAMS s >')
  await c.do('XREADGROUP GROUP g bob COUNT 1 STREAMS s >')
  await c.expectAll(
    [
      'XPENDING s g',
      [
        3,
        '1-0',
        '3-0',
        [
          ['alice', '2'],
          ['bob', '1'],
        ],
      ],
    ],
    ['XACK s g 1-0 9-0', 1],
    ['XCLAIM s g bob 0 2-0 JUSTID', ['2-0']],
    ['XPENDING s g - + 10 alice', []],
    ['XAUTOCLAIM s g carol 0 0 COUNT 1 JUSTID', ['3-0', ['2-0'], []]],
    ['XGROUP CREATECONSUMER s g dave', 1],
    ['XGROUP CREATECONSUMER s g dave', 0],
    ['XGROUP DELCONSUMER s g bob', 1],
    ['XGROUP SETID s g 0', 'OK'],
    ['XGROUP DESTROY s g', 1],
    ['XGROUP DESTROY s g', 0],
  )
  await c.expectError('XREADGROUP GROUP g alice STREAMS s >', /^NOGROUP No such key 's' or consumer group 'g'/)
})

conversation('XINFO tells of streams, groups and consumers', async c => {
  await c.expect('XADD s 1-0 a 1', '1-0')
  await c.expect('XGROUP CREATE s g $', 'OK')
  await c.expect('XINFO GROUPS s', [anything])
  await c.expect('XINFO CONSUMERS s g', [])
  await c.expect('XINFO HELP', anything)
  await c.expect('XGROUP HELP', anything)
  await c.expectError('XINFO STREAM none', 'ERR no such key')
})

conversation('XREAD waits for what comes after', async c => {
  await c.expect('XADD s 1-0 a 1', '1-0')
  const other = await c.another()
  const waiting = await c.start('XREAD BLOCK 0 STREAMS s $')
  await other.expect('XADD s 2-0 b 2', '2-0')
  await c.expectReply(waiting, byProtocol([['s', [['2-0', ['b', '2']]]]], ['s', [['2-0', ['b', '2']]]]))
})
