// The garbage collection that servers request: what memory large values leave behind depends on it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { runtimeNetwork } from '../net/runtime.ts'
import { realSystem } from './real.ts'

const BUFFERS = 20

// What survives it on Node is old. On Bun any collection is whole.
const collectTheYoung = typeof Bun === 'undefined' ? gcOfNode() : undefined

function gcOfNode(): (options: object) => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as (options: object) => void
}

test('a requested collection frees buffers that have become old', async () => {
  const { process, timers } = realSystem(runtimeNetwork())
  const nextTurn = () => new Promise<void>(resolve => timers.soon(resolve))
  const held: ArrayBuffer[] = []
  const seen: WeakRef<ArrayBuffer>[] = []
  const fill = () => {
    for (let i = 0; i < BUFFERS; i++) {
      held.push(new ArrayBuffer(1 << 20))
      seen.push(new WeakRef(held[i]))
    }
  }
  fill()
  for (let times = 4; times > 0; times--) {
    await nextTurn()
    collectTheYoung?.({ type: 'minor' })
  }
  held.length = 0
  await nextTurn()
  process.collectGarbage()
  await nextTurn()
  // The stack may still have the address of one.
  const left = seen.filter(one => one.deref() !== undefined).length
  assert.ok(left <= 2, `${left} of ${BUFFERS} are left`)
})
