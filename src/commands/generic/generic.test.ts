import assert from 'node:assert/strict'
import { between, conversation, error, inAnyOrder } from '../../../test/harness/conversation.ts'

const NOT_AN_INTEGER = 'ERR value is not an integer or out of range'

conversation('keys are counted, told apart and removed', async c => {
  await c.expectAll(
    ['MSET a 1 b 2', 'OK'],
    ['RPUSH l 1', 1],
    ['SADD s 1', 1],
    ['HSET h f 1', 1],
    ['ZADD z 1 m', 1],
    ['TYPE a', 'string'],
    ['TYPE l', 'list'],
    ['TYPE s', 'set'],
    ['TYPE h', 'hash'],
    ['TYPE z', 'zset'],
    ['TYPE none', 'none'],
    ['EXISTS a b a none', 3],
    ['TOUCH a none l', 2],
    ['DEL a none a', 1],
    ['UNLINK l s none', 2],
    ['EXISTS a l s', 0],
    ['RANDOMKEY', /^[bhz]$/],
    ['DEL b h z', 3],
    ['RANDOMKEY', null],
  )
})

conversation('RENAME moves value and expiry under another name', async c => {
  await c.expectAll(
    ['SET a 1 EX 100', 'OK'],
    ['RENAME a b', 'OK'],
    ['EXISTS a', 0],
    ['TTL b', 100],
    ['SET c 2', 'OK'],
    ['RENAMENX c b', 0],
    ['RENAME c b', 'OK'],
    ['GET b', '2'],
    ['TTL b', -1],
    ['RENAMENX b d', 1],
    ['RENAME d d', 'OK'],
    ['RENAMENX d d', 0],
  )
  await c.expectError('RENAME none x', 'ERR no such key')
  await c.expectError('RENAMENX none none', 'ERR no such key')
})

conversation('COPY and MOVE reach other databases', async c => {
  await c.expectAll(
    ['SET a 1 EX 100', 'OK'],
    ['COPY a b', 1],
    ['TTL b', 100],
    ['SET a 2', 'OK'],
    ['COPY a b', 0],
    ['COPY a b REPLACE', 1],
    ['GET b', '2'],
    ['COPY a a DB 3', 1],
    ['COPY none x', 0],
    ['MOVE b 3', 1],
    ['EXISTS b', 0],
    ['MOVE a 3', 0],
    ['MOVE none 3', 0],
    ['SELECT 3', 'OK'],
    ['MGET a b', ['2', '2']],
    ['RPUSH l 1 2 3', 3],
    ['COPY l m', 1],
    ['RPUSH m 4', 4],
    ['LRANGE l 0 -1', ['1', '2', '3']],
  )
  await c.expectError('COPY a a', 'ERR source and destination objects are the same')
  await c.expectError('MOVE a 3', 'ERR source and destination objects are the same')
  await c.expectError('COPY a b DB 16', 'ERR DB index is out of range')
  await c.expectError('MOVE a 16', 'ERR DB index is out of range')
  await c.expectError('MOVE a x', NOT_AN_INTEGER)
  await c.expectError('COPY a b nonsense', 'ERR syntax error')
})

conversation('KEYS and SCAN find keys by pattern and type', async c => {
  for (let i = 0; i < 300; i++) await c.do(`SET key:${i} ${i}`)
  await c.do('RPUSH list 1')
  await c.expect('KEYS key:2?', inAnyOrder(...Array.from({ length: 10 }, (_, i) => `key:2${i}`)))
  await c.expect('KEYS l*', ['list'])
  await c.expect('KEYS none', [])
  const seen = new Set<string>()
  let cursor = '0'
  do {
    const [next, keys] = (await c.do(`SCAN ${cursor} COUNT 20`)) as [string, string[]]
    for (const key of keys) seen.add(key)
    cursor = next
  } while (cursor !== '0')
  assert.equal(seen.size, 301)
  await c.expect('SCAN 0 COUNT 1000 TYPE list', ['0', ['list']])
  await c.expect('SCAN 0 COUNT 1000 MATCH key:1?0', ['0', inAnyOrder(...[...'0123456789'].map(d => `key:1${d}0`))])
  await c.expect('SCAN 0 COUNT 1000 MATCH * TYPE hash', ['0', []])
  for (const wrong of ['x', '18446744073709551616', '"1 "']) {
    await c.expectError(`SCAN ${wrong}`, 'ERR invalid cursor')
  }
  await c.expectError('SCAN 0 COUNT 0', 'ERR syntax error')
  await c.expectError('SCAN 0 COUNT x', NOT_AN_INTEGER)
})

conversation('keys run out when their time comes', async c => {
  await c.expectAll(
    ['SET k v', 'OK'],
    ['TTL k', -1],
    ['TTL none', -2],
    ['EXPIRE none 10', 0],
    ['EXPIRE k 100', 1],
    ['TTL k', 100],
    ['PTTL k', between(90_000, 100_000)],
    ['PEXPIRE k 200500', 1],
    ['TTL k', between(200, 201)],
    ['EXPIREAT k 33177117420', 1],
    ['EXPIRETIME k', 33177117420],
    ['PEXPIREAT k 33177117420123', 1],
    ['PEXPIRETIME k', 33177117420123],
    ['EXPIRETIME none', -2],
    ['PERSIST k', 1],
    ['PERSIST k', 0],
    ['PEXPIRETIME k', -1],
    ['EXPIRE k -1', 1],
    ['EXISTS k', 0],
    ['SET k v PX 400', 'OK'],
    ['GET k', 'v'],
  )
  await c.pass(450)
  await c.expectAll(['GET k', null], ['TTL k', -2], ['PERSIST k', 0], ['KEYS *', []])
})

conversation(
  'EXPIRE takes conditions',
  async c => {
    await c.expectAll(
      ['SET k v', 'OK'],
      ['EXPIRE k 100 XX', 0],
      ['EXPIRE k 100 GT', 0],
      ['EXPIRE k 100 LT', 1],
      ['EXPIRE k 200 NX', 0],
      ['EXPIRE k 200 LT', 0],
      ['EXPIRE k 200 GT', 1],
      ['EXPIRE k 100 XX GT', 0],
      ['EXPIRE k 100 XX LT', 1],
      ['TTL k', 100],
      ['PERSIST k', 1],
      ['EXPIRE k 100 NX', 1],
    )
    await c.expectError('EXPIRE k 1 NX XX', 'ERR NX and XX, GT or LT options at the same time are not compatible')
    await c.expectError('EXPIRE k 1 GT LT', 'ERR GT and LT options at the same time are not compatible')
    await c.expectError('EXPIRE k 1 nonsense', 'ERR Unsupported option nonsense')
    await c.expectError('EXPIRE k x', NOT_AN_INTEGER)
    await c.expectError('EXPIRE k 9223372036854775807', "ERR invalid expire time in 'expire' command")
    await c.expectError('PEXPIRE k 9223372036854775807', "ERR invalid expire time in 'pexpire' command")
  },
  { since: '7.0' },
)

conversation(
  'an expiry as late as 64 bits allow is told exactly',
  async c => {
    await c.do('SET k v')
    await c.expect('PEXPIREAT k 9223372036854775807', 1)
    await c.expectWire('PEXPIRETIME k', ':9223372036854775807\r\n')
    await c.expect('PEXPIREAT k 9007199254740994', 1)
    await c.expectWire('PEXPIRETIME k', ':9007199254740994\r\n')
    await c.expect('EXPIREAT k 9223372036854775', 1)
    await c.expectError('EXPIREAT k 9223372036854776', "ERR invalid expire time in 'expireat' command")
    await c.expectError('EXPIREAT k -9223372036854776', "ERR invalid expire time in 'expireat' command")
  },
  { since: '7.0' },
)

conversation('OBJECT tells how a value is held', async c => {
  await c.expectAll(
    ['SET n 12', 'OK'],
    ['OBJECT ENCODING n', 'int'],
    ['OBJECT REFCOUNT n', 2147483647],
    ['SET s text', 'OK'],
    ['OBJECT ENCODING s', 'embstr'],
    ['OBJECT REFCOUNT s', 1],
    ['OBJECT IDLETIME s', 0],
    ['OBJECT ENCODING none', null],
    ['OBJECT REFCOUNT none', null],
  )
  await c.expectError('OBJECT FREQ s', /^ERR An LFU maxmemory policy is not selected, access frequency not tracked\./)
  await c.config('maxmemory-policy', 'allkeys-lfu')
  await c.do('SET fresh text')
  await c.expect('OBJECT FREQ fresh', 5)
  for (let i = 0; i < 200; i++) await c.do('SET fresh text')
  await c.expect('OBJECT FREQ fresh', between(6, 60))
  await c.expectError('OBJECT IDLETIME s', /^ERR An LFU maxmemory policy is selected, idle time not tracked\./)
  const help = (await c.do('OBJECT HELP')) as string[]
  assert.equal(help[0], 'OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:')
  await c.expectError('OBJECT nonsense s', "ERR unknown subcommand 'nonsense'. Try OBJECT HELP.")
})

conversation(
  'under an LRM policy a key is idle since it was last modified',
  async c => {
    await c.config('maxmemory-policy', 'allkeys-lrm')
    await c.expectAll(
      ['SET read text', 'OK'],
      ['SET appended text', 'OK'],
      ['SADD same member', 1],
      ['SADD added member', 1],
    )
    await c.pass(10_000)
    await c.expectAll(
      ['GET read', 'text'],
      ['TOUCH read', 1],
      ['APPEND appended more', 8],
      ['SADD same member', 0],
      ['SADD added other', 1],
      ['OBJECT IDLETIME read', 10],
      ['OBJECT IDLETIME appended', 0],
      ['OBJECT IDLETIME same', 10],
      ['OBJECT IDLETIME added', 0],
    )
    await c.config('maxmemory-policy', 'volatile-lru')
    await c.do('GET read')
    await c.expect('OBJECT IDLETIME read', 0)
  },
  { oursOnly: 'the LRM policies are of Redis 8.6', over: 'in process' },
)

conversation(
  'WAIT and WAITAOF answer at once when nothing is wanted',
  async c => {
    await c.expect('WAIT 0 0', 0)
    await c.expect('WAITAOF 0 0 0', [0, 0])
    await c.expectError('WAIT x 0', NOT_AN_INTEGER)
    await c.expectError('WAIT 1 -1', 'ERR timeout is negative')
    await c.expectError('WAITAOF 2 0 0', 'ERR value is out of range, value must between 0 and 1')
    await c.expectError('WAITAOF 0 -1 0', 'ERR value is out of range, must be positive')
    await c.expectError('WAITAOF 0 0 x', 'ERR timeout is not an integer or out of range')
    const pending = await c.start('WAIT 1 30')
    await c.pass(60)
    assert.equal(await pending.value(), 0)
  },
  { since: '7.2' },
)

conversation('keys that come into being are announced where that is asked for', async c => {
  await c.config('notify-keyspace-events', 'En')
  const listener = await c.another()
  await listener.tell('SUBSCRIBE __keyevent@0__:new')
  await listener.expectMessage(['subscribe', '__keyevent@0__:new', 1])
  const commands: [command: string, key?: string][] = [
    ['SET a 1', 'a'],
    ['SET a 2'],
    ['SET a text EX 100'],
    ['RENAME a b', 'b'],
    ['COPY b c', 'c'],
    ['RPUSH l 2 1', 'l'],
    ['RPUSH l 3'],
    ['SORT l STORE l'],
    ['SORT l STORE sorted', 'sorted'],
    ['INCR n', 'n'],
    ['SETBIT bits 1 1', 'bits'],
    ['PFADD h x', 'h'],
    ['HSET hash f v', 'hash'],
    ['ZADD z 1 m', 'z'],
    ['SADD s m', 's'],
  ]
  for (const [command, key] of commands) {
    await c.do(command)
    if (key !== undefined) await listener.expectMessage(['message', '__keyevent@0__:new', key])
  }
  await listener.expectNoMessage()
})

conversation('an expiry comes and goes with values that replace each other', async c => {
  const values = ['1', 'text', 'x'.repeat(100), 'y'.repeat(600), '9007199254740993']
  for (const before of values) {
    for (const after of values) {
      await c.expect(['SET', 'k', before], 'OK')
      await c.expect(['SET', 'k', after, 'EX', '100'], 'OK')
      await c.expect('TTL k', 100)
      await c.expect('GET k', after)
      await c.expect(['SET', 'k', before, 'EX', '200'], 'OK')
      await c.expect('TTL k', 200)
      await c.expect(['SET', 'k', after], 'OK')
      await c.expect('TTL k', -1)
      await c.expect('GET k', after)
    }
  }
  await c.expect('SET k v PX 20', 'OK')
  await c.pass(40)
  await c.expect('DBSIZE', between(0, 1))
  await c.expect('GET k', null)
})

conversation(
  'WAITAOF ends with an error when the append-only file is closed',
  async c => {
    await c.config('appendonly', 'yes')
    await c.config('appendfsync', 'no')
    const other = await c.another()
    await other.expect('SET k v', 'OK')
    const waiting = await other.start('WAITAOF 1 0 0')
    await c.expect('CONFIG SET appendonly no', 'OK')
    await other.expectReply(
      waiting,
      error('ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.'),
    )
  },
  { since: '7.2' },
)
