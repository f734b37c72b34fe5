import type { Grammar } from './grammar.ts'

const dropKey = (words: readonly string[]) => [['DEL', words[1] ?? '']]

export const set: Grammar = [
  { name: 'SADD', weight: 6, args: g => [g.key('e'), g.some(1, 6, () => g.member())] },
  { name: 'SREM', weight: 3, args: g => [g.key('e'), g.some(1, 4, () => g.member())] },
  { name: 'SISMEMBER', args: g => [g.key('e'), g.member()] },
  { name: 'SMISMEMBER', args: g => [g.key('e'), g.some(1, 4, () => g.member())] },
  { name: 'SCARD', args: g => g.key('e') },
  { name: 'SMEMBERS', reply: 'unordered', args: g => g.key('e') },
  { name: 'SMOVE', weight: 2, args: g => [g.key('e'), g.key('e'), g.member()] },
  { name: 'SPOP', reply: 'shape', weight: 0.3, args: g => [g.key('e'), g.maybe(g.count())], followUp: dropKey },
  { name: 'SRANDMEMBER', reply: 'shape', args: g => [g.key('e'), g.maybe(g.number(1, 30))] },
  { name: 'SINTER', reply: 'unordered', args: g => g.some(1, 3, () => g.key('e')) },
  { name: 'SUNION', reply: 'unordered', args: g => g.some(1, 3, () => g.key('e')) },
  { name: 'SDIFF', reply: 'unordered', args: g => g.some(1, 3, () => g.key('e')) },
  { name: 'SINTERSTORE', args: g => [g.key('e'), g.some(1, 3, () => g.key('e'))] },
  { name: 'SUNIONSTORE', args: g => [g.key('e'), g.some(1, 3, () => g.key('e'))] },
  { name: 'SDIFFSTORE', args: g => [g.key('e'), g.some(1, 3, () => g.key('e'))] },
  { name: 'SINTERCARD', args: g => [g.around(0, 3), g.some(1, 3, () => g.key('e')), g.maybe(['LIMIT', g.count()])] },
  {
    name: 'SSCAN',
    delicate: true,
    reply: 'scan',
    args: g => [g.key('e'), '0', 'COUNT', '10000', g.maybe(['MATCH', g.pattern()])],
  },
]
