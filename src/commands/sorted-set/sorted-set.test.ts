import { anything, between, byProtocol, conversation, inAnyOrder } from '../../../test/harness/conversation.ts'

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'
const LONG = 'x'.repeat(100)

conversation('ZADD adds, updates and counts', async c => {
  await c.expectAll(
    ['ZADD z 1 a 2 b', 2],
    ['ZADD z 3 a 4 c', 1],
    ['ZADD z CH 3 a 5 c 6 d', 2],
    ['ZRANGE z 0 -1', ['b', 'a', 'c', 'd']],
    ['ZADD z NX 10 a 10 e', 1],
    ['ZADD z XX 11 a 11 f', 0],
    ['ZSCORE z a', '11'],
    ['ZADD z GT CH 5 a 12 b', 1],
    ['ZADD z LT CH 1 a 13 b', 1],
    ['ZADD z INCR 1.5 a', '2.5'],
    ['ZADD z NX INCR 1 a', null],
    ['ZADD z GT INCR -1 a', null],
    ['ZADD none XX 1 a', 0],
    ['ZADD none XX INCR 1 a', null],
    ['EXISTS none', 0],
    ['ZINCRBY z -2.5 a', '0'],
    ['ZINCRBY fresh 7 m', '7'],
    ['ZCARD z', 5],
  )
})

conversation('ZADD refuses what makes no sense, and then changes nothing', async c => {
  await c.expectError('ZADD z 1', "ERR wrong number of arguments for 'zadd' command")
  await c.expectError('ZADD z 1 a 2', 'ERR syntax error')
  await c.expectError('ZADD z NX CH', 'ERR syntax error')
  await c.expectError('ZADD z NX XX 1 a', 'ERR XX and NX options at the same time are not compatible')
  for (const options of ['GT LT', 'GT NX', 'LT NX'])
    await c.expectError(`ZADD z ${options} 1 a`, 'ERR GT, LT, and/or NX options at the same time are not compatible')
  await c.expectError('ZADD z INCR 1 a 2 b', 'ERR INCR option supports a single increment-element pair')
  await c.expectError('ZADD z 1 a x b', 'ERR value is not a valid float')
  await c.expectError('ZADD z nan a', 'ERR value is not a valid float')
  await c.expect('EXISTS z', 0)
  await c.expect('ZADD z inf a', 1)
  await c.expectError('ZINCRBY z -inf a', 'ERR resulting score is not a number (NaN)')
  await c.expect('ZSCORE z a', 'inf')
  await c.do('SET s text')
  for (const command of ['ZADD s 1 a', 'ZSCORE s a', 'ZRANGE s 0 1', 'ZREM s a', 'ZPOPMIN s', 'ZUNION 2 z s'])
    await c.expectError(command, WRONG_TYPE)
})

conversation(
  'scores come back as they went in',
  async c => {
    const scores = ['-inf', '-1e+20', '-0.5', '0', '3.14', '17', '9007199254740992', '1e+17', '1.5e-7', 'inf']
    for (const [i, score] of scores.entries()) await c.expect(`ZADD z ${score} m${i}`, 1)
    const shown = scores.map(score => (score === '1e+17' ? '100000000000000000' : score))
    const ordered = [0, 1, 2, 3, 8, 4, 5, 6, 7, 9]
    await c.expect(
      'ZRANGE z 0 -1',
      ordered.map(i => `m${i}`),
    )
    await c.expect(['ZMSCORE', 'z', ...scores.map((_, i) => `m${i}`), 'none'], [...shown, null])
  },
  { since: '7.2' },
)

/** Encodings, and the zset-max-listpack-entries that produces them. */
const ENCODINGS = [
  ['listpack', '128'],
  ['skiplist', '0'],
] as const

for (const [name, entries] of ENCODINGS) {
  conversation(`ranges of a ${name}`, async c => {
    await c.config('zset-max-listpack-entries', entries)
    await c.do('ZADD z 1 a 2 b 2 c 3 d 4 e')
    await c.expect('OBJECT ENCODING z', name)
    await c.expectAll(
      ['ZRANGE z 1 3', ['b', 'c', 'd']],
      ['ZRANGE z -2 100', ['d', 'e']],
      ['ZRANGE z 3 1', []],
      ['ZRANGE z 0 1 REV', ['e', 'd']],
      ['ZREVRANGE z 0 1', ['e', 'd']],
      [
        'ZRANGE z 0 1 WITHSCORES',
        byProtocol(
          ['a', '1', 'b', '2'],
          [
            ['a', '1'],
            ['b', '2'],
          ],
        ),
      ],
      ['ZRANGEBYSCORE z 2 3', ['b', 'c', 'd']],
      ['ZRANGEBYSCORE z (2 +inf', ['d', 'e']],
      ['ZRANGEBYSCORE z -inf (2', ['a']],
      ['ZRANGEBYSCORE z -inf +inf LIMIT 1 2', ['b', 'c']],
      ['ZRANGEBYSCORE z -inf +inf LIMIT 3 -1', ['d', 'e']],
      ['ZRANGEBYSCORE z -inf +inf LIMIT -1 2', []],
      ['ZREVRANGEBYSCORE z 3 2', ['d', 'c', 'b']],
      ['ZREVRANGEBYSCORE z +inf -inf LIMIT 1 2', ['d', 'c']],
      ['ZRANGE z 3 (2 BYSCORE REV', ['d']],
      ['ZCOUNT z 2 3', 3],
      ['ZCOUNT z (4 1', 0],
      ['ZRANK z c', 2],
      ['ZREVRANK z c', 2],
      ['ZRANK z none', null],
      ['ZRANK none a', null],
    )
  })
  conversation(
    `ranks with scores in a ${name}`,
    async c => {
      await c.config('zset-max-listpack-entries', entries)
      await c.do('ZADD z 1 a 2 b 2 c 3 d 4 e')
      await c.expect('ZRANK z d WITHSCORE', [3, '3'])
      await c.expect('ZREVRANK z d WITHSCORE', [1, '3'])
      await c.expect('ZRANK z none WITHSCORE', null)
    },
    { since: '7.2' },
  )
}

for (const [name, entries] of ENCODINGS) {
  conversation(`ranges of members in a ${name}`, async c => {
    await c.config('zset-max-listpack-entries', entries)
    await c.do('ZADD z 0 a 0 b 0 c 0 d 0 12')
    await c.expectAll(
      ['ZRANGEBYLEX z - +', ['12', 'a', 'b', 'c', 'd']],
      ['ZRANGEBYLEX z [b (d', ['b', 'c']],
      ['ZRANGEBYLEX z (b [d LIMIT 1 5', ['d']],
      ['ZREVRANGEBYLEX z + [b', ['d', 'c', 'b']],
      ['ZRANGE z [c - BYLEX REV LIMIT 0 2', ['c', 'b']],
      ['ZLEXCOUNT z (12 [b', 2],
      ['ZLEXCOUNT z + -', 0],
      ['ZREMRANGEBYLEX z - (b', 2],
      ['ZRANGE z 0 -1', ['b', 'c', 'd']],
      ['ZREMRANGEBYLEX z [b +', 3],
      ['EXISTS z', 0],
    )
    await c.expectError('ZRANGEBYLEX z a b', 'ERR min or max not valid string range item')
  })

  conversation(`taking members out of a ${name}`, async c => {
    await c.config('zset-max-listpack-entries', entries)
    await c.do('ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g')
    await c.expectAll(
      ['ZREM z b none d', 2],
      ['ZREMRANGEBYRANK z 0 0', 1],
      ['ZREMRANGEBYSCORE z (5 6', 1],
      ['ZRANGE z 0 -1', ['c', 'e', 'g']],
      ['ZPOPMAX z', ['g', '7']],
      ['ZPOPMIN z 0', []],
      [
        'ZPOPMIN z 5',
        byProtocol(
          ['c', '3', 'e', '5'],
          [
            ['c', '3'],
            ['e', '5'],
          ],
        ),
      ],
      ['ZPOPMIN z', []],
      ['EXISTS z', 0],
    )
    await c.expectError('ZPOPMIN z -1', 'ERR value is out of range, must be positive')
  })
}

conversation('a listpack becomes a skiplist, and stays one', async c => {
  await c.config('zset-max-listpack-entries', '3')
  await c.expect('ZADD z 1 a 2 b 3 c', 3)
  await c.expect('OBJECT ENCODING z', 'listpack')
  await c.expect('ZADD z 4 d', 1)
  await c.expect('OBJECT ENCODING z', 'skiplist')
  await c.expect('ZREM z a b', 2)
  await c.expect('OBJECT ENCODING z', 'skiplist')
  await c.expect(`ZADD long 1 a 2 ${LONG}`, 2)
  await c.expect('OBJECT ENCODING long', 'skiplist')
  await c.expect('ZUNIONSTORE small 1 z', 2)
  await c.expect('OBJECT ENCODING small', 'listpack')
})

conversation('a large sorted set', async c => {
  for (let i = 0; i < 30; i++) {
    const words = Array.from({ length: 100 }, (_, k) => [
      String(((i * 100 + k) * 7919) % 3001),
      `m${i * 100 + k}`,
    ]).flat()
    await c.expect(['ZADD', 'z', ...words], 100)
  }
  await c.expect('ZCARD z', 3000)
  await c.expect('ZRANGE z 0 0', ['m0'])
  await c.expect('ZCOUNT z 100 199', between(98, 100))
  const first = (await c.do('ZRANGE z 1500 1500')) as string[]
  await c.expect(`ZRANK z ${first[0]}`, 1500)
  await c.expect('ZREMRANGEBYRANK z 10 2989', 2980)
  await c.expect('ZCARD z', 20)
})

conversation('ZRANGESTORE', async c => {
  await c.do('ZADD z 1 a 2 b 3 c')
  await c.expectAll(
    ['ZRANGESTORE d z 1 -1', 2],
    ['ZRANGE d 0 -1', ['b', 'c']],
    ['ZRANGESTORE d z (1 2 BYSCORE', 1],
    ['ZRANGESTORE z z 0 0 REV', 1],
    ['ZRANGE z 0 -1', ['c']],
    ['ZRANGESTORE d none 0 -1', 0],
    ['EXISTS d', 0],
  )
  await c.expectError('ZRANGESTORE d z 0 -1 WITHSCORES', 'ERR syntax error')
  await c.expectError(
    'ZRANGE z 0 -1 LIMIT 0 1',
    'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
  )
  await c.expectError(
    'ZRANGE z - + BYLEX WITHSCORES',
    'ERR syntax error, WITHSCORES not supported in combination with BYLEX',
  )
  await c.expectError('ZRANGEBYSCORE z x 1', 'ERR min or max is not a float')
})

conversation('unions, intersections and differences', async c => {
  await c.do('ZADD x 1 a 2 b 3 c')
  await c.do('ZADD y 10 b 20 c 30 d')
  await c.do('SADD s b d')
  await c.expectAll(
    ['ZUNION 2 x y', ['a', 'b', 'c', 'd']],
    ['ZUNIONSTORE d 2 x y WEIGHTS 2 1 AGGREGATE MAX', 4],
    ['ZMSCORE d a b c d', ['2', '10', '20', '30']],
    ['ZINTERSTORE d 2 x y', 2],
    ['ZMSCORE d b c', ['12', '23']],
    ['ZINTER 3 x y s WITHSCORES', byProtocol(['b', '13'], [['b', '13']])],
    ['ZINTERCARD 2 x y', 2],
    ['ZINTERCARD 2 x y LIMIT 1', 1],
    ['ZDIFF 2 x y', ['a']],
    ['ZDIFFSTORE d 3 x y s', 1],
    ['ZDIFF 2 x x', []],
    ['ZUNION 2 none none', []],
    ['ZINTERSTORE d 2 x none', 0],
    ['EXISTS d', 0],
    ['ZUNIONSTORE x 1 x WEIGHTS -1', 3],
    ['ZRANGE x 0 -1', ['c', 'b', 'a']],
  )
  await c.expectError('ZUNION 0 x', "ERR at least 1 input key is needed for 'zunion' command")
  await c.expectError('ZUNION 3 x y', 'ERR syntax error')
  await c.expectError('ZUNION 1 x WEIGHTS a', 'ERR weight value is not a float')
  await c.expectError('ZINTERCARD 1 x LIMIT -1', "ERR LIMIT can't be negative")
  await c.expectError('ZDIFF 1 x WEIGHTS 1', 'ERR syntax error')
})

conversation('infinities that meet make zero', async c => {
  await c.do('ZADD x inf a')
  await c.do('ZADD y -inf a')
  await c.expect('ZUNION 2 x y WITHSCORES', byProtocol(['a', '0'], [['a', '0']]))
  await c.expect('ZUNION 1 x WEIGHTS 0 WITHSCORES', byProtocol(['a', '0'], [['a', '0']]))
})

conversation('ZRANDMEMBER and ZSCAN', async c => {
  await c.do('ZADD z 1 a 2 b 3 c')
  await c.expect('ZRANDMEMBER z', /^[abc]$/)
  await c.expect('ZRANDMEMBER none', null)
  await c.expect('ZRANDMEMBER none 3', [])
  await c.expect('ZRANDMEMBER z 10', inAnyOrder('a', 'b', 'c'))
  await c.expect('ZRANDMEMBER z 2', [/^[abc]$/, /^[abc]$/])
  await c.expect('ZRANDMEMBER z -4', [/^[abc]$/, /^[abc]$/, /^[abc]$/, /^[abc]$/])
  await c.expect('ZRANDMEMBER z 1 WITHSCORES', byProtocol([/^[abc]$/, anything], [[/^[abc]$/, anything]]))
  await c.expect('ZSCAN z 0', ['0', ['a', '1', 'b', '2', 'c', '3']])
  await c.expect('ZSCAN z 0 MATCH b', ['0', ['b', '2']])
  await c.expect('ZSCAN none 0', ['0', []])
  await c.expectError('ZSCAN z x', 'ERR invalid cursor')
})

conversation('ZMPOP takes from the first set that has any', async c => {
  await c.do('ZADD z 1 a 2 b 3 c')
  await c.expectAll(
    ['ZMPOP 2 none z MIN', ['z', [['a', '1']]]],
    [
      'ZMPOP 1 z MAX COUNT 10',
      [
        'z',
        [
          ['c', '3'],
          ['b', '2'],
        ],
      ],
    ],
    ['ZMPOP 1 z MIN', null],
    ['BZMPOP 1 1 z MIN', null],
  )
  await c.expectError('ZMPOP 0 z MIN', 'ERR numkeys should be greater than 0')
  await c.expectError('ZMPOP 1 z MIN COUNT 0', 'ERR count should be greater than 0')
  await c.expectError('ZMPOP 1 z SOME', 'ERR syntax error')
})

conversation('waiting clients are served in order of arrival', async c => {
  const first = await c.another()
  const second = await c.another()
  const a = await first.start('BZPOPMIN z y 0')
  const b = await second.start('BZPOPMAX z 0')
  await c.expect('ZADD z 1 a 2 b 3 c', 3)
  await first.expectReply(a, ['z', 'a', '1'])
  await second.expectReply(b, ['z', 'c', '3'])
  await c.expect('ZRANGE z 0 -1', ['b'])
  const again = await first.start('BZMPOP 0 2 x y MIN COUNT 2')
  await c.expect('ZADD y 5 m 6 n 7 o', 3)
  await first.expectReply(again, [
    'y',
    [
      ['m', '5'],
      ['n', '6'],
    ],
  ])
})

conversation('a wait ends after its time, and at once where nothing may wait', async c => {
  const other = await c.another()
  const waiting = await other.start('BZPOPMIN z 0.05')
  await c.pass(100)
  await other.expectReply(waiting, null)
  await c.do('MULTI')
  await c.do('BZPOPMIN z 0')
  await c.expect('EXEC', [null])
  await c.expectError('BZPOPMIN z -1', 'ERR timeout is negative')
  await c.expectError('BZPOPMIN z x', 'ERR timeout is not a float or out of range')
})

conversation('a set that a transaction fills and empties wakes nobody', async c => {
  const other = await c.another()
  const waiting = await other.start('BZPOPMIN z 0')
  await c.do('MULTI')
  await c.do('ZADD z 1 a')
  await c.do('DEL z')
  await c.expect('EXEC', [1, 1])
  await c.expect('ZADD z 2 b', 1)
  await other.expectReply(waiting, ['z', 'b', '2'])
})

conversation('bounds of scores are read as strtod reads them, however long', async c => {
  const long = (char: string) => char.repeat(5000)
  const wrong = 'ERR min or max is not a float'
  await c.expect('ZADD z 1 a 2 b 3 c', 3)
  await c.expect(['ZCOUNT', 'z', `-${long('1')}`, long('1')], 3)
  await c.expect(['ZCOUNT', 'z', `(${long('0')}1`, `0.${long('0')}3e5001`], 2)
  await c.expect(['ZCOUNT', 'z', `${long(' ')}2`, `2\0${long('x')}`], 1)
  await c.expect(['ZCOUNT', 'z', `0x1.8${long('0')}`, `0x${long('f')}`], 2)
  for (const char of ['.', '-', ' ', 'a', 'i', 'n', '1x', '0x'])
    await c.expectError(['ZRANGEBYSCORE', 'z', long(char), '5'], wrong)
  await c.expectError(['ZREMRANGEBYSCORE', 'z', '1', `${long('1')} `], wrong)
  await c.expectError(['ZRANGE', 'z', '1', `nan(${long('a')})`, 'BYSCORE'], wrong)
})
