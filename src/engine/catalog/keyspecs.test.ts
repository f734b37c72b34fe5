// What COMMAND GETKEYSANDFLAGS answers to many lines is compared with redis-server in
// commands/server/command/command.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slice } from '../../lib/slice.ts'
import type { KeyFinderName } from './command.ts'
import { getKeys, hasKeys, KEY_OW, KEY_RO, KEY_UPDATE, KeyPositions, keyFlagNames, parseKeySpecs } from './keyspecs.ts'

/** The keys of a command line, each with its flags. */
function keysOf(keys: string, line: string, keyFinder?: KeyFinderName, withNotKeys = false): string {
  const args = line.split(' ').map(word => Slice.of(word))
  const out = new KeyPositions()
  const count = getKeys({ keySpecs: parseKeySpecs(keys), keyFinder }, args, args.length, out, withNotKeys)
  assert.equal(count, out.count)
  const found: string[] = []
  for (let i = 0; i < count; i++) found.push([out.positions[i], ...keyFlagNames(out.flags[i])].join(' '))
  return found.join(', ')
}

test('a spec is read field by field', () => {
  const [one, two] = parseKeySpecs('OW UPDATE @1; RO @STREAMS:-2..-1/3%2 (a note)')
  assert.deepEqual(
    [one.flags, one.begin, one.from, one.find, one.lastKey, one.step, one.limit, one.notes],
    [KEY_OW | KEY_UPDATE, 'index', 1, 'range', 0, 1, 0, undefined],
  )
  assert.deepEqual(
    [two.flags, two.begin, two.keyword, two.from, two.lastKey, two.step, two.limit, two.notes],
    [KEY_RO, 'keyword', 'streams', -2, -1, 3, 2, 'a note'],
  )
  assert.throws(() => parseKeySpecs('RO ACCES @1'))
  assert.throws(() => parseKeySpecs('RO 1'))
})

test('ranges: one, all, all but one, every other', () => {
  assert.equal(keysOf('RO ACCESS @1', 'get a'), '1 RO access')
  assert.equal(keysOf('RO @1..-1', 'exists a b'), '1 RO, 2 RO')
  assert.equal(keysOf('RO @1..-2', 'blpop a b 0'), '1 RO, 2 RO')
  assert.equal(keysOf('OW @1..-1/2', 'mset a 1 b 2'), '1 OW, 3 OW')
  assert.equal(keysOf('RO @1..+1', 'lcs a b len'), '1 RO, 2 RO')
  assert.equal(keysOf('RO @3', 'short a'), '')
})

test('keys behind a count', () => {
  assert.equal(keysOf('RW @2#0+1', 'eval s 2 a b c'), '3 RW, 4 RW')
  for (const count of ['0', '3', '-1', 'x', '02', '99999999999'])
    assert.equal(keysOf('RW @2#0+1', `eval s ${count} a b`), '', count)
})

test('keys behind a count with something between them', () => {
  assert.equal(keysOf('OW UPDATE @1#0+1/2', 'msetex 2 a 1 b 2 ex 10'), '2 OW update, 4 OW update')
  assert.equal(keysOf('OW @1#0+1/2', 'msetex 1 a 1'), '2 OW')
  assert.equal(keysOf('OW @1#0+1/2', 'msetex 2 a 1'), '')
  assert.equal(keysOf('OW @1#0+1/3', 'three 3 a 1 1 b 2 2 c'), '2 OW, 5 OW, 8 OW')
})

test('keys behind a word', () => {
  assert.equal(keysOf('RO @STREAMS:1..-1%2', 'xread count 1 Streams a b 0 0'), '4 RO, 5 RO')
  assert.equal(keysOf('RO @1; OW @STORE:5', 'georadius a 0 0 1 store b'), '1 RO, 6 OW')
  assert.equal(keysOf('RO @1; OW @STORE:5', 'georadius a 0 0 1 withcoord b'), '1 RO')
})

test('what the specs leave open a finder tells', () => {
  const sort = 'RO ACCESS @1; RO ACCESS @?; OW UPDATE @?'
  assert.equal(keysOf(sort, 'sort a by w store d', 'sort'), '1 RO access, 5 OW update')
  assert.equal(keysOf(sort, 'sort a by w store d'), '')
  assert.equal(keysOf('RW VARIABLE_FLAGS @1', 'set a b', 'set'), '1 OW update')
})

test('a shard channel is a key only for who asks for it', () => {
  assert.equal(keysOf('NOT_KEY @1', 'spublish a b'), '')
  assert.equal(keysOf('NOT_KEY @1', 'spublish a b', undefined, true), '1 not_key')
  assert.equal(hasKeys({ keySpecs: parseKeySpecs('NOT_KEY @1'), keyFinder: undefined }), false)
  assert.equal(hasKeys({ keySpecs: parseKeySpecs('RO @1'), keyFinder: undefined }), true)
})

test('any number of keys fits', () => {
  const line = `del ${Array.from({ length: 1000 }, (_, i) => `k${i}`).join(' ')}`
  assert.equal(keysOf('RM @1..-1', line).split(', ').length, 1000)
})
