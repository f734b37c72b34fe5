import type { Grammar } from './grammar.ts'

export const connection: Grammar = [
  { name: 'PING', args: g => g.maybe(g.value()) },
  { name: 'ECHO', args: g => g.value() },
  { name: 'CLIENT SETNAME', args: g => g.pick('name', 'other', '', 'a b') },
  { name: 'CLIENT GETNAME', args: () => [] },
  { name: 'CLIENT SETINFO', since: '7.2', args: g => [g.pick('LIB-NAME', 'lib-ver', 'x'), g.pick('a', 'a b', '')] },
  { name: 'CLIENT TRACKINGINFO', args: () => [] },
  { name: 'CLIENT NO-EVICT', args: g => g.pick('ON', 'off', 'x') },
  {
    name: 'COMMAND GETKEYS',
    since: '7.2',
    args: g => g.pick(['GET', g.key()], ['MSET', g.key(), '1', g.key(), '2'], ['PING'], ['x']),
  },
]
