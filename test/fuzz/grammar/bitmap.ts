import type { Gen } from '../gen.ts'
import type { Grammar } from './grammar.ts'

const fieldType = (g: Gen) =>
  g.chance(0.05) ? g.pick('u64', 'i65', 'x8', 'u0', 'i') : g.pick('u', 'i') + g.pick(1, 4, 5, 8, 13, 16, 31, 32, 33, 63)
const fieldOffset = (g: Gen) => (g.chance(0.3) ? '#' : '') + g.bitOffset()
const unit = (g: Gen) => g.maybe(g.pick('BIT', 'BYTE', 'bits'))

export const bitmap: Grammar = [
  { name: 'SETBIT', weight: 5, args: g => [g.key('b'), g.bitOffset(), g.bit()] },
  { name: 'GETBIT', weight: 2, args: g => [g.key('b'), g.bitOffset()] },
  { name: 'BITCOUNT', weight: 2, args: g => [g.key('b'), g.maybe([g.index(), g.index(), unit(g)], 0.7)] },
  {
    name: 'BITPOS',
    weight: 2,
    args: g => [g.key('b'), g.bit(), g.maybe([g.index(), g.maybe([g.index(), unit(g)])], 0.7)],
  },
  {
    name: 'BITOP',
    weight: 2,
    args: g => [g.pick('AND', 'OR', 'xor', 'NOT', 'NOR'), g.key('b'), g.some(1, 3, () => g.key('b'))],
  },
  {
    name: 'BITFIELD',
    weight: 3,
    args: g => [
      g.key('b'),
      g.some(1, 4, () =>
        g.pick(
          ['GET', fieldType(g), fieldOffset(g)],
          ['SET', fieldType(g), fieldOffset(g), g.integer()],
          ['INCRBY', fieldType(g), fieldOffset(g), g.integer()],
          ['OVERFLOW', g.pick('WRAP', 'sat', 'FAIL', 'x')],
        ),
      ),
    ],
  },
  { name: 'BITFIELD_RO', args: g => [g.key('b'), g.some(1, 3, () => ['GET', fieldType(g), fieldOffset(g)])] },
]
