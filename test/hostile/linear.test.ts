// Long input takes linear time. With quadratic time each of these exceeds the time of a test.

import assert from 'node:assert/strict'
import { conversation } from '../harness/conversation.ts'

const LONG = 200_000
const NAMES = Array.from({ length: 100_000 }, (_, i) => `name:${i}`)

conversation('bounds of scores are read once', async c => {
  await c.do('ZADD z 1 a')
  const hostile = [`${'1'.repeat(LONG)}x`, `1.${'0'.repeat(LONG)}x`, `${' '.repeat(LONG)}x`, `1e${'1'.repeat(LONG)}x`]
  for (const bound of hostile) {
    await c.expectError(['ZCOUNT', 'z', bound, '+inf'], 'ERR min or max is not a float')
    await c.expectError(['ZRANGEBYSCORE', 'z', '-inf', bound], 'ERR min or max is not a float')
    await c.expectError(['ZRANGE', 'z', '-inf', `(${bound}`, 'BYSCORE'], 'ERR min or max is not a float')
    await c.expectError(['ZREMRANGEBYSCORE', 'z', bound, bound], 'ERR min or max is not a float')
  }
  await c.expect(['ZCOUNT', 'z', '-inf', '1'.repeat(LONG)], 1)
  await c.expect(['ZCOUNT', 'z', `${' '.repeat(LONG)}0.5`, `0x${'f'.repeat(LONG)}`], 1)
})

conversation('bounds of scores are what strtod takes up to a NUL', async c => {
  await c.do('ZADD z 1 a 16 b')
  await c.expect(['ZCOUNT', 'z', '0x1', '0x1p4\0rest'], 2)
  await c.expect(['ZCOUNT', 'z', '(\0', '\t1.5'], 1)
  await c.expect(['ZCOUNT', 'z', '-1e999', '1e999'], 2)
  await c.expect(['ZCOUNT', 'z', '1e-999', '(0x10'], 1)
  for (const bad of ['nan', '1 ', '1x\0', ' ', ' \0', '0x1p+'])
    await c.expectError(['ZCOUNT', 'z', bad, '1'], 'ERR min or max is not a float')
})

conversation('scores and increments of many hexadecimal digits are read once', async c => {
  await c.expect(['ZADD', 'z', `0x${'f'.repeat(LONG)}p-${4 * LONG - 4}`, 'a'], 1)
  await c.expect('ZCOUNT z 15.999 16', 1)
  await c.expectError(['ZADD', 'z', `0x${'f'.repeat(LONG)}x`, 'a'], 'ERR value is not a valid float')
  await c.expectError(['INCRBYFLOAT', 'k', `0x${'f'.repeat(LONG)}`], 'ERR value is not a valid float')
})

conversation('cursors are read once', async c => {
  await c.expectError(['SCAN', `${'1'.repeat(LONG)}`], 'ERR invalid cursor')
  await c.expect(['SCAN', '0'.repeat(LONG)], ['0', []])
  for (const bad of ['+', '-', '1x', '18446744073709551616']) await c.expectError(['SCAN', bad], 'ERR invalid cursor')
  await c.expect(['SCAN', '-0'], ['0', []])
})

conversation('numbers of the configuration are read once', async c => {
  for (const word of [`${'1'.repeat(LONG)}x`, `1.${'1'.repeat(LONG)}x`, `1e${'1'.repeat(LONG)}x`, '1e', '', 'nan'])
    await c.expectError(
      ['CONFIG', 'SET', 'latency-tracking-info-percentiles', `50 ${word}`],
      "ERR CONFIG SET failed (possibly related to argument 'latency-tracking-info-percentiles') - " +
        'Invalid latency-tracking-info-percentiles parameters',
    )
  await c.expectError(
    ['CONFIG', 'SET', 'maxmemory', `${'1'.repeat(LONG)}x`],
    "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
  )
  await c.expectError(
    ['CONFIG', 'SET', 'save', `${'1'.repeat(LONG)}x 1`],
    "ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters",
  )
  await c.config('save', `${'9'.repeat(LONG)} 1`)
})

conversation('scripts read numbers of any length once', async c => {
  const script = 'return tostring(tonumber(ARGV[1]))'
  for (const text of [`${'1'.repeat(LONG)}x`, `0x${'f'.repeat(LONG)}x`, `nan(${'1'.repeat(LONG)}`, ' '.repeat(LONG)])
    await c.expect(['EVAL', script, '0', text], 'nil')
  await c.expect(['EVAL', script, '0', `0x${'f'.repeat(LONG)}`], 'inf')
  await c.expect(['EVAL', script, '0', `0x${'0'.repeat(LONG)}1f`], '31')
  await c.expect(['EVAL', 'return tostring(ARGV[1] + 1)', '0', `0x.${'0'.repeat(LONG)}1p${4 * LONG + 4}`], '2')
  await c.expect(['EVAL', 'return cjson.decode(ARGV[1])[2]', '0', `[0.${'0'.repeat(LONG)}1,7]`], 7)
})

conversation('line breaks in errors of scripts are replaced once', async c => {
  const breaks = '\n'.repeat(LONG)
  const error = await c.do(['EVAL', "return redis.error_reply('E x'..ARGV[1]..'x')", '0', breaks])
  assert.equal((error as Error).message, `E x${' '.repeat(LONG)}x`)
  await c.expectError(['EVAL', "return redis.error_reply('E x'..ARGV[1])", '0', breaks], 'E x')
  await c.expect(['EVAL', "return redis.pcall('nosuch', ARGV[1]) ~= nil", '0', breaks], 1)
})

conversation('a client waits for many keys', async c => {
  const other = await c.another()
  const waits = await c.start(['BLPOP', ...NAMES, ...NAMES, '0'])
  await other.do('RPUSH name:77777 v')
  await c.expectReply(waits, ['name:77777', 'v'])
  const again = await c.start(['BLPOP', ...NAMES, '0.01'])
  await c.expectReply(again, null)
})

conversation(
  'a client watches many keys',
  async c => {
    await c.expect(['WATCH', ...NAMES, ...NAMES], 'OK')
    await c.do('SET name:99999 v')
    await c.do('MULTI')
    await c.expect('EXEC', null)
  },
  { oursOnly: 'redis-server compares each with all others' },
)

conversation(
  'a client tracks many prefixes',
  async c => {
    const prefixes = NAMES.flatMap(name => ['PREFIX', `${name};`])
    c.expect(['CLIENT', 'TRACKING', 'ON', 'BCAST', ...prefixes], 'OK')
    await c.expectError(
      ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'other', 'PREFIX', 'name:99'],
      "ERR Prefix 'name:99' overlaps with an existing prefix 'name:99000;'. Prefixes for a single client must not overlap.",
    )
    await c.expect('CLIENT TRACKING OFF', 'OK')
  },
  { oursOnly: 'redis-server compares each with all others' },
)

const overlap = (one: string, kind: string, other: string) =>
  `ERR Prefix '${one}' overlaps with ${kind} prefix '${other}'. Prefixes for a single client must not overlap.`
const track = (...prefixes: string[]) => [
  'CLIENT',
  'TRACKING',
  'ON',
  'BCAST',
  ...prefixes.flatMap(prefix => ['PREFIX', prefix]),
]

conversation(
  'prefixes that overlap with each other are told by the first of them',
  async c => {
    await c.expectError(track('x', 'ab', 'c', 'abc', 'a'), overlap('ab', 'another provided', 'abc'))
    await c.expectError(track('x', 'c', 'c'), overlap('c', 'another provided', 'c'))
    await c.expectError(track('x', 'a', ''), overlap('x', 'another provided', ''))
  },
  { oursOnly: 'redis-server 7.2.4 answers twice unless the first prefix is the one' },
)

conversation('prefixes that overlap with earlier ones are told', async c => {
  await c.expect(track('foo', 'bar'), 'OK')
  await c.expectError(track('q', 'foo'), overlap('foo', 'an existing', 'foo'))
  await c.expectError(track('q', 'ba', 'foo'), overlap('ba', 'an existing', 'bar'))
  await c.expect('CLIENT TRACKING OFF', 'OK')
})
