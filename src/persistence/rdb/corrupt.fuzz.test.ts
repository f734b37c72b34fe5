import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../../test/harness/machine.ts'
import { RandomCommands } from '../../../test/harness/random-commands.ts'
import { latin1Bytes, RespError } from '../../../test/harness/resp.ts'
import type { Random } from '../../server/system/system.ts'
import { seededRandom, virtualSystem } from '../../server/system/virtual.ts'

const PAYLOADS = 1500
const FILES = 60

/** Damages some bytes, cuts, or blows up what may be a length. */
function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const u8 = Uint8Array.from(bytes)
  for (let n = 1 + (random.u32() % 3); n > 0; n--) {
    const at = random.u32() % u8.length
    switch (random.u32() % 6) {
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

/** Looks at a value from all sides, and changes it. */
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

test('damaged payloads are refused, or are values like others', async () => {
  const random = seededRandom(77)
  const server = await MachineServer.start(virtualSystem())
  const commands = new RandomCommands(random)
  const payloads = await samples(server, commands)
  server.call('debug', 'set-skip-checksum-validation', 1)
  let taken = 0
  for (let i = 0; i < PAYLOADS; i++) {
    if (i % 2 === 0) server.call('config', 'set', 'sanitize-dump-payload', i % 4 === 0 ? 'yes' : 'no')
    const payload = damaged(payloads[random.u32() % payloads.length], random)
    const reply = server.call('restore', 'k', 0, payload)
    if (reply instanceof RespError) {
      assert.match(reply.message, /^ERR (Bad data format|DUMP payload version or checksum are wrong)/)
      continue
    }
    taken++
    use(server, 'k', commands)
  }
  assert.ok(taken > 100)
  const { arena } = server.server.engine.keyspace
  server.server.engine.keyspace.freeNow(1e9)
  assert.ok(arena.usedBytes < 1 << 20, 'nothing is left behind')
})

test('damaged files are refused or loaded, and never hang', async () => {
  const random = seededRandom(78)
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { rdbchecksum: 'no' })
  const commands = new RandomCommands(random)
  for (let i = 0; i < 300; i++) server.call(...commands.next())
  server.call('save')
  const file = machine.disk.readFile('dump.rdb')
  let refused = 0
  for (let i = 0; i < FILES; i++) {
    const other = virtualSystem()
    other.disk.writeFile('dump.rdb', damaged(file, random))
    try {
      const again = await MachineServer.start(other, { rdbchecksum: 'no' })
      again.call('dbsize')
    } catch (error) {
      refused++
      assert.match(String(error), /LoadFailure|StartFailure|Error: /)
      assert.doesNotMatch(String(error), /TypeError|RangeError/)
    }
  }
  assert.ok(refused > 0)
})
