import type { Gen } from '../gen.ts'
import type { Grammar } from './grammar.ts'

const expiry = (g: Gen) =>
  g.pick(['EX', g.ttlSeconds()], ['PX', g.ttlMs()], ['EXAT', g.unixSeconds()], ['PXAT', g.unixMs()])

export const string: Grammar = [
  {
    name: 'SET',
    weight: 6,
    delicate: true,
    args: g => [
      g.key('s'),
      g.value(),
      g.shuffled(
        g.maybe(g.pick('NX', 'XX', 'nx'), 0.2),
        g.maybe('GET', 0.2),
        g.maybe(g.pick(expiry(g), 'KEEPTTL'), 0.3),
      ),
    ],
  },
  { name: 'GET', weight: 3, args: g => g.key('s') },
  { name: 'GETEX', delicate: true, args: g => [g.key('s'), g.maybe(g.pick(expiry(g), 'PERSIST'), 0.7)] },
  { name: 'GETDEL', args: g => g.key('s') },
  { name: 'GETSET', args: g => [g.key('s'), g.value()] },
  { name: 'SETNX', args: g => [g.key('s'), g.value()] },
  { name: 'SETEX', delicate: true, args: g => [g.key('s'), g.ttlSeconds(), g.value()] },
  { name: 'PSETEX', delicate: true, args: g => [g.key('s'), g.ttlMs(), g.value()] },
  { name: 'MGET', args: g => g.some(1, 5, () => g.key('s')) },
  { name: 'MSET', args: g => g.some(1, 4, () => [g.key('s'), g.value()]) },
  { name: 'MSETNX', args: g => g.some(1, 3, () => [g.key('s'), g.value()]) },
  { name: 'APPEND', weight: 2, args: g => [g.key('s'), g.value()] },
  { name: 'STRLEN', args: g => g.key('s') },
  { name: 'GETRANGE', weight: 2, args: g => [g.key('s'), g.index(), g.index()] },
  { name: 'SUBSTR', args: g => [g.key('s'), g.index(), g.index()] },
  { name: 'SETRANGE', weight: 2, args: g => [g.key('s'), g.chance(0.1) ? g.index() : g.number(0, 300), g.value()] },
  { name: 'INCR', weight: 2, args: g => g.key('s') },
  { name: 'DECR', args: g => g.key('s') },
  { name: 'INCRBY', weight: 2, args: g => [g.key('s'), g.integer()] },
  { name: 'DECRBY', args: g => [g.key('s'), g.integer()] },
  { name: 'INCRBYFLOAT', weight: 2, args: g => [g.key('s'), g.float()] },
  {
    name: 'LCS',
    args: g => [
      g.key('s'),
      g.key('s'),
      g.maybe(g.shuffled(g.maybe('LEN'), g.maybe('IDX'), g.maybe(['MINMATCHLEN', g.count()]), g.maybe('WITHMATCHLEN'))),
    ],
  },
]
