// The suite of value types, for each built-in type in each of its encodings.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ValueSample, valueTypeSuite } from '../../../test/harness/value-type-suite.ts'
import { Keyspace } from '../../keyspace/keyspace.ts'
import type { ValueType } from '../../keyspace/value-type.ts'
import { builtInTypes } from '../../keyspace/values/index.ts'
import { builtInCodecs } from './index.ts'
import { ValueCodecs } from './value-codecs.ts'

const LONG = 'long'.repeat(50)
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i * 7919)
const names = (count: number) => numbers(count).map(n => `name ${n}`)

const samples: readonly ValueSample[] = [
  { name: 'string', encoding: 'int', commands: [['set', 'k', '-1234567890123456789']] },
  { name: 'string', encoding: 'embstr', commands: [['set', 'k', 'short']] },
  { name: 'string', encoding: 'raw', commands: [['set', 'k', LONG]] },
  { name: 'long string', encoding: 'raw', commands: [['set', 'k', 'x'.repeat(200_000)]] },
  {
    name: 'string with room to grow',
    encoding: 'raw',
    commands: [
      ['set', 'k', 'x'.repeat(600)],
      ['append', 'k', 'y'.repeat(600)],
    ],
  },
  { name: 'list', encoding: 'listpack', commands: [['rpush', 'k', 'a', 7, 'b', -70_000]] },
  {
    name: 'list',
    encoding: 'quicklist',
    commands: [['rpush', 'k', ...names(2000), 'x'.repeat(20_000), ...numbers(9)]],
  },
  { name: 'set', encoding: 'intset', commands: [['sadd', 'k', ...numbers(400)]] },
  { name: 'set', encoding: 'listpack', commands: [['sadd', 'k', ...names(60), 5]] },
  { name: 'set', encoding: 'hashtable', commands: [['sadd', 'k', ...names(700), LONG.repeat(500)]] },
  {
    name: 'sorted set',
    encoding: 'listpack',
    commands: [['zadd', 'k', ...names(50).flatMap((name, i) => [i / 3, name])]],
  },
  {
    name: 'sorted set',
    encoding: 'skiplist',
    commands: [['zadd', 'k', ...names(900).flatMap((name, i) => [(i * 31) % 100, name]), 'inf', LONG]],
  },
  { name: 'hash', encoding: 'listpack', commands: [['hset', 'k', ...names(50).flatMap((name, i) => [name, i])]] },
  {
    name: 'hash',
    encoding: 'hashtable',
    commands: [['hset', 'k', ...names(800).flatMap((name, i) => [name, i]), 'long', LONG.repeat(500)]],
  },
  { name: 'empty stream', encoding: 'stream', commands: [['xgroup', 'create', 'k', 'g', '$', 'mkstream']] },
  {
    name: 'stream',
    encoding: 'stream',
    commands: [
      ...numbers(300).map(n => ['xadd', 'k', `${n + 1}-5`, 'field', `value ${n}`, 'n', n]),
      ['xdel', 'k', `${7919 * 3 + 1}-5`],
      ['xgroup', 'create', 'k', 'g', 0],
      ['xgroup', 'create', 'k', 'idle', 0, 'entriesread', 7],
      ['xgroup', 'createconsumer', 'k', 'g', 'nobody'],
      ['xreadgroup', 'group', 'g', 'c', 'count', 20, 'streams', 'k', '>'],
    ],
  },
]

valueTypeSuite({ samples, codecs: builtInCodecs })

const foreign = (id: number, name: string, encodings = 1) =>
  ({ id, name, encodingNames: new Array(encodings).fill('one'), announcesRemoval: false }) as unknown as ValueType

test('a type whose number, encodings or name do not fit is refused', () => {
  const { types } = new Keyspace({ databases: 1, random: () => 5 })
  assert.throws(() => types.add(foreign(16, 'beyond')), /four bits/)
  assert.throws(() => types.add(foreign(-1, 'below')), /four bits/)
  assert.throws(() => types.add(foreign(9, 'encoded', 17)), /four bits/)
  assert.throws(() => types.add(foreign(0, 'other')), /there already/)
  assert.throws(() => types.add(foreign(9, 'string')), /there already/)
  types.add(foreign(15, 'last', 16))
  assert.equal(types.of(15).name, 'last')
})

test('a type that nobody knows is an error, not another type', () => {
  const { types } = new Keyspace({ databases: 1, random: () => 5 })
  assert.throws(() => types.of(9), /no value type 9/)
  const codecs = new ValueCodecs(builtInCodecs)
  assert.equal(codecs.formOf(200), undefined)
  types.add(foreign(9, 'foreign'))
  assert.throws(() => codecs.mustCover(types), /'foreign' \(9\) has no codec/)
})

test('a type has one codec, and a number in files belongs to one type', () => {
  const [first] = builtInCodecs
  assert.throws(() => new ValueCodecs([...builtInCodecs, first]), /two codecs/)
  assert.throws(() => new ValueCodecs([...builtInCodecs, { ...first, type: 9 }]), /two value types/)
  const beyond = { ...first, type: 9, forms: [{ ...first.forms[0], rdbType: 245 }] }
  assert.throws(() => new ValueCodecs([...builtInCodecs, beyond]), /is none/)
  const space = new Keyspace({ databases: 1, random: () => 5 })
  assert.equal(new ValueCodecs(builtInCodecs).mustCover(space.types).typeOf(first.forms[0].rdbType), 0)
  assert.equal(builtInTypes.length + 1, builtInCodecs.length)
})
