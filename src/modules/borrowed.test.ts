// ctx.borrow() and ctx.keys.borrow(): words and strings passed on without a copy, and what is too late for them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logged, moduleServer, plain, settled, started } from '../../test/harness/module-server.ts'
import { type Borrowed, type ModuleCommand, type ModuleContext, reply } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

const LONG = 'long '.repeat(20_000)
const TOO_LATE = '-ERR module command failed: the command has returned: its arguments are gone'
const GONE = '-ERR module command failed: a borrowed string has gone: a key has changed, or the command has returned'

let kept: Borrowed[] = []

function writing(name: string, run: ModuleCommand['run'], facts: Partial<ModuleCommand> = {}): ModuleCommand {
  return { name, arity: -1, flags: 'write denyoom', keys: 'RW UPDATE @1', run, ...facts }
}

function textOf(ctx: ModuleContext, key: number): string | null {
  return ctx.keys.borrow(ctx.borrow(key))?.text() ?? null
}

const commands: readonly ModuleCommand[] = [
  writing('b.echo', ctx => [ctx.borrow(1), ctx.borrow(1).length, ctx.borrow(1).text(), ctx.borrow(9)]),
  writing('b.get', ctx => ctx.keys.borrow(ctx.borrow(1))),
  writing('b.set', ctx => {
    ctx.writableKeys.setString(ctx.borrow(1), ctx.borrow(2))
    return reply.simple('OK')
  }),
  writing('b.twice', ctx => {
    ctx.writableKeys.setString(ctx.borrow(1), ctx.borrow(2))
    ctx.writableKeys.setString(ctx.borrow(1), 'short')
    ctx.call('SET', ctx.borrow(1), ctx.borrow(2))
    ctx.call('DEL', ctx.borrow(1))
    ctx.writableKeys.setString('other', ctx.borrow(2))
    return ctx.borrow(2)
  }),
  writing('b.copy', ctx => {
    const value = ctx.keys.borrow(ctx.borrow(1))!
    ctx.writableKeys.setString(ctx.borrow(1), value)
    return textOf(ctx, 1)
  }),
  writing('b.append', ctx => {
    const value = ctx.keys.borrow(ctx.borrow(1))!
    const before = ctx.call('APPEND', ctx.borrow(1), value)
    return [before, textOf(ctx, 1)]
  }),
  writing('b.stale', ctx => {
    const value = ctx.keys.borrow(ctx.borrow(1))
    ctx.call('SET', ctx.borrow(1), 'another value of the same length')
    return value
  }),
  writing('b.nested', ctx => [ctx.keys.borrow('k'), ctx.call('b.get', 'k'), ctx.call('b.echo', ctx.borrow(1))]),
  writing('b.keep', ctx => {
    kept = [ctx.borrow(1), ctx.keys.borrow(ctx.borrow(1))!]
    return 'kept'
  }),
  writing('b.kept', ctx => kept[ctx.integer(1)]),
  writing('b.wait', ctx => ctx.waitForKeys(1, { timeoutMs: 10, timedOut: ctx.borrow(1) })),
  writing('b.async', async ctx => ctx.borrow(1), { flags: 'write blocking' }),
  writing(
    'b.later',
    async ctx => {
      await Promise.resolve()
      return ctx.keys.borrow(ctx.bytes(1))
    },
    { flags: 'write blocking' },
  ),
]

test('a borrowed word is a reply, a key and a value, short or long', async () => {
  const server = await moduleServer(commands)
  assert.deepEqual(server.call('b.echo', 'word'), ['word', 4, 'word', ''])
  assert.deepEqual((server.call('b.echo', LONG) as unknown[]).slice(0, 3), [LONG, LONG.length, LONG])
  for (const value of ['', 'x', '12', LONG]) {
    assert.equal(server.call('b.set', 'k', value), 'OK')
    assert.equal(server.call('get', 'k'), value)
    assert.equal(server.call('b.get', 'k'), value)
  }
  assert.equal(server.call('b.get', 'none'), null)
  server.call('rpush', 'list', 'a')
  assert.match(String(plain(server.call('b.get', 'list'))), /WRONGTYPE/)
})

test('a borrowed word stays what it is, whatever takes its value over and drops it', async () => {
  const server = await moduleServer(commands)
  for (const value of ['word', LONG]) {
    assert.equal(server.call('b.twice', 'k', value), value)
    assert.equal(server.call('get', 'other'), value)
  }
})

test('a borrowed string may be set to its own key', async () => {
  const server = await moduleServer(commands)
  for (const value of ['word', '12', LONG]) {
    server.call('set', 'k', value)
    assert.equal(server.call('b.copy', 'k'), value)
    assert.deepEqual(server.call('b.append', 'k'), [value.length * 2, value + value])
  }
})

test('commands within commands borrow too, and end no loan of the outer one', async () => {
  const server = await moduleServer(commands)
  server.call('set', 'k', 'v')
  assert.deepEqual(server.call('b.nested', 'word'), ['v', 'v', ['word', 4, 'word', '']])
  assert.deepEqual(server.call('eval', "return redis.call('b.nested', 'k')", 0), ['v', 'v', ['k', 1, 'k', '']])
})

test('a loan is over when the dataset changes, or the command returns or waits', async () => {
  const server = await moduleServer(commands)
  server.call('set', 'k', 'a value that is thirty-two bytes')
  assert.equal(plain(server.call('b.stale', 'k')), GONE)
  server.call('b.keep', 'k')
  assert.equal(plain(server.call('b.kept', 0)), TOO_LATE)
  assert.equal(plain(server.call('b.kept', 1)), GONE)
  assert.throws(() => kept[0].bytes(), TypeError)
  assert.throws(() => kept[1].length, TypeError)
  assert.equal(plain(server.call('b.wait', 'none')), TOO_LATE)
  for (const [name, error] of [
    ['b.async', TOO_LATE],
    ['b.later', '-ERR module command failed: a string is borrowed before its command returns or waits'],
  ]) {
    const client = started(server, name, 'k')
    await settled(server)
    assert.equal(plain(server.take(client)[0]), error)
  }
})

test('what is set from borrowed words is propagated, in a transaction and in a script too', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await moduleServer(commands, { appendonly: 'yes' }, machine)
  server.call('b.set', 'k', 'first')
  server.call('multi')
  server.call('b.set', 'k', 'second')
  server.call('b.set', 'l', 'third')
  server.call('exec')
  server.call('eval', "redis.call('b.set', 'k', ARGV[1]) redis.call('b.set', 'l', ARGV[2])", 0, 'x', 'y')
  server.call('b.twice', 'k', 'word')
  await settled(server)
  assert.deepEqual(logged(machine), [
    'SET k first',
    'MULTI',
    'SET k second',
    'SET l third',
    'EXEC',
    'MULTI',
    'SET k x',
    'SET l y',
    'EXEC',
    'MULTI',
    'SET k word',
    'SET k short',
    'SET k word',
    'DEL k',
    'SET other word',
    'EXEC',
  ])
})
