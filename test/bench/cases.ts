// What the benchmark measures beside redis-benchmark's own tests: commands and data that it has no test for.
// To add one, add a literal.

import type { Word } from '../harness/resp.ts'

export interface BenchCase {
  name: string
  /** Sent once before, on empty databases. */
  setup?: () => Iterable<Word[]>
  /** The i-th command. */
  command: (i: number) => Word[]
  /** Divides the number of commands sent: for commands that do much work each. */
  slow?: number
}

const KEY_COUNT = 1000
const VALUE = 'v'.repeat(32)
const key = (prefix: string, i: number) => `${prefix}:${(i * 7919) % KEY_COUNT}`

function* keys(make: (i: number) => Word[]): Iterable<Word[]> {
  for (let i = 0; i < KEY_COUNT; i++) yield make(i)
}

/** Name and value `count` times: fields with values, members with scores. */
function filled(count: number, entry: (i: number) => Word[]): Word[] {
  return Array.from({ length: count }, (_, i) => entry(i)).flat()
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
]
