import type { Grammar } from './grammar.ts'

// The replies inside EXEC are compared as those of the commands that were queued.
export const transactions: Grammar = [
  { name: 'MULTI', weight: 2, args: () => [] },
  { name: 'EXEC', weight: 4, args: () => [] },
  { name: 'DISCARD', weight: 0.5, args: () => [] },
  { name: 'WATCH', weight: 1.5, args: g => g.some(1, 2, () => g.key()) },
  { name: 'UNWATCH', weight: 0.3, args: () => [] },
]
