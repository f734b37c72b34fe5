import type { Gen } from '../gen.ts'
import { REDIRECTED } from '../step.ts'
import type { Grammar } from './grammar.ts'

// Never the same prefix twice in a command: Redis replies twice to that.
const prefixes = (g: Gen) => g.shuffled(...['s', 'l', 'h', 'x', ''].map(prefix => g.maybe(['PREFIX', prefix], 0.2)))

// NOLOOP without BCAST: Redis tells such a client of what its own scripts change (docs/differences.md).
export const trackingOptions = (g: Gen) =>
  g.shuffled(
    g.pick('NOLOOP', [], ['BCAST', prefixes(g)], ['BCAST', prefixes(g)], ['PREFIX', 's']),
    g.pick([], [], 'OPTIN', 'OPTOUT'),
    g.pick([], [], ['REDIRECT', REDIRECTED], ['REDIRECT', g.pick('0', '99999', 'x')]),
  )

export const tracking: Grammar = [
  { name: 'CLIENT TRACKING', delicate: true, weight: 4, args: g => ['ON', trackingOptions(g)] },
  { name: 'CLIENT TRACKING', delicate: true, weight: 1, args: g => g.pick('OFF', 'x') },
  { name: 'CLIENT CACHING', weight: 3, args: g => g.pick('YES', 'yes', 'NO', 'x') },
  { name: 'CLIENT TRACKINGINFO', args: () => [] },
  { name: 'CLIENT GETREDIR', args: () => [] },
]
