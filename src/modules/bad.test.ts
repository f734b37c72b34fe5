// What bad modules may do: each has a clear error, and the server and its data go on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { defineModule, type ModuleCommand, type ModuleServer } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

async function serverWith(commands: readonly ModuleCommand[], setup?: (server: ModuleServer) => void) {
  const module = defineModule({ name: 'bad', version: 1, apiVersion: 1, commands, setup })
  return MachineServer.start(virtualSystem({ seed: 1 }), {}, { modules: [{ module }] })
}

function message(value: unknown): string {
  assert.ok(value instanceof RespError, String(value))
  return value.message
}

test('a read-only command cannot change keys, not even by another command of the module', async () => {
  const server = await serverWith([
    { name: 'b.write', arity: 1, flags: 'write', run: ctx => ctx.call('SET', 'k', 'v') },
    { name: 'b.read', arity: 1, flags: 'readonly', run: ctx => ctx.call('SET', 'k', 'v') },
    { name: 'b.hidden', arity: 1, flags: 'readonly', run: ctx => ctx.call('b.write') },
    { name: 'b.server', arity: 1, flags: 'readonly', run: ctx => ctx.callWith({ as: 'server' }, 'SET', 'k', 'v') },
    { name: 'b.get', arity: 1, flags: 'readonly', run: ctx => ctx.call('GET', 'k') },
  ])
  for (const name of ['b.read', 'b.hidden', 'b.server'])
    assert.equal(message(server.call(name)), 'ERR Write commands are not allowed from read-only module commands')
  assert.equal(server.call('b.get'), null)
  assert.equal(server.call('b.write'), 'OK')
  assert.equal(server.call('b.get'), 'v')
})

test('a module that answers later gets one reply through, and none when its client has gone', async () => {
  let answer: ((value: string) => void) | undefined
  const server = await serverWith([
    {
      name: 'b.later',
      arity: 1,
      flags: 'blocking',
      run: () =>
        new Promise(resolve => {
          answer = resolve
        }),
    },
  ])
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) {
      server.machine.settle()
      await Promise.resolve()
    }
  }
  const client = server.connect()
  server.send(client, ['b.later'])
  server.machine.settle()
  answer!('once')
  answer!('twice')
  await settle()
  server.send(client, ['echo', 'end'])
  await settle()
  assert.deepEqual(server.take(client), ['once', 'end'])
  const leaving = server.connect()
  server.send(leaving, ['b.later'])
  server.machine.settle()
  const id = Math.max(...server.server.engine.clients.keys())
  server.send(client, ['client', 'kill', 'id', String(id)])
  await settle()
  answer!('too late')
  await settle()
  assert.deepEqual(server.take(client), [1])
  assert.deepEqual(server.take(leaving), [])
})

test('a promise that never settles leaves its client to CLIENT UNBLOCK, others are served', async () => {
  const server = await serverWith([{ name: 'b.never', arity: 1, flags: 'blocking', run: () => new Promise(() => {}) }])
  server.call('ping')
  const client = server.connect()
  server.send(client, ['b.never'])
  server.machine.settle()
  const id = Math.max(...server.server.engine.clients.keys())
  assert.equal(server.call('client', 'unblock', String(id), 'error'), 1)
  assert.match(message(server.take(client)[0]), /^UNBLOCKED/)
  assert.equal(server.call('ping'), 'PONG')
})

test('what a timer throws is logged, and it runs again', async () => {
  let runs = 0
  const server = await serverWith([], module => {
    module.every(10, () => {
      runs++
      throw new Error('a timer')
    })
  })
  for (let ms = 0; ms < 25; ms++) server.machine.advance(1)
  assert.equal(runs, 2)
  assert.equal(server.call('ping'), 'PONG')
})

test('replies that cannot be written are errors, nothing of them is sent', async () => {
  const nested: unknown[] = []
  nested.push(nested)
  const values: readonly unknown[] = [nested, () => 1, Symbol('s'), { plain: 'object' }, [1, [Symbol('s')]]]
  const commands = values.map((value, i) => ({
    name: `b.${i}`,
    arity: 1,
    flags: '',
    run: () => value as never,
  }))
  const server = await serverWith(commands)
  for (const { name } of commands) assert.match(message(server.call(name)), /^ERR module command failed: /)
  assert.equal(server.call('ping'), 'PONG')
})

test('a reply of text with line breaks is one line', async () => {
  const server = await serverWith([
    {
      name: 'b.lines',
      arity: 1,
      flags: '',
      run: () => {
        throw new Error('one\r\n+two')
      },
    },
  ])
  assert.equal(message(server.call('b.lines')), 'ERR module command failed: one  +two')
  assert.equal(server.call('ping'), 'PONG')
})

test('a syntax line or a key spec that cannot be read is refused at the start', async () => {
  const command = { name: 'b.args', arity: 1, flags: '', run: () => 1 }
  await assert.rejects(serverWith([{ ...command, args: 'key#0 [' }]), /command 'b\.args': /)
  await assert.rejects(serverWith([{ ...command, keys: 'RW @' }]), /key spec 'RW @' cannot be read/)
})

test('waiting for keys: words that are none, a throw in the second run, and no unloading meanwhile', async () => {
  const module = defineModule({
    name: 'bad',
    version: 1,
    apiVersion: 1,
    commands: [
      { name: 'b.word', arity: 2, flags: '', run: ctx => ctx.waitForKeys(2) },
      { name: 'b.nested', arity: 2, flags: '', run: ctx => [ctx.waitForKeys(1)] as never },
      {
        name: 'b.again',
        arity: 2,
        flags: '',
        run: ctx => {
          if (ctx.hasWaited) throw new Error('the second run')
          return ctx.waitForKeys(1)
        },
      },
    ],
  })
  const server = await MachineServer.start(virtualSystem({ seed: 1 }), {}, { modules: [{ module }] })
  assert.match(message(server.call('b.word', 'k')), /words 2 to 2 are no arguments of the command/)
  assert.match(message(server.call('b.nested', 'k')), /an object is no reply/)
  const client = server.connect()
  server.send(client, ['b.again', 'k'])
  server.machine.settle()
  const { modules } = server.server.engine.host
  assert.match(String(modules.unload('bad')), /the module has blocked clients/)
  server.call('set', 'k', 'v')
  assert.match(message(server.take(client)[0]), /module command failed: the second run/)
  assert.equal(modules.unload('bad'), undefined)
  assert.equal(server.call('get', 'k'), 'v')
})
