// A module's type of values: saved, loaded, rewritten, digested, dumped, copied, measured and freed as built-in ones.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { ReplicationWorld } from '../../test/harness/replication-world.ts'
import { latin1Bytes, RespError } from '../../test/harness/resp.ts'
import { tallyModule } from '../../test/harness/tally-module.ts'
import { valueTypeSuite } from '../../test/harness/value-type-suite.ts'
import { createServer } from '../index.ts'
import { defineModule, defineType } from '../module.ts'
import { builtInCodecs } from '../persistence/values/index.ts'
import { virtualSystem } from '../system/virtual.ts'

const tally = tallyModule()
const many = Array.from({ length: 500 }, (_, i) => `member ${i % 400}`)

valueTypeSuite({
  codecs: builtInCodecs,
  options: { modules: [{ module: tally }] },
  samples: [
    { name: 'tally', encoding: 'raw', commands: [['tally.add', 'k', 'a', 'b', 'a']] },
    { name: 'long tally', encoding: 'raw', commands: [['tally.add', 'k', ...many]] },
  ],
})

valueTypeSuite({
  codecs: builtInCodecs,
  options: { modules: [{ module: tallyModule({ isRestored: true }) }] },
  samples: [{ name: 'tally that is restored', encoding: 'raw', commands: [['tally.add', 'k', ...many]] }],
})

function start(machine = virtualSystem({ seed: 1 }), directives = {}, modules = [tally]): Promise<MachineServer> {
  return MachineServer.start(machine, directives, { modules: modules.map(module => ({ module })) })
}

function refused(reply: unknown, why: RegExp): void {
  assert.ok(reply instanceof RespError, String(reply))
  assert.match(reply.message, why)
}

test('datatype: commands about keys know a module’s type by its name', async () => {
  const server = await start()
  assert.equal(server.call('tally.add', 'k', 'a', 'b', 'a'), 3)
  assert.equal(server.call('tally.get', 'k', 'a'), 2)
  assert.equal(server.call('type', 'k'), 'tally-one')
  assert.equal(server.call('object', 'encoding', 'k'), 'raw')
  assert.deepEqual(server.call('scan', 0, 'type', 'TALLY-one'), ['0', ['k']])
  assert.deepEqual(server.call('scan', 0, 'type', 'module'), ['0', []])
  refused(server.call('get', 'k'), /^WRONGTYPE/)
  server.call('set', 's', 'x')
  refused(server.call('tally.add', 's', 'a'), /^WRONGTYPE/)
  refused(server.call('tally.get', 's', 'a'), /^WRONGTYPE/)
  assert.equal(server.call('rename', 'k', 'n'), 'OK')
  assert.equal(server.call('move', 'n', 3), 1)
  assert.equal(server.call('swapdb', 0, 3), 'OK')
  assert.equal(server.call('tally.add', 'n', 'c'), 4)
  assert.equal(server.call('tally.clear', 'n'), 1)
  assert.equal(server.call('exists', 'n'), 0)
})

test('datatype2: a change is propagated as the command, what it calls is not, and watchers and events hear of it', async () => {
  const machine = virtualSystem({ seed: 1 })
  const directives = { appendonly: 'yes', appendfsync: 'always', 'notify-keyspace-events': 'KEA' }
  const server = await start(machine, directives)
  server.call('ping')
  const listener = server.connect()
  server.send(listener, ['psubscribe', '__key*__:*'])
  server.machine.settle()
  server.take(listener)
  server.call('watch', 'k')
  const other = server.connect()
  server.send(other, ['tally.add', 'k', 'a'])
  server.machine.settle()
  server.call('multi')
  server.call('ping')
  assert.equal(server.call('exec'), null)
  const heard = server.take(listener).map(message => (message as string[]).slice(2).join(' '))
  assert.deepEqual(heard, ['__keyspace@0__:k tally.add', '__keyevent@0__:tally.add k'])
  assert.equal(server.call('tally.log', 'k', 'b'), 2)
  const digest = server.digest()
  await server.stop(['nosave', 'now'])
  const again = await start(machine, directives)
  assert.equal(again.digest(), digest)
  // Called once when it ran and once when the file was replayed, not also by itself.
  assert.equal(again.call('get', 'calls'), '1')
  assert.equal(again.call('tally.get', 'k', 'b'), 1)
})

test('a replica obeys what a module’s command calls, also one that is read-only', async () => {
  const world = new ReplicationWorld(1)
  const primary = await world.start({})
  const replica = await world.start({ replicaof: '10.0.0.1 6379', appendonly: 'yes' })
  await world.caughtUp(primary, replica)
  assert.equal(await primary.say('tally.log k a'), 1)
  await world.caughtUp(primary, replica)
  assert.equal(replica.digest, primary.digest)
  refused((await replica.say('tally.add k a')) as unknown, /^READONLY/)
  assert.equal(await replica.say('tally.get k a'), 1)
  replica.kill()
  await replica.start()
  await world.caughtUp(primary, replica)
  assert.equal(replica.digest, primary.digest)
})

test('write() is refused where its change would be lost', async () => {
  const type = defineType<number[]>({ name: 'numbers-1', encodingVersion: 0, save: () => {}, load: () => [] })
  const module = defineModule({
    name: 'numbers',
    version: 1,
    apiVersion: 1,
    types: [type],
    commands: [
      { name: 'n.read', arity: 2, flags: 'readonly', run: c => void c.write(type, c.args[1]) },
      { name: 'n.effects', arity: 2, flags: 'write', run: c => void c.write(type, c.args[1]) },
      {
        name: 'n.later',
        arity: 2,
        flags: 'write blocking',
        propagation: 'verbatim',
        async run(c) {
          await Promise.resolve()
          c.write(type, c.args[1])
        },
      },
    ],
  })
  const server = await start(undefined, {}, [module])
  for (const name of ['n.read', 'n.effects']) refused(server.call(name, 'k'), /propagation: 'verbatim'/)
  const client = server.connect()
  server.send(client, ['n.later', 'k'])
  for (let turn = 0; turn < 10; turn++) {
    server.machine.settle()
    await Promise.resolve()
  }
  refused(server.take(client)[0], /before its command returns/)
})

test('mallocsize: memory of values counts as used, and is given back', async () => {
  const server = await start()
  const used = () => Number(/used_memory:(\d+)/.exec(String(server.call('info', 'memory')))![1])
  const before = used()
  server.call('tally.add', 'k', 'x'.repeat(1 << 20))
  assert.ok(used() - before >= 1 << 20)
  assert.ok(Number(server.call('memory', 'usage', 'k')) >= 1 << 20)
  server.call('del', 'k')
  assert.ok(used() - before < 1 << 18)
})

test('test_lazyfree: a large value is freed in slices, whose ends the module decides', async () => {
  let freed = 0
  const server = await start(undefined, {}, [tallyModule({ onFree: () => freed++ })])
  server.call('tally.add', 'k', ...many)
  server.send(0, ['unlink', 'k'])
  assert.equal(server.server.engine.keyspace.lazyPending, 1)
  assert.equal(freed, 0)
  server.machine.advance(1000)
  assert.equal(server.server.engine.keyspace.lazyPending, 0)
  assert.equal(freed, 400)
})

test('a value that changes while a snapshot runs is saved as it was', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await start(machine)
  for (let i = 0; i < 3000; i++) server.call('tally.add', `k${i}`, 'a')
  const digest = server.digest()
  assert.match(String(server.call('bgsave')), /started/)
  for (let i = 0; i < 3000; i++) server.call('tally.add', `k${i}`, 'b')
  machine.advance(2000)
  assert.match(String(server.call('info', 'persistence')), /rdb_last_bgsave_status:ok/)
  await server.stop(['nosave', 'now'])
  assert.equal((await start(machine)).digest(), digest)
})

test('a snapshot of an embedded server has the values of modules, and takes away those that came later', async () => {
  const server = await createServer({ modules: [tally] })
  const empty = server.snapshot()
  await server.call('tally.add', 'k', 'a')
  const one = server.snapshot()
  await server.call('tally.add', 'k', 'b')
  await server.call('tally.add', 'other', 'b')
  server.restore(one)
  assert.equal(await server.call('tally.get', 'k', 'a'), 1)
  assert.equal(await server.call('tally.get', 'k', 'b'), 0)
  assert.equal(await server.call('dbsize'), 1)
  server.restore(empty)
  assert.equal(await server.call('dbsize'), 0)
  await server.close()
})

// ---- unknown types ----

test('values of a type that no module has are refused, as Redis does', async () => {
  const machine = virtualSystem({ seed: 1 })
  const having = await start(machine)
  having.call('tally.add', 'k', 'a')
  const payload = latin1Bytes(String(having.call('dump', 'k')))
  having.call('save')
  await having.stop(['nosave', 'now'])
  await assert.rejects(start(machine, {}, []))
  const without = await start(virtualSystem({ seed: 1 }), {}, [])
  refused(without.call('restore', 'k', 0, payload), /Bad data format/)
})

test('with module-unknown-types keep they pass on untouched', async () => {
  const machine = virtualSystem({ seed: 1 })
  const having = await start(machine)
  having.call('tally.add', 'k', 'a', 'b', 'a')
  having.call('pexpireat', 'k', 4_000_000_000_000)
  const payload = having.call('dump', 'k')
  having.call('save')
  await having.stop(['nosave', 'now'])
  const keep = { 'module-unknown-types': 'keep', appendonly: 'no' }
  const without = await start(machine, keep, [])
  assert.equal(without.call('type', 'k'), 'tally-one')
  assert.equal(without.call('dump', 'k'), payload)
  assert.equal(without.call('copy', 'k', 'c'), 1)
  without.call('del', 'k')
  without.call('rename', 'c', 'k')
  without.call('save')
  await without.stop(['nosave', 'now'])
  const again = await start(machine)
  assert.equal(again.call('tally.get', 'k', 'a'), 2)
  assert.equal(again.call('dump', 'k'), payload)
})

const LATER = { 'module-unknown-types': 'keep', 'enable-module-command': 'yes' }

async function settled(server: MachineServer): Promise<unknown> {
  for (let turn = 0; turn < 20; turn++) {
    server.machine.settle()
    await Promise.resolve()
  }
  return server.take(0)[0]
}

/** A server without the module, whose files have `k` of its type; it may load the module later. */
async function keeping(module = tally, later = module): Promise<MachineServer> {
  const machine = virtualSystem({ seed: 1 })
  const having = await start(machine, {}, [module])
  having.call('tally.add', 'k', 'a', 'a')
  having.call('save')
  await having.stop(['nosave', 'now'])
  machine.programs.exports.set('/tally.ts', later)
  const server = await start(machine, LATER, [])
  server.call('ping')
  server.send(0, ['module', 'load', '/tally.ts'])
  assert.equal(await settled(server), 'OK')
  return server
}

test('a kept value is of its type once a module has that', async () => {
  const server = await keeping()
  assert.equal(server.call('tally.get', 'k', 'a'), 2)
  assert.equal(server.call('tally.add', 'k', 'b'), 3)
  refused(server.call('module', 'unload', 'tally'), /exports one or more module-side data types, can't unload/)
})

test('an older module refuses what a newer one has kept there, and it stays', async () => {
  const server = await keeping(tallyModule({ version: 2 }), tallyModule())
  const payload = server.call('dump', 'k')
  refused(server.call('tally.get', 'k', 'a'), /kept as bytes that the module cannot load: encoding version 2/)
  assert.equal(server.call('dump', 'k'), payload)
})

test('a module whose setup fails leaves its values as bytes', async () => {
  const machine = virtualSystem({ seed: 1 })
  let fail = () => {}
  const setup = () => new Promise<void>((_, reject) => void (fail = () => reject(new Error('no'))))
  machine.programs.exports.set('/tally.ts', { ...tally, setup })
  const server = await start(machine, LATER, [])
  server.call('ping')
  server.send(0, ['module', 'load', '/tally.ts'])
  await settled(server)
  const other = server.connect()
  server.send(other, ['tally.add', 'k', 'a'])
  server.machine.settle()
  assert.deepEqual(server.take(other), [1])
  fail()
  for (let turn = 0; turn < 20; turn++) {
    server.machine.settle()
    await Promise.resolve()
  }
  server.take(0)
  assert.equal(server.call('type', 'k'), 'tally-one')
  refused(server.call('tally.add', 'k', 'a'), /unknown command/)
})

// ---- data that belongs to no key ----

function withData(state: { before: string; after: string }) {
  const type = defineType<string>({
    name: 'data-only',
    encodingVersion: 3,
    save: (value, out) => out.string(value),
    load: input => input.text(),
    aux: {
      save(out, when) {
        if (state[when] !== '') out.string(state[when])
      },
      load(input, version, when) {
        state[when] = `${input.text()} ${version}`
      },
    },
  })
  return defineModule({ name: 'data', version: 1, apiVersion: 1, types: [type] })
}

test('testrdb: data of a module that belongs to no key is saved before and after the keys, refused or kept without it', async () => {
  const machine = virtualSystem({ seed: 1 })
  const having = await start(machine, {}, [withData({ before: 'first', after: 'last' })])
  having.call('set', 'k', 'v')
  having.call('save')
  await having.stop(['nosave', 'now'])
  await assert.rejects(start(machine, {}, []))
  const keeping = await start(machine, { 'module-unknown-types': 'keep' }, [])
  keeping.call('save')
  await keeping.stop(['nosave', 'now'])
  const state = { before: '', after: '' }
  const again = await start(machine, {}, [withData(state)])
  assert.deepEqual(state, { before: 'first 3', after: 'last 3' })
  assert.equal(again.call('get', 'k'), 'v')
})

// ---- bad types ----

test('a save that throws fails the save, DUMP and rewrite; the old file and the value stay', async () => {
  for (const preamble of ['yes', 'no']) {
    const machine = virtualSystem({ seed: 1 })
    const directives = { 'aof-use-rdb-preamble': preamble, appendonly: 'yes' }
    const server = await start(machine, directives, [tallyModule({ bad: 'save', isRestored: true })])
    server.call('set', 'text', 'v')
    server.call('save')
    assert.equal(server.call('tally.add', 'k', 'a'), 1)
    refused(server.call('save'), /^ERR/)
    refused(server.call('dump', 'k'), /^ERR type '\S+' of a module: its save has thrown/)
    server.call('bgsave')
    server.call('bgrewriteaof')
    machine.advance(3000)
    machine.advance(3000)
    const info = String(server.call('info', 'persistence'))
    assert.match(info, /rdb_last_bgsave_status:err/)
    assert.match(info, /aof_last_bgrewrite_status:err/)
    assert.equal(server.call('tally.get', 'k', 'a'), 1)
    await server.stop(['nosave', 'now'])
    const again = await start(machine, { appendonly: 'no' })
    assert.equal(again.call('get', 'text'), 'v')
    await again.stop(['nosave', 'now'])
    const log = await start(machine, directives)
    assert.equal(log.call('tally.get', 'k', 'a'), 1)
  }
})

test('a load that throws refuses the file and the payload', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await start(machine)
  server.call('tally.add', 'k', 'a')
  const payload = latin1Bytes(String(server.call('dump', 'k')))
  server.call('save')
  await server.stop(['nosave', 'now'])
  const bad = [tallyModule({ bad: 'load' })]
  await assert.rejects(start(machine, {}, bad))
  const other = await start(virtualSystem({ seed: 1 }), {}, bad)
  refused(other.call('restore', 'k', 0, payload), /Bad data format/)
  assert.equal(other.call('tally.add', 'k', 'a'), 1)
})

test('what copy, free, memory, digest and rewrite throw is logged, and nothing is lost', async () => {
  for (const part of ['copy', 'free', 'memory', 'digest', 'rewrite'] as const) {
    const machine = virtualSystem({ seed: 1 })
    const directives = { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }
    const server = await start(machine, directives, [tallyModule({ bad: part })])
    server.call('tally.add', 'k', 'a', 'b')
    assert.equal(server.call('copy', 'k', 'c'), 1, part)
    assert.equal(server.call('tally.get', 'c', 'b'), 1)
    assert.equal(typeof server.call('memory', 'usage', 'k'), 'number')
    assert.ok(Array.isArray(server.call('debug', 'digest-value', 'k')))
    assert.equal(server.call('del', 'c'), 1)
    server.call('bgrewriteaof')
    machine.advance(3000)
    const status = part === 'rewrite' ? 'err' : 'ok'
    assert.match(String(server.call('info', 'persistence')), new RegExp(`aof_last_bgrewrite_status:${status}`), part)
    await server.stop(['nosave', 'now'])
    const again = await start(machine, directives)
    assert.equal(again.call('tally.get', 'k', 'a'), 1)
    assert.equal(again.call('exists', 'c'), 0)
  }
})

test('a type that is none is refused, and two of one name', async () => {
  const good = { name: 'ninechars', encodingVersion: 0, save: () => {}, load: () => 1 }
  assert.throws(() => defineType({ ...good, name: 'short' }), /nine characters/)
  assert.throws(() => defineType({ ...good, encodingVersion: 1024 }), /0 to 1023/)
  assert.throws(() => defineType({ ...good, save: undefined } as never), /are functions/)
  assert.throws(() => defineType({ ...good, more: 1 } as never), /'more' is no part/)
  const type = defineType(good)
  const base = { version: 1, apiVersion: 1, types: [type] }
  assert.throws(() => defineModule({ ...base, name: 'a', types: [good as never] }), /what defineType\(\) returns/)
  const two = [defineModule({ ...base, name: 'a' }), defineModule({ ...base, name: 'b' })]
  await assert.rejects(start(undefined, {}, two), /there is a type 'ninechars' already/)
})
