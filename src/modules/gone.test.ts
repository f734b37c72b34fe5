// Modules that go while something of theirs is under way: a setup, a transaction, a login, a kept context.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { plain, settled, started } from '../../test/harness/module-server.ts'
import type { Word } from '../../test/harness/resp.ts'
import type { LoginAnswer, ModuleContext, ModuleDefinition, ModuleServer } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

const FILE = '/modules/going.js'
const UNKNOWN = "-ERR unknown command 'g.one', with args beginning with: "

async function serverWith(parts: Partial<ModuleDefinition>) {
  const machine = virtualSystem({ seed: 1 })
  machine.programs.exports.set(FILE, { name: 'going', version: 1, apiVersion: 1, ...parts })
  const server = await MachineServer.start(machine, { 'enable-module-command': 'yes' })
  const logged: string[] = []
  server.server.engine.log = (_, text) => void logged.push(text)
  const client = server.connect()
  const call = async (...words: Word[]) => {
    server.send(client, words)
    await settled(server)
    return plain(server.take(client)[0])
  }
  return { server, call, logged }
}

for (const how of ['resolves', 'rejects', 'never ends'])
  test(`a module that is unloaded before its setup ${how} was not loaded, and can be loaded again`, async () => {
    const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
    const { server, call, logged } = await serverWith({
      commands: [{ name: 'g.one', arity: 1, flags: '', run: () => 1 }],
      setup: () =>
        ends.length === 0 ? new Promise((resolve, reject) => void ends.push({ resolve, reject })) : undefined,
    })
    const count = await call('command', 'count')
    const loader = started(server, 'module', 'load', FILE)
    await settled(server)
    assert.deepEqual(server.take(loader), [])
    assert.equal(await call('g.one'), 1)
    assert.equal(await call('module', 'unload', 'going'), 'OK')
    assert.match(String(plain(server.take(loader)[0])), /^-ERR Error loading the extension/)
    assert.match(logged.join('\n'), /was unloaded before its setup had ended/)
    assert.equal(await call('module', 'load', FILE), 'OK')
    if (how === 'resolves') ends[0].resolve()
    if (how === 'rejects') ends[0].reject(new Error('too late'))
    await settled(server)
    assert.equal(await call('g.one'), 1)
    assert.equal(await call('module', 'unload', 'going'), 'OK')
    assert.equal(await call('g.one'), UNKNOWN)
    assert.equal(await call('command', 'count'), count)
  })

test('a module cannot be unloaded by its own code; a transaction may unload it between its commands', async () => {
  const refused = 'ERR This Redis command is not allowed from a module'
  const said: string[] = []
  const unload = (by: ModuleServer) => {
    try {
      by.call('MODULE', 'UNLOAD', 'going')
      said.push('unloaded')
    } catch (error) {
      said.push((error as Error).message)
    }
  }
  const { server, call } = await serverWith({
    commands: [
      { name: 'g.one', arity: 1, flags: 'write', run: ctx => ctx.call('INCR', 'n') },
      {
        name: 'g.unload',
        arity: 1,
        flags: '',
        run(ctx) {
          unload(ctx)
          ctx.after(5, () => unload(ctx))
          return 1
        },
      },
    ],
    setup: of => void of.on('key-changed', () => unload(of)),
  })
  assert.equal(await call('module', 'load', FILE), 'OK')
  assert.equal(await call('g.unload'), 1)
  for (let ms = 0; ms < 10; ms++) server.machine.advance(1)
  await call('g.one')
  assert.deepEqual(said, [refused, refused, refused])
  for (const words of [['multi'], ['g.one'], ['module', 'unload', 'going'], ['g.one'], ['set', 'after', '1']])
    await call(...words)
  assert.deepEqual(await call('exec'), [2, 'OK', "-ERR unknown command 'g.one'", 'OK'])
  assert.equal(await call('get', 'n'), '2')
  assert.equal(await call('get', 'after'), '1')
})

test('a login that waits for a module that is unloaded is decided without it', async () => {
  let answer: (value: LoginAnswer) => void = () => {}
  const { server, call } = await serverWith({ auth: () => new Promise(resolve => (answer = resolve)) })
  assert.equal(await call('module', 'load', FILE), 'OK')
  await call('acl', 'setuser', 'bob', 'on', '>secret')
  const right = started(server, 'auth', 'bob', 'secret')
  await settled(server)
  const answerRight = answer
  const wrong = started(server, 'auth', 'bob', 'wrong')
  await settled(server)
  assert.equal(await call('module', 'unload', 'going'), 'OK')
  answerRight(false)
  answer(true)
  await settled(server)
  assert.deepEqual(server.take(right), ['OK'])
  assert.match(String(plain(server.take(wrong)[0])), /^-WRONGPASS/)
})

test('what a module has kept does nothing once it has gone', async () => {
  let kept: ModuleContext | undefined
  let held: ModuleServer | undefined
  const { server, call } = await serverWith({
    config: { p: { kind: 'integer', initial: 1 } },
    commands: [
      {
        name: 'g.keep',
        arity: 2,
        flags: 'write',
        run(ctx) {
          kept = ctx
          assert.throws(() => ctx.config('none'), /module 'going' has no parameter 'none'/)
          return ctx.config('p')
        },
      },
    ],
    setup: of => void (held = of),
  })
  const witness = started(server, 'client', 'id')
  const [id] = server.take(witness) as number[]
  assert.equal(await call('module', 'load', FILE), 'OK')
  assert.equal(await call('g.keep', 'k'), 1)
  assert.equal(await call('module', 'unload', 'going'), 'OK')
  const gone = /the module has been unloaded/
  for (const of of [held!, kept!])
    for (const work of [
      () => of.call('SET', 'k', 1),
      () => of.callWith({ as: 'server' }, 'SET', 'k', 1),
      () => of.refusal({}, 'SET', 'k', 1),
      () => of.closeClient(id),
      () => of.config('p'),
    ])
      assert.throws(work, gone)
  assert.throws(() => kept!.keys.string('k'), gone)
  assert.throws(() => kept!.keyReady('k'), gone)
  assert.throws(() => kept!.writableKeys, TypeError)
  server.send(witness, ['ping'])
  await settled(server)
  assert.deepEqual(server.take(witness), ['PONG'])
  assert.equal(await call('exists', 'k'), 0)
})

test('a timer that a teardown begins is over with the server', async () => {
  let runs = 0
  let downs = 0
  let held: ModuleServer | undefined
  const { server, call } = await serverWith({
    setup: of => void (held = of),
    teardown() {
      downs++
      held!.every(1, () => void runs++)
    },
  })
  assert.equal(await call('module', 'load', FILE), 'OK')
  server.send(server.connect(), ['shutdown', 'nosave'])
  await settled(server).catch(error => assert.match(String(error), /exit 0/))
  for (let ms = 0; ms < 10; ms++) server.machine.advance(1)
  assert.equal(downs, 1)
  assert.equal(runs, 0)
})

test('words and indexes that are none are empty, or as arrays have them', async () => {
  const odd = [-1, 0.5, -0.5, Number.NaN, Number.NEGATIVE_INFINITY, 1e300, 2 ** 32, 99, 'x', undefined] as number[]
  const { call } = await serverWith({
    commands: [
      {
        name: 'g.odd',
        arity: 2,
        flags: 'readonly',
        run(ctx) {
          for (const i of odd) {
            assert.equal(ctx.text(i), '')
            assert.equal(ctx.bytes(i).length, 0)
            assert.equal(ctx.borrow(i).text(), '')
            assert.equal(ctx.is(i, ''), false)
            assert.throws(() => ctx.integer(i), /not an integer/)
            assert.throws(() => ctx.double(i), /not a valid float/)
            assert.throws(() => ctx.waitForKeys(i), RangeError)
          }
          const list = ctx.keys.list('l')!
          const set = ctx.keys.sortedSet('z')!
          const all = ['a', 'b', 'c']
          const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)
          for (const i of odd) {
            assert.equal(text(list.at(i)), all.at(i), `at ${i}`)
            assert.deepEqual(list.slice(i).map(text), all.slice(i), `slice ${i}`)
            assert.deepEqual(list.slice(0, i).map(text), all.slice(0, i), `slice to ${i}`)
            assert.deepEqual(
              set.slice(i).map(([member]) => text(member)),
              all.slice(i),
              `ranks ${i}`,
            )
            assert.deepEqual(
              set.slice(0, i).map(([member]) => text(member)),
              all.slice(0, i),
              `ranks to ${i}`,
            )
          }
          return 'all'
        },
      },
    ],
  })
  await call('rpush', 'l', 'a', 'b', 'c')
  await call('zadd', 'z', '1', 'a', '2', 'b', '3', 'c')
  assert.equal(await call('module', 'load', FILE), 'OK')
  assert.equal(await call('g.odd', '1'), 'all')
})
