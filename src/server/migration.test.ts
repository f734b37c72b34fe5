import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { outgoingOver } from '../../test/harness/outgoing.ts'
import { textOf } from '../../test/harness/resp.ts'
import { tallyModule } from '../../test/harness/tally-module.ts'
import { PROPAGATE_AOF } from '../engine/effect.ts'
import { bytesOf } from '../lib/bytes.ts'
import { type Network, NetworkError, type Outgoing } from '../system/network.ts'
import { virtualSystem } from '../system/virtual.ts'
import type { StartServerOptions } from './launch.ts'

interface Wire {
  /** The target's output is buffered until released. */
  held: boolean
  letGo(): void
  /** Connections that were opened. */
  opened: number
  /** Breaks the connection. */
  cut(): void
}

/** Two servers on one machine; `one` reaches `two` by the name 'two' over `wire`. */
async function servers(directives: Readonly<Record<string, string>> = {}, options: StartServerOptions = {}) {
  const machine = virtualSystem()
  const two = await MachineServer.start(machine, directives)
  const kept: (() => void)[] = []
  const wire: Wire = {
    held: false,
    opened: 0,
    cut: () => {},
    letGo() {
      wire.held = false
      for (const deliver of kept.splice(0)) deliver()
    },
  }
  const dial = (host: string): Outgoing | NetworkError => {
    if (host !== 'two') return new NetworkError('EHOSTUNREACH')
    wire.opened++
    const socket = two.server.memory.connect()
    const link = outgoingOver(socket)
    wire.cut = () => {
      socket.close()
      link.onClose('Connection reset by peer')
    }
    socket.onData = bytes => {
      if (wire.held) kept.push(() => link.onData(bytes))
      else link.onData(bytes)
    }
    return link
  }
  const one = await MachineServer.start(machine, {}, options, { ...machine.system, network: networkOf(dial) })
  one.connect()
  one.connect()
  /** What a command of `one` answers once connections are open. */
  const ask = async (...words: (string | number)[]) => {
    one.send(0, words.map(String))
    await settled(machine)
    return textOf(one.take(0)[0])
  }
  return { machine, one, two, wire, ask }
}

/** A network of which only the way out is used. */
function networkOf(dial: (host: string) => Outgoing | NetworkError): Network {
  return {
    listen: (_options, _receiver, done) => queueMicrotask(() => done(new NetworkError('EADDRNOTAVAIL'))),
    dial: ({ host }, _timeoutMs, done) => queueMicrotask(() => done(dial(host))),
    secure: (_settings, done) => queueMicrotask(() => done(new NetworkError('ENOTSUP'))),
    resolve: (_name, done) => queueMicrotask(() => done(new NetworkError('ENOTFOUND'))),
  }
}

/** Promises and what is queued behind them. */
async function settled(machine: ReturnType<typeof virtualSystem>): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    machine.settle()
    await Promise.resolve()
  }
}

const MIGRATE = ['migrate', 'two', '6379']

test('keys move with their values and their times to live', async () => {
  const { one, two, ask } = await servers()
  const gates = one.server.engine.gates.names.length
  await ask('rpush', 'list', 'a', 'b')
  await ask('set', 'text', 'x', 'px', 5000)
  assert.equal(await ask(...MIGRATE, 'list', 0, 100), 'OK')
  assert.deepEqual(two.call('lrange', 'list', 0, -1), ['a', 'b'])
  assert.equal(await ask(...MIGRATE, '', 3, 100, 'keys', 'text', 'missing'), 'OK')
  assert.equal(await ask('dbsize'), 0)
  two.call('select', 3)
  assert.equal(two.call('pttl', 'text'), 5000)
  assert.equal(one.server.engine.gates.names.length, gates, 'commands are not asked any more')
})

test('keys that are not there need no target', async () => {
  const { wire, ask } = await servers()
  assert.equal(await ask(...MIGRATE, 'missing', 0, 100), 'NOKEY')
  assert.equal(wire.opened, 0)
})

test('COPY leaves the key here, REPLACE overwrites the one there', async () => {
  const { two, ask } = await servers()
  two.call('set', 'k', 'theirs')
  await ask('set', 'k', 'ours')
  const refusal = await ask(...MIGRATE, 'k', 0, 100)
  assert.match(String(refusal), /Target instance replied with error: BUSYKEY/)
  assert.equal(await ask('get', 'k'), 'ours')
  assert.equal(await ask(...MIGRATE, 'k', 0, 100, 'copy', 'replace'), 'OK')
  assert.equal(two.call('get', 'k'), 'ours')
  assert.equal(await ask('exists', 'k'), 1)
})

test('AUTH and AUTH2 authenticate at the target', async () => {
  const { two, ask } = await servers({ requirepass: 'secret' })
  two.call('auth', 'secret')
  await ask('mset', 'a', 1, 'b', 2)
  assert.match(String(await ask(...MIGRATE, 'a', 0, 100)), /replied with error: NOAUTH/)
  assert.match(String(await ask(...MIGRATE, 'a', 0, 100, 'auth', 'wrong')), /replied with error: WRONGPASS/)
  assert.equal(await ask(...MIGRATE, 'a', 0, 100, 'auth', 'secret'), 'OK')
  assert.equal(await ask(...MIGRATE, 'b', 0, 100, 'auth2', 'default', 'secret'), 'OK')
  assert.deepEqual(two.call('mget', 'a', 'b'), ['1', '2'])
})

test('one connection serves several commands and is closed when it is not used', async () => {
  const { machine, two, wire, ask } = await servers()
  await ask('mset', 'a', 1, 'b', 2, 'c', 3)
  for (const key of ['a', 'b']) assert.equal(await ask(...MIGRATE, key, 0, 100), 'OK')
  assert.equal(wire.opened, 1)
  assert.match(String(await ask('info', 'stats')), /migrate_cached_sockets:1\r/)
  machine.advance(11_000)
  assert.match(String(await ask('info', 'stats')), /migrate_cached_sockets:0\r/)
  assert.match(String(two.call('info', 'clients')), /connected_clients:1\r/)
  assert.equal(await ask(...MIGRATE, 'c', 0, 100), 'OK')
  assert.equal(wire.opened, 2)
})

test('a kept connection that has broken is opened anew', async () => {
  const { wire, ask } = await servers()
  await ask('mset', 'a', 1, 'b', 2)
  await ask(...MIGRATE, 'a', 0, 100)
  wire.cut()
  assert.equal(await ask(...MIGRATE, 'b', 0, 100), 'OK')
  assert.equal(wire.opened, 2)
})

test('a value whose module cannot save it stays, and is named as the fault; the others move', async () => {
  const { one, two, ask } = await servers({}, { modules: [{ module: tallyModule({ bad: 'save' }) }] })
  one.call('set', 'a', 'v')
  one.call('tally.add', 'k', 'x')
  one.call('set', 'b', 'v')
  assert.match(
    String(await ask(...MIGRATE, '', 0, 100, 'keys', 'a', 'k', 'b')),
    /^ERR type '\S+' of a module: its save has thrown/,
  )
  assert.match(String(await ask(...MIGRATE, 'k', 0, 100)), /^ERR type '\S+' of a module: its save has thrown/)
  assert.equal(one.call('dbsize'), 1)
  assert.equal(two.call('dbsize'), 2)
  assert.equal(one.call('tally.get', 'k', 'x'), 1)
  one.call('set', 'c', 'v')
  assert.equal(await ask(...MIGRATE, 'c', 0, 100), 'OK')
})

test('a target that cannot be reached, or is silent, is an error and the key stays', async () => {
  const { machine, one, wire, ask } = await servers()
  await ask('set', 'k', 1)
  assert.match(String(await ask('migrate', 'nowhere', 1, 'k', 0, 100)), /^IOERR error or timeout connecting/)
  wire.held = true
  one.send(0, [...MIGRATE, 'k', '0', '100'])
  await settled(machine)
  machine.advance(99)
  assert.deepEqual(one.take(0), [])
  machine.advance(2)
  assert.match(String(textOf(one.take(0)[0])), /^IOERR error or timeout reading to target instance/)
  assert.equal(await ask('get', 'k'), '1')
})

for (const words of [['incr', 'k'], ['flushall'], ['eval', "return redis.call('incr', 'k')", '0']])
  test(`a write to a key on its way waits, everything else goes on: ${words[0]}`, async () => {
    const { machine, one, two, wire, ask } = await servers()
    await ask('set', 'k', 5)
    wire.held = true
    one.send(0, [...MIGRATE, 'k', '0', '1000'])
    await settled(machine)
    one.send(1, words)
    one.send(1, ['ping'])
    assert.deepEqual(one.take(1), [], 'held back')
    const third = one.connect()
    for (const other of [
      ['get', 'k'],
      ['set', 'other', '1'],
      ['publish', 'channel', 'x'],
    ])
      one.send(third, other)
    machine.settle()
    assert.deepEqual(one.take(third), ['5', 'OK', 0])
    wire.letGo()
    machine.settle()
    assert.deepEqual(one.take(0), ['OK'])
    assert.equal(one.take(1).length, 2)
    assert.equal(two.call('get', 'k'), '5')
  })

test('an inline command with quotes that waits is read again as it was sent', async () => {
  const { machine, one, wire, ask } = await servers()
  await ask('set', 'k', 5)
  wire.held = true
  one.send(0, [...MIGRATE, 'k', '0', '1000'])
  await settled(machine)
  one.write(1, bytesOf('SET k "a\\x41\\\\\\"b" EX 100\r\n'))
  machine.settle()
  assert.deepEqual(one.take(1), [])
  wire.letGo()
  machine.settle()
  assert.deepEqual([one.take(0), one.take(1)], [['OK'], ['OK']])
  assert.equal(await ask('get', 'k'), 'aA\\"b')
})

test('a transaction that writes to such a key waits as a whole', async () => {
  const { machine, one, wire, ask } = await servers()
  await ask('set', 'k', 5)
  wire.held = true
  one.send(0, [...MIGRATE, 'k', '0', '1000'])
  await settled(machine)
  for (const words of [['multi'], ['set', 'other', '1'], ['incr', 'k'], ['exec']]) one.send(1, words)
  machine.settle()
  assert.deepEqual(one.take(1), ['OK', 'QUEUED', 'QUEUED'])
  wire.letGo()
  machine.settle()
  assert.deepEqual(one.take(1), [['OK', 1]])
})

test('a client that waits for another key is not served into one on its way', async () => {
  const { machine, one, two, wire, ask } = await servers()
  await ask('rpush', 'to', 'a')
  one.send(1, ['blmove', 'from', 'to', 'left', 'right', '0'])
  wire.held = true
  one.send(0, [...MIGRATE, 'to', '0', '1000'])
  await settled(machine)
  const third = one.connect()
  one.send(third, ['rpush', 'from', 'b'])
  machine.settle()
  assert.deepEqual(one.take(1), [])
  wire.letGo()
  machine.settle()
  assert.deepEqual(one.take(1), ['b'])
  assert.deepEqual(one.take(0), ['OK'])
  assert.deepEqual(await ask('lrange', 'to', 0, -1), ['b'])
  assert.deepEqual(two.call('lrange', 'to', 0, -1), ['a'])
})

test('what has moved is logged as its removal', async () => {
  const { one, ask } = await servers()
  const logged: string[] = []
  one.server.engine.sinks.push({
    target: PROPAGATE_AOF,
    changes: effects => void logged.push(...effects.map(effect => effect.args.map(arg => arg.latin1()).join(' '))),
  })
  await ask('mset', 'a', 1, 'b', 2)
  await ask(...MIGRATE, '', 0, 100, 'keys', 'a', 'b')
  assert.deepEqual(logged, ['mset a 1 b 2', 'DEL a b'])
})
