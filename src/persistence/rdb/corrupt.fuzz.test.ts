// Seeded damage to payloads and files: each is refused with an error, or gives values that all commands can use.
// For longer runs:
//
//   TEST_TIMEOUT_MS=9999999 CORRUPT_PAYLOADS=100000 CORRUPT_FILES=100000 CORRUPT_SEED=1 npx bun test
// ./src/persistence/rdb/corrupt.fuzz.test.ts

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../../test/harness/machine.ts'
import { RandomCommands } from '../../../test/harness/random-commands.ts'
import { latin1Bytes, RespError } from '../../../test/harness/resp.ts'
import type { Random } from '../../system/system.ts'
import { seededRandom, virtualSystem } from '../../system/virtual.ts'

const PAYLOADS = Number(process.env['CORRUPT_PAYLOADS'] ?? 1500)
const FILES = Number(process.env['CORRUPT_FILES'] ?? 300)
const SEED = Number(process.env['CORRUPT_SEED'] ?? 77)
/** Runs between two checks for leaked memory. */
const LEAK_EVERY = 100
const OTHER_FILE_EVERY = 500
const LEAK_BYTES_MAX = 1 << 20

/** Huge lengths in every form; a compressed string that would become 4 GiB. */
const LENGTHS = [
  [0x80, 0xff, 0xff, 0xff, 0xff],
  [0x80, 0x7f, 0xff, 0xff, 0xff],
  [0x80, 0x00, 0x40, 0x00, 0x00],
  [0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x81, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00],
  [0xc3, 0x80, 0x00, 0xff, 0xff, 0xff, 0x80, 0xff, 0xff, 0xff, 0xff],
  [0xc3, 0x05, 0x80, 0x00, 0x00, 0x05, 0x00],
  [0x7f, 0xff],
  [0xc4],
]

/** Changes some bytes, truncates, or replaces bytes by a huge length. */
function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const u8 = Uint8Array.from(bytes)
  for (let n = 1 + (random.u32() % 3); n > 0; n--) {
    const at = random.u32() % u8.length
    switch (random.u32() % 7) {
      case 5:
        u8.set(LENGTHS[random.u32() % LENGTHS.length].slice(0, u8.length - at), at)
        break
      case 0:
        u8[at] ^= 1 << (random.u32() % 8)
        break
      case 1:
        u8[at] = random.u32()
        break
      case 2:
        u8[at] = [0x80, 0x81, 0xc3, 0xff, 0xf0, 0xfe, 0x7f, 0][random.u32() % 8]
        break
      case 3:
        u8.copyWithin(at, random.u32() % u8.length, u8.length)
        break
      case 4:
        for (let i = at; i < Math.min(u8.length, at + 4); i++) u8[i] = 0xff
        break
      default:
        return u8.subarray(0, at + 1)
    }
  }
  return u8
}

/** Reads a value with every command of its type, and changes it. */
function use(server: MachineServer, key: string, commands: RandomCommands): void {
  for (const words of [
    ['type', key],
    ['object', 'encoding', key],
    ['dump', key],
    ['get', key],
    ['append', key, 'x'],
    ['lrange', key, 0, -1],
    ['lindex', key, -1],
    ['linsert', key, 'after', 'value 1', 'y'],
    ['rpop', key],
    ['hgetall', key],
    ['hset', key, 'f', 'v'],
    ['hrandfield', key, 3],
    ['smembers', key],
    ['sadd', key, 'new', 5],
    ['spop', key],
    ['zrange', key, 0, -1, 'withscores'],
    ['zrank', key, 'member 1'],
    ['zadd', key, 7, 'new'],
    ['zpopmin', key],
    ['xrange', key, '-', '+'],
    ['xrevrange', key, '+', '-', 'count', 3],
    ['xadd', key, '*', 'a', 'b'],
    ['xinfo', 'stream', key, 'full'],
    ['xtrim', key, 'maxlen', 1],
    ['copy', key, `${key} copy`],
  ])
    server.call(...words)
  server.call('flushall')
  commands.below(2)
}

async function samples(server: MachineServer, commands: RandomCommands): Promise<Uint8Array[]> {
  for (let i = 0; i < 400; i++) server.call(...commands.next())
  const payloads: Uint8Array[] = []
  for (let db = 0; db < 3; db++) {
    server.call('select', db)
    for (const key of server.call('keys', '*') as string[]) payloads.push(latin1Bytes(String(server.call('dump', key))))
  }
  server.call('select', 0)
  server.call('flushall')
  return payloads
}

/** After FLUSHALL no memory is left allocated. */
function assertNoLeak(server: MachineServer): void {
  const { keyspace } = server.server.engine
  server.call('flushall')
  server.call('function', 'flush')
  keyspace.freeNow(0, 1e9)
  assert.ok(keyspace.arena.usedBytes < LEAK_BYTES_MAX, `${keyspace.arena.usedBytes} bytes are left behind`)
}

test('damaged payloads are refused, or are values like others', async () => {
  const random = seededRandom(SEED)
  const server = await MachineServer.start(virtualSystem())
  const commands = new RandomCommands(random)
  const payloads = await samples(server, commands)
  server.call('debug', 'set-skip-checksum-validation', 1)
  let taken = 0
  for (let i = 0; i < PAYLOADS; i++) {
    if (i % 2 === 0) server.call('config', 'set', 'sanitize-dump-payload', i % 4 === 0 ? 'yes' : 'no')
    const payload = damaged(payloads[random.u32() % payloads.length], random)
    const reply = server.call('restore', 'k', 0, payload)
    if (i % LEAK_EVERY === 0) assertNoLeak(server)
    if (reply instanceof RespError) {
      assert.match(reply.message, /^ERR (Bad data format|DUMP payload version or checksum are wrong)/)
      continue
    }
    taken++
    use(server, 'k', commands)
  }
  assert.ok(taken > 100)
  assertNoLeak(server)
})

test('damaged files are refused or loaded, and never hang', async () => {
  const random = seededRandom(SEED + 1)
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { rdbchecksum: 'no', loglevel: 'warning' })
  const commands = new RandomCommands(random, 12)
  const library = "#!lua name=lib\nredis.register_function('f', function() return 1 end)"
  let file = new Uint8Array(0)
  let refused = 0
  let loaded = 0
  for (let i = 0; i < FILES; i++) {
    if (i % 2 === 0) server.call('config', 'set', 'sanitize-dump-payload', i % 4 === 0 ? 'yes' : 'no')
    if (i % OTHER_FILE_EVERY === 0) {
      server.call('flushall')
      for (let n = 0; n < 100; n++) server.call(...commands.next())
      server.call('function', 'load', 'replace', library)
      server.call('save')
      file = Uint8Array.from(machine.disk.readFile('dump.rdb'))
    }
    machine.disk.writeFile('dump.rdb', damaged(file, random))
    machine.out = ''
    if (server.call('debug', 'reload', 'nosave') instanceof RespError) {
      refused++
      assert.match(
        machine.out,
        /Internal error in RDB reading offset \d+|Terminating server after rdb file reading failure/,
      )
    } else {
      loaded++
      const key = server.call('randomkey')
      if (typeof key === 'string') use(server, key, commands)
    }
    if (i % LEAK_EVERY === 0) assertNoLeak(server)
  }
  assert.ok(refused > 0 && loaded > 0)
  assertNoLeak(server)
})
