import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { createServer } from '../index.ts'
import { CommandError, defineModule, type KeyEvent, type ModuleServer, type ServerEventName } from '../module.ts'
import { virtualSystem } from '../system/virtual.ts'

/** A server with a module whose setup is `setup`. */
async function serverWith(setup: (server: ModuleServer) => void, directives: Readonly<Record<string, string>> = {}) {
  const module = defineModule({ name: 'tried', version: 1, apiVersion: 1, setup })
  return MachineServer.start(virtualSystem({ seed: 1 }), directives, { modules: [{ module }] })
}

function shown({ event, key, database, type, expiresAtMs }: KeyEvent): string {
  const text = `${database} ${event} ${new TextDecoder().decode(key)} ${type}`
  return expiresAtMs === null ? text : `${text} ${expiresAtMs}`
}

const KEY_EVENTS = ['key-changed', 'key-expired', 'key-evicted', 'key-missed'] as const

test('listeners hear of keys that change, expire, are evicted and are missed', async () => {
  const heard: string[] = []
  const server = await serverWith(on => {
    for (const name of KEY_EVENTS) on.on(name, event => void heard.push(`${name}: ${shown(event)}`))
  })
  const take = () => heard.splice(0)
  server.call('set', 'k', 'v', 'px', '100')
  const at = server.machine.system.clock.nowMs() + 100
  assert.deepEqual(take(), [`key-changed: 0 set k string ${at}`, `key-changed: 0 expire k string ${at}`])
  server.call('select', 1)
  server.call('hset', 'h', 'f', 'v')
  server.call('get', 'none')
  server.call('del', 'h')
  assert.deepEqual(take(), [
    'key-changed: 1 hset h hash',
    'key-missed: 1 keymiss none null',
    'key-changed: 1 del h null',
  ])
  server.call('select', 0)
  server.machine.advance(200)
  server.call('ping')
  assert.deepEqual(take(), ['key-expired: 0 expired k null'])
  server.call('set', 'e', 'v')
  take()
  server.call('config', 'set', 'maxmemory', '1', 'maxmemory-policy', 'allkeys-random')
  server.call('set', 'f', 'v')
  assert.deepEqual(take(), ['key-evicted: 0 evicted e null'])
})

test('an event has the expiry that the key had before the command', async () => {
  const heard: string[] = []
  const server = await serverWith(on => {
    const tell = ({ event, key, expiresAtMs, oldExpiresAtMs }: KeyEvent) =>
      void heard.push(`${event} ${new TextDecoder().decode(key)} ${oldExpiresAtMs} ${expiresAtMs}`)
    for (const name of KEY_EVENTS) on.on(name, tell)
  })
  const after = (...words: string[]) => {
    server.call(...words)
    return heard.splice(0)
  }
  const [first, second] = ['9000000000000', '9000000000001']
  assert.deepEqual(after('set', 'k', '1', 'pxat', first), [`set k null ${first}`, `expire k null ${first}`])
  assert.deepEqual(after('incr', 'k'), [`incrby k ${first} ${first}`])
  assert.deepEqual(after('pexpireat', 'k', second), [`expire k ${first} ${second}`])
  assert.deepEqual(after('getex', 'k', 'persist'), [`persist k ${second} null`])
  assert.deepEqual(after('incr', 'k'), ['incrby k null null'])
  assert.deepEqual(after('set', 'k', '1', 'pxat', first), [`set k null ${first}`, `expire k null ${first}`])
  assert.deepEqual(after('set', 'k', '1', 'keepttl'), [`set k ${first} ${first}`])
  assert.deepEqual(after('set', 'k', '1'), [`set k ${first} null`])
  assert.deepEqual(after('expireat', 'k', '9000000000'), [`expire k null ${first}`])
  assert.deepEqual(after('rename', 'k', 'l'), [`rename_from k ${first} null`, `rename_to l null ${first}`])
  assert.deepEqual(after('mset', 'k', '1', 'l', '2', 'm', '3').slice(1, 2), [`set l ${first} null`])
  after('pexpireat', 'l', second)
  assert.deepEqual(after('del', 'k', 'l'), ['del k null null', `del l ${second} null`])
  server.call('multi')
  for (const words of [
    ['set', 'k', '1', 'pxat', first],
    ['persist', 'k'],
    ['append', 'k', 'x'],
  ])
    server.call(...words)
  assert.deepEqual(after('exec').slice(2), [`persist k ${first} null`, 'append k null null'])
  server.call('hset', 'h', 'f', 'v')
  const soon = server.machine.system.clock.nowMs() + 100
  after('pexpireat', 'h', String(soon))
  server.machine.advance(200)
  assert.deepEqual(after('get', 'h'), [`expired h ${soon} null`, 'keymiss h null null'])
})

test('listening does not change what subscribers hear, nor the configuration', async () => {
  const ends: (() => void)[] = []
  const server = await serverWith(on => void ends.push(on.on('key-changed', () => {})), {
    'notify-keyspace-events': 'Kh',
  })
  server.call('ping')
  const subscriber = server.connect()
  server.send(subscriber, ['psubscribe', '__key*'])
  server.machine.settle()
  server.take(subscriber)
  const heard = (...words: string[]) => {
    const client = server.connect()
    server.send(client, words)
    server.machine.settle()
    return server.take(subscriber).length
  }
  assert.deepEqual(server.call('config', 'get', 'notify-keyspace-events'), ['notify-keyspace-events', 'hK'])
  assert.equal(heard('set', 'k', 'v'), 0)
  assert.equal(heard('hset', 'h', 'f', 'v'), 1)
  assert.equal(heard('config', 'set', 'notify-keyspace-events', 'E$'), 0)
  assert.equal(heard('set', 'k', 'v'), 1)
  assert.equal(heard('hset', 'h', 'f', 'v'), 0)
  for (const end of ends) end()
  assert.equal(heard('set', 'k', 'v'), 1)
})

test('without listeners nothing is announced or hooked', async () => {
  const ends: (() => void)[] = []
  const names: ServerEventName[] = [
    ...KEY_EVENTS,
    'flushed',
    'client-connected',
    'client-disconnected',
    'audit',
    'cron',
  ]
  const server = await serverWith(on => {
    for (const name of names) ends.push(on.on(name, () => {}))
    ends.push(on.filter(() => undefined))
  })
  const { engine } = server.server
  const state = () => [
    engine.settings.notifyKeyspaceEvents,
    engine.connections.onConnected.length,
    engine.observers.audit.isHeard,
    engine.dispatch.filters,
    engine.afterCommand.length,
  ]
  const during = state()
  assert.ok(during.every(Boolean))
  for (const end of ends) end()
  assert.deepEqual(state(), [0, 0, false, undefined, (during[4] as number) - 1])
})

test('a listener may call commands; what it causes is told in a later turn', async () => {
  const heard: string[] = []
  const server = await serverWith(on => {
    on.on('key-changed', event => {
      heard.push(shown(event))
      if (event.event === 'set') on.call('INCR', 'changes')
    })
  })
  server.call('multi')
  server.call('set', 'a', '1')
  server.call('set', 'b', '1')
  server.call('exec')
  assert.equal(server.call('get', 'changes'), '2')
  const counted = ['0 incrby changes string', '0 incrby changes string']
  assert.deepEqual(heard, ['0 set a string', '0 set b string', ...counted])
})

test('a listener that throws or rejects hurts nobody', async () => {
  let others = 0
  const server = await serverWith(on => {
    on.on('key-changed', () => {
      throw new Error('bad listener')
    })
    on.on('key-changed', () => Promise.reject(new Error('bad promise')))
    on.on('key-changed', () => void others++)
  })
  assert.equal(server.call('set', 'k', 'v'), 'OK')
  assert.equal(server.call('get', 'k'), 'v')
  assert.equal(others, 1)
})

test('listeners hear of clients, flushes, logins, refusals, configuration and roles', async () => {
  const heard: unknown[] = []
  const server = await serverWith(on => {
    on.on('client-connected', () => void heard.push('connected'))
    on.on('client-disconnected', () => void heard.push('disconnected'))
    on.on('flushed', () => void heard.push('flushed'))
    on.on('audit', ({ event, command, reason }) => void heard.push([event, command ?? reason]))
    on.on('config-changed', ({ names }) => void heard.push(names))
    on.on('role', ({ role }) => void heard.push(role))
    on.on('shutdown', () => void heard.push('shutdown'))
  })
  const take = () => heard.splice(0)
  server.call('ping')
  assert.deepEqual(take(), ['connected'])
  server.call('flushall')
  assert.deepEqual(take(), ['flushed'])
  server.call('config', 'set', 'HZ', '20')
  assert.deepEqual(take(), [['hz'], ['admin', 'config|set']])
  assert.ok(server.call('auth', 'nobody', 'x') instanceof RespError)
  assert.deepEqual(take(), [['login-refused', undefined]])
  server.call('replicaof', '127.0.0.1', '1')
  server.call('replicaof', 'no', 'one')
  assert.deepEqual(
    take().filter(one => typeof one === 'string'),
    ['replica', 'primary'],
  )
  const other = server.connect()
  server.send(other, ['quit'])
  server.machine.settle()
  server.call('ping')
  assert.deepEqual(take(), ['connected', 'disconnected'])
  await server.stop(['nosave', 'now'])
  assert.ok(take().includes('shutdown'))
})

test('the program around a server listens as modules do', async () => {
  const server = await createServer()
  const heard: string[] = []
  const end = server.on('key-changed', event => void heard.push(shown(event)))
  await server.call('SET', 'k', 'v')
  end()
  await server.call('SET', 'k', 'w')
  assert.deepEqual(heard, ['0 set k string'])
  assert.throws(() => server.on('nothing' as 'cron', () => {}), /there is no event 'nothing'/)
  await server.close()
})

test('a filter refuses, rewrites and passes commands of clients', async () => {
  const server = await serverWith(on => {
    on.filter(({ args: [name, key], client }) => {
      const word = new TextDecoder().decode(name).toLowerCase()
      if (word === 'flushall') throw new CommandError(`ERR not for ${client.user}`)
      if (word === 'old') return ['SET', key, 'rewritten']
      if (word === 'bad') throw new Error('a filter')
      return undefined
    })
  })
  const refused = server.call('flushall')
  assert.ok(refused instanceof RespError)
  assert.equal(refused.message, 'ERR not for default')
  assert.equal(server.call('old', 'k'), 'OK')
  assert.equal(server.call('get', 'k'), 'rewritten')
  assert.match((server.call('bad') as RespError).message, /^ERR unknown command 'bad'/)
  server.call('multi')
  assert.equal(server.call('old', 'k'), 'QUEUED')
  assert.ok(server.call('flushall') instanceof RespError)
  assert.match((server.call('exec') as RespError).message, /^EXECABORT/)
})

test('errors count once with filters: those of commands, and those that a filter of replies makes', async () => {
  const server = await serverWith(on => {
    on.filter(() => undefined)
    on.filterReplies(({ args: [name] }) => {
      if (String.fromCharCode(...name) === 'ping') throw new CommandError('MINE no ping')
      return undefined
    })
  })
  server.call('get', 'k', 'l')
  server.call('get', 'k')
  server.call('ping')
  server.call('get', 'k')
  const errors = String(server.call('info', 'errorstats')).split('\r\n').slice(1, -1)
  // Those of INFO itself come later.
  assert.deepEqual(errors, ['errorstat_ERR:count=1', 'errorstat_MINE:count=1'])
})

test('listeners and filters go with their module', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(
    machine,
    { 'enable-module-command': 'yes' },
    {
      modules: [
        {
          module: defineModule({
            name: 'tried',
            version: 1,
            apiVersion: 1,
            setup: on => {
              on.on('key-changed', () => {})
              on.filter(() => ['PING'])
            },
          }),
        },
      ],
    },
  )
  const { engine } = server.server
  assert.equal(server.call('set', 'k', 'v'), 'PONG')
  assert.equal(engine.host.modules.unload('tried'), undefined)
  assert.equal(server.call('get', 'k'), null)
  assert.equal(engine.settings.notifyKeyspaceEvents, 0)
})
