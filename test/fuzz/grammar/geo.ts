import type { Gen } from '../gen.ts'
import type { Grammar } from './grammar.ts'

const longitude = (g: Gen) => (g.chance(0.03) ? g.pick('181', 'x', '-180') : String(g.number(-1800, 1800) / 10))
const latitude = (g: Gen) => (g.chance(0.03) ? g.pick('86', 'x', '85.05') : String(g.number(-850, 850) / 10))
const unit = (g: Gen) => g.pick('m', 'km', 'mi', 'ft', 'KM', 'x')
const place = (g: Gen) => `p${g.number(0, 15)}`
const radius = (g: Gen) => (g.chance(0.03) ? g.float() : String(g.number(1, 8000)))
const withs = (g: Gen) => g.shuffled(g.maybe('WITHCOORD'), g.maybe('WITHDIST'), g.maybe('WITHHASH'))
const count = (g: Gen) => g.maybe(['COUNT', g.number(1, 5)], 0.2)
const search = (g: Gen) => [
  g.pick(['FROMMEMBER', place(g)], ['FROMLONLAT', longitude(g), latitude(g)]),
  g.pick(['BYRADIUS', radius(g), unit(g)], ['BYBOX', radius(g), radius(g), unit(g)]),
]

export const geo: Grammar = [
  {
    name: 'GEOADD',
    weight: 5,
    args: g => [
      g.key('g'),
      g.shuffled(g.maybe(g.pick('NX', 'XX'), 0.2), g.maybe('CH', 0.2)),
      g.some(1, 4, () => [longitude(g), latitude(g), place(g)]),
    ],
  },
  { name: 'GEOPOS', args: g => [g.key('g'), g.some(1, 3, () => place(g))] },
  { name: 'GEODIST', weight: 2, args: g => [g.key('g'), place(g), place(g), g.maybe(unit(g))] },
  { name: 'GEOHASH', args: g => [g.key('g'), g.some(1, 3, () => place(g))] },
  { name: 'GEOSEARCH', weight: 3, args: g => [g.key('g'), search(g), g.pick('ASC', 'DESC'), count(g), withs(g)] },
  {
    name: 'GEOSEARCHSTORE',
    args: g => [g.key('g'), g.key('g'), search(g), g.pick('ASC', 'DESC'), count(g), g.maybe('STOREDIST')],
  },
  {
    name: 'GEORADIUS',
    args: g => [g.key('g'), longitude(g), latitude(g), radius(g), unit(g), 'ASC', count(g), withs(g)],
  },
  { name: 'GEORADIUSBYMEMBER', args: g => [g.key('g'), place(g), radius(g), unit(g), 'ASC', count(g), withs(g)] },
  { name: 'GEORADIUS_RO', args: g => [g.key('g'), longitude(g), latitude(g), radius(g), unit(g), 'DESC'] },
  { name: 'GEORADIUSBYMEMBER_RO', args: g => [g.key('g'), place(g), radius(g), unit(g), 'DESC'] },
]
