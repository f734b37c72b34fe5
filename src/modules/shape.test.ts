// Definitions of modules as JavaScript may have them: refused with an error that says why, or loaded whole. Either way
// nothing that describes the server fails, and nothing is left when they have gone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { plain } from '../../test/harness/module-server.ts'
import { defineModule, type ModuleDefinition } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

type Fields = Readonly<Record<string, unknown>>

const FILE = '/modules/odd.js'
const ODD: readonly unknown[] = [
  undefined,
  null,
  5,
  -1,
  Number.NaN,
  10n,
  '',
  'x y\r\n"',
  'UPPER',
  '€',
  '__proto__',
  'x'.repeat(10_000),
  Symbol('s'),
  {},
  [],
  [null],
  ['x'],
  () => 1,
  {
    toString() {
      throw new Error('toString')
    },
  },
]
const COMMAND: Fields = { name: 'o.one', arity: -1, flags: 'readonly', run: () => 1 }
const BOX: Fields = { name: 'o.box', arity: -2, flags: '', subcommands: [{ ...COMMAND, name: 'in' }] }
const COMMAND_FIELDS = [
  ...['name', 'arity', 'flags', 'keys', 'since', 'summary', 'complexity', 'args', 'history', 'tips', 'acl'],
  ...['subcommands', 'channels', 'propagation', 'timeoutMs', 'run'],
]
const PARTS = ['name', 'version', 'commands', 'types', 'aclCategories', 'config', 'info', 'auth', 'setup', 'teardown']
const PARAMETERS: readonly Fields[] = [
  { kind: 'integer', initial: 1 },
  { kind: 'memory', initial: 1 },
  { kind: 'yes-no', initial: true },
  { kind: 'text', initial: 'a' },
  { kind: 'enum', initial: 'a', values: ['a', 'b'] },
]
const PARAMETER_FIELDS = ['kind', 'initial', 'min', 'max', 'values', 'immutable', 'hidden', 'sensitive', 'changed']

function module(parts: Fields = {}): Fields {
  return { name: 'odd', version: 1, apiVersion: 1, commands: [COMMAND, BOX], ...parts }
}

function* withOne(odd: unknown): Generator<[what: string, definition: Fields]> {
  for (const part of PARTS) yield [part, module({ [part]: odd })]
  for (const field of COMMAND_FIELDS) {
    yield [`command ${field}`, module({ commands: [COMMAND, { ...COMMAND, name: 'o.two', [field]: odd }] })]
    yield [`subcommand ${field}`, module({ commands: [{ ...BOX, subcommands: [{ ...COMMAND, [field]: odd }] }] })]
  }
  for (const parameter of PARAMETERS)
    for (const field of PARAMETER_FIELDS)
      yield [`${String(parameter.kind)} ${field}`, module({ config: { p: { ...parameter, [field]: odd } } })]
  const name = typeof odd === 'string' ? odd : 'other'
  yield ['name of a parameter', module({ config: { [name]: { kind: 'yes-no', initial: true }, second: odd } })]
  yield ['info', module({ info: { [name]: () => ({ [name]: odd }), second: () => odd } })]
  yield ['section of info', module({ info: { x: odd } })]
  yield ['ACL category', module({ aclCategories: ['first', odd] })]
}

const TAKEN: readonly Fields[] = [
  { aclCategories: ['read'] },
  { aclCategories: ['All'] },
  { commands: [COMMAND, COMMAND] },
  { commands: [{ ...COMMAND, name: 'get' }] },
  { commands: [{ ...BOX, subcommands: [COMMAND, COMMAND] }] },
  { config: { p: { kind: 'integer', initial: 5, max: 4 } } },
  { config: { p: { kind: 'enum', initial: 'c', values: ['a', 'b'] } } },
]

const ASKED: readonly string[][] = [
  ['command', 'docs', 'o.one', 'o.two', 'o.box'],
  ['command', 'info', 'o.one', 'o.two', 'o.box'],
  ['info', 'modules', 'odd', 'odd_x', 'odd_second'],
  ['config', 'get', 'odd.*'],
  ['config', 'set', 'odd.p', 'a'],
  ['acl', 'setuser', 'u', '+@all', '-@first'],
  ['o.one', 'a'],
  ['o.two', 'a'],
  ['o.box', 'in'],
  ['command', 'getkeys', 'o.two', 'a'],
]
const SAME: readonly string[][] = [
  ['command', 'count'],
  ['acl', 'cat'],
  ['config', 'get', 'odd.*'],
  ['module', 'list'],
]
/** The same, of everything that there is. */
const ALL: readonly string[][] = [
  ['command', 'docs'],
  ['config', 'get', '*'],
  ['info', 'everything'],
  ['config', 'rewrite'],
]

async function loader() {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine, { 'enable-module-command': 'yes' })
  const logged: string[] = []
  server.server.engine.log = (_, text) => void logged.push(text)
  const client = server.connect()
  const load = async (definition: Fields) => {
    machine.programs.exports.set(FILE, definition)
    server.send(client, ['module', 'load', FILE])
    for (let turn = 0; turn < 8; turn++) {
      machine.settle()
      await Promise.resolve()
    }
    return plain(server.take(client)[0])
  }
  /** What is the same without the module. */
  const state = () => JSON.stringify(SAME.map(words => plain(server.call(...words))))
  return { server, load, state, logged }
}

async function tried(
  what: string,
  definition: Fields,
  { server, load, state, logged }: Awaited<ReturnType<typeof loader>>,
) {
  const before = state()
  logged.length = 0
  const loaded = (await load(definition)) === 'OK'
  if (!loaded) assert.match(logged.join('\n'), /failed to load: /, what)
  for (const words of loaded ? ASKED : []) {
    const said = plain(server.call(...words))
    assert.doesNotMatch(String(said), /internal error/, `${what}: ${words.join(' ')}`)
  }
  if (loaded) assert.equal(plain(server.call('module', 'unload', definition.name as string)), 'OK', what)
  assert.equal(state(), before, what)
  return loaded
}

for (const odd of ODD)
  test(`a definition with ${typeof odd === 'string' ? JSON.stringify(odd.slice(0, 9)) : odd === null ? 'null' : typeof odd} in each of its fields`, async () => {
    const at = await loader()
    // The harness reads replies as bytes: it cannot name this module again.
    for (const [what, definition] of withOne(odd)) if (what !== 'name' || odd !== '€') await tried(what, definition, at)
    for (const words of ALL) assert.doesNotMatch(String(plain(at.server.call(...words))), /internal error/)
  })

test('names that are taken, and bounds that no value keeps', async () => {
  const at = await loader()
  for (const parts of TAKEN) assert.equal(await tried(JSON.stringify(parts), module(parts), at), false)
})

test('two modules whose parameters have one name: the second is refused, the first keeps its own', async () => {
  const at = await loader()
  const first = { ...module({ config: { 'b.c': { kind: 'integer', initial: 1 } } }), name: 'odd' }
  assert.equal(await at.load(first), 'OK')
  const second = {
    ...module({ config: { d: { kind: 'integer', initial: 1 }, c: { kind: 'integer', initial: 2 } } }),
    name: 'odd.b',
    commands: [],
  }
  assert.equal(await tried('the second', second, at), false)
  assert.match(at.logged.join('\n'), /there is a parameter 'odd\.b\.c' already/)
  assert.deepEqual(at.server.call('config', 'get', 'odd.*'), ['odd.b.c', '1'])
})

test('defineModule() says which field is wrong', () => {
  const told = (parts: Fields) => {
    try {
      defineModule(module(parts) as unknown as ModuleDefinition)
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  assert.equal(told({ commands: [{ ...COMMAND, summary: null }] }), "module 'odd': command 'o.one': summary is a text")
  assert.equal(
    told({ config: { p: { kind: 'int', initial: 1 } } }).slice(0, 40),
    "module 'odd': parameter 'p': its kind is",
  )
  assert.equal(
    told({ commands: [{ name: 'o.none', arity: 1, flags: '' }] }),
    "module 'odd': command 'o.none': run is a function",
  )
  assert.equal(told({}), '')
})
