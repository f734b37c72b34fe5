import type { Grammar } from './grammar.ts'

export const hyperloglog: Grammar = [
  { name: 'PFADD', weight: 5, args: g => [g.key('p'), g.some(0, 8, () => g.text(g.number(1, 3)))] },
  { name: 'PFCOUNT', weight: 2, args: g => g.some(1, 3, () => g.key('p')) },
  { name: 'PFMERGE', args: g => [g.key('p'), g.some(0, 3, () => g.key('p'))] },
]
