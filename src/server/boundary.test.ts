// Commands that throw, before and after they have changed something, in every way to run a command.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RandomCommands } from '../../test/harness/random-commands.ts'
import { type PlainValue, RespError } from '../../test/harness/resp.ts'
import { allCommands } from '../commands/index.ts'
import type { Command } from '../engine/catalog/command.ts'
import type { Context } from '../engine/context.ts'
import type { Engine } from '../engine/engine.ts'
import { NOTIFY_STRING } from '../engine/messaging/events.ts'
import { createServer } from '../index.ts'
import { LOOKUP_WRITE } from '../keyspace/database.ts'
import { TYPE_LIST } from '../keyspace/types.ts'
import { seededRandom, type VirtualMachine, virtualSystem } from '../system/virtual.ts'

/** FAULT how key: throws as `how` says. */
function fault(ctx: Context): void {
  const { args, db, reply } = ctx
  const how = args[1].latin1()
  if (how === 'in-reply') {
    reply.array(3)
    reply.fixedError(new TextEncoder().encode('-ERR of the first element\r\n'))
    reply.beginDeferredArray()
  }
  if (how === 'gathering') (ctx.server as Engine).dispatch.beginPropagationUnit()
  if (how === 'spilled') for (let i = 0; i < 300_000; i++) reply.bulkText('0123456789')
  if (how === 'opened') db.lookup(args[2], LOOKUP_WRITE)
  if (how === 'changed' || how === 'announced') db.strings.set(db, args[2], args[1])
  if (how === 'announced') ctx.touched(args[2], 'set', NOTIFY_STRING)
  if (how === 'deleted') db.delete(args[2])
  if (how === 'expired') db.find(args[2])
  if (how === 'effect') ctx.propagateAs('SET', args[2], 'x')
  if (how === 'waiting') ctx.block(2, 2, 0, TYPE_LIST, 'null')
  if (how !== 'not') throw new TypeError(`thrown: ${how}`)
  reply.ok()
}

/** FAULTPOP how key: blocks on the key, and throws when it gets data. */
function faultPop(ctx: Context): void {
  const { args, db } = ctx
  if (db.find(args[2]) === 0) return ctx.block(2, 2, 0, TYPE_LIST, 'null')
  if (args[1].latin1() === 'changed') db.delete(args[2])
  throw new TypeError('thrown: waited')
}

const faulty: Command = {
  name: 'fault',
  arity: 3,
  flags: 'write',
  keys: 'RW UPDATE @2',
  since: '1.0.0',
  group: 'string',
  summary: '',
  complexity: '',
  args: 'how:string key#0',
  run: fault,
}
const commands = [...allCommands, faulty, { ...faulty, name: 'faultpop', flags: 'write blocking', run: faultPop }]

interface Setting {
  machine: VirtualMachine
  server: MachineServer
}

async function begin(directives: Record<string, string> = {}, machine = virtualSystem()): Promise<Setting> {
  return { machine, server: await MachineServer.start(machine, directives, { commands }) }
}

/** What Lua programs do with a command. */
const IN_SCRIPT = 'return redis.call(unpack(ARGV))'

function internal(reply: PlainValue | undefined): void {
  assert.ok(reply instanceof RespError, String(reply))
  assert.match(reply.message, /^ERR internal error/)
}

/** The process has ended with a crash report, and the files on disk are from before. */
function crashed({ machine, server }: Setting, act: () => void): void {
  assert.throws(act)
  assert.equal(machine.exitCode, 1)
  assert.match(
    machine.out,
    /CRASH REPORT START[\s\S]*During command 'fault[\s\S]*TypeError: thrown: [\s\S]*redis_version/,
  )
  assert.match(machine.out, /# Memory\nused_memory:[\s\S]*CLIENT LIST OUTPUT -+\nid=1 [\s\S]*CRASH REPORT END/)
  assert.equal(machine.disk.stat('dump.rdb'), null)
  server.server.abandon()
}

for (const how of ['before', 'in-reply', 'gathering', 'waiting']) {
  test(`an exception before a change is answered with an error: ${how}`, async () => {
    const { machine, server } = await begin({ appendonly: 'yes' })
    server.connect()
    server.connect()
    internal(server.call('fault', how, 'k'))
    assert.equal(server.call('set', 'a', '1'), 'OK')
    server.send(1, ['get', 'a'])
    machine.settle()
    assert.deepEqual(server.take(1), ['1'])
    assert.match(
      machine.out,
      /# Unexpected error in command 'fault' with 3 arguments: "fault" "[a-z-]+" "k", of client \d+/,
    )
    assert.match(machine.out, /TypeError: thrown: [\s\S]*boundary\.test/)
    assert.match(String(server.call('info', 'stats')), /\nunexpected_errors:1\r/)
    assert.match(String(server.call('info', 'errorstats')), /errorstat_ERR:count=1\r/)
    assert.match(String(server.call('info', 'commandstats')), /cmdstat_fault:calls=1,.*failed_calls=1\r/)
    assert.match(String(server.call('client', 'list')), /^(?!.*flags=b)/)
    assert.equal(server.call('lpush', 'k', 'x'), 1)
    const log = new TextDecoder().decode(machine.disk.readFile('appendonlydir/appendonly.aof.1.incr.aof'))
    assert.deepEqual(log.match(/(?<=\r\n)(?:fault|set|lpush)(?=\r)/g), ['set', 'lpush'])
  })
}

for (const how of ['opened', 'changed', 'announced', 'deleted', 'expired', 'effect']) {
  test(`an exception after a change ends the process: ${how}`, async () => {
    const setting = await begin({ appendonly: 'yes', save: '60 1' })
    const { machine, server } = setting
    server.call('set', 'k', 'v')
    server.call('pexpire', 'k', '10')
    if (how === 'expired') server.call('debug', 'set-active-expire', '0')
    if (how === 'expired') machine.advance(20)
    crashed(setting, () => server.call('fault', how, 'k'))
  })
}

test('a reply of which a part was sent ends with the connection', async () => {
  const { machine, server } = await begin()
  const first = server.connect()
  const other = server.connect()
  server.send(first, ['fault', 'spilled', 'k'])
  server.send(other, ['ping'])
  machine.settle()
  assert.deepEqual(server.take(other), ['PONG'])
  assert.equal(server.server.engine.clients.size, 1)
})

test('in a transaction the error stands among the replies', async () => {
  const { server } = await begin()
  server.call('multi')
  for (const words of [
    ['set', 'a', '1'],
    ['fault', 'in-reply', 'k'],
    ['incr', 'a'],
  ])
    server.call(...words)
  const replies = server.call('exec') as PlainValue[]
  assert.equal(replies.length, 3)
  internal(replies[1])
  assert.deepEqual([replies[0], replies[2]], ['OK', 2])
  assert.equal(server.call('get', 'a'), '2')
})

test('in a transaction an exception after a change ends the process', async () => {
  const setting = await begin()
  const { server } = setting
  server.call('multi')
  server.call('fault', 'changed', 'k')
  crashed(setting, () => server.call('exec'))
})

test('scripts and functions get an error that pcall catches', async () => {
  const { server } = await begin()
  internal(server.call('eval', IN_SCRIPT, '0', 'fault', 'in-reply', 'k'))
  const caught =
    "redis.call('set', 'b', '1') local e = redis.pcall('fault', 'before', 'k') return {e.err, redis.call('incr', 'b')}"
  assert.deepEqual(server.call('eval', caught, '0'), ['ERR internal error', 2])
  const library = "#!lua name=l\nredis.register_function('f', function(_, argv) return redis.call(unpack(argv)) end)"
  server.call('function', 'load', library)
  internal(server.call('fcall', 'f', '0', 'fault', 'before', 'k'))
  assert.equal(server.call('fcall', 'f', '0', 'incr', 'b'), 3)
})

for (const [name, ...call] of [
  ['a script', 'eval', IN_SCRIPT, '0'],
  ['a script that catches errors', 'eval', 'return redis.pcall(unpack(ARGV))', '0'],
  ['a function', 'fcall', 'f', '0'],
]) {
  test(`in ${name} an exception after a change ends the process`, async () => {
    const setting = await begin()
    const { server } = setting
    const library = "#!lua name=l\nredis.register_function('f', function(_, argv) return redis.pcall(unpack(argv)) end)"
    server.call('function', 'load', library)
    crashed(setting, () => server.call(...call, 'fault', 'changed', 'k'))
  })
}

test('a blocked command that fails when it runs again is answered, and others are served', async () => {
  const { machine, server } = await begin()
  for (let i = 0; i < 3; i++) server.connect()
  server.send(1, ['faultpop', 'before', 'k'])
  server.send(2, ['blpop', 'k', '0'])
  assert.equal(server.call('lpush', 'k', 'x'), 1)
  machine.settle()
  internal(server.take(1)[0])
  assert.deepEqual(server.take(2), [['k', 'x']])
  server.send(1, ['ping'])
  machine.settle()
  assert.deepEqual(server.take(1), ['PONG'])
  assert.match(String(server.call('info', 'clients')), /blocked_clients:0\r/)
})

test('a blocked command that fails after a change ends the process', async () => {
  const setting = await begin()
  const { server } = setting
  server.connect()
  server.connect()
  server.send(1, ['faultpop', 'changed', 'k'])
  crashed(setting, () => server.call('lpush', 'k', 'x'))
})

test('no change to the dataset escapes the criterion', async () => {
  const { server } = await begin()
  const { dispatch, keyspace } = server.server.engine
  const call = dispatch.call.bind(dispatch)
  const escaped: string[] = []
  let before = server.digestNow()
  dispatch.call = (client, entry, args, argc) => {
    const { mutations } = keyspace
    call(client, entry, args, argc)
    const after = server.digestNow()
    if (after !== before && keyspace.mutations === mutations) escaped.push(entry.fullName)
    before = after
  }
  const commands = new RandomCommands(seededRandom(3), 6, 2, 40)
  for (let i = 0; i < 400; i++) server.call(...commands.next())
  assert.equal(escaped.join(' '), '')
})

test('the loader refuses a file with a command that throws', async () => {
  const machine = virtualSystem()
  machine.disk.mkdir('appendonlydir')
  const bytes = (text: string) => new TextEncoder().encode(text)
  machine.disk.writeFile(
    'appendonlydir/appendonly.aof.manifest',
    bytes('file appendonly.aof.1.incr.aof seq 1 type i\n'),
  )
  const log = '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*3\r\n$5\r\nfault\r\n$6\r\nbefore\r\n$1\r\nk\r\n'
  machine.disk.writeFile('appendonlydir/appendonly.aof.1.incr.aof', bytes(log))
  await assert.rejects(
    begin({ appendonly: 'yes' }, machine),
    /Unexpected error in command 'fault' reading [\s\S]*thrown: before/,
  )
  assert.equal(new TextDecoder().decode(machine.disk.readFile('appendonlydir/appendonly.aof.1.incr.aof')), log)
})

test('secrets are not in the log', async () => {
  const auth = allCommands.find(one => one.name === 'auth')!
  const machine = virtualSystem()
  const all = commands.filter(one => one !== auth)
  const throwing = { ...auth, run: () => assert.fail('thrown: auth') }
  const server = await MachineServer.start(machine, {}, { commands: [...all, throwing] })
  internal(server.call('auth', 'hunter2'))
  assert.match(machine.out, /command 'auth' with 2 arguments: "auth" "\(redacted\)"/)
  assert.doesNotMatch(machine.out, /hunter2/)
})

test('an exception in periodic work ends the process', async () => {
  const { machine, server } = await begin()
  server.server.maintenance.cron.hooks.push(() => {
    throw new TypeError('thrown: cron')
  })
  assert.throws(() => machine.advance(200), /thrown: cron/)
})

test('an exception of a gate refuses the command, and with it the transaction', async () => {
  const { server } = await begin()
  server.server.engine.gates.set('cluster', (_client, entry) => {
    if (entry.fullName === 'get') throw new TypeError('thrown: gate')
    return undefined
  })
  internal(server.call('get', 'a'))
  server.call('multi')
  internal(server.call('get', 'a'))
  assert.match((server.call('exec') as RespError).message, /^EXECABORT/)
  assert.equal(server.call('set', 'a', '1'), 'OK')
})

test('in a program a fault in periodic work closes the server', async () => {
  const errors: Error[] = []
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, {}, { failed: error => errors.push(error) })
  server.connect()
  server.server.maintenance.cron.hooks.push(() => {
    throw new TypeError('thrown: cron')
  })
  machine.advance(10_000)
  assert.deepEqual([errors.length, machine.exitCode], [1, null])
  assert.match(String(errors[0].cause), /thrown: cron/)
  server.send(0, ['ping'])
  machine.settle()
  assert.deepEqual(server.take(0), [])
})

test('in a program a fault closes that server alone, and tells its owner', async () => {
  const errors: Error[] = []
  const machine = virtualSystem()
  const first = await createServer({ system: machine.system, onError: error => errors.push(error) })
  const second = await createServer()
  let closed = 0
  const socket = first.connect()
  socket.onClose = () => closed++
  const enabled = await createServer({
    config: { 'enable-debug-command': 'yes' },
    onError: error => errors.push(error),
  })
  enabled.connect().write(new TextEncoder().encode('DEBUG PANIC\r\n'))
  assert.match(String((errors[0].cause as Error).message), /DEBUG PANIC was called/)
  let replies = ''
  assert.throws(() => enabled.connect(), /the server is closed/)
  for (const server of [first, second]) {
    const other = server.connect()
    other.onData = bytes => {
      replies += new TextDecoder().decode(bytes)
    }
    other.write(new TextEncoder().encode('PING\r\n'))
  }
  assert.equal(replies, '+PONG\r\n+PONG\r\n')
  assert.deepEqual([errors.length, closed], [1, 0])
  await Promise.all([first.close(), second.close(), enabled.close()])
})
