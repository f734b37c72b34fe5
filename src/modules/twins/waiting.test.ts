// Twins of Redis's module tests: clients that wait.

import assert from 'node:assert/strict'
import type { MachineServer } from '../../../test/harness/machine.ts'
import { logged, moduleServer, plain, settled, started, twin } from '../../../test/harness/module-server.ts'
import { CommandError, defineType, type ModuleCommand, type ModuleContext, reply } from '../../module.ts'
import { virtualSystem } from '../../system/virtual.ts'

// ---- blockonkeys: a list of ascending integers, as a type of a module ----

const ascending = defineType<number[]>({
  name: 'fsltype_t',
  encodingVersion: 0,
  save(list, out) {
    out.unsigned(list.length)
    for (const n of list) out.signed(n)
  },
  load: input => Array.from({ length: input.unsigned() }, () => input.signed()),
})

const OK = reply.simple('OK')

function popFrom(ctx: ModuleContext, i: number, above = Number.NEGATIVE_INFINITY): number | undefined {
  const key = ctx.write(ascending, ctx.args[i])
  const last = key.value?.at(-1)
  if (last === undefined || last <= above) return undefined
  key.value!.pop()
  if (key.value!.length === 0) key.delete()
  else key.changed()
  return last
}

function pushTo(ctx: ModuleContext, i: number, n: number): ReturnType<typeof reply.simple> {
  const key = ctx.write(ascending, ctx.args[i])
  if (key.value === undefined) {
    key.set([n])
    return OK
  }
  if (key.value.at(-1)! >= n) throw new CommandError('ERR new element has to be greater than the head element')
  key.value.push(n)
  key.changed()
  return OK
}

const facts = { arity: -2, flags: 'write', propagation: 'verbatim' } as const
const timedOut = reply.simple('Request timedout')
const fsl: readonly ModuleCommand[] = [
  { ...facts, name: 'fsl.push', keys: 'RW UPDATE @1', run: ctx => pushTo(ctx, 1, ctx.integer(2)) },
  {
    ...facts,
    name: 'fsl.pushtimer',
    keys: 'RW UPDATE @1',
    run: ctx => {
      const [, key, n] = ctx.args
      ctx.after(ctx.integer(3), () => void ctx.call('fsl.push', key, n))
      return OK
    },
  },
  {
    ...facts,
    name: 'fsl.bpop',
    keys: 'RW ACCESS @1',
    run: ctx => popFrom(ctx, 1) ?? ctx.waitForKeys(1, { timeoutMs: ctx.integer(2), timedOut }),
  },
  {
    ...facts,
    name: 'fsl.bpopgt',
    keys: 'RW ACCESS @1',
    run: ctx => {
      if (ctx.call('EXISTS', ctx.args[1]) === 0)
        throw new CommandError(ctx.hasWaited ? 'UNBLOCKED key no longer exists' : 'ERR key must exist')
      return popFrom(ctx, 1, ctx.integer(2)) ?? ctx.waitForKeys(1, { timeoutMs: ctx.integer(3), timedOut })
    },
  },
  {
    ...facts,
    name: 'fsl.bpoppush',
    keys: 'RW ACCESS @1..+1',
    run: ctx => {
      const popped = popFrom(ctx, 1)
      if (popped === undefined) return ctx.waitForKeys(1, { timeoutMs: ctx.integer(3), timedOut })
      pushTo(ctx, 2, popped)
      return popped
    },
  },
  { ...facts, name: 'fsl.getall', flags: 'readonly', run: ctx => [...(ctx.read(ascending, ctx.args[1]) ?? [])] },
]

function blpopn(name: string, orAbort: boolean): ModuleCommand {
  return {
    name,
    arity: -3,
    flags: 'write',
    keys: 'RW ACCESS @1',
    run: ctx => {
      if (Number(ctx.call('LLEN', ctx.args[1])) >= ctx.integer(2)) return ctx.call('LPOP', ctx.args[1], ctx.args[2])
      if (orAbort && ctx.hasWaited) return reply.simple('Action aborted')
      return ctx.waitForKeys(1, { timeoutMs: 3000, timedOut: reply.error('ERR Timeout') })
    },
  }
}

const lists: readonly ModuleCommand[] = [
  {
    name: 'blockonkeys.popall',
    arity: 2,
    flags: 'write',
    keys: 'RW ACCESS @1',
    run: ctx =>
      ctx.call('EXISTS', ctx.args[1]) === 0
        ? ctx.waitForKeys(1)
        : ctx.call('LPOP', ctx.args[1], Number.MAX_SAFE_INTEGER),
  },
  {
    name: 'blockonkeys.lpush_unblock',
    arity: -3,
    flags: 'write',
    keys: 'RW UPDATE @1',
    run: ctx => {
      const length = ctx.call('LPUSH', ...ctx.args.slice(1))
      ctx.keyReady(ctx.args[1])
      return length
    },
  },
  {
    name: 'blockonkeys.lpush',
    arity: -3,
    flags: 'write',
    keys: 'RW UPDATE @1',
    run: ctx => ctx.call('LPUSH', ...ctx.args.slice(1)),
  },
  blpopn('blockonkeys.blpopn', false),
  blpopn('blockonkeys.blpopn_or_unblock', true),
]

async function fslServer(directives = {}, machine = virtualSystem({ seed: 1 })): Promise<MachineServer> {
  return moduleServer({ commands: [...fsl, ...lists], types: [ascending] }, directives, machine)
}

const blocked = (server: MachineServer) => server.server.engine.blocking.clients.size

twin('blockonkeys', 'a chain of clients that wait is served to its end', async () => {
  const server = await fslServer()
  const there = started(server, 'fsl.bpoppush', 'src', 'dst', 0)
  const back = started(server, 'fsl.bpoppush', 'dst', 'src', 0)
  assert.equal(blocked(server), 2)
  server.call('fsl.push', 'src', 42)
  assert.equal(blocked(server), 0)
  assert.deepEqual([server.take(there), server.take(back)], [[42], [42]])
  assert.deepEqual([server.call('fsl.getall', 'src'), server.call('fsl.getall', 'dst')], [[42], []])
  const itself = started(server, 'fsl.bpoppush', 'own', 'own', 0)
  server.call('fsl.push', 'own', 1)
  assert.deepEqual([server.take(itself), server.call('fsl.getall', 'own')], [[1], [1]])
})

twin('blockonkeys', 'a timer serves a client, and both are propagated', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await fslServer({ appendonly: 'yes', appendfsync: 'always' }, machine)
  const client = started(server, 'fsl.bpoppush', 'src', 'dst', 0)
  server.call('fsl.pushtimer', 'src', 9000, 10)
  machine.advance(20)
  assert.deepEqual([server.take(client), server.call('fsl.getall', 'dst')], [[9000], [9000]])
  assert.deepEqual(logged(machine), ['fsl.push src 9000', 'fsl.bpoppush src dst 0'])
  const digest = server.digest()
  await server.stop(['nosave', 'now'])
  assert.equal((await fslServer({ appendonly: 'yes' }, machine)).digest(), digest)
})

twin('blockonkeys', 'at once, in time, too late', async () => {
  const server = await fslServer()
  server.call('fsl.push', 'k', 33)
  server.call('fsl.push', 'k', 34)
  assert.equal(server.call('fsl.bpop', 'k', 0), 34)
  server.call('del', 'k')
  assert.equal(server.call('fsl.bpop', 'k', 1), 'Request timedout')
  const client = started(server, 'fsl.bpop', 'k', 0)
  server.call('fsl.push', 'k', 35)
  assert.deepEqual(server.take(client), [35])
  assert.equal(plain(server.call('fsl.bpopgt', 'none', 1, 0)), '-ERR key must exist')
})

twin('blockonkeys', 'a condition: only what meets it serves the client, and the end of the key does', async () => {
  const server = await fslServer()
  const waits = () => {
    server.call('del', 'k')
    server.call('fsl.push', 'k', 32)
    return started(server, 'fsl.bpopgt', 'k', 35, 0)
  }
  const gone = ['-UNBLOCKED key no longer exists']
  let client = waits()
  for (const n of [33, 34, 35]) server.call('fsl.push', 'k', n)
  assert.deepEqual(server.take(client), [])
  server.call('fsl.push', 'k', 36)
  assert.deepEqual(server.take(client), [36])
  client = waits()
  server.call('del', 'k')
  assert.deepEqual(plain(server.take(client)), gone)
  client = waits()
  server.call('flushall')
  assert.deepEqual(plain(server.take(client)), gone)
  client = waits()
  server.call('swapdb', 0, 9)
  assert.deepEqual(plain(server.take(client)), gone)
  server.call('flushall')
  client = waits()
  server.call('select', 9)
  server.call('fsl.push', 'k', 34)
  server.call('swapdb', 0, 9)
  assert.deepEqual([server.take(client), blocked(server)], [[], 1])
  server.call('select', 0)
  server.call('fsl.push', 'k', 38)
  assert.deepEqual(server.take(client), [38])
})

twin('blockonkeys', 'CLIENT KILL and CLIENT UNBLOCK', async () => {
  const server = await fslServer()
  server.call('fsl.push', 'k', 32)
  const lastId = () => String(Math.max(...server.server.engine.clients.keys()))
  const first = started(server, 'fsl.bpopgt', 'k', 35, 0)
  server.call('client', 'unblock', lastId(), 'timeout')
  assert.deepEqual(server.take(first), ['Request timedout'])
  const second = started(server, 'fsl.bpopgt', 'k', 35, 0)
  server.call('client', 'unblock', lastId(), 'error')
  assert.match(String(plain(server.take(second))), /^-UNBLOCKED/)
  started(server, 'fsl.bpopgt', 'k', 35, 0)
  assert.equal(server.call('client', 'kill', 'id', lastId()), 1)
  assert.equal(blocked(server), 0)
})

twin('blockonkeys', 'keys of built-in types, each way', async () => {
  const server = await fslServer()
  const all = started(server, 'blockonkeys.popall', 'k')
  server.call('lpush', 'k', 42, 'squirrel', 'banana')
  assert.deepEqual(server.take(all), [['banana', 'squirrel', '42']])
  const core = started(server, 'blpop', 'k', 3)
  server.call('blockonkeys.lpush', 'k', 42)
  assert.deepEqual(server.take(core), [['k', '42']])
  server.call('lpush', 'k', 'aa')
  const five = started(server, 'blockonkeys.blpopn', 'k', 5)
  server.call('blockonkeys.lpush_unblock', 'k', 'bb', 'cc')
  server.call('lpush', 'k', 'dd', 'ee', 'ff')
  assert.deepEqual(server.take(five), [])
  server.call('blockonkeys.lpush_unblock', 'k', 'gg')
  assert.deepEqual(server.take(five), [['gg', 'ff', 'ee', 'dd', 'cc']])
  server.call('del', 'k')
  const given = started(server, 'blockonkeys.blpopn_or_unblock', 'k', 5)
  server.call('lpush', 'k', 'dd')
  assert.deepEqual(server.take(given), ['Action aborted'])
})

twin('blockonkeys', 'a key of another type does not end the wait, and a transaction does not wait', async () => {
  const server = await fslServer()
  const client = started(server, 'fsl.bpop', 'k', 0)
  server.call('multi')
  server.call('fsl.bpop', 'k', 0)
  assert.deepEqual(plain(server.call('exec')), ['-ERR Blocking module command called from transaction'])
  server.call('fsl.push', 'k', 34)
  assert.deepEqual(server.take(client), [34])
})

// ---- blockedclient, blockonbackground ----

const later = { arity: -1, flags: 'blocking' } as const

twin('blockedclient', 'a client that waits keeps its protocol, its user and its database', async () => {
  const server = await moduleServer([
    {
      ...later,
      name: 'b.facts',
      run: async ctx => {
        await Promise.resolve()
        const { user, database, protocol } = ctx.client
        ctx.call('SET', 'made', 'here')
        return [user, database, protocol, ctx.call('GET', 'made'), ctx.call('PING')]
      },
    },
  ])
  server.call('acl', 'setuser', 'alice', 'on', 'nopass', '~*', '+@all', '-ping')
  const client = server.connect()
  for (const words of [['auth', 'alice', 'x'], ['select', '3'], ['b.facts']]) server.send(client, words)
  await settled(server)
  const refused = "-NOPERM User alice has no permissions to run the 'ping' command"
  assert.deepEqual(plain(server.take(client)), ['OK', 'OK', refused])
  server.call('select', 3)
  assert.equal(server.call('get', 'made'), 'here')
})

twin('blockedclient', 'calls: blocking commands do not block, those of connections are refused', async () => {
  const server = await moduleServer([
    { ...later, flags: 'write', name: 'b.call', run: ctx => ctx.call(...ctx.args.slice(1)) },
    { ...later, name: 'b.later', run: async ctx => ctx.call(...ctx.args.slice(1)) },
  ])
  const asked = async (...words: string[]) => {
    const client = started(server, ...words)
    await settled(server)
    return plain(server.take(client)[0])
  }
  for (const name of ['b.call', 'b.later']) {
    assert.equal(await asked(name, 'blpop', 'l', '0'), null)
    assert.equal(await asked(name, 'brpoplpush', 'l', 'r', '0'), null)
    assert.equal(await asked(name, 'bzpopmin', 'z', '0'), null)
    assert.match(String(await asked(name, 'monitor')), /^-ERR This Redis command is not allowed from a module/)
    assert.match(String(await asked(name, 'subscribe', 'ch')), /^-ERR This Redis command is not allowed from a module/)
    assert.equal(await asked(name, 'hset', 'h', name, 'x'), 1)
  }
  assert.equal(await asked('b.call', 'hget', 'h', 'b.later'), 'x')
})

twin('blockedclient', 'in MULTI and in scripts it is refused, and errors are counted', async () => {
  const server = await moduleServer([
    { ...later, name: 'b.no', run: () => Promise.reject(new CommandError('CUSTOM no')) },
    { ...later, name: 'b.yes', run: async () => 'yes' },
  ])
  server.call('multi')
  server.call('b.yes')
  assert.deepEqual(plain(server.call('exec')), ['-ERR Blocking module command called from transaction'])
  assert.match(String(plain(server.call('eval', "return redis.call('b.yes')", 0))), /called from Lua script/)
  server.call('config', 'resetstat')
  const client = started(server, 'b.no')
  await settled(server)
  assert.deepEqual(plain(server.take(client)), ['-CUSTOM no'])
  assert.match(String(server.call('info', 'errorstats')), /errorstat_CUSTOM:count=1/)
  assert.match(String(server.call('info', 'commandstats')), /cmdstat_b\.no:calls=1,.*failed_calls=1/)
})

twin('blockonbackground', 'the time limit, and CLIENT UNBLOCK', async () => {
  const server = await moduleServer([
    { ...later, name: 'block.debug', timeoutMs: 200, run: ctx => sleep(ctx, ctx.integer(1)) },
    { ...later, name: 'block.forever', run: () => new Promise<null>(() => {}) },
  ])
  const asked = async (ms: number) => {
    const client = started(server, 'block.debug', ms)
    for (let passed = 0; passed < 300; passed += 10) {
      server.machine.advance(10)
      await settled(server)
    }
    return server.take(client)
  }
  assert.deepEqual(await asked(100), ['slept'])
  assert.deepEqual(await asked(250), [null])
  const client = started(server, 'block.forever')
  const id = String(Math.max(...server.server.engine.clients.keys()))
  assert.equal(server.call('client', 'unblock', id, 'timeout'), 1)
  assert.deepEqual(server.take(client), [null])
})

function sleep(ctx: ModuleContext, ms: number): Promise<string> {
  return new Promise(resolve => void ctx.after(ms, () => resolve('slept')))
}
