// Values around the size of a piece of a record, on disk and in memory: whatever changes while they are written and
// read, replies and datasets are the same.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LargeCommands } from '../../test/harness/large-commands.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import type { Word } from '../../test/harness/resp.ts'
import { slowSystem } from '../../test/harness/slow-system.ts'
import { seededRandom, virtualSystem } from '../system/virtual.ts'
import { PIECE_BYTES } from './record-reader.ts'

const RUNS = 3
const COMMANDS = 500
/** Each look at the clock takes so long: slices end after a few steps. */
const LOOK_US = 60
const KEYS = 3

const CHORES: readonly Word[][] = [
  ['bgsave'],
  ['bgrewriteaof'],
  ['config', 'set', 'storage-memory', '1'],
  ['config', 'set', 'storage-memory', '1gb'],
]

/** The reply on the first connection; time passes until it is there. */
function answer(server: MachineServer, words: readonly Word[]): unknown {
  server.send(0, words)
  for (let ms = 0; ms < 20_000; ms++) {
    const replies = server.take(0)
    if (replies.length > 0) return replies[0]
    server.machine.advance(1)
  }
  return assert.fail(`no answer: ${String(words[0])}`)
}

for (let seed = 1; seed <= RUNS; seed++)
  test(`values that are written and read in pieces are those of a server in memory: seed ${seed}`, async () => {
    const random = seededRandom(seed)
    const directives = { appendonly: 'yes', storage: 'disk', 'storage-memory': '1', 'storage-segment-size': '300000' }
    const machine = virtualSystem({ seed })
    const server = await MachineServer.start(machine, directives, {}, slowSystem(machine.system, LOOK_US))
    const model = await MachineServer.start(virtualSystem({ seed }))
    const commands = new LargeCommands(random, KEYS)
    for (let i = 0; i < 2; i++) server.connect()
    machine.disk.latencyMs = () => random.u32() % 4
    for (let i = 0; i < COMMANDS; i++) {
      const words = commands.next()
      const what = `seed ${seed}, command ${i}: ${words.slice(0, 3).join(' ').slice(0, 60)}`
      assert.deepEqual(answer(server, words), model.call(...words), what)
      if (commands.below(20) === 0) server.send(1, CHORES[commands.below(CHORES.length)])
      machine.advance(commands.below(12))
    }
    const digest = model.call('debug', 'digest')
    assert.deepEqual(answer(server, ['debug', 'digest']), digest)
    const written = /storage_written_bytes:(\d+)/.exec(String(answer(server, ['info', 'storage'])))
    assert.ok(Number(written![1]) > 50 * PIECE_BYTES)
    machine.disk.latencyMs = () => 0
    machine.advance(20_000)
    assert.equal(answer(server, ['save']), 'OK')
    await server.stop(['nosave'])
    const again = await MachineServer.start(machine, directives)
    assert.deepEqual(again.call('debug', 'digest'), digest)
    await again.stop(['nosave'])
    const saved = await MachineServer.start(machine)
    assert.deepEqual(saved.call('debug', 'digest'), digest)
  })
