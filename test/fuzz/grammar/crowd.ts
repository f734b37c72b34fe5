import type { Gen } from '../gen.ts'
import { idOf } from '../step.ts'
import type { Grammar } from './grammar.ts'
import { trackingOptions } from './tracking.ts'

export const CROWD_SIZE = 5

const client = (g: Gen) => idOf(g.number(0, CROWD_SIZE - 1))
const side = (g: Gen) => g.pick('LEFT', 'RIGHT')
const channel = (g: Gen) => g.pick('c1', 'c2', 'c3')
const limit = (g: Gen) =>
  g.pick(
    ['hash-max-listpack-entries', g.pick('0', '3', '8')],
    ['hash-max-listpack-value', g.pick('0', '10', '64')],
    ['list-max-listpack-size', g.pick('1', '3', '6', '-1', '-2')],
    ['set-max-intset-entries', g.pick('0', '5', '512')],
    ['set-max-listpack-entries', g.pick('0', '5', '128')],
    ['zset-max-listpack-entries', g.pick('0', '5', '128')],
    ['stream-node-max-entries', g.pick('1', '5', '100')],
  )

/** What several clients do to each other. Nothing here times out: what waits is served, unblocked or killed. */
export const crowd: Grammar = [
  { name: 'BLPOP', weight: 4, delicate: true, args: g => [g.some(1, 3, () => g.key('l')), '0'] },
  { name: 'BRPOP', weight: 2, delicate: true, args: g => [g.some(1, 2, () => g.key('l')), '0'] },
  { name: 'BLMOVE', weight: 3, delicate: true, args: g => [g.key('l'), g.key('l'), side(g), side(g), '0'] },
  { name: 'BRPOPLPUSH', delicate: true, args: g => [g.key('l'), g.key('l'), '0'] },
  { name: 'BLMPOP', delicate: true, args: g => ['0', '2', g.key('l'), g.key('l'), side(g), 'COUNT', '2'] },
  { name: 'BZPOPMIN', weight: 2, delicate: true, args: g => [g.some(1, 2, () => g.key('z')), '0'] },
  { name: 'BZPOPMAX', delicate: true, args: g => [g.key('z'), '0'] },
  { name: 'BZMPOP', delicate: true, args: g => ['0', '1', g.key('z'), g.pick('MIN', 'MAX')] },
  { name: 'XREAD', weight: 3, delicate: true, args: g => ['BLOCK', '0', 'STREAMS', g.key('x'), g.pick('$', '5-1')] },
  {
    name: 'XREADGROUP',
    weight: 3,
    delicate: true,
    args: g => ['GROUP', g.pick('g1', 'g2'), 'c1', 'BLOCK', '0', 'STREAMS', g.key('x'), '>'],
  },
  { name: 'WAIT', delicate: true, args: g => [g.pick('0', '1'), '0'] },
  { name: 'LPUSH', weight: 8, args: g => [g.key('l'), g.some(1, 3, () => g.member())] },
  { name: 'ZADD', weight: 4, args: g => [g.key('z'), g.number(1, 9), g.member()] },
  { name: 'XADD', weight: 4, args: g => [g.key('x'), `${g.number(1, 9)}-*`, 'f', g.member()] },
  { name: 'XGROUP CREATE', weight: 2, args: g => [g.key('x'), g.pick('g1', 'g2'), g.pick('$', '0'), 'MKSTREAM'] },
  { name: 'CLIENT REPLY', weight: 2, delicate: true, args: g => g.pick('OFF', 'SKIP', 'SKIP', 'ON', 'ON', 'x') },
  { name: 'CLIENT PAUSE', weight: 0.5, delicate: true, args: g => [g.number(1, 15), g.maybe(g.pick('WRITE', 'ALL'))] },
  { name: 'CLIENT UNPAUSE', delicate: true, args: () => [] },
  { name: 'CLIENT UNBLOCK', weight: 5, args: g => [client(g), g.maybe(g.pick('TIMEOUT', 'ERROR', 'x'))] },
  {
    name: 'CLIENT KILL',
    weight: 1,
    delicate: true,
    args: g => ['ID', client(g), g.maybe(['SKIPME', g.pick('yes', 'no')])],
  },
  { name: 'CLIENT ID', args: () => [] },
  { name: 'CLIENT NO-TOUCH', args: g => g.pick('ON', 'OFF', 'x') },
  { name: 'CLIENT TRACKING', delicate: true, weight: 2, args: g => ['ON', trackingOptions(g)] },
  { name: 'CLIENT TRACKING', delicate: true, args: () => 'OFF' },
  { name: 'CLIENT CACHING', args: g => g.pick('YES', 'NO') },
  { name: 'CLIENT TRACKINGINFO', args: () => [] },
  { name: 'RESET', weight: 0.7, delicate: true, args: () => [] },
  { name: 'HELLO', weight: 0.7, delicate: true, args: g => g.pick('2', '3', '3', '4', 'x') },
  { name: 'MONITOR', weight: 0.3, delicate: true, args: () => [] },
  { name: 'SUBSCRIBE', weight: 0.7, delicate: true, args: g => g.some(1, 2, () => channel(g)) },
  // One pattern: which of several comes first is up to a hash table.
  { name: 'PSUBSCRIBE', weight: 0.5, delicate: true, args: () => 'c*' },
  { name: 'SSUBSCRIBE', weight: 0.4, delicate: true, args: g => channel(g) },
  { name: 'UNSUBSCRIBE', delicate: true, args: g => channel(g) },
  { name: 'PUNSUBSCRIBE', delicate: true, args: () => 'c*' },
  { name: 'SUNSUBSCRIBE', weight: 0.5, delicate: true, args: g => channel(g) },
  { name: 'PUBLISH', weight: 3, args: g => [channel(g), g.member()] },
  { name: 'SPUBLISH', weight: 1, args: g => [channel(g), g.member()] },
  { name: 'PUBSUB NUMSUB', args: g => g.some(1, 2, () => channel(g)) },
  { name: 'PUBSUB NUMPAT', args: () => [] },
  { name: 'CONFIG SET', weight: 2, delicate: true, args: limit },
]
