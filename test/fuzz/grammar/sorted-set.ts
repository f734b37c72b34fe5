import type { Gen } from '../gen.ts'
import type { Grammar } from './grammar.ts'

const limit = (g: Gen) => g.maybe(['LIMIT', g.index(), g.index()], 0.3)
const scores = (g: Gen) => g.maybe(g.pick('WITHSCORES', 'withscores'))
const zsets = (g: Gen) => g.some(1, 3, () => g.key(g.chance(0.1) ? 'e' : 'z'))
const aggregate = (g: Gen) => [
  g.maybe(['WEIGHTS', g.some(1, 3, () => g.score())], 0.3),
  g.maybe(['AGGREGATE', g.pick('SUM', 'MIN', 'max', 'AVG')], 0.3),
]

/** A ZRANGE by rank or score, without the key. */
const range = (g: Gen) =>
  g.pick([g.index(), g.index(), g.maybe('REV')], [g.scoreBound(), g.scoreBound(), 'BYSCORE', g.maybe('REV'), limit(g)])

/** numkeys and keys, sometimes a different number of them. */
const counted = (g: Gen) => {
  const keys = zsets(g) as string[]
  return [g.chance(0.03) ? g.integer() : keys.length, keys]
}

export const sortedSet: Grammar = [
  {
    name: 'ZADD',
    weight: 8,
    args: g => [
      g.key('z'),
      g.shuffled(
        g.maybe(g.pick('NX', 'XX'), 0.15),
        g.maybe(g.pick('GT', 'LT'), 0.15),
        g.maybe('CH', 0.2),
        g.maybe('INCR', 0.1),
      ),
      g.some(1, 4, () => [g.score(), g.member()]),
    ],
  },
  { name: 'ZINCRBY', weight: 2, args: g => [g.key('z'), g.score(), g.member()] },
  { name: 'ZREM', weight: 3, args: g => [g.key('z'), g.some(1, 3, () => g.member())] },
  { name: 'ZCARD', args: g => g.key('z') },
  { name: 'ZSCORE', args: g => [g.key('z'), g.member()] },
  { name: 'ZMSCORE', args: g => [g.key('z'), g.some(1, 3, () => g.member())] },
  { name: 'ZRANK', delicate: true, args: g => [g.key('z'), g.member()] },
  { name: 'ZREVRANK', delicate: true, args: g => [g.key('z'), g.member()] },
  { name: 'ZREVRANK', since: '7.2', args: g => [g.key('z'), g.member(), g.pick('WITHSCORE', 'x')] },
  { name: 'ZRANK', since: '7.2', args: g => [g.key('z'), g.member(), g.pick('WITHSCORE', 'x')] },
  { name: 'ZCOUNT', args: g => [g.key('z'), g.scoreBound(), g.scoreBound()] },
  { name: 'ZLEXCOUNT', args: g => [g.lexKey(), g.lexBound(), g.lexBound()] },
  { name: 'ZRANGE', weight: 4, args: g => [g.key('z'), range(g), scores(g)] },
  { name: 'ZRANGESTORE', weight: 2, args: g => [g.key('z'), g.key('z'), range(g)] },
  { name: 'ZREVRANGE', args: g => [g.key('z'), g.index(), g.index(), scores(g)] },
  {
    name: 'ZRANGEBYSCORE',
    weight: 2,
    args: g => [g.key('z'), g.scoreBound(), g.scoreBound(), g.shuffled(scores(g), limit(g))],
  },
  {
    name: 'ZREVRANGEBYSCORE',
    args: g => [g.key('z'), g.scoreBound(), g.scoreBound(), g.shuffled(scores(g), limit(g))],
  },
  { name: 'ZRANGEBYLEX', args: g => [g.lexKey(), g.lexBound(), g.lexBound(), limit(g)] },
  { name: 'ZREVRANGEBYLEX', args: g => [g.lexKey(), g.lexBound(), g.lexBound(), limit(g)] },
  { name: 'ZADD', weight: 3, delicate: true, args: g => [g.lexKey(), g.some(1, 4, () => ['0', g.member()])] },
  {
    name: 'ZRANGE',
    weight: 2,
    args: g => [g.lexKey(), g.lexBound(), g.lexBound(), 'BYLEX', g.maybe('REV'), limit(g)],
  },
  { name: 'ZRANGESTORE', args: g => [g.key('z'), g.lexKey(), g.lexBound(), g.lexBound(), 'BYLEX', limit(g)] },
  { name: 'ZREM', args: g => [g.lexKey(), g.some(1, 3, () => g.member())] },
  { name: 'ZREMRANGEBYRANK', args: g => [g.key('z'), g.index(), g.around(-15, 3)] },
  { name: 'ZREMRANGEBYSCORE', args: g => [g.key('z'), g.scoreBound(), g.scoreBound()] },
  { name: 'ZREMRANGEBYLEX', args: g => [g.lexKey(), g.lexBound(), g.lexBound()] },
  { name: 'ZPOPMIN', args: g => [g.key('z'), g.maybe(g.count())] },
  { name: 'ZPOPMAX', args: g => [g.key('z'), g.maybe(g.count())] },
  { name: 'ZMPOP', args: g => [counted(g), g.pick('MIN', 'MAX', 'mid'), g.maybe(['COUNT', g.count()])] },
  { name: 'ZUNION', args: g => [counted(g), aggregate(g), scores(g)] },
  { name: 'ZINTER', args: g => [counted(g), aggregate(g), scores(g)] },
  { name: 'ZDIFF', args: g => [counted(g), scores(g)] },
  { name: 'ZUNIONSTORE', args: g => [g.key('z'), counted(g), aggregate(g)] },
  { name: 'ZINTERSTORE', args: g => [g.key('z'), counted(g), aggregate(g)] },
  { name: 'ZDIFFSTORE', args: g => [g.key('z'), counted(g)] },
  { name: 'ZINTERCARD', args: g => [counted(g), g.maybe(['LIMIT', g.count()])] },
  { name: 'ZRANDMEMBER', reply: 'shape', args: g => [g.key('z'), g.maybe([g.number(1, 30), scores(g)])] },
  {
    name: 'ZSCAN',
    delicate: true,
    reply: 'scanPairs',
    args: g => [g.key('z'), '0', 'COUNT', '10000', g.maybe(['MATCH', g.pattern()])],
  },
  { name: 'BZPOPMIN', weight: 0.1, delicate: true, args: g => [g.key('z'), g.pick('0.001', '-1', 'x')] },
  { name: 'BZPOPMAX', weight: 0.1, delicate: true, args: g => [g.key('z'), g.pick('0.001', '-1', 'x')] },
  { name: 'BZMPOP', weight: 0.1, delicate: true, args: g => ['0.001', '1', g.key('z'), g.pick('MIN', 'MAX')] },
]
