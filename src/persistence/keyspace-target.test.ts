import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { virtualSystem } from '../system/virtual.ts'
import { KeyspaceTarget } from './keyspace-target.ts'
import { RdbOutput } from './rdb/output.ts'
import { DONE, PAUSED, RdbReader } from './rdb/reader.ts'
import { RdbWriter } from './rdb/writer.ts'
import { readersOf } from './rdb-loader.ts'

const KEYS = 1_000_000
/** What buckets for one step of presizing take. */
const STEP_BYTES_MAX = 512 * 1024

test('tables for as many keys as a file announces are made in steps, between which others are served', async () => {
  const server = await MachineServer.start(virtualSystem())
  const { parts } = server.server.persistence
  const { keyspace } = parts.engine
  const target = new KeyspaceTarget(keyspace, parts.log, {
    dropExpired: false,
    fileBytes: Number.POSITIVE_INFINITY,
    replace: false,
    library: () => undefined,
    databases: keyspace.databases,
  })
  const file = new RdbOutput()
  const writer = new RdbWriter(keyspace, parts.codecs)
  writer.header(file)
  writer.selectDb(file, 0)
  writer.sizes(file, KEYS, KEYS / 2)
  writer.end(file)
  for (let i = 0; i < 8; i++) file.byte(0)
  const reader = new RdbReader(readersOf(parts), target, false)
  reader.add(file.u8.subarray(0, file.pos))

  let steps = 0
  let longestBytes = 0
  for (let before = keyspace.arena.usedBytes; reader.run(1 << 20) === PAUSED; before = keyspace.arena.usedBytes) {
    steps++
    longestBytes = Math.max(longestBytes, keyspace.arena.usedBytes - before)
  }
  assert.equal(reader.run(1 << 20), DONE)
  assert.ok(steps > 10, `${steps} steps`)
  assert.ok(longestBytes < STEP_BYTES_MAX, `${longestBytes} bytes in one step`)
  target.end()
  await server.stop()
})

test('a file is read in slices of time: others hear meanwhile that it loads', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { rdbcompression: 'no' })
  for (let i = 0; i < 3000; i++) server.call('set', `k${i}`, 'x'.repeat(100))
  const digest = server.digest()
  let readings = 0
  const { monotonicUs } = machine.system.clock
  machine.system.clock.monotonicUs = () => monotonicUs() + 1000 * readings++
  const other = server.connect()
  server.send(0, ['debug', 'reload'])
  server.send(other, ['get', 'k1'])
  const [reply] = server.take(other)
  assert.ok(reply instanceof RespError && reply.message.startsWith('LOADING '))
  let replies: unknown[] = []
  for (let turns = 0; turns < 100 && replies.length === 0; turns++) {
    machine.settle()
    await new Promise(resolve => setImmediate(resolve))
    replies = server.take(0)
  }
  assert.deepEqual(replies, ['OK'])
  assert.equal(server.digest(), digest)
})
