import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { type PlainValue, RespError } from '../../test/harness/resp.ts'
import { createServer } from '../index.ts'
import { defineModule, type ModuleDefinition } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

const heard: unknown[] = []
const definition: ModuleDefinition = {
  name: 'tried',
  version: 2,
  apiVersion: 1,
  config: {
    limit: {
      kind: 'integer',
      initial: 10,
      min: -5,
      max: 100,
      changed: value => {
        heard.push(value)
        return value === 66 ? 'not this one' : undefined
      },
    },
    loose: { kind: 'yes-no', initial: false },
    bytes: { kind: 'memory', initial: 1024 },
    mode: { kind: 'enum', initial: 'slow', values: ['slow', 'fast'] },
    title: { kind: 'text', initial: '', immutable: true },
    secret: { kind: 'text', initial: 's', hidden: true, sensitive: true },
    bad: {
      kind: 'integer',
      initial: 1,
      changed: () => {
        throw new Error('a listener')
      },
    },
  },
  info: {
    '': server => ({ limit: server.config('limit') as number }),
    more: () => ({ text: 'two\nlines' }),
    bad: () => {
      throw new Error('a field')
    },
  },
  commands: [
    {
      name: 't.values',
      arity: 1,
      flags: 'fast',
      run: ctx => ['limit', 'loose', 'bytes', 'mode', 'title'].map(name => ctx.config(name)),
    },
  ],
}

async function serverWith(directives: Readonly<Record<string, string>> = {}): Promise<MachineServer> {
  const modules = [{ module: defineModule(definition) }]
  return MachineServer.start(virtualSystem({ seed: 1 }), directives, { modules })
}

function message(value: PlainValue): string {
  assert.ok(value instanceof RespError, String(value))
  return value.message
}

test('parameters of a module are set and read by CONFIG', async () => {
  const server = await serverWith({ 'tried.mode': 'FAST', 'Tried.Title': 'from the file' })
  assert.deepEqual(server.call('t.values'), [10, 0, 1024, 'fast', 'from the file'])
  heard.length = 0
  assert.equal(server.call('config', 'set', 'tried.limit', '-5', 'TRIED.LOOSE', 'yes', 'tried.bytes', '2kb'), 'OK')
  assert.deepEqual(heard, [-5])
  assert.deepEqual(server.call('t.values'), [-5, 1, 2048, 'fast', 'from the file'])
  assert.deepEqual(server.call('config', 'get', 'tried.l*'), ['tried.limit', '-5', 'tried.loose', 'yes'])
  assert.deepEqual(server.call('config', 'get', 'tried.s*', 'tried.secret'), ['tried.secret', 's'])
})

test('an invalid value, an immutable parameter, and a listener that refuses or throws change nothing', async () => {
  const server = await serverWith()
  const set = (name: string, value: string) => message(server.call('config', 'set', name, value))
  const failed = (name: string) => `ERR CONFIG SET failed (possibly related to argument '${name}') - `
  assert.equal(set('tried.limit', '101'), `${failed('tried.limit')}argument must be between -5 and 100 inclusive`)
  assert.equal(set('tried.title', 'x'), `${failed('tried.title')}can't set immutable config`)
  assert.equal(set('tried.limit', '66'), `${failed('tried.limit')}not this one`)
  assert.equal(set('tried.bad', '2'), `${failed('tried.bad')}the module refused it`)
  assert.deepEqual(server.call('config', 'get', 'tried.limit', 'tried.bad'), ['tried.limit', '10', 'tried.bad', '1'])
  assert.match(set('tried.none', '1'), /Unknown option/)
  await assert.rejects(serverWith({ 'tried.none': '1' }), /No module that is loaded has the parameter 'tried.none'/)
  await assert.rejects(serverWith({ 'tried.limit': 'x' }), /couldn't be parsed into an integer/)
})

test('parameters are directives of createServer, and are rewritten', async () => {
  const config = { 'tried.limit': 7 } as object
  const server = await createServer({ config, modules: [defineModule(definition)] })
  assert.deepEqual(await server.call('CONFIG' as 'PING', 'GET', 'tried.limit'), { 'tried.limit': '7' })
  await server.close()
  const machine = await serverWith()
  const { config: held } = machine.server
  held.configFile = '/redis.conf'
  const file = (text: string) => machine.machine.disk.writeFile('/redis.conf', new TextEncoder().encode(text))
  file('# mine\nTRIED.LIMIT 3\n')
  machine.call('config', 'set', 'tried.limit', '8', 'tried.mode', 'fast')
  assert.equal(machine.call('config', 'rewrite'), 'OK')
  const text = new TextDecoder().decode(machine.machine.disk.readFile('/redis.conf'))
  assert.match(text, /^# mine\ntried.limit 8\n/)
  assert.match(text, /\ntried.mode fast\n/)
  assert.doesNotMatch(text, /tried.bytes/)
})

test('LOADEX sets parameters before the setup, and unloading takes them back', async () => {
  const machine = virtualSystem({ seed: 1 })
  let atSetup: unknown
  machine.programs.exports.set('/m.ts', {
    ...definition,
    setup: server => void (atSetup = server.config('title')),
  } as ModuleDefinition)
  const server = await MachineServer.start(machine, { 'enable-module-command': 'yes' })
  const connection = server.connect()
  const call = async (...words: string[]) => {
    server.send(connection, words)
    for (let turn = 0; turn < 20; turn++) {
      machine.settle()
      await Promise.resolve()
    }
    return server.take(connection)[0]
  }
  assert.equal(await call('module', 'loadex', '/m.ts', 'config', 'tried.title', 'a b', 'ARGS', 'x'), 'OK')
  assert.equal(atSetup, 'a b')
  assert.equal(await call('module', 'unload', 'tried'), 'OK')
  assert.deepEqual(await call('config', 'get', 'tried.*'), [])
  for (const [name, value] of [
    ['tried.none', '1'],
    ['tried.limit', 'x'],
    ['maxmemory', '5'],
  ]) {
    message((await call('module', 'loadex', '/m.ts', 'CONFIG', name, value)) as PlainValue)
    assert.deepEqual(await call('module', 'list'), [])
  }
})

test('INFO has the sections of modules, when they are asked for', async () => {
  const server = await serverWith()
  const sections = (...words: string[]) => String(server.call('info', ...words))
  const own = '# tried\r\ntried_limit:10\r\n\r\n# tried_more\r\ntried_text:two lines\r\n\r\n# tried_bad\r\n'
  assert.equal(sections('tried'), own)
  assert.equal(sections('tried_more'), '# tried_more\r\ntried_text:two lines\r\n')
  const listed = '# Modules\r\nmodule:name=tried,ver=2,api=1,filters=0,usedby=[],using=[],options=[]\r\n'
  assert.equal(sections('modules'), `${listed}\r\n${own}`)
  assert.ok(sections('everything').endsWith(own))
  assert.ok(!sections('all').includes('# tried'))
  assert.ok(sections().includes(listed))
})

test('INFO asks a module only for the sections that are wanted', async () => {
  const asked: string[] = []
  const section = (name: string) => () => {
    asked.push(name)
    return {}
  }
  const info = { one: section('one'), two: section('two') }
  const module = defineModule({ name: 'tried', version: 1, apiVersion: 1, info })
  const server = await MachineServer.start(virtualSystem({ seed: 1 }), {}, { modules: [{ module }] })
  server.call('info')
  server.call('info', 'replication')
  assert.deepEqual(asked, [])
  server.call('info', 'tried_two')
  assert.deepEqual(asked, ['two'])
})
