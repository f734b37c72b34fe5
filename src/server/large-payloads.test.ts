// Large values move and are restored in slices; other clients are served between them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { outgoingOver } from '../../test/harness/outgoing.ts'
import { encodeCommand, textOf, type Word } from '../../test/harness/resp.ts'
import { bytesOf } from '../lib/bytes.ts'
import { NetworkError } from '../system/network.ts'
import { virtualSystem } from '../system/virtual.ts'

const COUNT = 10_000
/** What reading the clock takes here, so that slices end. */
const LOOK_US = 100
const LOOKS_MAX = 100_000

/** Two servers on one machine, whose clock goes on when it is looked at; `one` reaches `two` by any name. */
async function servers(directives: Readonly<Record<string, string>> = {}) {
  const machine = virtualSystem()
  let extraUs = 0
  const clock = { nowMs: () => machine.system.clock.nowMs(), monotonicUs: () => machine.system.clock.monotonicUs() }
  const monotonicUs = () => clock.monotonicUs() + (extraUs += LOOK_US)
  const system = { ...machine.system, clock: { ...machine.system.clock, nowMs: clock.nowMs, monotonicUs } }
  const two = await MachineServer.start(machine, directives, {}, system)
  const network = {
    listen: () => {},
    dial: (_address: unknown, _timeoutMs: number, done: (result: ReturnType<typeof outgoingOver>) => void) =>
      machine.system.timers.soon(() => {
        const socket = two.server.memory.connect()
        const link = outgoingOver(socket)
        socket.onData = bytes => link.onData(bytes)
        done(link)
      }),
    secure: (_settings: unknown, done: (result: NetworkError) => void) => done(new NetworkError('ENOTSUP')),
    resolve: (_name: string, done: (result: NetworkError) => void) => done(new NetworkError('ENOTFOUND')),
  }
  const one = await MachineServer.start(machine, directives, {}, { ...system, network } as typeof system)
  for (const server of [one, two]) for (let i = 0; i < 2; i++) server.connect()
  return { machine, one, two }
}

type Servers = Awaited<ReturnType<typeof servers>>

/** What LZF does not make shorter. */
function noise(i: number): string {
  const words = [i + 1, i + 70_001, i + 150_001].map(n => (Math.imul(n, 2_654_435_761) >>> 0).toString(36))
  return words.join('')
}

const fills: { readonly [type: string]: (i: number) => Word[] } = {
  hash: i => ['hset', 'large', `field${i}`, `value ${i} ${noise(i)}`],
  set: i => ['sadd', 'large', `member ${i} ${noise(i)}`],
  zset: i => ['zadd', 'large', String(i % 77), `member ${i} ${noise(i)}`],
  list: i => ['rpush', 'large', `element ${i} ${noise(i)}`],
  stream: i => ['xadd', 'large', `${i + 1}-1`, 'field', `value ${i} ${noise(i)}`],
}

function fill({ one }: Servers, type: string): void {
  for (let i = 0; i < COUNT; i++) one.call(...fills[type](i))
}

/** The payload of the large value, as a command in two pieces. */
function pieces({ one }: Servers, options: readonly string[] = [], spoil?: (payload: Uint8Array) => void) {
  const payload = bytesOf(String(one.call('dump', 'large')))
  assert.ok(payload.length > 150_000)
  spoil?.(payload)
  const bytes = encodeCommand(['restore', 'large', '0', payload, ...options])
  return [bytes.slice(0, 100_000), bytes.slice(100_000)]
}

function restore(both: Servers, options: readonly string[] = []): void {
  for (const piece of pieces(both, options)) both.two.write(0, piece)
}

function usedBytes({ two }: Servers): number {
  const { keyspace } = two.server.engine
  for (let i = 0; i < 1000 && keyspace.hasLazy; i++) keyspace.freeNow(0, 10_000)
  return keyspace.arena.usedBytes
}

async function settled({ machine }: Servers): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    machine.settle()
    await Promise.resolve()
  }
}

for (const type of Object.keys(fills))
  test(`a large value moves, and both sides serve others meanwhile: ${type}`, async () => {
    const both = await servers()
    const { one, two, machine } = both
    fill(both, type)
    const digest = textOf(one.call('debug', 'digest-value', 'large'))
    one.send(0, ['migrate', 'two', '6379', 'large', '0', '1000'])
    let isBetween = false
    let looks = 0
    const look = () => {
      one.send(1, ['exists', 'large'])
      two.send(1, ['exists', 'large'])
      const [here, there] = [one.take(1)[0], two.take(1)[0]]
      isBetween ||= here === 1 && there === 0 && two.server.engine.postponed.count > 0
      if (here === 1 && looks++ < LOOKS_MAX) machine.system.timers.soon(look)
    }
    look()
    await settled(both)
    assert.ok(isBetween)
    assert.deepEqual(one.take(0).map(textOf), ['OK'])
    assert.deepEqual(textOf(two.call('debug', 'digest-value', 'large')), digest)
    assert.equal(one.call('exists', 'large'), 0)
    assert.equal(one.server.maintenance.defrag.pins, 0)
    assert.ok(!two.server.engine.gates.names.includes('largePayload'))
  })

test('RESTORE waits until its payload is read; others are served, and see no key', async () => {
  const both = await servers()
  const { two, one } = both
  fill(both, 'hash')
  restore(both)
  assert.deepEqual(two.take(0), [])
  two.send(1, ['exists', 'large'])
  two.send(1, ['set', 'other', '1'])
  assert.deepEqual(two.take(1).map(textOf), [0, 'OK'])
  await settled(both)
  assert.deepEqual(two.take(0).map(textOf), ['OK'])
  assert.deepEqual(two.call('debug', 'digest-value', 'large'), one.call('debug', 'digest-value', 'large'))
})

test('a key that is made meanwhile stays, unless it is to be replaced', async () => {
  for (const [options, reply, type] of [
    [[], 'BUSYKEY Target key name already exists.', 'string'],
    [['REPLACE'], 'OK', 'hash'],
  ] as const) {
    const both = await servers()
    const { two } = both
    fill(both, 'hash')
    const before = usedBytes(both)
    restore(both, options)
    two.send(1, ['set', 'large', '1'])
    await settled(both)
    const [answer] = two.take(0)
    assert.equal(textOf(answer), reply)
    assert.equal(textOf(two.call('type', 'large')), type)
    two.call('del', 'large')
    assert.equal(usedBytes(both), before)
  }
})

test('what a client that goes away has sent leaves nothing behind', async () => {
  const both = await servers()
  const { two } = both
  fill(both, 'zset')
  const before = usedBytes(both)
  const client = two.server.memory.connect()
  for (const piece of pieces(both)) client.write(piece)
  assert.equal(two.server.engine.postponed.count, 1)
  assert.ok(usedBytes(both) > before)
  client.close()
  await settled(both)
  assert.equal(two.call('exists', 'large'), 0)
  assert.equal(usedBytes(both), before)
  assert.ok(!two.server.engine.gates.names.includes('largePayload'))
})

test('a damaged payload is refused', async () => {
  for (const [at, isBelieved, message] of [
    [50_000, false, 'ERR DUMP payload version or checksum are wrong'],
    // The length of the first field.
    [3, true, 'ERR Bad data format'],
  ] as const) {
    const both = await servers()
    const { two } = both
    fill(both, 'hash')
    const before = usedBytes(both)
    if (isBelieved) two.call('debug', 'set-skip-checksum-validation', '1')
    for (const piece of pieces(both, [], payload => payload.fill(0xff, at, at + 1))) two.write(0, piece)
    await settled(both)
    assert.deepEqual(two.take(0).map(textOf), [message])
    assert.equal(usedBytes(both), before)
  }
})

test('a value that expires while it is serialised does not move', async () => {
  const both = await servers()
  const { machine, one, two } = both
  fill(both, 'set')
  one.call('pexpire', 'large', '5000')
  one.send(0, ['migrate', 'two', '6379', 'large', '0', '1000'])
  await Promise.resolve()
  machine.advance(6000)
  await settled(both)
  assert.equal(one.take(0).length, 1)
  assert.deepEqual([one.call('exists', 'large'), two.call('exists', 'large')], [0, 0])
  assert.equal(one.server.maintenance.defrag.pins, 0)
})
