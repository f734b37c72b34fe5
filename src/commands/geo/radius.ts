// The GEORADIUS family, the predecessors of GEOSEARCH.

import type { Command } from '../../engine/catalog/command.ts'
import { search } from './search.ts'

const radius: Command = {
  name: 'georadius',
  arity: -6,
  flags: 'write denyoom',
  keys: 'RO ACCESS @1; OW UPDATE @STORE:6; OW UPDATE @STOREDIST:6',
  keyFinder: 'georadius',
  since: '3.2.0',
  group: 'geo',
  summary: 'Find places within a distance of a point, and return or store them.',
  complexity: 'O(N+log(M)), N = members in the box around the circle, M = members in all.',
  args:
    'key#0 longitude:double latitude:double radius:double unit:(M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] ' +
    '[count-block:(COUNT count:integer [ANY@6.2.0])] [order:(ASC|DESC)] [store:(STORE storekey=key#1|' +
    'STOREDIST storedistkey=key#2)]',
  history: [
    ['6.2.0', '`ANY` is accepted after `COUNT`.'],
    ['7.0.0', 'Units may be written in capitals.'],
  ],
  deprecated: { since: '6.2.0', replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument' },
  run(ctx) {
    search(ctx, 'radius', true)
  },
}

const radiusRo: Command = {
  name: 'georadius_ro',
  arity: -6,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '3.2.10',
  group: 'geo',
  summary: 'Find places within a distance of a point.',
  complexity: 'O(N+log(M)), N = members in the box around the circle, M = members in all.',
  args:
    'key#0 longitude:double latitude:double radius:double unit:(M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] ' +
    '[count-block:(COUNT count:integer [ANY@6.2.0])] [order:(ASC|DESC)]',
  history: [['6.2.0', '`ANY` is accepted after `COUNT`.']],
  deprecated: { since: '6.2.0', replacedBy: '`GEOSEARCH` with the `BYRADIUS` argument' },
  run(ctx) {
    search(ctx, 'radius', false)
  },
}

const radiusByMember: Command = {
  name: 'georadiusbymember',
  arity: -5,
  flags: 'write denyoom',
  keys: 'RO ACCESS @1; OW UPDATE @STORE:5; OW UPDATE @STOREDIST:5',
  keyFinder: 'georadius',
  since: '3.2.0',
  group: 'geo',
  summary: 'Find places within a distance of a member, and return or store them.',
  complexity: 'O(N+log(M)), N = members in the box around the circle, M = members in all.',
  args:
    'key#0 member radius:double unit:(M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] ' +
    '[count-block:(COUNT count:integer [ANY])] [order:(ASC|DESC)] [store:(STORE storekey=key#1|' +
    'STOREDIST storedistkey=key#2)]',
  history: [['7.0.0', 'Units may be written in capitals.']],
  deprecated: {
    since: '6.2.0',
    replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments',
  },
  run(ctx) {
    search(ctx, 'member', true)
  },
}

const radiusByMemberRo: Command = {
  name: 'georadiusbymember_ro',
  arity: -5,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '3.2.10',
  group: 'geo',
  summary: 'Find places within a distance of a member.',
  complexity: 'O(N+log(M)), N = members in the box around the circle, M = members in all.',
  args:
    'key#0 member radius:double unit:(M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] ' +
    '[count-block:(COUNT count:integer [ANY])] [order:(ASC|DESC)]',
  deprecated: { since: '6.2.0', replacedBy: '`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments' },
  run(ctx) {
    search(ctx, 'member', false)
  },
}

export const radiusCommands: readonly Command[] = [radius, radiusRo, radiusByMember, radiusByMemberRo]
