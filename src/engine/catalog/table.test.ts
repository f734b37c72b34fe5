import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slice } from '../../lib/slice.ts'
import { ACL_CATEGORIES, CMD_ADMIN, CMD_FAST, CMD_MOVABLE_KEYS, CMD_WRITE, type Command } from './command.ts'
import { CommandTable } from './table.ts'

const facts = { arity: 2, flags: '', since: '1.0.0', group: 'string', summary: '', run() {} }
const literals: Command[] = [
  { ...facts, name: 'get', flags: 'readonly fast' },
  { ...facts, name: 'set', flags: 'write denyoom' },
  { ...facts, name: 'restore-asking', group: 'server' },
  { ...facts, name: 'zrevrangebyscore', group: 'sorted-set', acl: 'sortedset dangerous' },
  { ...facts, name: 'zremrangebyscore', group: 'sorted-set' },
  {
    ...facts,
    name: 'config',
    group: 'server',
    flags: 'sentinel',
    run: undefined,
    subcommands: [
      { ...facts, name: 'get', group: 'server', flags: 'admin' },
      { ...facts, name: 'set', group: 'server', flags: 'sentinel' },
    ],
  },
  { ...facts, name: 'ckquorum', group: 'sentinel', flags: 'sentinel only_sentinel' },
]

const find = (table: CommandTable, name: string) => table.lookup(Slice.of(name))?.fullName

test('a command is found by its name in any case, wherever the bytes lie', () => {
  const table = new CommandTable(literals)
  for (const name of ['get', 'GET', 'gEt']) assert.equal(find(table, name), 'get')
  const inside = Slice.of('..zRemRangeByScore..')
  assert.equal(table.lookup(inside.set(inside.u8, inside.dv, 2, 16))?.fullName, 'zremrangebyscore')
  for (const name of ['', 'g', 'ge', 'gett', 'zremrangebyscorf', 'zremXangebyscore', 'ckquorum', 'config|get'])
    assert.equal(find(table, name), undefined)
})

test('tables of one list share what follows from it, and nothing that a server changes', () => {
  const [first, second] = [CommandTable.of(literals), CommandTable.of(literals)]
  const plain = new CommandTable(literals)
  const shown = (table: CommandTable) =>
    table.all.map(({ id, fullName, flags, categories, subs }) => ({
      id,
      fullName,
      flags,
      categories,
      subs: subs.map(sub => sub.id),
    }))
  assert.deepEqual(shown(first), shown(plain))
  first.lookup(Slice.of('get'))!.calls++
  assert.equal(first.rename(Slice.of('set'), Slice.of('put')), 'ok')
  assert.equal(second.lookup(Slice.of('get'))!.calls, 0)
  assert.deepEqual([find(first, 'set'), find(first, 'put'), find(second, 'set')], [undefined, 'set', 'set'])
  const config = second.lookup(Slice.of('config'))!
  assert.equal(second.lookupSub(config, Slice.of('GET')), config.subs[0])
  assert.equal(config.subs[0].parent, config)
  assert.deepEqual([find(CommandTable.of(literals), 'set')], ['set'])
})

test('an entry of a server is made when its command is asked for, with its container', () => {
  const table = CommandTable.of(literals)
  const names = () => table.used.map(entry => entry.fullName)
  assert.equal(table.facts.length, new CommandTable(literals).all.length)
  assert.deepEqual(names(), [])
  const container = table.facts.find(entry => entry.subs.length > 0)!
  const [name, sub] = [Slice.of(container.fullName), Slice.of(container.subs[0].command.name)]
  const found = table.resolve([name, sub], 2)!
  assert.equal(found.parent, table.lookup(name))
  assert.notEqual(found, container.subs[0])
  assert.equal(found, table.lookup(name)?.subs[0])
  assert.deepEqual(names(), [container.fullName, ...container.subs.map(entry => entry.fullName)].sort(byId(table)))
  found.calls++
  table.resetStats()
  assert.equal(found.calls, 0)
  assert.equal(table.all[found.id], found)
  assert.equal(table.used.length, table.all.length)
  assert.equal(table.lookup(Slice.of('nosuch')), undefined)
})

function byId({ facts }: CommandTable) {
  const idOf = (name: string) => facts.findIndex(entry => entry.fullName === name)
  return (a: string, b: string) => idOf(a) - idOf(b)
}

test('bytes that differ from a name only in the lower-case bit are another name', () => {
  const table = new CommandTable(literals)
  assert.equal(find(table, 'RESTORE-ASKING'), 'restore-asking')
  assert.equal(find(table, 'restore\rasking'), undefined)
  assert.equal(find(table, 'g\x05t'), undefined)
})

test('subcommands are found inside their container', () => {
  const table = new CommandTable(literals)
  const config = table.lookup(Slice.of('CONFIG'))!
  assert.equal(table.lookupSub(config, Slice.of('Get'))?.fullName, 'config|get')
  assert.equal(table.lookupSub(config, Slice.of('nope')), undefined)
  assert.equal(table.lookupFullName(Slice.of('CONFIG|SET'))?.fullName, 'config|set')
  assert.equal(table.lookupFullName(Slice.of('config'))?.fullName, 'config')
  for (const name of ['config|', 'config|get|x', 'get|x', '|get'])
    assert.equal(table.lookupFullName(Slice.of(name)), undefined)
  const args = [Slice.of('config'), Slice.of('set')]
  assert.equal(table.resolve(args, 2)?.fullName, 'config|set')
  assert.equal(table.resolve(args, 1)?.fullName, 'config')
})

test('flags and categories become bits', () => {
  const table = new CommandTable(literals)
  const set = table.lookup(Slice.of('set'))!
  assert.notEqual(set.flags & CMD_WRITE, 0)
  assert.equal(set.flags & CMD_FAST, 0)
  assert.deepEqual(table.categoryNamesOf(set), ['write', 'string', 'slow'])
  const configGet = table.lookupFullName(Slice.of('config|get'))!
  assert.notEqual(configGet.flags & CMD_ADMIN, 0)
  assert.equal(configGet.categories, ACL_CATEGORIES.admin | ACL_CATEGORIES.slow | ACL_CATEGORIES.dangerous)
  assert.deepEqual(table.categoryNamesOf(table.lookup(Slice.of('zrevrangebyscore'))!), [
    'sortedset',
    'slow',
    'dangerous',
  ])
  assert.throws(() => new CommandTable([{ ...facts, name: 'x', flags: 'quick' }]))
})

test('ids are dense, and two tables share nothing but literals', () => {
  const one = new CommandTable(literals)
  const two = new CommandTable(literals)
  assert.deepEqual(
    one.all.map(entry => entry.id),
    one.all.map((_, i) => i),
  )
  one.lookup(Slice.of('get'))!.calls = 7
  assert.equal(two.lookup(Slice.of('get'))!.calls, 0)
  one.resetStats()
  assert.equal(one.lookup(Slice.of('get'))!.calls, 0)
})

test('a command can be renamed or removed', () => {
  const table = new CommandTable(literals)
  assert.equal(table.rename(Slice.of('GET'), Slice.of('My-Get')), 'ok')
  assert.equal(find(table, 'get'), undefined)
  assert.equal(find(table, 'my-GET'), 'get')
  assert.equal(table.lookupOriginal(Slice.of('get'))?.fullName, 'get')
  assert.equal(table.rename(Slice.of('get'), Slice.of('x')), 'unknown')
  assert.equal(table.rename(Slice.of('set'), Slice.of('MY-get')), 'taken')
  assert.equal(find(table, 'set'), 'set')
  assert.equal(table.rename(Slice.of('config'), Slice.of('')), 'ok')
  assert.equal(find(table, 'config'), undefined)
  assert.equal(table.size, 5)
})

test('a sentinel has its own commands', () => {
  const table = new CommandTable(literals, 'sentinel')
  assert.deepEqual(
    table.all.map(entry => entry.fullName),
    ['config', 'config|set', 'ckquorum'],
  )
})

test('clients that know no key specs get one range, and a hint when it is not all', () => {
  const range = (keys: string) => {
    const entry = new CommandTable([{ ...facts, name: 'x', keys }]).lookup(Slice.of('x'))!
    return [entry.range.firstKey, entry.range.lastKey, entry.range.keyStep, (entry.flags & CMD_MOVABLE_KEYS) !== 0]
  }
  assert.deepEqual(range('RO @1'), [1, 1, 1, false])
  assert.deepEqual(range('OW @1..-1/2'), [1, -1, 2, false])
  assert.deepEqual(range('RO ACCESS @1..+1'), [1, 2, 1, false])
  assert.deepEqual(range('OW @1; RO @2..-1'), [1, -1, 1, false])
  assert.deepEqual(range('OW @1; RO @3'), [1, 1, 1, true])
  assert.deepEqual(range('OW @1; RO @2#0+1'), [1, 1, 1, true])
  assert.deepEqual(range('RO @STREAMS:1..-1%2'), [0, 0, 0, true])
  assert.deepEqual(range('RW @3; RW INCOMPLETE @KEYS:-2..-1'), [3, 3, 1, true])
})

test('what takes constant time is fast, or says so in a group where that holds for any value', () => {
  const isConstant = (more: Partial<Command>) =>
    new CommandTable([{ ...facts, name: 'one', ...more }]).lookup(Slice.of('one'))!.constantTime
  for (const group of ['string', 'module'] as const) {
    assert.equal(isConstant({ group, complexity: 'O(1)' }), true)
    assert.equal(isConstant({ group, complexity: 'O(N)' }), false)
  }
  assert.equal(isConstant({ group: 'hash', complexity: 'O(1)' }), false)
  assert.equal(isConstant({ group: 'hash', flags: 'fast' }), true)
  assert.equal(isConstant({ group: 'server', flags: 'fast admin' }), false)
})
