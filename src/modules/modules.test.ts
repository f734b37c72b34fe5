import assert from 'node:assert/strict'
import { test } from 'node:test'
import throttle from '../../examples/throttle.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { createServer } from '../index.ts'
import { CommandError, defineModule, type ModuleCommand, type ModuleReply, reply } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

function moduleOf(commands: readonly ModuleCommand[]) {
  return defineModule({ name: 'tried', version: 3, apiVersion: 1, aclCategories: ['tried'], commands })
}

function command(name: string, run: ModuleCommand['run'], facts: Partial<ModuleCommand> = {}): ModuleCommand {
  return { name, arity: -1, flags: '', run, ...facts }
}

async function serverWith(...commands: ModuleCommand[]): Promise<MachineServer> {
  return MachineServer.start(virtualSystem({ seed: 1 }), {}, { modules: [{ module: moduleOf(commands) }] })
}

function isError(value: unknown, message: string): void {
  assert.ok(value instanceof RespError, String(value))
  assert.equal(value.message, message)
}

const pair = command('t.pair', ctx => [ctx.call('SET', ctx.args[1], 1), ctx.call('INCR', ctx.args[1])], {
  arity: 2,
  flags: 'write denyoom',
  keys: 'RW UPDATE @1',
  acl: 'tried',
})

test('a handler’s value is the reply, by its type', async () => {
  const values: readonly ModuleReply[] = ['ü', 7, 7n, true, null, reply.simple('fine'), [1, ['a']], new Map([['k', 1]])]
  const server = await serverWith(command('t.values', () => values))
  assert.deepEqual(server.call('t.values'), ['Ã¼', 7, 7, 1, null, 'fine', [1, ['a']], ['k', 1]])
})

test('arguments are bytes, texts and numbers, and an invalid one is an error', async () => {
  const server = await serverWith(command('t.sum', ctx => ctx.integer(1) + ctx.double(2) * ctx.text(3).length))
  assert.equal(server.call('t.sum', 5, '2.5', 'abcd'), 15)
  isError(server.call('t.sum', 'x', 1, 'a'), 'ERR value is not an integer or out of range')
})

test('a command calls others, in MULTI and in scripts too', async () => {
  const server = await serverWith(pair)
  assert.deepEqual(server.call('t.pair', 'k'), ['OK', 2])
  assert.deepEqual(server.call('eval', "return redis.call('t.pair', KEYS[1])", 1, 'k'), ['OK', 2])
  server.call('multi')
  server.call('t.pair', 'k')
  assert.deepEqual(server.call('exec'), [['OK', 2]])
})

test('a module’s command may call another module’s command', async () => {
  const outer = command('t.outer', ctx => [ctx.call('GET', 'none'), ctx.call('t.pair', 'k'), ctx.call('GET', 'k')])
  const server = await serverWith(pair, outer)
  assert.deepEqual(server.call('t.outer'), [null, ['OK', 2], '2'])
})

test('commands are described, listed and permitted as built-in ones', async () => {
  const server = await serverWith(pair)
  const [info] = server.call('command', 'info', 't.pair') as unknown[][]
  assert.deepEqual(info.slice(0, 6), ['t.pair', 2, ['write', 'denyoom', 'module'], 1, 1, 1])
  assert.deepEqual(server.call('command', 'list', 'filterby', 'module', 'tried'), ['t.pair'])
  assert.deepEqual(server.call('command', 'getkeys', 't.pair', 'k'), ['k'])
  assert.deepEqual(server.call('acl', 'cat', 'tried'), ['t.pair'])
  assert.deepEqual(server.call('module', 'list'), [['name', 'tried', 'ver', 3, 'path', '', 'args', []]])
})

test('calls have the permissions of the caller', async () => {
  const asServer = command('t.server', ctx => ctx.callWith({ as: 'server' }, 'SET', 'k', 'v'))
  const server = await serverWith(pair, asServer)
  server.call('acl', 'setuser', 'default', '-set')
  isError(server.call('t.pair', 'k'), "NOPERM User default has no permissions to run the 'set' command")
  assert.equal(server.call('t.server'), 'OK')
})

test('what a handler throws is an error reply, and what it called stays', async () => {
  const server = await serverWith(
    command('t.own', () => {
      throw new CommandError('TRIED it')
    }),
    command('t.half', ctx => {
      ctx.call('SET', 'k', 'v')
      throw new Error('half done')
    }),
    command('t.wrong', () => (() => 1) as never),
    command('t.called', ctx => ctx.call('LPUSH', 'k', 'v')),
  )
  isError(server.call('t.own'), 'TRIED it')
  isError(server.call('t.half'), 'ERR module command failed: half done')
  assert.equal(server.call('get', 'k'), 'v')
  isError(server.call('t.wrong'), 'ERR module command failed: a function is no reply')
  isError(server.call('t.called'), 'WRONGTYPE Operation against a key holding the wrong kind of value')
  assert.equal(server.call('ping'), 'PONG')
})

test('a command that would block is refused in a transaction', async () => {
  const server = await serverWith(
    command('t.later', async () => 1, { flags: 'blocking' }),
    command('t.unmarked', async () => 1),
  )
  server.call('multi')
  server.call('t.later')
  server.call('t.unmarked')
  for (const one of server.call('exec') as unknown[])
    isError(one, 'ERR Blocking module command called from transaction')
})

test('a promise blocks its client: the value, an error, and a time-out reply', async () => {
  const never = new Promise<ModuleReply>(() => {})
  const flags = 'blocking'
  const server = await createServer({
    clock: 'virtual',
    modules: [
      moduleOf([
        command('t.value', async ctx => ctx.call('INCR', await Promise.resolve('k')), { flags }),
        command('t.error', () => Promise.reject(new CommandError('TRIED it')), { flags }),
        command('t.never', () => never, { flags, timeoutMs: 500 }),
      ]),
    ],
  })
  const socket = server.connect()
  let replies = ''
  socket.onData = bytes => {
    replies += new TextDecoder().decode(bytes)
  }
  socket.write('t.value\r\nt.error\r\nt.never\r\nping\r\n')
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => void setImmediate(resolve))
  assert.equal(replies, ':1\r\n-TRIED it\r\n')
  await server.clock.advance(600)
  assert.equal(replies, ':1\r\n-TRIED it\r\n$-1\r\n+PONG\r\n')
  await server.close()
})

test('changes are propagated as the commands that made them', async () => {
  const machine = virtualSystem({ seed: 1 })
  const options = { modules: [{ module: moduleOf([pair]) }] }
  const server = await MachineServer.start(machine, { appendonly: 'yes', appendfsync: 'always' }, options)
  server.call('t.pair', 'k')
  await server.stop(['nosave', 'now'])
  const without = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.equal(without.call('get', 'k'), '2')
})

test('setup may call; one that throws ends the start; teardown comes with the end', async () => {
  const said: string[] = []
  const base = { name: 'tried', version: 1, apiVersion: 1 }
  const good = defineModule({
    ...base,
    setup: server => void said.push(String(server.call('SET', 'k', 'v'))),
    teardown: () => void said.push('end'),
  })
  const server = await createServer({ modules: [good] })
  await server.close()
  assert.deepEqual(said, ['OK', 'end'])
  const bad = defineModule({
    ...base,
    setup: () => {
      throw new Error('no')
    },
  })
  await assert.rejects(createServer({ modules: [bad] }), /module 'tried': its setup has failed: no/)
})

test('what is no module is refused', async () => {
  assert.throws(() => defineModule({ name: 'a', version: 1, apiVersion: 9 }), /apiVersion is 1, not 9/)
  assert.throws(() => defineModule({ name: 'a b', version: 1, apiVersion: 1 }), /name is a word/)
  assert.throws(() => defineModule({ name: 'a', version: 1, apiVersion: 1, kinds: [] } as never), /'kinds' is no part/)
  await assert.rejects(createServer({ modules: [{} as never] }), /what defineModule\(\) returns/)
})

test('CL.THROTTLE allows a burst, refuses, and allows again with time', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine, {}, { modules: [{ module: throttle }] })
  const ask = (...more: number[]) => server.call('cl.throttle', 'user', 2, 60, 60, ...more)
  assert.deepEqual(ask(), [0, 3, 2, -1, 1])
  assert.deepEqual(ask(), [0, 3, 1, -1, 2])
  assert.deepEqual(ask(), [0, 3, 0, -1, 3])
  assert.deepEqual(ask(), [1, 3, 0, 1, 3])
  machine.advance(1000)
  assert.deepEqual(ask(), [0, 3, 0, -1, 3])
  assert.deepEqual(ask(4), [1, 3, 0, -1, 3])
  isError(ask(1, 2), "ERR wrong number of arguments for 'cl.throttle' command")
})
