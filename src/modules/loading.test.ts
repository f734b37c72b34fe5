import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { Config } from '../config/config.ts'
import { loadText } from '../config/parser.ts'
import { createServer } from '../index.ts'
import type { ModuleDefinition } from '../module.ts'
import { Logger } from '../server/log.ts'
import { startServer } from '../server/server.ts'
import { virtualSystem } from '../system/virtual.ts'

const FILE = '/modules/tried.ts'
const ALLOWED = { 'enable-module-command': 'yes' }
const NOT_LOADED = 'ERR Error loading the extension. Please check the server logs.'

function tried(parts: Partial<ModuleDefinition> = {}): ModuleDefinition {
  return {
    name: 'tried',
    version: 1,
    apiVersion: 1,
    aclCategories: ['trial'],
    commands: [
      {
        name: 't.set',
        arity: 2,
        flags: 'write',
        keys: 'RW UPDATE @1',
        acl: 'trial',
        run: c => c.call('SET', c.args[1], 1),
      },
      { name: 't.wait', arity: 1, flags: 'blocking', timeoutMs: 50, run: () => new Promise(() => {}) },
    ],
    ...parts,
  }
}

async function serverOn(module: unknown, directives: Readonly<Record<string, string>> = ALLOWED) {
  const machine = virtualSystem({ seed: 1 })
  machine.programs.exports.set(FILE, module)
  const server = await MachineServer.start(machine, directives)
  const connection = server.connect()
  const call = async (...words: string[]) => {
    server.send(connection, words)
    for (let turn = 0; turn < 20; turn++) {
      machine.settle()
      await Promise.resolve()
    }
    const [reply] = server.take(connection)
    return reply instanceof RespError ? reply.message : reply
  }
  return { machine, server, call }
}

test('a module that is loaded from a file is there until it is unloaded', async () => {
  const said: string[] = []
  const module = tried({
    setup: (_server, args) => void said.push(`up ${args.join()}`),
    teardown: () => void said.push('down'),
  })
  const { call } = await serverOn(module)
  assert.equal(await call('t.set', 'k'), "ERR unknown command 't.set', with args beginning with: 'k' ")
  assert.equal(await call('module', 'load', FILE, 'a', 'b'), 'OK')
  assert.deepEqual(await call('module', 'list'), [['name', 'tried', 'ver', 1, 'path', FILE, 'args', ['a', 'b']]])
  assert.equal(await call('t.set', 'k'), 'OK')
  assert.deepEqual(await call('acl', 'cat', 'trial'), ['t.set'])
  const before = await call('command', 'count')
  assert.equal(await call('module', 'unload', 'tried'), 'OK')
  assert.equal(await call('command', 'count'), (before as number) - 2)
  assert.equal(await call('t.set', 'k'), "ERR unknown command 't.set', with args beginning with: 'k' ")
  assert.equal(await call('acl', 'cat', 'trial'), "ERR Unknown category 'trial'")
  assert.deepEqual(await call('module', 'list'), [])
  assert.equal(await call('module', 'loadex', FILE, 'ARGS', 'c'), 'OK')
  assert.deepEqual(said, ['up a,b', 'down', 'up c'])
  assert.equal(await call('ping'), 'PONG')
})

test('MODULE LOAD needs a directive, and a module', async () => {
  const { call: guarded } = await serverOn(tried(), {})
  assert.match(String(await guarded('module', 'load', FILE)), /^ERR MODULE command not allowed/)
  const { call } = await serverOn({ name: 'a b', version: 1, apiVersion: 1 })
  for (const words of [
    ['load', '/none.ts'],
    ['load', FILE],
    ['loadex', FILE, 'CONFIG', 'x'],
    ['loadex', FILE, 'OTHER'],
    ['loadex', FILE, 'CONFIG', 'none.x', '1'],
  ])
    assert.equal(await call('module', ...words), NOT_LOADED)
  assert.equal(await call('module', 'unload', 'none'), 'ERR Error unloading module: no such module with that name')
})

test('a module whose setup fails, or whose command exists, leaves nothing', async () => {
  const failing = tried({
    setup: () => {
      throw new Error('no')
    },
  })
  const { call } = await serverOn(failing)
  const before = await call('command', 'count')
  assert.equal(await call('module', 'load', FILE), NOT_LOADED)
  assert.equal(await call('command', 'count'), before)
  assert.deepEqual(await call('module', 'list'), [])
  const { call: other } = await serverOn(tried({ commands: [{ name: 'get', arity: 2, flags: '', run: () => 1 }] }))
  assert.equal(await other('module', 'load', FILE), NOT_LOADED)
  assert.equal(await other('get', 'k'), null)
})

test('a module with waiting clients stays until they are served', async () => {
  const { machine, server, call } = await serverOn(tried())
  assert.equal(await call('module', 'load', FILE), 'OK')
  const waiting = server.connect()
  server.send(waiting, ['t.wait'])
  machine.settle()
  assert.equal(
    await call('module', 'unload', 'tried'),
    'ERR Error unloading module: the module has blocked clients. Please wait for them to be unblocked and try again',
  )
  for (let ms = 0; ms < 200; ms++) machine.advance(1)
  assert.deepEqual(server.take(waiting), [null])
  assert.equal(await call('module', 'unload', 'tried'), 'OK')
})

test('a teardown that throws keeps the module', async () => {
  const { call } = await serverOn(
    tried({
      teardown: () => {
        throw new Error('not now')
      },
    }),
  )
  assert.equal(await call('module', 'load', FILE), 'OK')
  assert.equal(await call('module', 'unload', 'tried'), 'ERR Error unloading module: operation not possible.')
  assert.equal(await call('t.set', 'k'), 'OK')
})

test('a queued command of a module that was unloaded is an error, the others run', async () => {
  const { server, call } = await serverOn(tried())
  assert.equal(await call('module', 'load', FILE), 'OK')
  const other = server.connect()
  for (const words of [['multi'], ['t.set', 'k'], ['set', 'l', '2']]) server.send(other, words)
  server.machine.settle()
  assert.equal(await call('module', 'unload', 'tried'), 'OK')
  server.send(other, ['exec'])
  server.machine.settle()
  const [failed, fine] = server.take(other).at(-1) as unknown[]
  assert.match((failed as RespError).message, /unknown command 't.set'/)
  assert.equal(fine, 'OK')
})

test('timers of a module end with it', async () => {
  let runs = 0
  const { machine, call } = await serverOn(tried({ setup: server => void server.every(10, () => void runs++) }))
  assert.equal(await call('module', 'load', FILE), 'OK')
  for (let ms = 0; ms < 35; ms++) machine.advance(1)
  assert.equal(runs, 3)
  assert.equal(await call('module', 'unload', 'tried'), 'OK')
  for (let ms = 0; ms < 35; ms++) machine.advance(1)
  assert.equal(runs, 3)
})

test('ACL rules follow the commands that come and go', async () => {
  const { server, call } = await serverOn(tried())
  assert.equal(await call('acl', 'setuser', 'all', 'on', 'nopass', '~*', '+@all'), 'OK')
  assert.equal(await call('acl', 'setuser', 'few', 'on', 'nopass', '~*', '+get', '+auth'), 'OK')
  assert.equal(await call('module', 'load', FILE), 'OK')
  assert.equal(await call('acl', 'dryrun', 'all', 't.set', 'k'), 'OK')
  assert.equal(
    await call('acl', 'dryrun', 'few', 't.set', 'k'),
    "User few has no permissions to run the 't.set' command",
  )
  assert.equal(await call('acl', 'setuser', 'few', '+@trial'), 'OK')
  assert.equal(await call('acl', 'dryrun', 'few', 't.set', 'k'), 'OK')
  assert.equal(await call('module', 'unload', 'tried'), 'OK')
  assert.equal(await call('acl', 'dryrun', 'few', 'get', 'k'), 'OK')
  assert.equal(await call('module', 'load', FILE), 'OK')
  assert.equal(await call('acl', 'dryrun', 'few', 't.set', 'k'), 'OK')
  assert.equal(server.server.engine.acl.user('all')!.isUnrestricted, false)
})

test('loadmodule loads at the start, before users are made; a file that is missing ends the start', async () => {
  const machine = virtualSystem({ seed: 1 })
  machine.programs.exports.set(FILE, tried())
  const start = async (text: string) => {
    const config = new Config(machine.disk)
    loadText(config, `port 0\nunixsocket /s\nsave ""\n${text}`)
    let done = false
    const starting = startServer(config, machine.system, new Logger(machine.system, config), {})
    const ended = starting.then(
      () => undefined,
      () => undefined,
    )
    void ended.then(() => {
      done = true
    })
    for (let turn = 0; !done && turn < 10_000; turn++) {
      machine.settle()
      await Promise.resolve()
    }
    return starting
  }
  const server = await start(`user a on nopass ~* +t.set +set\nloadmodule ${FILE} x\nrename-command t.wait t.w`)
  const socket = server.memory.connect()
  let replies = ''
  socket.onData = bytes => {
    replies += new TextDecoder().decode(bytes)
  }
  socket.write('AUTH a x\r\nT.SET k\r\n')
  assert.equal(replies, '+OK\r\n$2\r\nOK\r\n')
  await assert.rejects(start('loadmodule /none.ts'), /Module \/none.ts failed to load/)
})

test('CONFIG REWRITE writes the modules that are loaded', async () => {
  const { machine, server, call } = await serverOn(tried())
  const { config } = server.server
  config.configFile = '/redis.conf'
  machine.disk.writeFile('/redis.conf', new TextEncoder().encode('loadmodule /gone.ts\n'))
  assert.equal(await call('module', 'load', FILE, 'a b', 'c'), 'OK')
  assert.equal(await call('config', 'rewrite'), 'OK')
  const text = new TextDecoder().decode(machine.disk.readFile('/redis.conf'))
  assert.deepEqual(
    text.split('\n').filter(line => line.startsWith('loadmodule')),
    [`loadmodule ${FILE} "a b" c`],
  )
})

test('a file in JavaScript is loaded, and read again when it has changed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'modules-'))
  const file = join(folder, 'one.mjs')
  const write = (answer: string) =>
    writeFileSync(
      file,
      `export default { name: 'one', version: 1, apiVersion: 1,
        commands: [{ name: 'one.say', arity: 1, flags: 'fast', run: () => '${answer}' }] }`,
    )
  const server = await createServer({ config: { 'enable-module-command': 'yes' } })
  try {
    for (const answer of ['first', 'second']) {
      write(answer)
      assert.equal(await server.call('MODULE' as 'PING', 'LOAD', file), 'OK')
      assert.equal(await server.call('one.say' as 'PING'), answer)
      assert.equal(await server.call('MODULE' as 'PING', 'UNLOAD', 'one'), 'OK')
    }
  } finally {
    await server.close()
    rmSync(folder, { recursive: true })
  }
})
