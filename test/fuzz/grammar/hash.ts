import type { Grammar } from './grammar.ts'

export const hash: Grammar = [
  { name: 'HSET', weight: 6, args: g => [g.key('h'), g.some(1, 4, () => [g.field(), g.value()])] },
  { name: 'HMSET', args: g => [g.key('h'), g.some(1, 4, () => [g.field(), g.value()])] },
  { name: 'HSETNX', args: g => [g.key('h'), g.field(), g.value()] },
  { name: 'HGET', weight: 2, args: g => [g.key('h'), g.field()] },
  { name: 'HMGET', args: g => [g.key('h'), g.some(1, 4, () => g.field())] },
  { name: 'HGETALL', reply: 'pairs', args: g => g.key('h') },
  { name: 'HKEYS', reply: 'unordered', args: g => g.key('h') },
  { name: 'HVALS', reply: 'unordered', args: g => g.key('h') },
  { name: 'HDEL', weight: 3, args: g => [g.key('h'), g.some(1, 3, () => g.field())] },
  { name: 'HLEN', args: g => g.key('h') },
  { name: 'HEXISTS', args: g => [g.key('h'), g.field()] },
  { name: 'HSTRLEN', args: g => [g.key('h'), g.field()] },
  { name: 'HINCRBY', weight: 2, args: g => [g.key('h'), g.field(), g.integer()] },
  { name: 'HINCRBYFLOAT', weight: 2, args: g => [g.key('h'), g.field(), g.float()] },
  { name: 'HRANDFIELD', reply: 'shape', args: g => [g.key('h'), g.maybe([g.number(1, 30), g.maybe('WITHVALUES')])] },
  {
    name: 'HSCAN',
    delicate: true,
    reply: 'scanPairs',
    args: g => [g.key('h'), '0', 'COUNT', '10000', g.maybe(['MATCH', g.pattern()])],
  },
]
