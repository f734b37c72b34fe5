import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { Slice } from '../lib/slice.ts'
import { VirtualMachine } from '../system/virtual.ts'

test('a sample of the O(1) commands is timed, and each one with many arguments', async () => {
  const machine = new VirtualMachine({})
  const server = await MachineServer.start(machine)
  const { engine } = server.server
  const timedCalls = (...words: string[]) => {
    server.call(...words)
    return engine.table.lookup(Slice.of(words[0]))!.timedCalls
  }
  assert.equal(timedCalls('lmove', 'l', 'l', 'left', 'right'), 1)
  assert.equal(timedCalls('lmove', 'l', 'l', 'left', 'right'), 1)
  assert.equal(timedCalls('rpush', 'l', 'a'), 1)
  assert.equal(timedCalls('rpush', 'l', 'a'), 1)
  assert.equal(timedCalls('rpush', 'l', ...Array(70).fill('a')), 3)
  assert.equal(timedCalls('sort', 'l', 'alpha'), 1)
  assert.equal(timedCalls('sort', 'l', 'alpha'), 2)
})
