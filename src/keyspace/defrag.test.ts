// Compaction as seen from outside: the arena's memory after keys were deleted.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { u32From } from '../../test/harness/random.ts'
import { encodeCommand, latin1Text } from '../../test/harness/resp.ts'
import { createServer, virtualSystem } from '../index.ts'
import { Slice } from '../lib/slice.ts'
import { Defrag } from './defrag.ts'
import { Eviction } from './eviction.ts'
import { Keyspace } from './keyspace.ts'

const MIB = 1024 * 1024
const KEYS = 20_040
const VALUE = 'x'.repeat(8000)
const BATCH = 60

async function withKeys(
  count: number,
  body: (ask: (text: string) => string, advance: (ms: number) => void) => void,
): Promise<void> {
  const machine = virtualSystem({ seed: 1 })
  // What the arena holds is then all that INFO shows as resident.
  machine.system.process.rssBytes = () => 1e12
  const server = await createServer({ system: machine.system })
  const socket = server.connect()
  let got = ''
  socket.onData = bytes => {
    got += latin1Text(bytes)
  }
  const ask = (text: string) => {
    got = ''
    socket.write(encodeCommand(text.split(' ')))
    machine.settle()
    return got
  }
  for (let i = 0; i < count; i += BATCH) ask(`MSET ${keys(i, i + BATCH, 1).join(` ${VALUE} `)} ${VALUE}`)
  body(ask, ms => machine.advance(ms))
  await server.close()
}

function keys(from: number, to: number, step: number): string[] {
  const names: string[] = []
  for (let i = from; i < to; i += step) names.push(`key:${i}`)
  return names
}

function memory(ask: (text: string) => string): { held: number; used: number } {
  const info = ask('INFO memory')
  const field = (name: string) => Number(new RegExp(`^${name}:([0-9]+)`, 'm').exec(info)![1])
  return { held: field('allocator_resident'), used: field('allocator_allocated') }
}

test('memory is given back when keys are deleted here and there, and keys that were moved are found and run out', () =>
  withKeys(KEYS, (ask, advance) => {
    const before = memory(ask)
    for (const key of keys(1, KEYS, 2)) ask(`EXPIRE ${key} 100`)
    // Every second key is deleted, in two parts: compaction begins after the first part.
    ask(`DEL ${keys(0, KEYS, 6).join(' ')}`)
    ask(`DEL ${keys(2, KEYS, 6).join(' ')}`)
    advance(3000)
    ask(`DEL ${keys(4, KEYS, 6).join(' ')}`)
    advance(10_000)
    const after = memory(ask)
    assert.ok(after.used < before.used * 0.55, `${after.used} of ${before.used} bytes are in use`)
    assert.ok(after.held < after.used * 1.3 + 64 * MIB, `${after.held} bytes are held for ${after.used}`)
    assert.equal(ask('DBSIZE'), `:${KEYS / 2}\r\n`)
    for (let i = 1; i < KEYS; i += 998) assert.equal(ask(`GET key:${i}`), `$8000\r\n${VALUE}\r\n`)
    assert.equal(ask('TTL key:1'), ':87\r\n')
    advance(100_000)
    assert.equal(ask('DBSIZE'), ':0\r\n')
    assert.ok(memory(ask).held <= 64 * MIB)
  }))

test('with activedefrag the directives say from which waste on memory is compacted', () =>
  withKeys(KEYS, (ask, advance) => {
    assert.equal(ask('CONFIG SET activedefrag yes active-defrag-ignore-bytes 1gb'), '+OK\r\n')
    ask(`DEL ${keys(0, KEYS, 3).join(' ')}`)
    ask(`DEL ${keys(1, KEYS, 3).join(' ')}`)
    const before = memory(ask)
    advance(20_000)
    assert.equal(memory(ask).held, before.held)
    ask(
      'CONFIG SET active-defrag-ignore-bytes 10mb active-defrag-threshold-lower 1000 active-defrag-threshold-upper 1000',
    )
    advance(20_000)
    assert.equal(memory(ask).held, before.held)
    ask('CONFIG SET active-defrag-threshold-lower 50')
    advance(20_000)
    const after = memory(ask)
    assert.ok(after.held < before.held * 0.6, `${after.held} of ${before.held} bytes are held`)
  }))

test('large collections are moved part by part, and stay whole while they change between the parts', () =>
  withKeys(0, (ask, advance) => {
    const count = 4000
    const numbers = Array.from({ length: count }, (_, i) => i)
    // Among keys that will go, so that much of each collection lies in segments that are given up.
    for (let from = 0; from < count; from += 50) {
      const some = numbers.slice(from, from + 50)
      ask(`HSET h ${some.map(i => `field:${i} value:${i}`).join(' ')}`)
      ask(`SADD s ${some.map(i => `member:${i}`).join(' ')}`)
      ask(`ZADD z ${some.map(i => `${i} member:${i}`).join(' ')}`)
      ask(`RPUSH l ${some.map(i => `${i}:${'e'.repeat(1000)}`).join(' ')}`)
      for (const i of some) ask(`XADD x ${i + 1}-0 field ${'v'.repeat(500)}`)
      ask(`MSET ${keys(from * 3, from * 3 + 150, 1).join(` ${VALUE} `)} ${VALUE}`)
    }
    assert.ok(memory(ask).held > 96 * MIB)
    for (let i = 0; i < count * 3; i += 100) ask(`DEL ${keys(i, i + 100, 1).join(' ')}`)
    for (let i = 0; i < 200; i++) {
      advance(50)
      ask(`HDEL h field:${i}`)
      ask(`HSET h field:${i} changed`)
      ask(`ZADD z ${count + i} member:${i}`)
      ask('RPOPLPUSH l l')
      ask(`SREM s member:${i}`)
      ask(`XDEL x ${i + 1}-0`)
    }
    advance(20_000)
    const after = memory(ask)
    assert.ok(after.held < 64 * MIB, `${after.held} bytes are held`)
    assert.equal(ask('HGET h field:7'), '$7\r\nchanged\r\n')
    for (let i = 200; i < count; i += 97) {
      assert.equal(ask(`HGET h field:${i}`), `$${`value:${i}`.length}\r\nvalue:${i}\r\n`)
      assert.equal(ask(`SISMEMBER s member:${i}`), ':1\r\n')
      assert.equal(ask(`ZRANK z member:${i}`), `:${i - 200}\r\n`)
      assert.match(ask(`LINDEX l ${i}`), new RegExp(`^\\$[0-9]+\r\n${i - 200}:e`))
      assert.match(ask(`XRANGE x ${i + 1}-0 ${i + 1}-0`), new RegExp(`${i + 1}-0`))
    }
    for (const [command, length] of Object.entries({ 'HLEN h': 4000, 'SCARD s': 3800, 'LLEN l': 4000, 'XLEN x': 3800 }))
      assert.equal(ask(command), `:${length}\r\n`)
  }))

test('under a limit, values of changing sizes leave few bytes unused', () => {
  const limit = 128 * MIB
  const space = new Keyspace({ databases: 1, random: u32From(5) })
  const db = space.databases[0]
  let nowUs = 0
  const eviction = new Eviction(space, {
    usedBytes: () => space.arena.usedBytes,
    usedBytesRoughly: () => space.arena.usedBytes,
    nowUs: () => nowUs,
    isObserved: () => false,
    evicted() {},
    took() {},
  })
  // A step of compaction takes as long here as two commands.
  const defrag = new Defrag(space, () => (nowUs += 15))
  const settings = {
    maxmemory: limit,
    maxmemoryPolicy: 'allkeys-lru',
    maxmemorySamples: 5,
    maxmemoryEvictionTenacity: 10,
    latencyMonitorThreshold: 0,
  }
  let key = 0
  const held: number[] = []
  const tick = () => {
    space.nowMs = nowUs / 1000
    space.lruClock = Math.floor(space.nowMs / 1000)
    if (defrag.begin(10)) while (!defrag.slice(1000));
    if (space.arena.usedBytes > limit * 0.9) held.push(space.arena.segmentBytes / space.arena.usedBytes)
  }
  let tickUs = 0
  for (const size of [600, 3000, 1000, 8000, 1500, 700, 3000, 900]) {
    const value = Slice.of('x'.repeat(size))
    for (let written = 0; written < limit; written += size) {
      assert.notEqual(eviction.run(settings), 'failed')
      db.strings.set(db, Slice.of(`key:${key++}`), value)
      nowUs += 8 + size / 100
      if (nowUs < tickUs) continue
      tickUs = nowUs + 100_000
      tick()
    }
  }
  const mean = held.reduce((sum, ratio) => sum + ratio, 0) / held.length
  assert.ok(mean < 1.3, `${mean} bytes are held for each in use`)
  assert.ok(Math.max(...held) < 1.4, `${Math.max(...held)} bytes are held for each in use`)
  assert.ok(defrag.hits > 0)
})

test('a slice is short, and beside commands that take longer as long as these, up to its limit', () => {
  const space = new Keyspace({ databases: 1, random: u32From(5) })
  const db = space.databases[0]
  const value = Slice.of('x'.repeat(1000))
  const keys = Array.from({ length: 80_000 }, (_, i) => Slice.of(`key:${i}`))
  for (const key of keys) db.strings.set(db, key, value)
  for (let i = 0; i < keys.length; i++) if (i % 3 !== 0) db.delete(keys[i])
  let nowUs = 0
  const defrag = new Defrag(space, () => (nowUs += 10))
  const length = (commandsUs: number, limitUs = 1000) => {
    nowUs += commandsUs
    const before = defrag.usedUs
    assert.equal(defrag.slice(limitUs), false)
    return defrag.usedUs - before
  }
  assert.ok(defrag.begin(10))
  assert.equal(length(0), 300)
  assert.equal(length(50), 300)
  assert.equal(length(700), 710)
  assert.equal(length(5000), 1000)
  assert.equal(length(5000, 200), 200)
})
