// Twins of Redis's module tests: calls, replies, parameters, timers.

import assert from 'node:assert/strict'
import { MachineServer } from '../../../test/harness/machine.ts'
import { logged, moduleOf, moduleServer, plain, settled, started, twin } from '../../../test/harness/module-server.ts'
import { CommandError, type ModuleCommand, type ModuleReply, type ModuleServer, reply } from '../../module.ts'
import { virtualSystem } from '../../system/virtual.ts'

const facts = { arity: -1, flags: 'write' } as const

function call(name = 'call'): ModuleCommand {
  return { ...facts, name, run: ctx => ctx.call(...ctx.args.slice(1)) }
}

twin('basics', 'calls and the values of their replies', async () => {
  const server = await moduleServer([
    {
      ...facts,
      name: 'test.basics',
      run: ctx => {
        assert.equal(ctx.call('SET', 'k', 'v'), 'OK')
        assert.equal(ctx.call('GET', 'k'), 'v')
        assert.equal(ctx.call('GET', 'none'), null)
        assert.equal(ctx.call('INCR', 'n'), 1)
        assert.deepEqual(ctx.call('HGETALL', 'none'), [])
        ctx.call('RPUSH', 'l', 1, 2, 'ü')
        assert.deepEqual(ctx.call('LRANGE', 'l', 0, -1), ['1', '2', 'ü'])
        assert.deepEqual(ctx.callWith({ bytes: true }, 'LINDEX', 'l', 2), new TextEncoder().encode('ü'))
        assert.throws(() => ctx.call('INCR', 'l'), /^CommandError: WRONGTYPE/)
        assert.throws(() => ctx.call('NOTHING'), /unknown command 'NOTHING'/)
        assert.throws(() => ctx.call('GET'), /wrong number of arguments for 'get' command/)
        return 'ALL TESTS PASSED'
      },
    },
    { ...facts, name: 'test.protocol', run: ctx => ctx.client.protocol },
  ])
  assert.equal(server.call('test.basics'), 'ALL TESTS PASSED')
  assert.equal(server.call('test.protocol'), 2)
  server.call('hello', '3')
  assert.equal(server.call('test.protocol'), 3)
})

twin('reply', 'each kind of reply, in RESP2 and RESP3', async () => {
  const values: Readonly<Record<string, ModuleReply>> = {
    string: 'A string',
    integer: 42,
    big: 9007199254740993n,
    double: 3.25,
    whole: reply.double(3),
    infinite: Number.POSITIVE_INFINITY,
    nan: Number.NaN,
    verbatim: reply.verbatim('A string'),
    array: [0, 1, 2],
    map: new Map<string, ModuleReply>([
      ['0', 0],
      ['1', 1.5],
    ]),
    set: new Set([0, 1, 2]),
    bool: [false, true],
    null: null,
    simple: reply.simple('fine'),
    error: reply.error('ERR An error'),
  }
  const commands = Object.entries(values).map(([name, value]) => ({ ...facts, name: `rw.${name}`, run: () => value }))
  const server = await moduleServer(commands)
  const wire = (client: number, name: string) => {
    server.send(client, [`rw.${name}`])
    server.machine.settle()
    return server
  }
  const two = server.connect()
  const shown = (name: string) => plain(wire(two, name).take(two)[0])
  assert.equal(shown('string'), 'A string')
  assert.equal(shown('integer'), 42)
  assert.equal(String(shown('big')), '9007199254740993')
  assert.equal(shown('double'), '3.25')
  assert.equal(shown('whole'), '3')
  assert.equal(shown('infinite'), 'inf')
  assert.equal(shown('nan'), 'nan')
  assert.equal(shown('verbatim'), 'A string')
  assert.deepEqual(shown('array'), [0, 1, 2])
  assert.deepEqual(shown('map'), ['0', 0, '1', '1.5'])
  assert.deepEqual(shown('set'), [0, 1, 2])
  assert.deepEqual(shown('bool'), [0, 1])
  assert.equal(shown('null'), null)
  assert.equal(shown('simple'), 'fine')
  assert.equal(shown('error'), '-ERR An error')
  const raw = rawOf(server)
  raw('hello 3')
  assert.equal(raw('rw.double'), ',3.25\r\n')
  assert.equal(raw('rw.whole'), ',3\r\n')
  assert.equal(raw('rw.infinite'), ',inf\r\n')
  assert.equal(raw('rw.nan'), ',nan\r\n')
  assert.equal(raw('rw.verbatim'), '=12\r\ntxt:A string\r\n')
  assert.equal(raw('rw.map'), '%2\r\n$1\r\n0\r\n:0\r\n$1\r\n1\r\n,1.5\r\n')
  assert.equal(raw('rw.set'), '~3\r\n:0\r\n:1\r\n:2\r\n')
  assert.equal(raw('rw.bool'), '*2\r\n#f\r\n#t\r\n')
  assert.equal(raw('rw.null'), '_\r\n')
})

/** Sends lines on a connection of its own; returns the bytes that came since the last. */
function rawOf({ server, machine }: MachineServer): (line: string) => string {
  const socket = server.memory.connect()
  let got = ''
  socket.onData = bytes => {
    got += MachineServer.text(bytes)
  }
  return line => {
    socket.write(new TextEncoder().encode(`${line}\r\n`))
    machine.settle()
    const all = got
    got = ''
    return all
  }
}

twin('misc', 'calls within calls, transactions and a full server', async () => {
  const server = await moduleServer([
    call('test.call'),
    { ...call('test.deny'), flags: 'write denyoom' },
    { ...facts, name: 'test.dbs', run: ctx => [ctx.client.database, ctx.call('SELECT', 3), ctx.call('SET', 'k', 'v')] },
    { ...facts, name: 'test.client', run: ctx => ctx.client.id > 0 && ctx.client.user === 'default' },
    { ...facts, name: 'test.may', run: ctx => ctx.refusal({}, ...ctx.args.slice(1)) },
    { ...facts, flags: 'readonly', name: 'test.read', run: ctx => ctx.call(...ctx.args.slice(1)) },
    { ...facts, name: 'test.clock', run: ctx => ctx.nowMs() },
  ])
  assert.equal(server.call('test.call', 'test.call', 'test.call', 'incr', 'k'), 1)
  assert.equal(server.call('test.call', 'set', 'k', 'x'.repeat(100_000)), 'OK')
  assert.equal(server.call('strlen', 'k'), 100_000)
  assert.deepEqual(server.call('test.dbs'), [0, 'OK', 'OK'])
  assert.equal(server.call('test.client'), 1)
  const id = server.call('client', 'id')
  assert.equal(server.call('client', 'id'), id)
  server.call('config', 'set', 'maxmemory', '1')
  assert.match(String(plain(server.call('test.deny', 'set', 'k', 'v'))), /^-OOM/)
  assert.equal(server.call('test.may', 'get', 'k'), null)
  assert.equal(server.call('test.call', 'strlen', 'k'), 100_000)
  server.call('config', 'set', 'maxmemory', '0')
  assert.match(String(plain(server.call('test.read', 'del', 'k'))), /Write commands are not allowed/)
  server.call('config', 'set', 'min-replicas-to-write', '1')
  assert.match(String(plain(server.call('test.call', 'set', 'k', 'v'))), /^-NOREPLICAS/)
  server.call('config', 'set', 'min-replicas-to-write', '0')
  server.call('replicaof', '127.0.0.1', '1')
  assert.match(String(plain(server.call('test.call', 'set', 'k', 'v'))), /^-READONLY/)
})

twin('misc', 'tracking hears of what a module reads and changes', async () => {
  const server = await moduleServer([{ ...call('test.call'), keys: 'RW ACCESS @2' }])
  const raw = rawOf(server)
  raw('hello 3')
  raw('client tracking on')
  server.call('set', 'k', '1')
  assert.equal(raw('test.call get k'), '$1\r\n1\r\n')
  server.call('test.call', 'set', 'k', '2')
  assert.match(raw('ping'), /invalidate/)
})

twin('moduleconfigs', 'parameters of every kind: CONFIG GET, SET, limits, and what the module refuses', async () => {
  let applied = 0
  const server = await moduleServer({
    config: {
      mutable_bool: { kind: 'yes-no', initial: true },
      immutable_bool: { kind: 'yes-no', initial: false, immutable: true },
      string: { kind: 'text', initial: 'secret password' },
      enum: { kind: 'enum', initial: 'one', values: ['one', 'two', 'five'] },
      numeric: { kind: 'integer', initial: -1, min: -5, max: 2000 },
      memory: { kind: 'memory', initial: 1024, min: 0, max: 3_000_000 },
      applied: {
        kind: 'integer',
        initial: 1,
        changed: value => {
          applied++
          return Number(value) > 10 ? 'it is too much' : undefined
        },
      },
    },
    commands: [{ ...facts, name: 'cfg.value', run: ctx => ctx.config(ctx.text(1)) as ModuleReply }],
  })
  const get = (name: string) => (server.call('config', 'get', `twin.${name}`) as string[])[1]
  const set = (...pairs: string[]) =>
    plain(server.call('config', 'set', ...pairs.map((one, i) => (i % 2 === 0 ? `twin.${one}` : one))))
  const names = ['mutable_bool', 'immutable_bool', 'string', 'enum', 'numeric', 'memory']
  assert.deepEqual(names.map(get), ['yes', 'no', 'secret password', 'one', '-1', '1024'])
  assert.equal(
    set('mutable_bool', 'no', 'memory', '1mb', 'string', 'wafflewednesdays', 'enum', 'two', 'numeric', '-2'),
    'OK',
  )
  assert.deepEqual(names.map(get), ['no', 'no', 'wafflewednesdays', 'two', '-2', '1048576'])
  assert.deepEqual(server.call('cfg.value', 'numeric'), -2)
  assert.match(String(set('immutable_bool', 'yes')), /can't set immutable config/)
  assert.match(String(set('numeric', '2001')), /argument must be between -5 and 2000 inclusive/)
  assert.match(String(set('memory', '4000000')), /argument must be between 0 and 3000000 inclusive/)
  assert.match(String(set('enum', 'four')), /argument\(s\) must be one of the following/)
  assert.match(String(set('applied', '11')), /it is too much/)
  assert.equal(get('applied'), '1')
  assert.ok(applied >= 1)
})

twin('moduleconfigstwo', 'parameters of two modules are apart', async () => {
  const config = { configtest: { kind: 'yes-no', initial: true } } as const
  const modules = [moduleOf({ config }, 'configs'), moduleOf({ config }, 'configstwo')]
  const server = await MachineServer.start(virtualSystem({ seed: 1 }), { 'enable-module-command': 'yes' }, { modules })
  assert.equal(server.call('config', 'set', 'configstwo.configtest', 'no'), 'OK')
  assert.deepEqual(server.call('config', 'get', 'configs*'), [
    'configs.configtest',
    'yes',
    'configstwo.configtest',
    'no',
  ])
  server.call('module', 'unload', 'configs')
  assert.deepEqual(server.call('config', 'get', 'configs*'), ['configstwo.configtest', 'no'])
})

twin('timer', 'a sequence of timers, some stopped, until the module goes', async () => {
  const stops = new Map<number, () => void>()
  const server = await moduleServer(
    [
      {
        ...facts,
        name: 'timer.create',
        run: ctx => {
          const key = ctx.args[2]
          const id = stops.size
          stops.set(
            id,
            ctx.after(ctx.integer(1), () => void ctx.call('INCR', key)),
          )
          return id
        },
      },
      { ...facts, name: 'timer.stop', run: ctx => void stops.get(ctx.integer(1))?.() },
    ] as readonly ModuleCommand[],
    { 'enable-module-command': 'yes' },
  )
  for (const ms of [15, 5, 20, 10]) server.call('timer.create', ms, 'timer-incr-key')
  server.machine.advance(30)
  assert.equal(server.call('get', 'timer-incr-key'), '4')
  const id = server.call('timer.create', 10, 'stopped') as number
  server.call('timer.stop', id)
  server.call('timer.stop', id)
  server.call('timer.create', 10, 'left')
  assert.equal(server.call('module', 'unload', 'twin'), 'OK')
  server.machine.advance(30)
  assert.deepEqual([server.call('exists', 'stopped'), server.call('exists', 'left')], [0, 0])
})

twin('publish', 'to clients, to shard channels, and to itself within a transaction', async () => {
  const server = await moduleServer([
    { ...facts, name: 'publish.classic', run: ctx => ctx.call('PUBLISH', ctx.args[1], ctx.args[2]) },
    { ...facts, name: 'publish.shard', run: ctx => ctx.call('SPUBLISH', ctx.args[1], ctx.args[2]) },
    { ...facts, name: 'publish.many', run: ctx => ctx.args.slice(2).map(one => ctx.call('PUBLISH', ctx.args[1], one)) },
  ])
  const subscriber = started(server, 'subscribe', 'chan')
  server.send(subscriber, ['ssubscribe', 'shard'])
  server.machine.settle()
  server.take(subscriber)
  assert.equal(server.call('publish.classic', 'chan', 'hello'), 1)
  assert.equal(server.call('publish.shard', 'shard', 'hi'), 1)
  assert.deepEqual(server.take(subscriber), [
    ['message', 'chan', 'hello'],
    ['smessage', 'shard', 'hi'],
  ])
  const raw = rawOf(server)
  raw('hello 3')
  raw('subscribe self')
  const text = raw('publish.many self a b')
  assert.ok(text.startsWith('*2\r\n:1\r\n:1\r\n'), text)
  assert.match(text, /message[\s\S]*self[\s\S]*a[\s\S]*message[\s\S]*self[\s\S]*b/)
})

const timed = (server: ModuleServer, key: string) => () =>
  server.atomically(() => {
    server.call('INCR', key)
    server.call('INCR', key)
  })

const propagating: readonly ModuleCommand[] = [
  { ...facts, name: 'p.both', run: ctx => [ctx.call('INCR', 'a'), ctx.call('INCR', 'b')] },
  { ...facts, name: 'p.one', run: ctx => ctx.call('INCR', 'one') },
  { ...facts, name: 'p.nested', run: ctx => [ctx.call('INCR', 'n'), ctx.call('p.both')] },
  { ...facts, name: 'p.timer', run: ctx => void ctx.after(1, timed(ctx, 'timer')) },
  {
    ...facts,
    name: 'p.later',
    flags: 'blocking',
    run: async ctx => {
      await Promise.resolve()
      return ctx.call('INCR', 'later')
    },
  },
  {
    ...facts,
    name: 'p.fails',
    run: ctx => {
      ctx.call('INCR', 'kept')
      throw new CommandError('ERR no')
    },
  },
]

twin('propagate', 'from commands, timers, scripts, transactions and handlers that wait', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await moduleServer(propagating, { appendonly: 'yes', appendfsync: 'always' }, machine)
  const told = () => logged(machine).splice(seen)
  let seen = 0
  const since = (...words: string[]) => {
    seen = logged(machine).length
    server.call(...words)
    return told()
  }
  assert.deepEqual(since('p.both'), ['MULTI', 'INCR a', 'INCR b', 'EXEC'])
  assert.deepEqual(since('p.one'), ['INCR one'])
  assert.deepEqual(since('p.nested'), ['MULTI', 'INCR n', 'INCR a', 'INCR b', 'EXEC'])
  assert.deepEqual(since('eval', "redis.call('p.both') redis.call('set', 'x', 1)", '0'), [
    'MULTI',
    'INCR a',
    'INCR b',
    'set x 1',
    'EXEC',
  ])
  assert.deepEqual(since('p.fails'), ['INCR kept'])
  server.call('multi')
  server.call('p.one')
  server.call('p.both')
  assert.deepEqual(since('exec'), ['MULTI', 'INCR one', 'INCR a', 'INCR b', 'EXEC'])
  seen = logged(machine).length
  server.call('p.timer')
  machine.advance(5)
  assert.deepEqual(told(), ['MULTI', 'INCR timer', 'INCR timer', 'EXEC'])
  seen = logged(machine).length
  started(server, 'p.later')
  await settled(server)
  assert.deepEqual(told(), ['INCR later'])
  const digest = server.digest()
  await server.stop(['nosave', 'now'])
  assert.equal((await MachineServer.start(machine, { appendonly: 'yes' })).digest(), digest)
})
