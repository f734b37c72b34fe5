// ctx.writableKeys: writing keys of built-in types, and what replicas and files get of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { defineModule, type ModuleCommand, type ModuleContext, type ModuleReply } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

const EXPIRY_MS = 9_000_000_000_000
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? null : new TextDecoder().decode(bytes))
let kept: (() => unknown) | undefined

function writing(name: string, run: (ctx: ModuleContext) => ModuleReply): ModuleCommand {
  return { name, arity: -2, flags: 'write', keys: 'RW ACCESS UPDATE @1', run }
}

const commands: readonly ModuleCommand[] = [
  writing('w.string', ({ writableKeys: keys, args: [, key] }) => {
    keys.setString(key, 'plain')
    keys.setString('long', 'x'.repeat(1000))
    keys.setString('number', 42)
    keys.setString('mortal', 'v', { expiresAtMs: EXPIRY_MS })
    keys.setString('mortal', 'w', { keepExpiry: true })
    keys.setString('immortal', 'v', { expiresAtMs: EXPIRY_MS })
    keys.setString('immortal', 'w')
    return null
  }),
  writing('w.hash', ({ writableKeys: keys, args: [, key] }) => {
    const hash = keys.hash(key)
    const before = hash.size
    const made = [hash.set('f', 1), hash.set('f', 2), hash.set('g', 'x')]
    return [
      before,
      ...made.map(Number),
      hash.size,
      text(hash.get('f')),
      hash.delete('g', 'none'),
      hash.delete(),
      hash.size,
    ]
  }),
  writing('w.list', ({ writableKeys: keys, args: [, key] }) => {
    const list = keys.list(key)
    const lengths = [list.push('c', 'd'), list.unshift('a', 'b'), list.push()]
    list.set(-1, 'e')
    const ends = [list.shift(), list.pop()].map(text)
    return [...lengths, ...ends, ...list.slice().map(text)]
  }),
  writing('w.set', ({ writableKeys: keys, args: [, key] }) => {
    const set = keys.set(key)
    return [set.add('a', 'b', 'a'), set.add(), set.delete('b', 'x'), set.has('a'), set.has('b')]
  }),
  writing('w.zset', ({ writableKeys: keys, args: [, key] }) => {
    const zset = keys.sortedSet(key)
    const made = [zset.set('a', 1.5), zset.set('a', -2), zset.set('b', Number.POSITIVE_INFINITY)].map(Number)
    return [...made, zset.score('a'), zset.delete('b'), zset.size]
  }),
  writing('w.stream', ({ writableKeys: keys, args: [, key] }) => {
    const stream = keys.stream(key)
    const ids = [stream.add([['f', 'v']], '5-1'), stream.add([['f', 'w']], '6-1'), stream.add([['f', 'x']], '7-1')]
    return [...ids, stream.delete('6-1'), stream.trim(1), stream.length, stream.lastId]
  }),
  writing('w.keys', ({ writableKeys: keys, args: [, key] }) => {
    keys.setString(key, 'v')
    const outcomes = [keys.setExpiry(key, EXPIRY_MS), keys.setExpiry(key, null), keys.setExpiry(key, null)]
    return [...outcomes, keys.delete(key), keys.delete(key), keys.setExpiry(key, EXPIRY_MS)].map(Number)
  }),
  writing('w.mixed', ctx => {
    ctx.writableKeys.setString(ctx.args[1], '1')
    ctx.call('INCR', ctx.args[1])
    ctx.writableKeys.setString('copy', ctx.keys.string(ctx.args[1])!)
    ctx.call('APPEND', 'copy', '!')
    return null
  }),
  {
    ...writing('w.verbatim', ctx => {
      ctx.writableKeys.setString(ctx.args[1], 'v')
      ctx.writableKeys.hash('h').set('f', 'v')
      return null
    }),
    propagation: 'verbatim',
  },
  { name: 'w.reading', arity: 2, flags: 'readonly', run: ctx => void ctx.writableKeys.delete(ctx.args[1]) },
  writing('w.wrong', ({ writableKeys: keys, args: [, key] }) => {
    keys.setString(key, 'v')
    return keys.hash(key).size
  }),
  writing('w.kept', ({ writableKeys: keys }) => {
    const hash = keys.hash('kept')
    kept = () => hash.set('f', 'v')
    return null
  }),
]

const module = defineModule({ name: 'writing', version: 1, apiVersion: 1, commands })

async function start(machine = virtualSystem({ seed: 1 }), modules = [{ module }]) {
  return MachineServer.start(machine, { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }, { modules })
}

test('handles write keys of each type, and each change is in the append-only file', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await start(machine)
  assert.equal(server.call('w.string', 's'), null)
  assert.deepEqual(server.call('mget', 's', 'number', 'mortal', 'immortal'), ['plain', '42', 'w', 'w'])
  assert.equal(server.call('strlen', 'long'), 1000)
  assert.deepEqual([server.call('pexpiretime', 'mortal'), server.call('pexpiretime', 'immortal')], [EXPIRY_MS, -1])
  assert.deepEqual(server.call('w.hash', 'h'), [0, 1, 0, 1, 2, '2', 1, 0, 1])
  assert.deepEqual(server.call('w.list', 'l'), [2, 4, 4, 'a', 'e', 'b', 'c'])
  assert.deepEqual(server.call('w.set', 'st'), [2, 0, 1, 1, 0])
  assert.deepEqual(server.call('w.zset', 'z'), [1, 0, 1, -2, 1, 1])
  assert.deepEqual(server.call('w.stream', 'x'), ['5-1', '6-1', '7-1', 1, 1, 1, '7-1'])
  assert.deepEqual(server.call('w.keys', 'k'), [1, 1, 0, 1, 0, 0])
  assert.equal(server.call('w.mixed', 'm'), null)
  assert.deepEqual(server.call('mget', 'm', 'copy'), ['2', '2!'])
  const digest = server.digest()
  await server.stop(['nosave', 'now'])
  const without = await start(machine, [])
  assert.equal(without.digest(), digest)
})

test('a verbatim command propagates itself alone', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await start(machine)
  server.call('w.verbatim', 'k')
  const digest = server.digest()
  await server.stop(['nosave', 'now'])
  const again = await start(machine)
  assert.equal(again.digest(), digest)
  await again.stop(['nosave', 'now'])
  await assert.rejects(start(machine, []), /unknown command|Unknown command/i)
})

test('keys are written where they may be, and errors are those of the commands', async () => {
  const server = await start()
  const message = (...words: string[]) => {
    const reply = server.call(...words)
    assert.ok(reply instanceof RespError, String(reply))
    return reply.message
  }
  server.call('set', 'k', 'v')
  assert.match(message('w.reading', 'k'), /keys are written in a command with the flag 'write'/)
  assert.equal(message('w.wrong', 'h'), 'WRONGTYPE Operation against a key holding the wrong kind of value')
  assert.equal(server.call('w.kept', 'k'), null)
  assert.throws(() => kept!(), /a key is written before its command returns/)
  assert.deepEqual(server.call('mget', 'k', 'h'), ['v', 'v'])
})

test('watchers and listeners hear of what is written; renamed commands are no obstacle', async () => {
  const heard: string[] = []
  const listening = defineModule({
    name: 'listening',
    version: 1,
    apiVersion: 1,
    setup: on => void on.on('key-changed', ({ event, key }) => void heard.push(`${event} ${text(key)}`)),
  })
  const machine = virtualSystem({ seed: 1 })
  const options = { modules: [{ module }, { module: listening }] }
  const server = await MachineServer.start(machine, { 'rename-command': 'hset other' }, options)
  server.call('ping')
  const other = server.connect()
  for (const words of [['watch', 's'], ['multi'], ['ping']]) server.send(other, words)
  server.machine.settle()
  server.call('w.string', 's')
  server.call('w.hash', 'h')
  server.send(other, ['exec'])
  server.machine.settle()
  assert.deepEqual(server.take(other).at(-1), null)
  assert.deepEqual(heard.slice(0, 5), ['set s', 'set long', 'set number', 'set mortal', 'expire mortal'])
  assert.deepEqual(heard.slice(-4), ['hset h', 'hset h', 'hset h', 'hdel h'])
})
