import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Arena, type Ref } from '../memory/arena.ts'
import { SEGMENT_BYTES } from '../memory/segment.ts'
import { SegmentReleaser } from './segment-releaser.ts'

/** Nothing can free such a buffer but the collector. */
const collectable = (bytes: number) => new SharedArrayBuffer(bytes) as unknown as ArrayBuffer

/** An arena that was filled and emptied: `segments` of its buffers are spare. */
function emptied(segments: number, allocate = collectable): Arena {
  const arena = new Arena(allocate)
  const refs: Ref[] = []
  while (arena.segmentBytes <= segments * SEGMENT_BYTES) refs.push(arena.alloc(1 << 20))
  for (const ref of refs) arena.free(ref)
  return arena
}

test('while commands come in, spare buffers go eight at a time, and wait for the collector', () => {
  const arena = emptied(20)
  let commands = 0
  let collections = 0
  const returning = new SegmentReleaser(
    arena,
    () => (commands += 2),
    later => {
      assert.equal(later, true)
      collections++
    },
  )
  // They are spare once nobody has needed them for a while.
  for (let i = 0; i < 39; i++) returning.tick()
  assert.equal(arena.spare.bytes, 20 * SEGMENT_BYTES)
  returning.tick()
  assert.equal(arena.spare.bytes, 12 * SEGMENT_BYTES)
  for (let i = 0; i < 15; i++) returning.tick()
  assert.equal(arena.spare.bytes, 12 * SEGMENT_BYTES)
  assert.equal(collections, 0)
  // The collector does not run within one test's turn of the event loop: in the end it is requested.
  for (let i = 0; i < 10; i++) returning.tick()
  assert.equal(collections, 1)
})

test('where a buffer can be freed at once, nothing waits for the collector', () => {
  let freed = 0
  const allocate = (bytes: number) =>
    Object.assign(new ArrayBuffer(bytes), { transfer: (length: number) => new ArrayBuffer(length + 0 * freed++) })
  const arena = emptied(20, allocate)
  assert.equal(arena.spare.bytes, 4 * SEGMENT_BYTES)
  const large = arena.alloc(100 << 20)
  arena.free(large)
  assert.equal(freed, 0)
  let commands = 0
  const returning = new SegmentReleaser(
    arena,
    () => (commands += 2),
    () => assert.fail('a collection'),
  )
  returning.tick()
  assert.equal(freed, 17)
  for (let i = 0; i < 60; i++) returning.tick()
  assert.equal(freed, 21)
  assert.equal(arena.spare.bytes, 0)
})

test('buffers that are needed again and again stay', () => {
  const arena = emptied(8)
  let commands = 0
  const returning = new SegmentReleaser(
    arena,
    () => (commands += 2),
    () => {},
  )
  for (let i = 0; i < 100; i++) {
    // Five segments and the first, for a moment.
    const refs = Array.from({ length: 6 }, () => arena.alloc(SEGMENT_BYTES - (1 << 14)))
    for (const ref of refs) arena.free(ref)
    returning.tick()
  }
  assert.equal(arena.spare.bytes, 5 * SEGMENT_BYTES)
})

test('when nobody asks anything, all buffers go soon, and nothing is collected after that', () => {
  const arena = emptied(20)
  let collections = 0
  const returning = new SegmentReleaser(
    arena,
    () => 7,
    () => collections++,
  )
  for (let i = 0; i < 20; i++) returning.tick()
  assert.equal(arena.spare.bytes, 0)
  assert.equal(collections, 2)
  for (let i = 0; i < 200; i++) returning.tick()
  assert.equal(collections, 2)
})

test('large allocations that were freed are worth a collection by themselves', () => {
  const arena = new Arena(collectable)
  let collections = 0
  const returning = new SegmentReleaser(
    arena,
    () => 0,
    () => collections++,
  )
  arena.free(arena.alloc(100 << 20))
  for (let i = 0; i < 20; i++) returning.tick()
  assert.equal(collections, 1)
})

test('large buffers that clients let go of are worth a collection as well', () => {
  let collections = 0
  let droppedBytes = 0
  const returning = new SegmentReleaser(
    new Arena(),
    () => 0,
    () => collections++,
    () => droppedBytes,
  )
  for (let i = 0; i < 20; i++) returning.tick()
  assert.equal(collections, 0)
  droppedBytes = 100 << 20
  for (let i = 0; i < 20; i++) returning.tick()
  assert.equal(collections, 1)
})

test('many commands are followed by one collection when hardly any come any more', () => {
  let commands = 0
  let collections = 0
  const returning = new SegmentReleaser(
    new Arena(),
    () => commands,
    () => collections++,
  )
  for (let i = 0; i < 20; i++) {
    commands += 10_000
    returning.tick()
  }
  assert.equal(collections, 0)
  for (let i = 0; i < 200; i++) {
    commands += i % 2
    returning.tick()
  }
  assert.equal(collections, 1)
})

test('spare buffers are used again before new ones are made', () => {
  const arena = emptied(4)
  const ref = arena.alloc(SEGMENT_BYTES - (1 << 14))
  arena.alloc(SEGMENT_BYTES / 2)
  arena.alloc(SEGMENT_BYTES)
  assert.ok(ref > 0)
  assert.ok(arena.spare.bytes < 4 * SEGMENT_BYTES)
})
