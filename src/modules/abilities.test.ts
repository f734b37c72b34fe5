// Abilities that Redis's own module tests show and that no other test here does: see the list in docs/modules.md.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { defineModule, type ModuleCommand } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

function module(name: string, commands: readonly ModuleCommand[]) {
  return {
    module: defineModule({ name, version: 1, apiVersion: 1, commands, config: { x: { kind: 'integer', initial: 1 } } }),
  }
}

async function serverWith(commands: readonly ModuleCommand[], second: readonly ModuleCommand[] = []) {
  return MachineServer.start(
    virtualSystem({ seed: 1 }),
    {},
    { modules: [module('one', commands), module('two', second)] },
  )
}

test('a container has subcommands, which are described and permitted one by one', async () => {
  const server = await serverWith([
    {
      name: 'one.box',
      arity: -2,
      flags: '',
      subcommands: [
        { name: 'get', arity: 3, flags: 'readonly', keys: 'RO ACCESS @2', run: ctx => ctx.call('GET', ctx.args[2]) },
        {
          name: 'set',
          arity: 4,
          flags: 'write',
          keys: 'RW UPDATE @2',
          run: ctx => ctx.call('SET', ctx.args[2], ctx.args[3]),
        },
      ],
    },
  ])
  assert.equal(server.call('one.box', 'set', 'k', 'v'), 'OK')
  assert.equal(server.call('one.box', 'get', 'k'), 'v')
  assert.deepEqual(server.call('command', 'getkeys', 'one.box', 'set', 'k', 'v'), ['k'])
  assert.match(String((server.call('one.box', 'no') as Error).message), /^ERR unknown subcommand 'no'/)
  server.call('acl', 'setuser', 'a', 'on', 'nopass', '~*', '+one.box|get')
  assert.equal(server.call('acl', 'dryrun', 'a', 'one.box', 'get', 'k'), 'OK')
  assert.match(String(server.call('acl', 'dryrun', 'a', 'one.box', 'set', 'k', 'v')), /no permissions to run/)
})

test('a module publishes, and walks the keys and the values of every type', async () => {
  const server = await serverWith([
    { name: 'one.say', arity: 2, flags: 'pubsub', run: ctx => ctx.call('PUBLISH', 'ch', ctx.args[1]) },
    {
      name: 'one.walk',
      arity: 1,
      flags: 'readonly',
      run: ctx =>
        (ctx.call('SCAN', 0, 'COUNT', 100) as [string, string[]])[1].sort().map(key => [key, ctx.call('TYPE', key)]),
    },
    {
      name: 'one.types',
      arity: 1,
      flags: 'write',
      run: ctx => [
        ctx.call('RPUSH', 'list', 'a', 'b'),
        ctx.call('LINDEX', 'list', -1),
        ctx.call('HSET', 'hash', 'f', 'v'),
        ctx.call('ZADD', 'zset', '1.5', 'm'),
        ctx.call('ZSCORE', 'zset', 'm'),
        ctx.call('XADD', 'stream', '1-1', 'f', 'v'),
        ctx.call('XRANGE', 'stream', '-', '+'),
      ],
    },
  ])
  server.call('ping')
  const subscriber = server.connect()
  server.send(subscriber, ['subscribe', 'ch'])
  server.machine.settle()
  server.take(subscriber)
  assert.equal(server.call('one.say', 'hello'), 1)
  assert.deepEqual(server.take(subscriber), [['message', 'ch', 'hello']])
  assert.deepEqual(server.call('one.types'), [2, 'b', 1, 1, '1.5', '1-1', [['1-1', ['f', 'v']]]])
  assert.deepEqual(server.call('one.walk'), [
    ['hash', 'hash'],
    ['list', 'list'],
    ['stream', 'stream'],
    ['zset', 'zset'],
  ])
})

test('two modules have parameters of one name, and one calls the other', async () => {
  const server = await serverWith(
    [{ name: 'one.x', arity: 1, flags: 'fast', run: ctx => ctx.config('x') }],
    [{ name: 'two.x', arity: 1, flags: 'fast', run: ctx => [ctx.config('x'), ctx.call('one.x')] }],
  )
  assert.equal(server.call('config', 'set', 'one.x', '5', 'two.x', '6'), 'OK')
  assert.deepEqual(server.call('two.x'), [6, 5])
})
