// Arena against a list of live allocations, each filled with a byte of its own.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { Arena, type Ref } from './arena.ts'
import { SEGMENT_BYTES } from './segment.ts'

const CHECKED_BYTES = 64

interface Block {
  ref: Ref
  bytes: number
  mark: number
}

class Heap {
  readonly arena: Arena
  readonly blocks: Block[] = []
  private marks = 0

  /** `startBytes`: of the first segment. */
  constructor(startBytes?: number) {
    this.arena = new Arena(undefined, startBytes)
  }

  add(bytes: number): void {
    const block = { ref: this.arena.alloc(bytes), bytes, mark: ++this.marks & 0xff }
    this.blocks.push(block)
    this.fill(block)
  }

  fill(block: Block): void {
    const u8 = this.arena.u8(block.ref)
    const at = this.arena.at(block.ref)
    const n = Math.min(block.bytes, CHECKED_BYTES)
    u8.fill(block.mark, at, at + n)
    u8.fill(block.mark, at + block.bytes - n, at + block.bytes)
  }

  verify(block: Block): void {
    const u8 = this.arena.u8(block.ref)
    const at = this.arena.at(block.ref)
    const n = Math.min(block.bytes, CHECKED_BYTES)
    for (let i = 0; i < n; i++) {
      assert.equal(u8[at + i], block.mark)
      assert.equal(u8[at + block.bytes - 1 - i], block.mark)
    }
  }

  remove(index: number): void {
    const block = this.blocks[index]
    this.verify(block)
    this.arena.free(block.ref)
    this.blocks[index] = this.blocks[this.blocks.length - 1]
    this.blocks.pop()
  }

  check(): void {
    const { arena, blocks } = this
    let used = 0
    const spans: [number, number][] = []
    for (const block of blocks) {
      this.verify(block)
      const size = arena.sizeOf(block.ref)
      assert.ok(size >= block.bytes)
      assert.equal(block.ref % 1, 0)
      assert.ok(block.ref > 0)
      used += size
      spans.push([block.ref, block.ref + Math.ceil(size / 16)])
    }
    assert.equal(arena.usedBytes, used)
    assert.equal(arena.count, blocks.length)
    assert.ok(arena.pageBytes >= used)
    assert.ok(arena.segmentBytes >= arena.pageBytes)
    spans.sort((a, b) => a[0] - b[0])
    for (let i = 1; i < spans.length; i++) assert.ok(spans[i - 1][1] <= spans[i][0], 'allocations overlap')
  }

  compact(): void {
    const { arena, blocks } = this
    if (!arena.evacuateSparse()) return
    for (const block of blocks) {
      const moved = arena.relocate(block.ref)
      assert.ok(moved === block.ref || !arena.isEvacuating(moved))
      block.ref = moved
    }
    arena.endEvacuation()
  }
}

function size(random: (n: number) => number, largest: number): number {
  const kind = random(20)
  if (kind < 12) return 1 + random(200)
  if (kind < 17) return 1 + random(9000)
  if (kind < 19) return 1 + random(100000)
  return 1 + random(largest)
}

function run(seed: number, steps: number, largest: number): void {
  const random = randomFrom(seed)
  const heap = new Heap()
  for (let step = 0; step < steps; step++) {
    const growing = Math.floor(step / 400) % 3 < 2
    if (heap.blocks.length === 0 || random(10) < (growing ? 7 : 3)) heap.add(size(random, largest))
    else if (random(6) === 0) {
      const block = heap.blocks[random(heap.blocks.length)]
      const bytes = size(random, largest)
      const keep = Math.min(block.bytes, bytes)
      const u8 = heap.arena.u8(block.ref)
      u8.fill(block.mark, heap.arena.at(block.ref), heap.arena.at(block.ref) + block.bytes)
      block.ref = heap.arena.realloc(block.ref, bytes, keep)
      const grown = heap.arena.u8(block.ref)
      const at = heap.arena.at(block.ref)
      for (let i = 0; i < keep; i += 97) assert.equal(grown[at + i], block.mark)
      block.bytes = bytes
      heap.fill(block)
    } else heap.remove(random(heap.blocks.length))
    if (step % 251 === 0) heap.check()
    if (step % 601 === 0) heap.compact()
  }
  heap.check()
  while (heap.blocks.length > 0) heap.remove(random(heap.blocks.length))
  heap.check()
  // All but the first segment goes back to the system, except for at most one kept slab of each slot size.
  assert.ok(heap.arena.pageBytes <= (54 + 27 * 3) * 16384)
}

test('allocations keep their bytes and never overlap', () => {
  for (let seed = 1; seed <= 6; seed++) run(seed * 7919, 3000, 400000)
})

test('allocations beyond a segment get one of their own and give it back', () => {
  const heap = new Heap()
  const huge = [20 << 20, SEGMENT_BYTES, SEGMENT_BYTES + 1, 64 << 20, 200 << 20]
  for (let i = 0; i < 100; i++) heap.add(5000)
  for (const bytes of huge) heap.add(bytes)
  heap.check()
  const before = heap.arena.segmentBytes
  heap.remove(101)
  heap.add(65 << 20)
  heap.check()
  while (heap.blocks.length > 50) heap.remove(heap.blocks.length - 1)
  heap.check()
  assert.ok(heap.arena.segmentBytes < before)
})

test('compaction empties sparse segments', () => {
  const heap = new Heap()
  const random = randomFrom(99)
  while (heap.arena.segmentBytes < 4 * (64 << 20)) heap.add(4000 + random(4000))
  while (heap.blocks.length > 4000) heap.remove(random(heap.blocks.length))
  heap.check()
  const before = heap.arena.segmentBytes
  for (let i = 0; i < 8; i++) heap.compact()
  heap.check()
  assert.ok(heap.arena.segmentBytes <= before / 2, `${before} to ${heap.arena.segmentBytes}`)
  for (let i = 0; i < 1000; i++) heap.add(1 + random(9000))
  heap.check()
})

test('a new allocation never lands in a sealed segment', () => {
  const heap = new Heap()
  while (heap.arena.segmentBytes < 3 * (64 << 20)) heap.add(8000)
  while (heap.blocks.length > 3000) heap.remove(heap.blocks.length - 1 - (heap.blocks.length % 7))
  assert.ok(heap.arena.evacuateSparse())
  for (let i = 0; i < 3000; i++) {
    heap.add(1 + ((i * 37) % 9000))
    assert.ok(!heap.arena.isEvacuating(heap.blocks[heap.blocks.length - 1].ref))
  }
  heap.arena.endEvacuation()
  heap.check()
})

test('a large allocation grows and shrinks in place where the pages after it are free', () => {
  const heap = new Heap()
  heap.add(100_000)
  const [block] = heap.blocks
  for (const bytes of [1_000_000, 2_000_000, 200_000, 3_000_000]) {
    assert.equal(heap.arena.realloc(block.ref, bytes, 64), block.ref)
    Object.assign(block, { bytes })
    heap.fill(block)
    heap.check()
  }
  heap.add(100_000)
  const moved = heap.arena.realloc(block.ref, 4_000_000, 64)
  assert.notEqual(moved, block.ref)
  Object.assign(block, { ref: moved, bytes: 4_000_000 })
  heap.fill(block)
  heap.check()
})

test('a string that grows far beyond a segment moves a few times only', () => {
  const heap = new Heap()
  heap.add(1 << 20)
  const [block] = heap.blocks
  let moves = 0
  for (let bytes = 2 << 20; bytes <= 200 << 20; bytes += 1 << 20) {
    const ref = heap.arena.realloc(block.ref, bytes, block.bytes)
    if (ref !== block.ref) moves++
    Object.assign(block, { ref, bytes })
    heap.fill(block)
  }
  heap.check()
  assert.ok(moves <= 7, `${moves}`)
  const before = heap.arena.segmentBytes
  block.ref = heap.arena.realloc(block.ref, 20 << 20, 20 << 20)
  block.bytes = 20 << 20
  heap.check()
  assert.ok(heap.arena.segmentBytes < before / 4)
  heap.remove(0)
  heap.check()
  assert.equal(heap.arena.usedBytes, 0)
  assert.equal(heap.arena.segmentBytes, SEGMENT_BYTES)
})

test('a first segment may be small: what does not fit goes to the next, and nothing grows beyond it', () => {
  const heap = new Heap(256 * 1024)
  heap.add(100_000)
  const [block] = heap.blocks
  assert.equal(heap.arena.segmentBytes, 256 * 1024)
  const grown = heap.arena.realloc(block.ref, 240_000, 64)
  assert.equal(grown, block.ref)
  Object.assign(block, { bytes: 240_000 })
  const moved = heap.arena.realloc(block.ref, 250_000, 64)
  assert.notEqual(moved, block.ref)
  Object.assign(block, { ref: moved, bytes: 250_000 })
  heap.fill(block)
  assert.equal(heap.arena.segmentBytes, 256 * 1024 + SEGMENT_BYTES)
  heap.check()
  for (let i = 0; i < 3000; i++) heap.add(1 + ((i * 37) % 9000))
  heap.check()
  while (heap.blocks.length > 0) heap.remove(0)
  heap.check()
})
