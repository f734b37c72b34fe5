import type { Gen } from '../gen.ts'
import type { Grammar } from './grammar.ts'

const longitude = (g: Gen) => (g.chance(0.03) ? g.pick('181', 'x', '-180') : String(g.number(-1800, 1800) / 10))
const latitude = (g: Gen) => (g.chance(0.03) ? g.pick('86', 'x', '85.05') : String(g.number(-850, 850) / 10))
const unit = (g: Gen) => g.pick('m', 'km', 'mi', 'ft', 'KM', 'x')
const place = (g: Gen) => `p${g.number(0, 15)}`
const radius = (g: Gen) => (g.chance(0.03) ? g.float() : String(g.number(1, 8000)))
const withs = (g: Gen) => g.shuffled(g.maybe('WITHCOORD'), g.maybe('WITHDIST'), g.maybe('WITHHASH'))
const count = (g: Gen) => g.maybe(['COUNT', g.around(1, 5)], 0.2)
const search = (g: Gen) => [
  g.pick(['FROMMEMBER', place(g)], ['FROMLONLAT', longitude(g), latitude(g)]),
  g.pick(['BYRADIUS', radius(g), unit(g)], ['BYBOX', radius(g), radius(g), unit(g)]),
]

const order = (g: Gen) => g.pick('ASC', 'DESC')
const circle = (g: Gen) => [longitude(g), latitude(g), radius(g), unit(g)]
const around = (g: Gen) => [place(g), radius(g), unit(g)]
/** A place used only once. */
const ownPlace = (g: Gen) => {
  const n = g.number(0, 15)
  return [(n * 47) % 171, `${(n * 31) % 80}.${n}`, `p${n}`]
}

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
  { name: 'GEOSEARCH', weight: 3, reply: 'unordered', args: g => [g.key('g'), search(g), order(g), withs(g)] },
  { name: 'GEOSEARCHSTORE', args: g => [g.key('g'), g.key('g'), search(g), order(g), g.maybe('STOREDIST')] },
  { name: 'GEORADIUS', reply: 'unordered', args: g => [g.key('g'), circle(g), 'ASC', withs(g)] },
  { name: 'GEORADIUSBYMEMBER', reply: 'unordered', args: g => [g.key('g'), around(g), 'ASC', withs(g)] },
  { name: 'GEORADIUS_RO', reply: 'unordered', args: g => [g.key('g'), circle(g), 'DESC'] },
  { name: 'GEORADIUSBYMEMBER_RO', reply: 'unordered', args: g => [g.key('g'), around(g), 'DESC'] },
  // Sorted and limited results, from places of which no two are equal.
  { name: 'GEOADD', weight: 3, delicate: true, args: g => [g.placesKey(), g.some(1, 4, () => ownPlace(g))] },
  { name: 'GEOSEARCH', weight: 3, args: g => [g.placesKey(), search(g), order(g), count(g), withs(g)] },
  {
    name: 'GEOSEARCHSTORE',
    args: g => [g.key('g'), g.placesKey(), search(g), order(g), count(g), g.maybe('STOREDIST')],
  },
  { name: 'GEORADIUS', args: g => [g.placesKey(), circle(g), order(g), count(g), withs(g)] },
  { name: 'GEORADIUSBYMEMBER', args: g => [g.placesKey(), around(g), order(g), count(g), withs(g)] },
]
