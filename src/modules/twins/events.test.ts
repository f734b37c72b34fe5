// Twins of Redis's module tests: what modules hear of, and what they put before and after commands.

import assert from 'node:assert/strict'
import type { MachineServer } from '../../../test/harness/machine.ts'
import { logged, moduleServer, plain, twin } from '../../../test/harness/module-server.ts'
import { ReplicationWorld } from '../../../test/harness/replication-world.ts'
import { CommandError, type FilterOptions, type ModuleServer } from '../../module.ts'
import { virtualSystem } from '../../system/virtual.ts'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

// ---- commandfilter ----

async function filtering(options: FilterOptions): Promise<{ server: MachineServer; seen: string[]; end: () => void }> {
  const seen: string[] = []
  let end: () => void = () => {}
  const server = await moduleServer({
    setup: on => {
      end = on.filter(({ args, client, origin }) => {
        const words = args.map(text)
        if (words.includes('@log')) seen.push(`${origin} ${client.user}: ${words.join(' ')}`)
        if (words.includes('@refuse')) throw new CommandError('DENIED by a filter')
        if (!words.some(word => word.startsWith('@'))) return undefined
        return words.flatMap(word => {
          if (word === '@delme' || word === '@log') return []
          if (word === '@insertbefore') return ['--inserted-before--', word]
          if (word === '@insertafter') return [word, '--inserted-after--']
          return word === '@replaceme' ? ['--replaced--'] : [word]
        })
      }, options)
    },
    commands: [{ name: 'commandfilter.ping', arity: 1, flags: '', run: ctx => ctx.call('PING', '@log') }],
  })
  return { server, seen, end: () => end() }
}

twin('commandfilter', 'words are removed, inserted, replaced, and commands refused', async () => {
  const { server, seen, end } = await filtering({})
  const pushed = (...words: string[]) => {
    server.call('del', 'l')
    server.call('rpush', 'l', ...words)
    return server.call('lrange', 'l', 0, -1)
  }
  assert.deepEqual(pushed('elem1', '@delme', 'elem2'), ['elem1', 'elem2'])
  assert.deepEqual(pushed('elem1', '@replaceme', 'elem2'), ['elem1', '--replaced--', 'elem2'])
  const inserted = ['1', '--inserted-before--', '@insertbefore', '2', '@insertafter', '--inserted-after--', '3']
  assert.deepEqual(pushed('1', '@insertbefore', '2', '@insertafter', '3'), inserted)
  assert.equal(server.call('ping', '@log'), 'PONG')
  assert.equal(plain(server.call('set', 'k', '@refuse')), '-DENIED by a filter')
  assert.deepEqual(seen.splice(0), ['client default: ping @log'])
  assert.equal(server.call('commandfilter.ping'), '@log')
  assert.equal(server.call('eval', "return redis.call('ping', '@log')", 0), '@log')
  end()
  assert.equal(server.call('ping', '@log'), '@log')
  assert.deepEqual(seen, [])
})

twin('commandfilter', 'with `calls` also what scripts and modules call, each of them once', async () => {
  const { server, seen } = await filtering({ calls: true })
  server.call('commandfilter.ping')
  assert.deepEqual(seen.splice(0), ['module default: PING @log'])
  server.call('eval', "redis.call('ping', '@log')", 0)
  assert.deepEqual(seen.splice(0), ['script default: ping @log'])
  server.call('eval', "redis.call('commandfilter.ping')", 0)
  assert.deepEqual(seen.splice(0), ['module default: PING @log'])
  const script =
    "redis.call('rpush', KEYS[1], '1', '2') redis.call('rpush', KEYS[1], '@insertafter') return redis.call('rpush', KEYS[1], '3')"
  assert.equal(server.call('eval', script, 1, 'l'), 5)
  assert.equal(
    plain(server.call('eval', "return redis.pcall('set', KEYS[1], '@refuse').err", 1, 'l')),
    'DENIED by a filter',
  )
})

twin('commandfilter', 'replies are seen, replaced and refused, and messages behind them stay', async () => {
  const seen: unknown[] = []
  const server = await moduleServer({
    setup: on =>
      void on.filterReplies(({ args, client, reply, error }) => {
        const [name, key] = args.map(text)
        seen.push([client.database, name, error ?? reply])
        if (name === 'get' && key === 'secret') return 'hidden'
        if (name === 'get' && key === 'no') throw new CommandError('DENIED it')
        if (name === 'get' && key === 'bad') throw new Error('a filter')
        if (name === 'get' && key === 'wrong') return (() => 1) as never
        if (name === 'get' && key === 'list') return [1, 'two', null]
        return undefined
      }),
  })
  seen.length = 0
  for (const key of ['secret', 'no', 'bad', 'wrong', 'list', 'open']) server.call('set', key, `of ${key}`)
  const get = (key: string) => plain(server.call('get', key))
  assert.deepEqual(['secret', 'no', 'bad', 'wrong', 'open'].map(get), [
    'hidden',
    '-DENIED it',
    'of bad',
    'of wrong',
    'of open',
  ])
  assert.deepEqual(get('list'), [1, 'two', null])
  assert.match(String(server.call('info', 'errorstats')), /errorstat_DENIED:count=1/)
  seen.length = 0
  assert.match(String(plain(server.call('nothing'))), /^-ERR unknown command/)
  assert.match(String(seen), /^0,nothing,ERR unknown command/)
  server.call('multi')
  assert.equal(server.call('get', 'secret'), 'hidden')
  assert.deepEqual(server.call('exec'), ['of secret'])
  seen.length = 0
  const client = server.connect()
  for (const words of [
    ['hello', '3'],
    ['subscribe', 'ch'],
    ['publish', 'ch', 'x'],
    ['client', 'reply', 'off'],
    ['get', 'no'],
  ])
    server.send(client, words)
  server.machine.settle()
  assert.deepEqual(
    seen.map(one => (one as string[])[1]),
    ['hello', 'publish'],
  )
  assert.deepEqual(server.call('del', 'open'), 1)
})

// ---- hooks ----

twin('hooks', 'what happens in the server', async () => {
  const heard: string[] = []
  const names = [
    'client-connected',
    'client-disconnected',
    'flushed',
    'cron',
    'config-changed',
    'role',
    'loaded',
  ] as const
  const server = await moduleServer(
    {
      setup: on => {
        for (const name of names) on.on(name, event => void heard.push(`${name} ${JSON.stringify(event)}`))
        on.on('databases-swapped', ({ first, second }) => void heard.push(`swapped ${first} ${second}`))
        on.on('module', ({ name, event }) => void heard.push(`module ${name} ${event}`))
        on.on('save', ({ kind, state }) => void heard.push(`save ${kind} ${state}`))
        on.on('load', ({ state }) => void heard.push(`load ${state}`))
      },
    },
    { 'enable-module-command': 'yes' },
  )
  const take = (name: string) => heard.splice(0).filter(one => one.startsWith(name))
  assert.ok(take('loaded').length === 1)
  const other = server.connect()
  server.send(other, ['quit'])
  server.machine.settle()
  server.call('ping')
  assert.deepEqual(
    take('client').map(one => one.split(' ')[0]),
    ['client-connected', 'client-disconnected'],
  )
  server.call('flushall')
  assert.equal(take('flushed').length, 1)
  server.machine.advance(200)
  assert.ok(take('cron').length > 0)
  server.call('config', 'set', 'hz', '20', 'maxmemory', '100mb')
  assert.deepEqual(take('config'), ['config-changed {"names":["hz","maxmemory"]}'])
  server.call('swapdb', 0, 10)
  assert.deepEqual(take('swapped'), ['swapped 0 10'])
  server.call('set', 'k', 'v')
  server.call('save')
  assert.deepEqual(take('save'), ['save rdb started', 'save rdb ended'])
  server.call('bgsave')
  server.machine.advance(500)
  assert.deepEqual(take('save'), ['save rdb started', 'save rdb ended'])
  server.call('bgrewriteaof')
  server.machine.advance(500)
  assert.deepEqual(take('save'), ['save aof started', 'save aof ended'])
  server.call('debug', 'reload')
  assert.deepEqual(take('load'), ['load started', 'load ended'])
  server.call('replicaof', '127.0.0.1', '1')
  server.call('replicaof', 'no', 'one')
  assert.deepEqual(take('role'), ['role {"role":"replica"}', 'role {"role":"primary"}'])
})

// ---- keyspace_events, postnotifications ----

function keyEvents(on: ModuleServer, told: (line: string) => void): void {
  for (const name of ['key-changed', 'key-expired', 'key-evicted', 'key-missed'] as const)
    on.on(name, ({ event, key, database }) => told(`${event} ${database} ${text(key)}`))
}

twin('keyspace_events', 'every class of events, from clients, scripts, transactions and modules', async () => {
  const heard: string[] = []
  const server = await moduleServer({
    setup: on => keyEvents(on, line => void heard.push(line)),
    commands: [
      {
        name: 'keyspace.incr',
        arity: 2,
        flags: 'write',
        keys: 'RW UPDATE @1',
        run: ctx => ctx.call('INCR', ctx.args[1]),
      },
    ],
  })
  const heardOf = (...words: string[]) => {
    server.call(...words)
    return heard.splice(0)
  }
  assert.deepEqual(heardOf('set', 'x', '1'), ['set 0 x'])
  assert.deepEqual(heardOf('keyspace.incr', 'x'), ['incrby 0 x'])
  assert.deepEqual(heardOf('eval', "redis.call('keyspace.incr', 'x') redis.call('hset', 'h', 'f', 1)", '0'), [
    'incrby 0 x',
    'hset 0 h',
  ])
  server.call('multi')
  server.call('keyspace.incr', 'x')
  server.call('keyspace.incr', 'y')
  assert.deepEqual(heardOf('exec'), ['incrby 0 x', 'incrby 0 y'])
  assert.deepEqual(heardOf('get', 'none'), ['keymiss 0 none'])
  server.call('select', 3)
  assert.deepEqual(heardOf('set', 'e', '1', 'PX', '10'), ['set 3 e', 'expire 3 e'])
  server.machine.advance(300)
  server.call('ping')
  assert.deepEqual(heard.splice(0), ['expired 3 e'])
  assert.deepEqual(heardOf('rename', 'none', 'x'), [])
  assert.deepEqual(heardOf('xadd', 's', '1-1', 'f', 'v'), ['xadd 3 s'])
  assert.deepEqual(heardOf('del', 's'), ['del 3 s'])
})

twin(
  'postnotifications',
  'a listener writes, which is propagated after what it has heard of, and goes on',
  async () => {
    const machine = virtualSystem({ seed: 1 })
    const server = await moduleServer(
      {
        setup: on => {
          keyEvents(on, line => {
            const [event, , key] = line.split(' ')
            if (event === 'set' && key.startsWith('string_')) on.call('INCR', 'string_changed')
            if (event === 'incrby' && key === 'string_changed') on.call('INCR', 'string_total')
            if (event === 'expired') on.call('INCR', 'expired')
            if (event === 'evicted') on.call('INCR', 'evicted')
          })
        },
      },
      { appendonly: 'yes', appendfsync: 'always' },
      machine,
    )
    server.call('set', 'string_x', '1')
    server.machine.advance(1)
    assert.deepEqual(logged(machine), ['set string_x 1', 'INCR string_changed', 'INCR string_total'])
    server.call('multi')
    server.call('set', 'string_y', '1')
    server.call('set', 'string_z', '1', 'PX', '10')
    server.call('exec')
    server.machine.advance(300)
    server.call('ping')
    assert.deepEqual(
      ['string_changed', 'string_total', 'expired'].map(key => server.call('get', key)),
      ['3', '3', '1'],
    )
    const digest = server.digest()
    await server.stop(['nosave', 'now'])
    assert.equal((await moduleServer({}, { appendonly: 'yes' }, machine)).digest(), digest)
  },
)

twin('hooks', 'replicas, the link to the primary, and loading', async () => {
  const world = new ReplicationWorld(1)
  const primary = await world.start({})
  const replica = await world.start({})
  const heard: string[] = []
  primary.server.events.on('replica', ({ state }) => void heard.push(`replica ${state}`))
  replica.server.events.on('primary-link', ({ state }) => void heard.push(`link ${state}`))
  replica.server.events.on('load', ({ state }) => void heard.push(`load ${state}`))
  const take = (name: string) => heard.filter(one => one.startsWith(name))
  await primary.say('set k v')
  await replica.say('replicaof 10.0.0.1 6379')
  await world.caughtUp(primary, replica)
  await world.world.run(2000)
  assert.deepEqual(take('replica'), ['replica online'])
  assert.deepEqual(take('link'), ['link up'])
  assert.deepEqual(take('load'), ['load started', 'load ended'])
  await replica.say('replicaof no one')
  await world.world.run(2000)
  assert.deepEqual(take('replica'), ['replica online', 'replica gone'])
  assert.deepEqual(take('link'), ['link up', 'link down'])
})
