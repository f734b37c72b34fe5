// Twins of Redis's module tests: what commands say of themselves, and INFO.

import assert from 'node:assert/strict'
import { moduleServer, plain, twin } from '../../../test/harness/module-server.ts'
import type { ModuleCommand } from '../../module.ts'

const facts = { arity: -1, flags: '', run: () => 'OK' } as const

/** Field and value pairs as an object; values that are pairs themselves stay lists. */
function fields(pairs: unknown): Record<string, unknown> {
  const list = pairs as unknown[]
  return Object.fromEntries(Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i], list[2 * i + 1]]))
}

twin('cmdintrospection', 'COMMAND INFO and COMMAND DOCS', async () => {
  const server = await moduleServer([
    {
      name: 'cmdintrospection.xadd',
      arity: -5,
      flags: 'write denyoom fast',
      keys: 'RW UPDATE @1',
      since: '5.0.0',
      summary: 'Appends a new message to a stream.',
      complexity: 'O(1)',
      args: 'key#0 [NOMKSTREAM@6.2.0] [trim:(strategy:(MAXLEN|MINID@6.2.0) threshold)] id field-value:(field value)...',
      history: [['6.2.0', 'Added the NOMKSTREAM option']],
      tips: 'hint1 hint2 hint3',
      run: () => 'OK',
    },
  ])
  const [info] = server.call('command', 'info', 'cmdintrospection.xadd') as unknown[][]
  assert.deepEqual(info.slice(0, 6), ['cmdintrospection.xadd', -5, ['write', 'denyoom', 'module', 'fast'], 1, 1, 1])
  assert.deepEqual(info[7], ['hint1', 'hint2', 'hint3'])
  const [, docs] = plain(server.call('command', 'docs', 'cmdintrospection.xadd')) as unknown[]
  const { summary, since, group, module, complexity, history, arguments: args } = fields(docs)
  assert.deepEqual([summary, since, group, module], ['Appends a new message to a stream.', '5.0.0', 'module', 'twin'])
  assert.deepEqual([complexity, history], ['O(1)', [['6.2.0', 'Added the NOMKSTREAM option']]])
  const names = (args as unknown[]).map(one => fields(one).name)
  assert.deepEqual(names, ['key', 'nomkstream', 'trim', 'id', 'field-value'])
  assert.equal(fields((args as unknown[])[1]).since, '6.2.0')
})

const specs: readonly ModuleCommand[] = [
  { ...facts, name: 'kspec.tworanges', keys: 'RO ACCESS @1..+1; RW UPDATE @3' },
  { ...facts, name: 'kspec.gap', keys: 'RO ACCESS @1; RW UPDATE @3' },
  { ...facts, name: 'kspec.keyword', keys: 'RO ACCESS @KEYS:1..-1' },
  { ...facts, name: 'kspec.complex1', keys: 'RO @1; RO ACCESS @STORE:2; RW UPDATE @3#0+1' },
  { ...facts, name: 'kspec.none' },
  { ...facts, name: 'kspec.unknown', keys: 'RO ACCESS INCOMPLETE @?' },
]

twin('keyspecs', 'COMMAND INFO, GETKEYS and GETKEYSANDFLAGS', async () => {
  const server = await moduleServer(specs)
  const keys = (...words: string[]) => plain(server.call('command', 'getkeys', ...words))
  const flagged = (...words: string[]) => plain(server.call('command', 'getkeysandflags', ...words))
  assert.deepEqual(keys('kspec.tworanges', 'a', 'b', 'c'), ['a', 'b', 'c'])
  assert.deepEqual(flagged('kspec.tworanges', 'a', 'b', 'c'), [
    ['a', ['RO', 'access']],
    ['b', ['RO', 'access']],
    ['c', ['RW', 'update']],
  ])
  assert.deepEqual(keys('kspec.gap', 'a', 'no', 'c'), ['a', 'c'])
  assert.deepEqual(keys('kspec.keyword', 'x', 'KEYS', 'a', 'b'), ['a', 'b'])
  assert.deepEqual(keys('kspec.complex1', 'a', 'STORE', '2', 'b', 'c'), ['a', '2', 'b', 'c'])
  assert.equal(keys('kspec.none', 'a'), '-ERR The command has no key arguments')
  const movable = (name: string) =>
    ((server.call('command', 'info', name) as unknown[][])[0][2] as string[]).includes('movablekeys')
  assert.deepEqual(['kspec.tworanges', 'kspec.keyword', 'kspec.complex1', 'kspec.none'].map(movable), [
    false,
    true,
    true,
    false,
  ])
  const range = (server.call('command', 'info', 'kspec.tworanges') as unknown[][])[0][8] as unknown[]
  assert.equal(range.length, 2)
  assert.deepEqual(
    (server.call('command', 'list', 'filterby', 'module', 'twin') as string[]).sort(),
    specs.map(one => one.name).sort(),
  )
})

twin('keyspecs', 'ACL rules judge the keys', async () => {
  const server = await moduleServer(specs)
  server.call('acl', 'setuser', 'testuser', '+@all', '%R~read*', '%W~write*')
  const may = (...words: string[]) => server.call('acl', 'dryrun', 'testuser', ...words)
  assert.equal(may('kspec.tworanges', 'read1', 'read2', 'write1'), 'OK')
  const no = (key: string) => `User testuser has no permissions to access the '${key}' key`
  assert.equal(may('kspec.tworanges', 'write1', 'read2', 'write1'), no('write1'))
  assert.equal(may('kspec.gap', 'read1', 'rwrite', 'read2'), no('read2'))
})

twin('getkeys', 'keys by their number, of a module’s command and of others', async () => {
  const server = await moduleServer([
    { ...facts, name: 'getkeys.command', keys: 'RO ACCESS @1#0+1' },
    { ...facts, name: 'getkeys.after', keys: 'RW UPDATE @KEY:1..-1/2' },
    { ...facts, name: 'getkeys.fixed', keys: 'RW ACCESS UPDATE @1' },
  ])
  const keys = (...words: string[]) => plain(server.call('command', 'getkeys', ...words))
  assert.deepEqual(keys('getkeys.command', '2', 'key1', 'key2', 'other'), ['key1', 'key2'])
  assert.deepEqual(keys('getkeys.after', 'x', 'key', 'a', 'no', 'b'), ['a', 'b'])
  assert.deepEqual(keys('getkeys.fixed', 'key1', 'other'), ['key1'])
  assert.deepEqual(keys('set', 'key1', 'value'), ['key1'])
  assert.deepEqual(keys('eval', '', '1', 'key1'), ['key1'])
  assert.match(String(keys('getkeys.fixed')), /^-ERR/)
  server.call('acl', 'setuser', 'testuser', '+@all', '%R~key1')
  const may = (...words: string[]) => server.call('acl', 'dryrun', 'testuser', ...words)
  assert.equal(may('getkeys.command', '1', 'key1'), 'OK')
  assert.match(String(may('getkeys.command', '2', 'key1', 'key2')), /no permissions to access the 'key2' key/)
  assert.match(String(may('getkeys.fixed', 'key1')), /no permissions to access the 'key1' key/)
})

twin('subcommands', 'containers, their arity and names', async () => {
  const named = { arity: -2, flags: '', run: (ctx: { text(i: number): string }) => ctx.text(1) } as const
  const server = await moduleServer([
    {
      name: 'subcommands.bitarray',
      arity: -2,
      flags: '',
      subcommands: [
        { ...named, name: 'get', arity: 3, flags: 'readonly', keys: 'RO ACCESS @2' },
        { ...named, name: 'set', arity: 3, flags: 'write', keys: 'RW UPDATE @2' },
      ],
    },
    { ...facts, name: 'subcommands.parent', run: ctx => ctx.text(0) },
  ])
  const [info] = server.call('command', 'info', 'subcommands.bitarray') as unknown[][]
  const subs = (info[9] as unknown[][]).map(one => one.slice(0, 6)).sort()
  assert.deepEqual(subs, [
    ['subcommands.bitarray|get', 3, ['readonly', 'module'], 2, 2, 1],
    ['subcommands.bitarray|set', 3, ['write', 'module'], 2, 2, 1],
  ])
  assert.match(
    String(plain(server.call('subcommands.bitarray'))),
    /^-ERR wrong number of arguments for 'subcommands.bitarray' command/,
  )
  assert.match(
    String(plain(server.call('subcommands.bitarray', 'get'))),
    /arguments for 'subcommands.bitarray\|get' command/,
  )
  assert.match(String(plain(server.call('subcommands.bitarray', 'no', 'k'))), /^-ERR unknown subcommand 'no'/)
  assert.equal(server.call('subcommands.bitarray', 'GET', 'k'), 'GET')
  assert.equal(server.call('subcommands.parent'), 'subcommands.parent')
  const listed = server.call('command', 'list', 'filterby', 'module', 'twin') as string[]
  assert.ok(listed.includes('subcommands.bitarray'))
})

twin('infotest', 'sections of a module among the others', async () => {
  const server = await moduleServer({
    info: {
      '': () => ({ global: -2 }),
      Spanish: () => ({ uno: 'one', dos: 2 }),
      Unsafe: () => ({ 'unsafe:field': 'value: 1\r\nx' }),
      bad: () => {
        throw new Error('no section')
      },
    },
    commands: [{ ...facts, name: 'infotest.read', run: () => 'OK' }],
  })
  const info = (...sections: string[]) => String(server.call('info', ...sections))
  assert.match(info('twin'), /# twin\r\ntwin_global:-2\r\n/)
  assert.match(info('twin'), /# twin_Spanish\r\ntwin_uno:one\r\ntwin_dos:2\r\n/)
  assert.equal(info('twin_spanish'), '# twin_Spanish\r\ntwin_uno:one\r\ntwin_dos:2\r\n')
  assert.doesNotMatch(info(), /twin_/)
  assert.doesNotMatch(info('all'), /twin_uno/)
  assert.match(info('everything'), /twin_uno:one/)
  assert.match(info('modules'), /twin_uno:one/)
  assert.match(info('cpu', 'modules'), /used_cpu[\s\S]*twin_uno:one/)
  assert.doesNotMatch(info('cpu', 'twin_spanish'), /twin_global/)
  assert.match(info('twin_unsafe'), /twin_unsafe_field:value: 1 {2}x\r\n/)
})
