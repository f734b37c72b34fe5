import assert from 'node:assert/strict'
import { type Conversation, conversation } from '../../test/harness/conversation.ts'
import { encodeCommand } from '../../test/harness/resp.ts'

const DATA = [
  'RPUSH l a b',
  'SADD s a b',
  'SADD s2 a',
  'HSET h f v',
  'XADD x 1-1 f v',
  'XGROUP CREATE x g 0',
  'SET n 1',
]

// How many lookups of each command hit and miss, as redis-server 7.2.4 counts them.
const LOOKUPS: [string, number, number][] = [
  ['SCAN 0 COUNT 1000', 0, 0],
  ['SCAN 0 COUNT 1000 TYPE hash', 6, 0],
  ['XAUTOCLAIM x g c word 0', 1, 0],
  ['XAUTOCLAIM nokey g c 0 0', 0, 1],
  ['XREADGROUP GROUP g c STREAMS x >', 2, 0],
  ['XREADGROUP GROUP nogroup c STREAMS x >', 1, 0],
  ['XREAD STREAMS x nokey 0 $', 2, 2],
  ['SPOP s 5', 1, 0],
  ['SPOP s2', 0, 0],
  ['GET n', 1, 0],
  ['MGET n nokey', 1, 1],
  ['SET n 2', 0, 0],
]

async function lookups(c: Conversation): Promise<[number, number]> {
  return [await c.figure('keyspace_hits'), await c.figure('keyspace_misses')]
}

conversation(
  'keyspace hits and misses are counted as redis-server does',
  async c => {
    for (const command of DATA) await c.do(command)
    for (const [command, hits, misses] of LOOKUPS) {
      const [hitsBefore, missesBefore] = await lookups(c)
      await c.do(command)
      const [hitsAfter, missesAfter] = await lookups(c)
      assert.deepEqual([hitsAfter - hitsBefore, missesAfter - missesBefore], [hits, misses], command)
    }
  },
  { since: '7.2' },
)

conversation(
  'a script fails once for each error of its commands that it returns',
  async c => {
    for (const [script, failures] of [
      ['return {redis.pcall("get"), redis.pcall("lpush", "s", "a"), redis.pcall("x")}', 3],
      ['return redis.pcall("get")', 1],
      ['return redis.call("get")', 1],
      ['return {{err="MY own"}, {err="MY other"}}', 1],
      ['redis.pcall("get") return 1', 0],
    ] as const) {
      await c.do('SET s text')
      await c.do('CONFIG RESETSTAT')
      await c.do(['EVAL', script, '0'])
      const stats = String(await c.do('INFO commandstats'))
      assert.match(stats, new RegExp(`cmdstat_eval:.*failed_calls=${failures}\r`), script)
    }
  },
  { since: '7.2' },
)

conversation(
  'CLIENT LIST names a command whose arguments were wrong, and counts what an aborted MULTI would not run',
  async c => {
    const other = await c.another()
    await other.do('CLIENT SETNAME other')
    await other.do('ZINCRBY z 1')
    const lineOfOther = async () =>
      String(await c.do('CLIENT LIST'))
        .split('\n')
        .find(line => line.includes(' name=other '))!
    assert.match(await lineOfOther(), / cmd=zincrby /)
    await other.do('nosuch')
    assert.match(await lineOfOther(), / cmd=NULL /)
    await other.do('WATCH w')
    await c.do('SET w 1')
    await other.do('MULTI')
    await other.do('PING')
    assert.match(await lineOfOther(), / multi=0 .* cmd=ping /)
  },
  { since: '7.2' },
)

conversation(
  'MONITOR shows SELECT with the new database, scripts before their commands and EXEC after its own',
  async c => {
    const monitor = await c.another()
    await monitor.tell('MONITOR')
    await monitor.client.message()
    const shown = async () =>
      /^[\d.]+ (\[\d+) [^\]]*(\] .*)$/
        .exec(String(await monitor.client.message()))!
        .slice(1)
        .join('')
    // The harness asks once more whether the line has come.
    await c.do('SELECT 2')
    let first = await shown()
    while (first.endsWith('"PING"')) first = await shown()
    assert.equal(first, '[2] "SELECT" "2"')
    await c.do(['EVAL', 'return redis.call("ping")', '0'])
    assert.match(await shown(), /^\[2\] "EVAL"/)
    assert.equal(await shown(), '[2] "ping"')
    await c.do('MULTI')
    await c.do('PING')
    await c.do('EXEC')
    for (const name of ['MULTI', 'PING', 'EXEC']) assert.equal(await shown(), `[2] "${name}"`)
    await c.do('EXEC too much')
    assert.equal(await shown(), '[2] "EXEC" "too" "much"')
    await c.do('GET')
    await c.do('PING')
    assert.equal(await shown(), '[2] "PING"')
  },
  { since: '7.2' },
)

conversation(
  'SLOWLOG and MONITOR show XREAD with $ as it came, whether it is served or unblocked',
  async c => {
    const [reader, monitor] = [await c.another(), await c.another()]
    await c.config('slowlog-log-slower-than', '0')
    await monitor.tell('MONITOR')
    await monitor.client.message()
    await c.do('XADD x 1-1 f v')
    const id = String(await reader.do('CLIENT ID'))
    for (const end of [
      ['XADD', 'x', '2-1', 'f', 'v'],
      ['CLIENT', 'UNBLOCK', id],
    ]) {
      await c.do('SLOWLOG RESET')
      const pending = await reader.start('XREAD BLOCK 0 STREAMS x $')
      await c.do(end)
      await pending.value()
      const entries = (await c.do('SLOWLOG GET')) as unknown[][]
      const words = entries.map(entry => (entry[3] as string[]).join(' '))
      assert.equal(words.filter(line => line === 'XREAD BLOCK 0 STREAMS x $').length, 1, words.join(', '))
      assert.equal(words.filter(line => line.startsWith('XREAD')).length, 1, words.join(', '))
    }
    await c.do('ECHO end')
    const shown: string[] = []
    while (!shown.at(-1)?.includes('"ECHO"')) shown.push(String(await monitor.client.message()))
    assert.equal(
      shown.filter(line => line.endsWith('"XREAD" "BLOCK" "0" "STREAMS" "x" "$"')).length,
      2,
      shown.join(', '),
    )
    assert.equal(shown.filter(line => line.includes('"XREAD"')).length, 2, shown.join(', '))
  },
  { since: '7.2' },
)

conversation(
  'with CLIENT REPLY OFF the QUEUED of a subscription is silent too',
  async c => {
    const muted = await c.another()
    await muted.tell('CLIENT REPLY OFF')
    await muted.tell('MULTI')
    await muted.tell('UNSUBSCRIBE channel')
    await muted.tell('DISCARD')
    await muted.tell('MULTI')
    await muted.tell('SUBSCRIBE channel')
    await muted.tell('UNSUBSCRIBE channel')
    muted.client.write(encodeCommand(['EXEC']))
    await muted.expectMessage(['subscribe', 'channel', 1])
    await muted.expectMessage(['unsubscribe', 'channel', 0])
    await c.do('CONFIG RESETSTAT')
    await muted.tell('MONITOR')
    await muted.tell('EXEC')
    await muted.tell('RESET')
    await muted.tell('CLIENT REPLY ON')
    await muted.expect('ECHO next', 'next')
    await c.expect('INFO errorstats', '# Errorstats\r\nerrorstat_ERR:count=1\r\n')
  },
  { since: '7.2' },
)

conversation(
  'commands with mistaken options are tracked by what their own parser finds',
  async c => {
    await c.do('CLIENT TRACKING ON')
    for (const [command, keys] of [
      ['XREAD COUNT STREAMS e2 x1 20-1 0', 0],
      ['XREAD COUNT 1 STREAMS e2 x1 0 0', 2],
      ['ZINTERCARD -9007199254740991 e4 z3 LIMIT 0', 1],
      ['ZINTERCARD 4294967298 e4 z3 LIMIT 0', 2],
      ['ZINTERCARD 9223372036854775808 e4 z3', 0],
    ] as const) {
      await c.do('FLUSHALL')
      await c.do(command)
      await c.expect('INFO stats', new RegExp(`tracking_total_keys:${keys}\r`))
    }
  },
  { since: '7.2', resp: 2 },
)

conversation('the reply that ends a connection is its last, of a monitor too', async c => {
  const leaving = await c.another()
  await leaving.tell('MONITOR')
  leaving.client.write(encodeCommand(['QUIT']))
  const received: string[] = []
  for (;;) {
    const message = await leaving.client.message().catch(() => undefined)
    if (message === undefined) break
    received.push(String(message))
  }
  assert.ok(!received.some(line => line.includes('QUIT')), received.join(', '))
})

conversation(
  'prefixes of broadcasts are told in the order of their bytes',
  async c => {
    await c.do('HELLO 3')
    await c.expect('CLIENT TRACKING ON BCAST PREFIX s PREFIX l', 'OK')
    await c.expect('CLIENT TRACKINGINFO', ['flags', ['on', 'bcast'], 'redirect', 0, 'prefixes', ['l', 's']])
    await c.expect('CLIENT TRACKING ON BCAST PREFIX h', 'OK')
    await c.expect('CLIENT TRACKING ON BCAST', 'OK')
    const overlap = "ERR Prefix 'l' overlaps with an existing prefix ''. Prefixes for a single client must not overlap."
    await c.expectError('CLIENT TRACKING ON BCAST PREFIX l', overlap)
  },
  { since: '7.2', resp: 3 },
)

conversation(
  'CLIENT CACHING ends with a command that is refused, and invalidations outlive the tracking that they are for',
  async c => {
    const [listener, reader] = [await c.another(), await c.another()]
    const id = String(await listener.do('CLIENT ID'))
    await listener.tell('SUBSCRIBE __redis__:invalidate')
    await listener.client.message()
    await reader.do(['CLIENT', 'TRACKING', 'ON', 'OPTIN', 'REDIRECT', id])
    await reader.do('CLIENT CACHING YES')
    await reader.do('GET')
    await reader.do('GET refused')
    await c.do('SET refused 1')
    await reader.do('CLIENT CACHING YES')
    await reader.do('GET key')
    await reader.do('MULTI')
    await reader.do('SET key 1')
    await reader.do('CLIENT TRACKING OFF')
    await reader.do('EXEC')
    await listener.expectMessage(['message', '__redis__:invalidate', ['key']])
  },
  { since: '7.2', resp: 2 },
)
