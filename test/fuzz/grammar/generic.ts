import type { Grammar } from './grammar.ts'

const EXPIRE_CONDITIONS = ['NX', 'XX', 'GT', 'LT'] as const

export const generic: Grammar = [
  { name: 'DEL', weight: 8, args: g => g.some(1, 3, () => g.key()) },
  { name: 'UNLINK', weight: 2, args: g => g.some(1, 3, () => g.key()) },
  { name: 'EXISTS', args: g => g.some(1, 4, () => g.key()) },
  { name: 'TOUCH', args: g => g.some(1, 3, () => g.key()) },
  { name: 'TYPE', weight: 2, args: g => g.key() },
  { name: 'KEYS', reply: 'unordered', args: g => g.pattern() },
  { name: 'DBSIZE', args: () => [] },
  { name: 'RANDOMKEY', reply: 'shape', args: () => [] },
  { name: 'RENAME', args: g => [g.key(), g.key()] },
  { name: 'RENAMENX', args: g => [g.key(), g.key()] },
  { name: 'COPY', weight: 2, args: g => [g.key(), g.key(), g.maybe(['DB', g.around(0, 2)], 0.1), g.maybe('REPLACE')] },
  { name: 'MOVE', args: g => [g.key(), g.pick('1', '2', '0', '16', '-1', 'x')] },
  { name: 'SELECT', delicate: true, weight: 0.3, args: g => g.pick('0', '0', '0', '1', '16', '-1', 'x') },
  { name: 'SWAPDB', delicate: true, weight: 0.1, args: g => [g.pick('0', '1', '99'), g.pick('1', '2', 'x')] },
  { name: 'FLUSHDB', delicate: true, weight: 0.02, args: g => g.maybe(g.pick('ASYNC', 'SYNC', 'x')) },
  { name: 'EXPIRE', delicate: true, args: g => [g.key(), g.ttlSeconds(), g.maybe(g.pick(...EXPIRE_CONDITIONS), 0.3)] },
  { name: 'PEXPIRE', delicate: true, args: g => [g.key(), g.ttlMs(), g.maybe(g.pick(...EXPIRE_CONDITIONS), 0.3)] },
  {
    name: 'EXPIREAT',
    delicate: true,
    args: g => [g.key(), g.chance(0.1) ? g.unixPast() : g.unixSeconds(), g.maybe(g.pick(...EXPIRE_CONDITIONS), 0.3)],
  },
  {
    name: 'PEXPIREAT',
    delicate: true,
    args: g => [
      g.key(),
      g.chance(0.1) ? g.unixPast() : g.unixMs(),
      g.maybe(
        g.some(1, 2, () => g.pick(...EXPIRE_CONDITIONS)),
        0.3,
      ),
    ],
  },
  { name: 'TTL', reply: 'near', args: g => g.key() },
  { name: 'PTTL', reply: 'near', args: g => g.key() },
  { name: 'EXPIRETIME', reply: 'near', args: g => g.key() },
  { name: 'PEXPIRETIME', reply: 'near', args: g => g.key() },
  { name: 'PERSIST', args: g => g.key() },
  { name: 'OBJECT ENCODING', since: '7.2', weight: 3, args: g => g.key() },
  { name: 'OBJECT REFCOUNT', reply: 'shape', args: g => g.key() },
  {
    name: 'SCAN',
    delicate: true,
    reply: 'scan',
    args: g => [
      '0',
      'COUNT',
      '10000',
      g.shuffled(
        g.maybe(['MATCH', g.pattern()]),
        g.maybe(['TYPE', g.pick('string', 'list', 'hash', 'set', 'zset', 'STREAM', 'none')]),
      ),
    ],
  },
  // Elements with equal BY values are unordered with ALPHA, and sets always are.
  {
    name: 'SORT',
    weight: 2,
    args: g => [
      g.pick(g.key('l'), g.key('z')),
      g.shuffled(
        g.pick(['BY', g.pick('s*', 'h*->f1', 'none*')], 'ALPHA', 'ALPHA', []),
        g.maybe(['LIMIT', g.index(), g.index()], 0.3),
        g.maybe(['GET', g.pick('#', 's*', 'h*->f1')], 0.3),
        g.maybe(g.pick('ASC', 'DESC'), 0.4),
        g.maybe(['STORE', g.key('l')], 0.1),
      ),
    ],
  },
  { name: 'SORT', reply: 'unordered', delicate: true, args: g => [g.pick(g.key('l'), g.key('e')), 'BY', 'nosort'] },
  { name: 'SORT_RO', args: g => [g.key('l'), g.maybe('ALPHA', 0.7), g.maybe('DESC')] },
]
