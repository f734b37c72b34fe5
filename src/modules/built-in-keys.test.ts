// ctx.keys: reading keys of built-in types without a command, in every encoding.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moduleServer, plain } from '../../test/harness/module-server.ts'
import type { ModuleCommand, ModuleContext, ModuleReply } from '../module.ts'

const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? null : new TextDecoder().decode(bytes))
const pairs = (of: readonly [Uint8Array, Uint8Array | number][]) =>
  of.flatMap(([a, b]) => [text(a), typeof b === 'number' ? b : text(b)])

function reading(name: string, run: (ctx: ModuleContext) => ModuleReply): ModuleCommand {
  return { name, arity: -2, flags: 'readonly', keys: 'RO ACCESS @1', run }
}

const commands: readonly ModuleCommand[] = [
  reading('r.string', ctx => ctx.keys.string(ctx.args[1])),
  reading('r.hash', ctx => {
    const hash = ctx.keys.hash(ctx.args[1])
    return hash && [hash.size, text(hash.get('f1')), hash.has('f1'), hash.has('none'), pairs(hash.entries()).sort()]
  }),
  reading('r.list', ctx => {
    const list = ctx.keys.list(ctx.args[1])
    const some = [list?.at(0), list?.at(-1), list?.at(-2), list?.at(99), list?.at(-99)]
    return list && [list.length, some.map(text), list.slice(1, -1).map(text), list.slice().map(text)]
  }),
  reading('r.set', ctx => {
    const set = ctx.keys.set(ctx.args[1])
    return set && [set.size, set.has('1'), set.has('none'), set.members().map(text).sort()]
  }),
  reading('r.zset', ctx => {
    const zset = ctx.keys.sortedSet(ctx.args[1])
    return zset && [zset.size, zset.score('b'), zset.score('none'), pairs(zset.slice(1)), pairs(zset.slice(-1))]
  }),
  reading('r.stream', ctx => {
    const stream = ctx.keys.stream(ctx.args[1])
    const range = (...ids: [string?, string?, number?]) =>
      stream!.range(...ids).map(({ id, fields }) => [id, pairs(fields)])
    return stream && [stream.length, stream.lastId, range(), range('2', '2').length, range('-', '+', 1).length]
  }),
  {
    name: 'r.gone',
    arity: 2,
    flags: 'write',
    run: ctx => {
      const list = ctx.keys.list(ctx.args[1])!
      ctx.call('RPUSH', ctx.args[1], 'more')
      const { length } = list
      ctx.call('DEL', ctx.args[1])
      const gone = [list.length, list.at(0)]
      ctx.call('SET', ctx.args[1], 'x')
      return [length, ...gone, list.length]
    },
  },
]

test('keys of each type are read as their commands read them, whatever their encoding', async () => {
  const server = await moduleServer(commands)
  const both = (limit: string, setting: () => void, check: () => void) => {
    for (const value of ['128', '1']) {
      server.call('flushall')
      server.call('config', 'set', limit, value)
      setting()
      check()
    }
  }
  for (const value of ['v', '12345', 'x'.repeat(1000), 'ü']) {
    server.call('set', 'k', value)
    assert.equal(server.call('r.string', 'k'), server.call('get', 'k'))
  }
  both(
    'hash-max-listpack-entries',
    () => server.call('hset', 'k', 'f1', 'v1', 'f2', '22'),
    () => assert.deepEqual(server.call('r.hash', 'k'), [2, 'v1', 1, 0, ['22', 'f1', 'f2', 'v1']]),
  )
  both(
    'list-max-listpack-size',
    () => server.call('rpush', 'k', 'a', '2', 'c', 'd'),
    () =>
      assert.deepEqual(server.call('r.list', 'k'), [4, ['a', 'd', 'c', null, null], ['2', 'c'], ['a', '2', 'c', 'd']]),
  )
  for (const members of [
    ['1', '2'],
    ['1', 'b'],
    ['1', ...Array.from({ length: 200 }, (_, i) => `m${i}`)],
  ]) {
    server.call('del', 'k')
    server.call('sadd', 'k', ...members)
    assert.deepEqual(server.call('r.set', 'k'), [members.length, 1, 0, [...members].sort()])
  }
  both(
    'zset-max-listpack-entries',
    () => server.call('zadd', 'k', '1', 'a', '2.5', 'b', '3', 'c'),
    () => assert.deepEqual(server.call('r.zset', 'k'), [3, '2.5', null, ['b', '2.5', 'c', 3], ['c', 3]]),
  )
  server.call('del', 'k')
  for (const id of ['1-1', '2-1', '3-1']) server.call('xadd', 'k', id, 'f', id)
  const entries = ['1-1', '2-1', '3-1'].map(id => [id, ['f', id]])
  assert.deepEqual(server.call('r.stream', 'k'), [3, '3-1', entries, 1, 1])
})

test('a key that is missing, of another type, or gone meanwhile', async () => {
  const server = await moduleServer(commands)
  const names = ['string', 'hash', 'list', 'set', 'zset', 'stream']
  for (const name of names) assert.equal(server.call(`r.${name}`, 'none'), null)
  server.call('set', 'str', 'v')
  server.call('rpush', 'l', 'v')
  for (const name of names)
    assert.match(String(plain(server.call(`r.${name}`, name === 'string' ? 'l' : 'str'))), /^-WRONGTYPE/)
  assert.match(String(plain(server.call('r.gone', 'l'))), /^-WRONGTYPE/)
  assert.equal(server.call('get', 'l'), 'x')
  const missed = () => /keyspace_misses:(\d+)/.exec(String(server.call('info', 'stats')))![1]
  const before = Number(missed())
  server.call('r.string', 'none')
  assert.equal(Number(missed()), before + 1)
})
