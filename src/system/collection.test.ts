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

const { process, timers } = realSystem(runtimeNetwork())
const nextTurn = () => new Promise<void>(resolve => timers.soon(resolve))

/** Buffers that have become old and that nothing holds any more; replies how many the collector has left. */
async function dropOldBuffers(): Promise<() => number> {
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
  return () => seen.filter(one => one.deref() !== undefined).length
}

test('a requested collection frees buffers that have become old', async () => {
  const left = await dropOldBuffers()
  process.collectGarbage()
  await nextTurn()
  // The stack may still have the address of one.
  assert.ok(left() <= 2, `${left()} of ${BUFFERS} are left`)
})

test('a collection requested for later frees them beside the turns that follow', async () => {
  const left = await dropOldBuffers()
  // Looking at a buffer while the collector marks keeps it until the next time.
  for (let times = 0; times < 20 && left() > 2; times++) {
    await nextTurn()
    process.collectGarbage(true)
    await new Promise<void>(resolve => timers.after(300, resolve))
  }
  assert.ok(left() <= 2, `${left()} of ${BUFFERS} are left`)
})
