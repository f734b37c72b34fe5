import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { System } from '../system/system.ts'
import { virtualSystem } from '../system/virtual.ts'
import { warmUp } from './warm-up.ts'

/** Runs a warm-up to its end on a clock that moves with each look at it; its replies and how many turns it took. */
async function held(): Promise<{ replies: string; turns: number; files: string[] }> {
  const machine = virtualSystem()
  let nowUs = 0
  let turns = 0
  const { clock, timers } = machine.system
  const system: System = {
    ...machine.system,
    clock: { ...clock, monotonicUs: () => (nowUs += 10) },
    timers: {
      ...timers,
      soon(fn) {
        turns++
        timers.soon(fn)
      },
    },
  }
  const decoder = new TextDecoder('latin1')
  let replies = ''
  const onReply = (bytes: Uint8Array) => {
    replies += decoder.decode(bytes)
  }
  const done = warmUp(system, { rounds: 10, onReply })
  await new Promise(resolve => setImmediate(resolve))
  machine.settle()
  await done
  return { replies, turns, files: machine.disk.readdir('/') }
}

test('the warm-up works in slices, writes no file, and sends nothing that the server refuses', async () => {
  const { replies, turns, files } = await held()
  assert.ok(turns > 10, `${turns} turns`)
  assert.deepEqual(files, [])
  assert.ok(replies.includes('+PONG'))
  const errors = replies.split('\r\n').filter(line => line.startsWith('-'))
  assert.deepEqual(errors, [])
})
