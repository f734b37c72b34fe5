import type { Gen } from '../gen.ts'
import type { Grammar } from './grammar.ts'

const id = (g: Gen) =>
  g.chance(0.05)
    ? g.pick('x', '1-x', '-', '0-0', g.extreme(), `1-${g.extreme()}`)
    : `${g.number(1, 60)}${g.pick('', '-0', '-1', '-2')}`
const from = (g: Gen) => g.pick('-', id(g), `(${id(g)}`)
const to = (g: Gen) => g.pick('+', id(g), `(${id(g)}`)
const group = (g: Gen) => `g${g.number(1, 3)}`
const consumer = (g: Gen) => `c${g.number(1, 3)}`
const trim = (g: Gen) => [g.pick(['MAXLEN', g.maybe('='), g.count()], ['MINID', g.maybe('='), id(g)])]

// Ids are explicit, since generated ones differ. Idle times depend on the moment.
export const stream: Grammar = [
  {
    name: 'XADD',
    weight: 8,
    args: g => [
      g.key('x'),
      g.maybe('NOMKSTREAM', 0.1),
      g.maybe(trim(g), 0.1),
      g.pick(id(g), `${g.number(1, 90)}-*`, `${g.number(40, 9000)}-${g.number(0, 9)}`),
      g.some(1, 3, () => [g.field(), g.value()]),
    ],
  },
  { name: 'XLEN', args: g => g.key('x') },
  { name: 'XDEL', weight: 2, args: g => [g.key('x'), g.some(1, 3, () => id(g))] },
  { name: 'XTRIM', args: g => [g.key('x'), trim(g)] },
  { name: 'XRANGE', weight: 3, args: g => [g.key('x'), from(g), to(g), g.maybe(['COUNT', g.count()])] },
  { name: 'XREVRANGE', weight: 2, args: g => [g.key('x'), to(g), from(g), g.maybe(['COUNT', g.count()])] },
  {
    name: 'XREAD',
    weight: 2,
    args: g => [
      g.maybe(['COUNT', g.count()]),
      'STREAMS',
      g.pick([g.key('x'), id(g)], [g.key('x'), g.key('x'), id(g), '$']),
    ],
  },
  {
    name: 'XSETID',
    since: '7.2',
    args: g => [g.key('x'), id(g), g.maybe(['ENTRIESADDED', g.count(), 'MAXDELETEDID', id(g)])],
  },
  {
    name: 'XGROUP CREATE',
    weight: 2,
    args: g => [
      g.key('x'),
      group(g),
      g.pick('$', '0', id(g)),
      g.maybe('MKSTREAM'),
      g.maybe(['ENTRIESREAD', g.count()], 0.2),
    ],
  },
  {
    name: 'XGROUP SETID',
    args: g => [g.key('x'), group(g), g.pick('$', id(g)), g.maybe(['ENTRIESREAD', g.count()], 0.2)],
  },
  { name: 'XGROUP DESTROY', weight: 0.3, args: g => [g.key('x'), group(g)] },
  { name: 'XGROUP CREATECONSUMER', since: '7.2', args: g => [g.key('x'), group(g), consumer(g)] },
  { name: 'XGROUP DELCONSUMER', weight: 0.3, args: g => [g.key('x'), group(g), consumer(g)] },
  {
    name: 'XREADGROUP',
    weight: 4,
    args: g => [
      'GROUP',
      group(g),
      consumer(g),
      g.maybe(['COUNT', g.count()]),
      g.maybe('NOACK', 0.1),
      'STREAMS',
      g.key('x'),
      g.pick('>', '>', '0', id(g)),
    ],
  },
  { name: 'XACK', weight: 2, args: g => [g.key('x'), group(g), g.some(1, 4, () => id(g))] },
  { name: 'XPENDING', args: g => [g.key('x'), group(g)] },
  {
    name: 'XPENDING',
    reply: 'shape',
    args: g => [g.key('x'), group(g), from(g), to(g), g.count(), g.maybe(consumer(g))],
  },
  {
    name: 'XCLAIM',
    since: '7.2',
    args: g => [
      g.key('x'),
      group(g),
      consumer(g),
      '0',
      g.some(1, 3, () => id(g)),
      g.shuffled(
        g.maybe('JUSTID'),
        g.maybe('FORCE'),
        g.maybe(['RETRYCOUNT', g.count()], 0.2),
        g.maybe(['LASTID', id(g)], 0.1),
      ),
    ],
  },
  {
    name: 'XAUTOCLAIM',
    since: '7.2',
    args: g => [
      g.key('x'),
      group(g),
      consumer(g),
      '0',
      g.pick('0', id(g)),
      g.maybe(['COUNT', g.number(1, 9)]),
      g.maybe('JUSTID'),
    ],
  },
  { name: 'XINFO STREAM', reply: 'shape', since: '7.2', args: g => g.key('x') },
  { name: 'XINFO GROUPS', since: '7.2', args: g => g.key('x') },
  { name: 'XINFO CONSUMERS', reply: 'shape', since: '7.2', args: g => [g.key('x'), group(g)] },
]
