import { between, conversation } from '../../../test/harness/conversation.ts'

const NOT_AN_INTEGER = 'ERR value is not an integer or out of range'
const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'

conversation('SET stores any bytes and replaces any value', async c => {
  await c.expectAll(
    ['SET k v', 'OK'],
    ['GET k', 'v'],
    ['GET none', null],
    ['SET "a\\x00b" "\\xff\\r\\n"', 'OK'],
    ['GET "a\\x00b"', '\xff\r\n'],
    ['SET k ""', 'OK'],
    ['GET k', ''],
    ['RPUSH l 1', 1],
    ['SET l text', 'OK'],
    ['TYPE l', 'string'],
  )
  for (const length of [44, 45, 254, 255, 512, 513, 100_000]) {
    const text = 'x'.repeat(length)
    await c.expect(['SET', 'long', text], 'OK')
    await c.expect('GET long', text)
    await c.expect('STRLEN long', length)
    await c.expect('OBJECT ENCODING long', length <= 44 ? 'embstr' : 'raw')
  }
})

conversation('SET takes conditions and expiry', async c => {
  await c.expectAll(
    ['SET k 1 XX', null],
    ['SET k 1 NX', 'OK'],
    ['SET k 2 NX', null],
    ['SET k 2 XX', 'OK'],
    ['SET k 3 GET', '2'],
    ['SET fresh 3 NX GET', null],
    ['SET fresh 4 NX GET', '3'],
    ['GET fresh', '3'],
    ['SET k v EX 100', 'OK'],
    ['TTL k', 100],
    ['SET k w KEEPTTL', 'OK'],
    ['TTL k', 100],
    ['SET k w', 'OK'],
    ['TTL k', -1],
    ['SET k v px 90500', 'OK'],
    ['PTTL k', between(80_000, 90_500)],
    ['SET k v EXAT 33177117420', 'OK'],
    ['EXPIRETIME k', 33177117420],
    ['SET k v PXAT 33177117420123', 'OK'],
    ['PEXPIRETIME k', 33177117420123],
    ['SET k v PXAT 1', 'OK'],
    ['GET k', null],
  )
  for (const options of ['NX XX', 'EX', 'EX 1 PX 1', 'KEEPTTL EX 1', 'EX 1 KEEPTTL', 'PERSIST', 'nonsense']) {
    await c.expectError(`SET k v ${options}`, 'ERR syntax error')
  }
  for (const options of ['EX 0', 'PX -1', 'EX 9223372036854775807', 'PX 9223372036854775807', 'EXAT -5']) {
    await c.expectError(`SET k v ${options}`, "ERR invalid expire time in 'set' command")
  }
  await c.expectError('SET k v EX soon', NOT_AN_INTEGER)
  await c.do('SADD s a')
  await c.expectError('SET s v GET', WRONG_TYPE)
  await c.expect('TYPE s', 'set')
})

conversation('the commands that SET replaced still work', async c => {
  await c.expectAll(
    ['SETNX k 1', 1],
    ['SETNX k 2', 0],
    ['SETEX k 100 v', 'OK'],
    ['TTL k', 100],
    ['PSETEX k 100000 v', 'OK'],
    ['TTL k', 100],
    ['GETSET k w', 'v'],
    ['TTL k', -1],
    ['GETSET none w', null],
    ['SUBSTR k 0 0', 'w'],
  )
  await c.expectError('SETEX k 0 v', "ERR invalid expire time in 'setex' command")
  await c.expectError('PSETEX k -1 v', "ERR invalid expire time in 'psetex' command")
})

conversation('MSET and MSETNX set all or nothing, MGET reads what is there', async c => {
  await c.expectAll(
    ['MSET a 1 b 2 a 3', 'OK'],
    ['MSETNX c 1 b 5', 0],
    ['EXISTS c', 0],
    ['MSETNX c 1 d 5', 1],
    ['RPUSH l x', 1],
    ['MGET a b none l d', ['3', '2', null, null, '5']],
  )
  await c.expectError('MSET a 1 b', "ERR wrong number of arguments for 'mset' command")
  await c.expectError('MSETNX a 1 b', "ERR wrong number of arguments for 'msetnx' command")
})

conversation('GETDEL and GETEX read and change in one step', async c => {
  await c.expectAll(
    ['SET k v', 'OK'],
    ['GETEX k EX 100', 'v'],
    ['TTL k', 100],
    ['GETEX k', 'v'],
    ['TTL k', 100],
    ['GETEX k PERSIST', 'v'],
    ['TTL k', -1],
    ['GETEX k PXAT 33177117420000', 'v'],
    ['EXPIRETIME k', 33177117420],
    ['GETDEL k', 'v'],
    ['GETDEL k', null],
    ['GETEX k EX 10', null],
    ['SET k v', 'OK'],
    ['GETEX k EXAT 1', 'v'],
    ['EXISTS k', 0],
    ['RPUSH l x', 1],
  )
  await c.expectError('GETEX k EX 1 PERSIST', 'ERR syntax error')
  await c.expectError('GETEX k KEEPTTL', 'ERR syntax error')
  await c.expectError('GETDEL l', WRONG_TYPE)
  await c.do('SET k v')
  await c.expectError('GETEX k EX 0', "ERR invalid expire time in 'getex' command")
})

conversation('INCR and its like are exact over 64 bits', async c => {
  await c.expectAll(
    ['INCR n', 1],
    ['OBJECT ENCODING n', 'int'],
    ['DECR n', 0],
    ['DECRBY n 5', -5],
    ['INCRBY n 9007199254740996', 9007199254740991],
    ['EXPIRE n 100', 1],
  )
  await c.expectWire('INCR n', ':9007199254740992\r\n')
  await c.expectWire('INCR n', ':9007199254740993\r\n')
  await c.expectWire('INCRBY n 9214364837600034814', ':9223372036854775807\r\n')
  await c.expect('TTL n', 100)
  await c.expect('OBJECT ENCODING n', 'int')
  await c.expectError('INCR n', 'ERR increment or decrement would overflow')
  await c.expect('GET n', '9223372036854775807')
  await c.expectWire('DECRBY n 9223372036854775807', ':0\r\n')
  await c.expectWire('INCRBY n -9223372036854775808', ':-9223372036854775808\r\n')
  await c.expectError('DECR n', 'ERR increment or decrement would overflow')
  await c.expectError('DECRBY n -9223372036854775808', 'ERR decrement would overflow')
  for (const text of ['', ' 1', '1 ', '+1', '01', '1.0', '9223372036854775808', 'x']) {
    await c.expectError(['INCRBY', 'n', text], NOT_AN_INTEGER)
    await c.do(['SET', 't', text])
    await c.expectError('INCR t', NOT_AN_INTEGER)
  }
})

conversation('INCRBYFLOAT calculates in long doubles', async c => {
  await c.expectAll(
    ['INCRBYFLOAT f 10.5', '10.5'],
    ['INCRBYFLOAT f 0.1', '10.6'],
    ['INCRBYFLOAT f -10.6', '0'],
    ['INCRBYFLOAT f 5.0e3', '5000'],
    ['OBJECT ENCODING f', 'embstr'],
    ['INCR f', 5001],
    ['INCRBYFLOAT f 1.23456789012345678', '5002.23456789012345691'],
    ['SET f 9223372036854775807', 'OK'],
    ['INCRBYFLOAT f 1', '9223372036854775808'],
  )
  await c.expectError('INCRBYFLOAT f abc', 'ERR value is not a valid float')
  await c.expectError('INCRBYFLOAT f inf', 'ERR increment would produce NaN or Infinity')
  await c.do('SET f x')
  await c.expectError('INCRBYFLOAT f 1', 'ERR value is not a valid float')
})

conversation('parts of a string are read and written', async c => {
  await c.expectAll(
    ['APPEND k Hello', 5],
    ['APPEND k " World"', 11],
    ['GETRANGE k 0 4', 'Hello'],
    ['GETRANGE k -5 -1', 'World'],
    ['GETRANGE k -100 100', 'Hello World'],
    ['GETRANGE k 5 3', ''],
    ['GETRANGE k -1 -5', ''],
    ['GETRANGE none 0 1', ''],
    ['SETRANGE k 6 Redis', 11],
    ['GET k', 'Hello Redis'],
    ['SETRANGE k 13 !', 14],
    ['GET k', 'Hello Redis\0\0!'],
    ['SETRANGE none 5 ""', 0],
    ['EXISTS none', 0],
    ['SETRANGE none 2 ab', 4],
    ['GET none', '\0\0ab'],
    ['SET n 12', 'OK'],
    ['APPEND n 3', 3],
    ['OBJECT ENCODING n', 'raw'],
    ['INCR n', 124],
    ['OBJECT ENCODING n', 'int'],
    ['GETRANGE n 1 -1', '24'],
    ['STRLEN n', 3],
    ['STRLEN nothing', 0],
  )
  await c.expectError('SETRANGE k -1 x', 'ERR offset is out of range')
  const tooLong = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)'
  await c.expectError('SETRANGE k 536870911 xx', tooLong)
  await c.config('proto-max-bulk-len', '2000000')
  await c.expectError('SETRANGE k 1999999 xx', tooLong)
  await c.do(['SET', 'full', 'x'.repeat(2_000_000)])
  await c.expectError('APPEND full x', tooLong)
})

conversation('a string keeps its bytes while it grows in place', async c => {
  let text = ''
  for (let i = 0; i < 60; i++) {
    const piece = String.fromCharCode(97 + (i % 26)).repeat(i * 7)
    text += piece
    await c.expect(['APPEND', 'k', piece], text.length)
  }
  await c.expect('GET k', text)
  await c.do('EXPIRE k 100')
  await c.do('SETRANGE k 3 abc')
  await c.expect('GET k', `${text.slice(0, 3)}abc${text.slice(6)}`)
  await c.expect('TTL k', 100)
})

conversation(
  'LCS tells text, length or runs',
  async c => {
    await c.expectAll(
      ['MSET a ohmytext b mynewtext', 'OK'],
      ['LCS a b', 'mytext'],
      ['LCS a b LEN', 6],
      ['LCS a none', ''],
      ['LCS none none LEN', 0],
    )
    await c.expectWire('LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN', {
      2: '*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n',
      3: '%2\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n',
    })
    await c.expect('LCS a b IDX', [
      'matches',
      [
        [
          [4, 7],
          [5, 8],
        ],
        [
          [2, 3],
          [0, 1],
        ],
      ],
      'len',
      6,
    ])
    await c.expectError('LCS a b LEN IDX', 'ERR If you want both the length and indexes, please just use IDX.')
    await c.do('RPUSH l x')
    await c.expectError('LCS a l', 'ERR The specified keys must contain string values')
  },
  { since: '7.0' },
)

conversation('a key that has expired is set anew', async c => {
  const second = 'a text that is longer than that of before, so that its entry is another'
  const writers: readonly (readonly [command: string, type: string])[] = [
    ['SET k 24', 'string'],
    ['SET k 24 PX 100000', 'string'],
    ['SET k 24 KEEPTTL', 'string'],
    [`SET k "${second}"`, 'string'],
    ['MSET k 24 other v', 'string'],
    ['SETEX k 100 v', 'string'],
    ['APPEND k v', 'string'],
    ['INCR k', 'string'],
    ['SETRANGE k 3 v', 'string'],
    ['COPY from k REPLACE', 'string'],
    ['BITOP NOT k from', 'string'],
    ['LPUSH k a b', 'list'],
    ['HSET k f v', 'hash'],
    ['SADD k 1 2', 'set'],
    ['ZADD k 1 a', 'zset'],
    ['SUNIONSTORE k numbers', 'set'],
    ['ZUNIONSTORE k 1 numbers', 'zset'],
    ['SORT numbers STORE k', 'list'],
    ['XADD k 1-1 f v', 'stream'],
  ]
  await c.expect('DEBUG SET-ACTIVE-EXPIRE 0', 'OK')
  await c.expect('SADD numbers 1 2 3', 3)
  await c.expect('SET from v', 'OK')
  for (const first of ['12', 'short', second])
    for (const [command, type] of writers) {
      await c.expect(['SET', 'k', first, 'PX', '1'], 'OK')
      await c.pass(5)
      await c.do(command)
      await c.expect('TYPE k', type)
      await c.expect('DEL k', 1)
      await c.expect('EXISTS k', 0)
    }
  await c.expect('DEBUG SET-ACTIVE-EXPIRE 1', 'OK')
})
