import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runtimeNetwork } from '../net/runtime.ts'
import { realSystem } from './real.ts'
import { seededRandom, VirtualExit, virtualSystem } from './virtual.ts'

test('timers fire in order of their moments, at their moments', () => {
  const machine = virtualSystem({ startMs: 1000 })
  const { timers, clock } = machine.system
  const seen: string[] = []
  timers.after(30, () => seen.push(`a@${clock.nowMs()}`))
  const every = timers.every(20, () => seen.push(`e@${clock.nowMs()}`))
  timers.after(10, () => timers.soon(() => seen.push(`soon@${clock.nowMs()}`)))
  const never = timers.after(5, () => seen.push('never'))
  timers.cancel(never)
  machine.advance(45)
  timers.cancel(every)
  machine.advance(100)
  assert.deepEqual(seen, ['soon@1010', 'e@1020', 'a@1030', 'e@1040'])
  assert.equal(clock.nowMs(), 1145)
  assert.equal(clock.monotonicUs(), 145_000)
})

test('the same seed gives the same chance, another seed another', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed)
    return [random.u32(), random.u32(), random.unit(), ...random.bytes(3)]
  }
  assert.deepEqual(draw(1), draw(1))
  assert.notDeepEqual(draw(1), draw(2))
  const random = seededRandom(9)
  let sum = 0
  for (let i = 0; i < 10_000; i++) {
    const x = random.unit()
    assert.ok(x >= 0 && x < 1)
    sum += x
  }
  assert.ok(Math.abs(sum / 10_000 - 0.5) < 0.02)
})

test('a virtual process keeps what is said, and its exit ends what runs', () => {
  const machine = virtualSystem()
  const { process } = machine.system
  process.stdout(new TextEncoder().encode('hi'))
  let signals = 0
  process.onSignal('SIGTERM', () => signals++)
  machine.signal('SIGTERM')
  assert.throws(() => process.exit(3), VirtualExit)
  assert.deepEqual([machine.out, signals, machine.exitCode], ['hi', 1, 3])
})

test('the real machine has a clock, chance and memory', async () => {
  const { clock, random, timers, process } = realSystem(runtimeNetwork())
  const before = clock.monotonicUs()
  const wallMs = clock.nowMs()
  const us = clock.nowUs()
  // The finer clock follows the wall clock at most 2 ms off.
  assert.ok(us >= wallMs * 1000 - 2000 && us <= clock.nowMs() * 1000 + 3000)
  assert.ok(Number.isInteger(clock.nowUs()))
  const words = new Set(Array.from({ length: 3000 }, () => random.u32()))
  assert.ok(words.size > 2990)
  assert.equal(random.bytes(70_000).length, 70_000)
  assert.ok(random.unit() < 1)
  assert.ok(process.rssBytes() > 1e6)
  assert.match(process.runtime, /^(bun|node) \d/)
  await new Promise<void>(resolve => timers.after(1, resolve))
  await new Promise<void>(resolve => timers.soon(resolve))
  assert.ok(clock.monotonicUs() > before)
})
