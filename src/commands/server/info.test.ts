import assert from 'node:assert/strict'
import { anything, between, byProtocol, conversation, helpOf } from '../../../test/harness/conversation.ts'

const DEBUG = { config: { 'enable-debug-command': 'yes' } }

conversation('FLUSHDB empties one database, FLUSHALL all of them', async c => {
  await c.expectAll(['SET a 1', 'OK'], ['SELECT 1', 'OK'], ['SET b 2', 'OK'], ['DBSIZE', 1])
  await c.expectAll(['FLUSHDB', 'OK'], ['DBSIZE', 0], ['SELECT 0', 'OK'], ['DBSIZE', 1])
  await c.expectAll(['FLUSHALL ASYNC', 'OK'], ['DBSIZE', 0], ['FLUSHALL SYNC', 'OK'], ['FLUSHDB SYNC', 'OK'])
  await c.expectError('FLUSHALL now', 'ERR syntax error')
  await c.expectError('FLUSHDB SYNC ASYNC', 'ERR syntax error')
})

conversation('FLUSHALL breaks transactions over keys that were there', async c => {
  await c.expectAll(['SET k v', 'OK'], ['WATCH k none', 'OK'])
  const other = await c.another()
  await other.expect('FLUSHALL', 'OK')
  await c.expectAll(['MULTI', 'OK'], ['PING', 'QUEUED'], ['EXEC', null])
  await c.expect('WATCH k', 'OK')
  await other.expect('FLUSHALL', 'OK')
  await c.expectAll(['MULTI', 'OK'], ['PING', 'QUEUED'], ['EXEC', ['PONG']])
})

conversation('SWAPDB exchanges two databases under the feet of their clients', async c => {
  const other = await c.another()
  await c.expectAll(['SELECT 1', 'OK'], ['RPUSH list x', 1])
  const waiting = await other.start('BLPOP list 0')
  await c.expect('SWAPDB 0 1', 'OK')
  assert.deepEqual(await waiting.value(), ['list', 'x'])
  await c.expectError('SWAPDB one 1', 'ERR invalid first DB index')
  await c.expectError('SWAPDB 0 99999999999', 'ERR invalid second DB index')
  await c.expectError('SWAPDB 0 99', 'ERR DB index is out of range')
})

conversation('TIME, ROLE, LOLWUT', async c => {
  await c.expect('TIME', [/^\d{10,}$/, between(0, 999_999)])
  await c.expect('ROLE', ['master', between(0, 1e15), []])
  await c.expect('LOLWUT', /Redis ver\. \d+\.\d+\.\d+\n$/)
  await c.expect('LOLWUT VERSION 5 10 2 2', /[\u00e2].*Georg Nees.*Redis ver\./s)
  await c.expectError('LOLWUT VERSION five', 'ERR value is not an integer or out of range')
})

conversation('a primary may be told to be one', async c => {
  await c.expectAll(['REPLICAOF NO ONE', 'OK'], ['SLAVEOF no one', 'OK'])
})

conversation('SHUTDOWN refuses what contradicts itself', async c => {
  await c.expectError('SHUTDOWN maybe', 'ERR syntax error')
  await c.expectError('SHUTDOWN SAVE NOSAVE', 'ERR syntax error')
  await c.expectError('SHUTDOWN ABORT NOW', 'ERR syntax error')
  await c.expectError('SHUTDOWN ABORT', 'ERR No shutdown in progress.')
})

conversation('INFO shows the sections that are asked for', async c => {
  const titles = async (sections: string) => {
    const text = String(await c.do(`INFO ${sections}`))
    return [...text.matchAll(/^# (\w+)/gm)].map(([, title]) => title).join(' ')
  }
  const usual = 'Server Clients Memory Persistence Stats Replication CPU Modules Errorstats Cluster Keyspace'
  assert.equal(await titles(''), usual)
  assert.equal(await titles('default'), usual)
  assert.equal(await titles('keyspace CPU cpu'), 'CPU Keyspace')
  assert.equal(await titles('nothing'), '')
  const all =
    'Server Clients Memory Persistence Stats Replication CPU Modules Commandstats Errorstats Latencystats Cluster Keyspace'
  assert.equal(await titles('all'), all)
  assert.equal(await titles('everything'), all)
  await c.expect('INFO cluster', '# Cluster\r\ncluster_enabled:0\r\n')
})

conversation('INFO counts keys, commands and errors', async c => {
  await c.expect('CONFIG RESETSTAT', 'OK')
  await c.expectAll(['SET k v EX 100', 'OK'], ['GET k', 'v'], ['GET none', null])
  await c.expectError('INCR k', /^ERR value is not an integer/)
  await c.expectError('GET', /^ERR wrong number/)
  await c.expect('INFO keyspace', /^# Keyspace\r\ndb0:keys=1,expires=1,avg_ttl=\d+/)
  await c.expect('INFO stats', /keyspace_hits:\d+\r\nkeyspace_misses:1\r\n/)
  await c.expect(
    'INFO commandstats',
    /cmdstat_incr:calls=1,usec=\d+,usec_per_call=[\d.]+,rejected_calls=0,failed_calls=1/,
  )
  await c.expect(
    'INFO commandstats',
    /cmdstat_get:calls=2,usec=\d+,usec_per_call=[\d.]+,rejected_calls=1,failed_calls=0/,
  )
  await c.expect('INFO errorstats', '# Errorstats\r\nerrorstat_ERR:count=2\r\n')
})

conversation('MEMORY tells what a key takes', async c => {
  await c.expectAll(['SET k v', 'OK'], ['MEMORY USAGE none', null], ['MEMORY USAGE k', between(16, 200)])
  await c.expect('MEMORY USAGE k SAMPLES 0', between(16, 200))
  await c.expectError('MEMORY USAGE k SAMPLES -1', 'ERR syntax error')
  await c.expectError('MEMORY USAGE k SAMPLES', 'ERR syntax error')
  await c.expect('MEMORY DOCTOR', /./)
  await c.expect('MEMORY PURGE', 'OK')
  await c.expect('MEMORY MALLOC-STATS', /./)
  await c.expect(
    'MEMORY HELP',
    helpOf('MEMORY', 'DOCTOR', 'MALLOC-STATS', 'PURGE', 'STATS', 'USAGE <key> [SAMPLES <count>]'),
  )
  const stats = (await c.do('MEMORY STATS')) as unknown[]
  assert.equal(stats[0], 'peak.allocated')
  assert.ok(stats.includes('db.0') && stats.includes('fragmentation.bytes'))
})

conversation(
  'DEBUG needs to be switched on',
  async c => c.expectError('DEBUG SLEEP 0', /^ERR DEBUG command not allowed\./),
  { config: { 'enable-debug-command': 'no' } },
)

conversation(
  'DEBUG POPULATE and DIGEST',
  async c => {
    await c.expectAll(['DEBUG POPULATE 2', 'OK'], ['GET key:1', 'value:1'], ['DEBUG POPULATE 1 p 9', 'OK'])
    await c.expect('GET p:0', 'value:0\0\0')
    await c.expectError('DEBUG POPULATE -1', 'ERR value is out of range, must be positive')
    // redis-server's digest of the same keys.
    await c.expect('DEBUG DIGEST', 'fc26c2938a17330c8fbacedbe3d6dfa4f29ca00b')
    await c.expect('DEBUG DIGEST-VALUE key:1 none', [/^ec4b7bec343ec862c8bd5dd8feab05ec1e9e6703$/, '0'.repeat(40)])
  },
  DEBUG,
)

conversation(
  'DEBUG PROTOCOL shows every type of reply',
  async c => {
    await c.expectWire('DEBUG PROTOCOL double', { 2: '$5\r\n3.141\r\n', 3: ',3.141\r\n' })
    await c.expectWire('DEBUG PROTOCOL null', { 2: '$-1\r\n', 3: '_\r\n' })
    await c.expectWire('DEBUG PROTOCOL true', { 2: ':1\r\n', 3: '#t\r\n' })
    await c.expectWire('DEBUG PROTOCOL set', { 2: '*3\r\n:0\r\n:1\r\n:2\r\n', 3: '~3\r\n:0\r\n:1\r\n:2\r\n' })
    await c.expectWire('DEBUG PROTOCOL verbatim', {
      2: '$25\r\nThis is a verbatim\nstring\r\n',
      3: '=29\r\ntxt:This is a verbatim\nstring\r\n',
    })
    await c.expectError('DEBUG PROTOCOL foo', /^ERR Wrong protocol type name\./)
    await c.expectError('DEBUG ERROR "MY words"', 'MY words')
    await c.expectError('DEBUG FOO', "ERR unknown subcommand or wrong number of arguments for 'FOO'. Try DEBUG HELP.")
    await c.expect('DEBUG OBJECT key', byProtocol(anything, anything))
  },
  DEBUG,
)
