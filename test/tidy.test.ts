// Structure of the sources: which layer may import which, the length of files and functions, where the machine may be
// accessed, and that every command is tested.
//
// What already exceeds a limit is listed in tidy/ratchet.json: it may shrink but not grow. After shrinking something,
// `TIDY_UPDATE=1 npx bun test test/tidy.test.ts` tightens the ratchet; it never loosens it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCommands } from '../src/commands/index.ts'
import type { Command } from '../src/engine/catalog/command.ts'
import { looseLookups, unneededExceptions } from './tidy/lookups.ts'
import { checkRatchet, ratchet, tighten } from './tidy/ratchet.ts'
import { bareCode, functionsOf, importsOf, readSources } from './tidy/source.ts'

const FILE_LINES_MAX = 500
const FUNCTION_LINES_MAX = 60
const sources = readSources('src')
const production = sources.filter(file => !file.isTest)
const tests = readSources('test')

// What each module may import: everything, or with 'type' in front its types alone. Imports point one way.
const LAYERS: { readonly [folder: string]: readonly string[] } = {
  lib: [],
  memory: ['lib'],
  protocol: ['lib'],
  system: ['lib'],
  config: ['lib', 'type system'],
  client: ['lib', 'protocol', 'system'],
  keyspace: ['lib', 'memory'],
  engine: ['lib', 'protocol', 'config', 'keyspace', 'type memory', 'type system'],
  commands: ['lib', 'protocol', 'keyspace', 'engine', 'type memory'],
  net: ['lib', 'system'],
  scripting: ['lib', 'protocol', 'keyspace', 'type memory', 'type system', 'engine'],
  persistence: ['lib', 'protocol', 'system', 'keyspace', 'memory', 'engine'],
  storage: ['lib', 'protocol', 'memory', 'system', 'keyspace', 'engine', 'persistence'],
  cluster: ['lib', 'protocol', 'system', 'keyspace', 'engine'],
  sentinel: ['lib', 'protocol', 'system', 'client', 'engine'],
  replication: ['lib', 'protocol', 'system', 'client', 'keyspace', 'engine', 'persistence'],
  modules: ['lib', 'protocol', 'keyspace', 'engine', 'persistence', 'type memory', 'type system'],
  server: [
    'modules',
    'lib',
    'memory',
    'protocol',
    'system',
    'config',
    'client',
    'keyspace',
    'engine',
    'commands',
    'net',
    'scripting',
    'persistence',
    'storage',
    'replication',
    'sentinel',
    'cluster',
  ],
  embed: ['lib', 'protocol', 'system', 'config', 'net', 'keyspace', 'engine', 'modules', 'server', 'commands'],
  tools: [
    'lib',
    'memory',
    'protocol',
    'system',
    'client',
    'keyspace',
    'engine',
    'commands',
    'scripting',
    'persistence',
    'storage',
    'net',
    'cluster',
  ],
}

test('imports point one way', () => {
  const wrong: string[] = []
  for (const file of production) {
    const folder = folderOf(file.path)
    const allowed = LAYERS[folder]
    if (folder === '') continue // main.ts and index.ts are above the modules
    assert.ok(allowed, `${file.path}: the folder is not in the layers`)
    for (const one of importsOf(file)) {
      const other = folderOf(one.target)
      if (!one.target.startsWith('src/') || other === folder || allowed.includes(other)) continue
      if (one.typeOnly && allowed.includes(`type ${other}`)) continue
      wrong.push(`${file.path} imports ${one.target}${one.typeOnly ? ' (types)' : ''}`)
    }
  }
  assert.equal(wrong.join('\n'), '')
})

function folderOf(path: string): string {
  const parts = path.split('/')
  return parts[0] === 'src' && parts.length > 2 ? parts[1] : ''
}

// The modules that access the machine; main.ts reads the command line, and drop-ins are a program's own code.
const ADAPTERS = /^src\/(net|system)\/|^src\/(main|memory-server|ioredis-mock|fixture|bun-test|node-test)\.ts$/
const MACHINE =
  /\b(?:Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|(?<!\.)fetch\(|(?<!\.)process\.\w+|crypto\.\w+|(?<!typeof )Bun\.\w+)/g

test('time, chance, disk and network are handed in', () => {
  const wrong: string[] = []
  for (const file of production) {
    if (ADAPTERS.test(file.path)) continue
    const code = bareCode(file.text)
    const handedIn = /\bprocess(?:: \w|[\w, ]*\} =)/.test(code) // System.process under its own name
    for (const [found] of code.matchAll(MACHINE))
      if (!(handedIn && found.startsWith('process.'))) wrong.push(`${file.path} uses ${found}`)
    for (const { target, typeOnly } of importsOf(file))
      if (!target.startsWith('src/') && !typeOnly) wrong.push(`${file.path} imports ${target}`)
  }
  assert.equal(wrong.join('\n'), '')
})

test('names from outside are looked up in Maps', () => {
  assert.equal(looseLookups(production).join('\n'), '')
  assert.equal(unneededExceptions(production).join('\n'), '')
})

test('clients come and go in one place', () => {
  const ENDS =
    /\|= (?:\w+ \| )*(?:CLIENT_CLOSING|CLIENT_CLOSE_AFTER_REPLY)\b|\bclient\.connection\.close\(|\bclients\.delete\(client\.id\)/
  const wrong = production.filter(file => ENDS.test(bareCode(file.text)))
  assert.deepEqual(
    wrong.map(file => file.path),
    ['src/engine/connections.ts'],
  )
})

test('only the harness knows which redis-server is asked', () => {
  const wrong = [...sources, ...tests].filter(file => /process\.env\W+REDIS_SERVER/.test(file.text))
  assert.deepEqual(
    wrong.map(file => file.path),
    ['test/harness/oracle.ts'],
  )
})

test('tests take no chances', () => {
  const wrong = sources.filter(file => file.isTest && /\bMath\.random\(/.test(bareCode(file.text)))
  assert.equal(wrong.map(file => file.path).join('\n'), '')
})

test('files stay short', () => {
  const sizes = new Map<string, number>()
  for (const file of [...sources, ...tests]) sizes.set(file.path, file.lines.length)
  checkRatchet('files', sizes, FILE_LINES_MAX)
})

test('functions stay short', () => {
  const sizes = new Map<string, number>()
  for (const file of [...sources, ...tests])
    for (const { name, lineCount } of functionsOf(file)) {
      const key = `${file.path} ${name}`
      sizes.set(key, Math.max(lineCount, sizes.get(key) ?? 0))
    }
  checkRatchet('functions', sizes, FUNCTION_LINES_MAX)
})

test('every command is tested', () => {
  const said = [...sources, ...tests].filter(file => file.isTest).map(file => file.text)
  const text = said.join('\n').toUpperCase()
  const untested = allCommands.flatMap(namesOf).filter(name => !isSaid(text, name))
  if (process.env.TIDY_UPDATE)
    tighten(
      'untestedCommands',
      ratchet.untestedCommands.filter(name => untested.includes(name)),
    )
  assert.equal(untested.filter(name => !ratchet.untestedCommands.includes(name)).join(', '), '')
})

function namesOf(command: Command): string[] {
  if (!command.subcommands) return [command.name.toUpperCase()]
  return command.subcommands.map(sub => `${command.name} ${sub.name}`.toUpperCase())
}

/** As words of a line, or as quoted words of a list. */
function isSaid(text: string, name: string): boolean {
  const words = name.split(' ').map(word => word.replace(/[^\w-]/g, '\\$&'))
  return new RegExp(`(?<![\\w-])${words.join(`(?: |['"], ['"])`)}(?![\\w-])`).test(text)
}
