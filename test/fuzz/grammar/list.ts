import type { Gen } from '../gen.ts'
import type { Grammar } from './grammar.ts'

const side = (g: Gen) => (g.chance(0.03) ? 'up' : g.pick('LEFT', 'RIGHT', 'left'))
const element = (g: Gen) => (g.chance(0.6) ? g.member() : g.value())
const soon = (g: Gen) => g.pick('0.001', '0.01', '-1', 'x', '1e100')

export const list: Grammar = [
  { name: 'LPUSH', weight: 4, args: g => [g.key('l'), g.some(1, 6, () => element(g))] },
  { name: 'RPUSH', weight: 4, args: g => [g.key('l'), g.some(1, 6, () => element(g))] },
  { name: 'LPUSHX', args: g => [g.key('l'), g.some(1, 2, () => element(g))] },
  { name: 'RPUSHX', args: g => [g.key('l'), g.some(1, 2, () => element(g))] },
  { name: 'LPOP', weight: 2, args: g => [g.key('l'), g.maybe(g.count())] },
  { name: 'RPOP', weight: 2, args: g => [g.key('l'), g.maybe(g.count())] },
  { name: 'LLEN', args: g => g.key('l') },
  { name: 'LINDEX', weight: 2, args: g => [g.key('l'), g.index()] },
  // Before 7.2 all 64 bits of the index counted.
  { name: 'LSET', since: '7.2', weight: 2, args: g => [g.key('l'), g.index(), element(g)] },
  { name: 'LRANGE', weight: 3, args: g => [g.key('l'), g.index(), g.index()] },
  { name: 'LTRIM', args: g => [g.key('l'), g.around(-3, 3), g.index()] },
  { name: 'LREM', weight: 2, args: g => [g.key('l'), g.around(-3, 3), element(g)] },
  {
    name: 'LINSERT',
    weight: 2,
    args: g => [g.key('l'), g.pick('BEFORE', 'AFTER', 'before', 'AT'), element(g), element(g)],
  },
  {
    name: 'LPOS',
    since: '7.2',
    weight: 2,
    args: g => [
      g.key('l'),
      element(g),
      g.shuffled(
        g.maybe(['RANK', g.around(-15, 15)]),
        g.maybe(['COUNT', g.count()]),
        g.maybe(['MAXLEN', g.count()], 0.2),
      ),
    ],
  },
  { name: 'LMOVE', weight: 2, args: g => [g.key('l'), g.key('l'), side(g), side(g)] },
  { name: 'RPOPLPUSH', args: g => [g.key('l'), g.key('l')] },
  {
    name: 'LMPOP',
    args: g => [g.around(0, 3), g.some(1, 3, () => g.key('l')), side(g), g.maybe(['COUNT', g.count()])],
  },
  { name: 'BLPOP', weight: 0.1, delicate: true, args: g => [g.some(1, 2, () => g.key('l')), soon(g)] },
  { name: 'BRPOP', weight: 0.1, delicate: true, args: g => [g.some(1, 2, () => g.key('l')), soon(g)] },
  { name: 'BLMOVE', weight: 0.1, delicate: true, args: g => [g.key('l'), g.key('l'), side(g), side(g), soon(g)] },
  { name: 'BRPOPLPUSH', weight: 0.1, delicate: true, args: g => [g.key('l'), g.key('l'), soon(g)] },
  { name: 'BLMPOP', weight: 0.1, delicate: true, args: g => [soon(g), '1', g.key('l'), side(g)] },
]
