// The cases that redis-benchmark has no test for. To add one, add a literal.

import { createHash } from 'node:crypto'
import type { Word } from '../harness/resp.ts'
import { addJobScript, jobArguments, rateLimitScript } from './scripts.ts'

export interface BenchCase {
  name: string
  /** Sent before the measurement, on empty databases; neighbouring cases with the same function share its data. */
  setup?: () => Iterable<Word[]>
  /** The i-th command. */
  command: (i: number) => Word[]
  /** Divides the number of commands, for slow ones. */
  slow?: number
  /** Number of subscribers of the channel 'news' during the case. */
  listeners?: number
}

const KEY_COUNT = 1000
const MILLION = 1_000_000
const LONG = 100_000
const CHUNK = 1000
const BITS = 80_000_000
const VALUE = 'v'.repeat(32)
const key = (prefix: string, i: number) => `${prefix}:${(i * 7919) % KEY_COUNT}`

function* keys(make: (i: number) => Word[]): Iterable<Word[]> {
  for (let i = 0; i < KEY_COUNT; i++) yield make(i)
}

/** Name and value `count` times: fields with values, members with scores. */
function filled(count: number, entry: (i: number) => Word[]): Word[] {
  return Array.from({ length: count }, (_, i) => entry(i)).flat()
}

/** One collection of `count` entries, built with commands of a thousand each. */
function* made(head: Word[], count: number, entry: (i: number) => Word[]): Iterable<Word[]> {
  for (let from = 0; from < count; from += CHUNK) yield [...head, ...filled(CHUNK, n => entry(from + n))]
}

/** Pseudo-random in 0..range without early repetition, the same in every run. */
const spread = (i: number, range: number) => (i * 7_368_787 + 12_345) % range

const millionScores = () => made(['ZADD', 'z'], MILLION, i => [spread(i, MILLION), `member:${i}`])
const millionMembers = () => made(['SADD', 's'], MILLION, i => [`member:${i}`])
const millionFields = () => made(['HSET', 'h'], MILLION, i => [`field:${i}`, VALUE])
const millionKeys = () => made(['MSET'], MILLION, i => [`key:${i}`, VALUE])
const millionPlaces = () => made(['GEOADD', 'g'], MILLION, i => [...place(i), `place:${i}`])
const longList = () => made(['RPUSH', 'l'], LONG, i => [`element:${i}`])
const longNumbers = () => made(['RPUSH', 'l'], LONG, i => [spread(i, MILLION)])
const longStream = () => Array.from({ length: 10_000 }, (_, i) => ['XADD', 'x', `${i + 1}-0`, 'field', VALUE])
const tenMegabytes = (): Word[][] => [
  ['SET', 'b', 'bits'.repeat(2_500_000)],
  ['SETBIT', 'b', BITS - 1, 1],
]

function place(i: number): Word[] {
  return [(spread(i, 3_600_000) / 10_000 - 180).toFixed(4), (spread(i * 31, 1_600_000) / 10_000 - 80).toFixed(4)]
}

function* twoLongSets(): Iterable<Word[]> {
  yield* made(['SADD', 's1'], LONG, i => [`member:${i}`])
  yield* made(['SADD', 's2'], LONG, i => [`member:${i + LONG - LONG / 10}`])
}

function* streamWithGroup(): Iterable<Word[]> {
  yield* longStream()
  yield ['XGROUP', 'CREATE', 'x', 'group', '$']
}

/** In turn: reset the group to an entry, read the next ten, acknowledge them. */
function readAndAcknowledge(i: number): Word[] {
  const first = (Math.floor(i / 3) * 10) % 9000
  if (i % 3 === 0) return ['XGROUP', 'SETID', 'x', 'group', `${first}-0`]
  if (i % 3 === 1) return ['XREADGROUP', 'GROUP', 'group', 'me', 'COUNT', 10, 'STREAMS', 'x', '>']
  return ['XACK', 'x', 'group', ...filled(10, n => [`${first + n + 1}-0`])]
}

/** EVALSHA of a script that the setup has loaded. */
function scriptCase(name: string, script: string, rest: (i: number) => Word[], slow?: number): BenchCase {
  const digest = createHash('sha1').update(script).digest('hex')
  return {
    name,
    setup: () => [
      ['SCRIPT', 'LOAD', script],
      ['SET', 's:1', VALUE],
    ],
    command: i => ['EVALSHA', digest, ...rest(i)],
    slow,
  }
}

export const cases: readonly BenchCase[] = [
  { name: 'set', command: i => ['SET', key('s', i), VALUE] },
  { name: 'get', setup: () => keys(i => ['SET', `s:${i}`, VALUE]), command: i => ['GET', key('s', i)] },
  { name: 'incr', command: i => ['INCR', key('n', i)] },
  {
    name: 'mget_10',
    setup: () => keys(i => ['SET', `s:${i}`, VALUE]),
    command: i => ['MGET', ...filled(10, n => [key('s', i + n)])],
    slow: 3,
  },
  { name: 'expire', setup: () => keys(i => ['SET', `s:${i}`, VALUE]), command: i => ['EXPIRE', key('s', i), 1000] },
  {
    name: 'hget',
    setup: () => keys(i => ['HSET', `h:${i}`, ...filled(10, n => [`f${n}`, VALUE])]),
    command: i => ['HGET', key('h', i), `f${i % 10}`],
  },
  {
    name: 'hgetall_10',
    setup: () => keys(i => ['HSET', `h:${i}`, ...filled(10, n => [`f${n}`, VALUE])]),
    command: i => ['HGETALL', key('h', i)],
    slow: 3,
  },
  {
    name: 'hget_1000',
    setup: () => [['HSET', 'big', ...filled(1000, n => [`f${n}`, VALUE])]],
    command: i => ['HGET', 'big', `f${(i * 7919) % 1000}`],
  },
  {
    name: 'sismember_1000',
    setup: () => [['SADD', 'big', ...filled(1000, n => [`m${n}`])]],
    command: i => ['SISMEMBER', 'big', `m${(i * 7919) % 2000}`],
  },
  {
    name: 'zrange_10',
    setup: () => keys(i => ['ZADD', `z:${i}`, ...filled(20, n => [n, `m${n}`])]),
    command: i => ['ZRANGE', key('z', i), 0, 9, 'WITHSCORES'],
    slow: 3,
  },
  {
    name: 'zrank_10000',
    setup: () => [['ZADD', 'big', ...filled(10_000, n => [n, `m${n}`])]],
    command: i => ['ZRANK', 'big', `m${(i * 7919) % 10_000}`],
  },
  {
    name: 'zadd_10000',
    command: i => ['ZADD', 'big', (i * 31) % 5000, `m${(i * 7919) % 10_000}`],
  },
  {
    name: 'lindex_1000',
    setup: () => [['RPUSH', 'big', ...filled(1000, () => [VALUE])]],
    command: i => ['LINDEX', 'big', (i * 7919) % 1000],
  },
  { name: 'xadd', command: i => ['XADD', key('x', i), '*', 'field', VALUE] },
  {
    name: 'eval_get',
    setup: () => [['SET', 's:1', VALUE]],
    command: () => ['EVAL', "return redis.call('get', KEYS[1])", 1, 's:1'],
  },
  { name: 'publish_1', listeners: 1, command: () => ['PUBLISH', 'news', VALUE] },
  { name: 'publish_100', listeners: 100, command: () => ['PUBLISH', 'news', VALUE], slow: 50 },
  { name: 'publish_10k', listeners: 10_000, command: () => ['PUBLISH', 'news', VALUE], slow: 1000 },
  { name: 'subscribe', command: i => [i % 2 === 0 ? 'SUBSCRIBE' : 'UNSUBSCRIBE', `channel:${i >> 1}`], slow: 2 },
  scriptCase('evalsha_1', 'return 1', () => [0]),
  scriptCase('evalsha_get', "return redis.call('GET', KEYS[1])", () => [1, 's:1']),
  scriptCase('evalsha_rate_limit', rateLimitScript, i => [1, key('limit', i), 1_700_000_000_000 + i, 1000, 100], 4),
  scriptCase('evalsha_add_job', addJobScript, jobArguments, 8),
  scriptCase('evalsha_incr_10k', "for i = 1, 10000 do redis.call('INCR', KEYS[1]) end", () => [1, 'n'], 4000),
  scriptCase('evalsha_sum_1m', 'local n = 0 for i = 1, 1000000 do n = n + i % 7 end return n', () => [0], 8000),
  {
    name: 'hgetall_100',
    setup: () => keys(i => ['HSET', `h:${i}`, ...filled(100, n => [`f${n}`, VALUE])]),
    command: i => ['HGETALL', key('h', i)],
    slow: 20,
  },
  {
    name: 'zrange_1m',
    setup: millionScores,
    command: i => ['ZRANGE', 'z', spread(i, MILLION - 10), spread(i, MILLION - 10) + 9],
    slow: 4,
  },
  { name: 'zrank_1m', setup: millionScores, command: i => ['ZRANK', 'z', `member:${spread(i, MILLION)}`], slow: 2 },
  {
    name: 'zadd_1m',
    setup: millionScores,
    command: i => ['ZADD', 'z', spread(i * 17, MILLION), `member:${spread(i, MILLION)}`],
    slow: 2,
  },
  { name: 'zscan_1m', setup: millionScores, command: i => ['ZSCAN', 'z', spread(i, MILLION)], slow: 4 },
  { name: 'hscan_1m', setup: millionFields, command: i => ['HSCAN', 'h', spread(i, MILLION)], slow: 4 },
  { name: 'scan_1m', setup: millionKeys, command: i => ['SCAN', spread(i, MILLION)], slow: 4 },
  { name: 'sismember_1m', setup: millionMembers, command: i => ['SISMEMBER', 's', `member:${spread(i, 2 * MILLION)}`] },
  { name: 'sinter_100k', setup: twoLongSets, command: () => ['SINTER', 's1', 's2'], slow: 8000 },
  { name: 'lindex_100k', setup: longList, command: i => ['LINDEX', 'l', spread(i, LONG)], slow: 4 },
  {
    name: 'linsert_100k',
    setup: longList,
    command: i => ['LINSERT', 'l', 'BEFORE', `element:${spread(i, LONG)}`, VALUE],
    slow: 800,
  },
  { name: 'sort_100k', setup: longNumbers, command: () => ['SORT', 'l', 'LIMIT', 0, 10], slow: 10_000 },
  {
    name: 'xrange_100',
    setup: longStream,
    command: i => ['XRANGE', 'x', spread(i, 9000), '+', 'COUNT', 100],
    slow: 40,
  },
  { name: 'xreadgroup_xack', setup: streamWithGroup, command: readAndAcknowledge, slow: 4 },
  { name: 'setbit_10mb', setup: tenMegabytes, command: i => ['SETBIT', 'b', spread(i, BITS), i & 1] },
  { name: 'bitcount_10mb', setup: tenMegabytes, command: () => ['BITCOUNT', 'b'], slow: 4000 },
  { name: 'pfadd', command: i => ['PFADD', key('p', i), `element:${i}`] },
  {
    name: 'geosearch_1m',
    setup: millionPlaces,
    command: i => ['GEOSEARCH', 'g', 'FROMLONLAT', ...place(i * 7), 'BYRADIUS', 50, 'km', 'COUNT', 10, 'ASC'],
    slow: 20,
  },
]
