import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualWorld } from '../system/virtual-world.ts'
import { Backlog } from './backlog.ts'
import { StreamSpool } from './stream-spool.ts'

const FOREVER = Number.POSITIVE_INFINITY
const IN_MEMORY = { mayReuse: () => true, spool: undefined }

/** What the backlog has from `offset` on. */
function since(backlog: Backlog, offset: number): number[] | undefined {
  if (!backlog.has(offset)) return undefined
  const found: number[] = []
  for (let piece = backlog.view(offset); piece !== undefined; piece = backlog.view(offset + found.length))
    found.push(...piece)
  return found
}

/** Appends all bytes, in as many pieces as it takes. */
function add(backlog: Backlog, bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let from = 0; from < bytes.length; from += pieces[pieces.length - 1].length)
    pieces.push(backlog.append(bytes, from, bytes.length))
  return pieces
}

/** Bytes that say where in the stream they are. */
function stream(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) % 251)
}

function needs(limit: number, neededFrom = FOREVER, memoryMax = FOREVER, viewedFrom = neededFrom) {
  return { limit, neededFrom, viewedFrom, memoryMax }
}

test('the stream can be had from any offset that is still there', () => {
  const backlog = new Backlog(100, IN_MEMORY)
  for (const bytes of [[0, 1, 2], [3], [4, 5]]) add(backlog, Uint8Array.from(bytes))
  assert.deepEqual(since(backlog, 100), [0, 1, 2, 3, 4, 5])
  assert.deepEqual(since(backlog, 102), [2, 3, 4, 5])
  assert.deepEqual(since(backlog, 104), [4, 5])
  assert.deepEqual(since(backlog, 106), [])
  assert.equal(since(backlog, 99), undefined)
  assert.equal(since(backlog, 107), undefined)
})

test('the limit is kept, and never less than that', () => {
  const backlog = new Backlog(0, IN_MEMORY)
  for (let i = 0; i < 5000; i++) {
    add(backlog, new Uint8Array(1 + (i % 7)).fill(i))
    backlog.trim(needs(100))
    assert.equal(backlog.bytes, Math.min(100, backlog.end))
    assert.equal(since(backlog, backlog.start)?.length, backlog.bytes)
    assert.equal(since(backlog, backlog.end - 1)?.[0], i & 255)
  }
})

for (const reuses of [true, false])
  test(`what a replica needs stays as it was appended, ${reuses ? 'while other blocks are written anew' : 'in blocks that are written once'}`, () => {
    const backlog = new Backlog(7, { mayReuse: () => reuses, spool: undefined })
    const pending: { at: number; piece: Uint8Array }[] = []
    let seed = 1
    const below = (n: number) => (seed = (seed * 48271) % 0x7fffffff) % n
    for (let round = 0; round < 400; round++) {
      let at = backlog.end
      for (const piece of add(backlog, stream(at, 1 + below(20_000)))) {
        pending.push({ at, piece })
        at += piece.length
      }
      if (below(3) === 0) pending.splice(0, below(pending.length + 1))
      backlog.trim(needs(30_000, pending[0]?.at))
      for (const { at, piece } of [pending[0], pending[pending.length - 1]].filter(one => one !== undefined))
        assert.deepEqual(piece, stream(at, piece.length))
    }
    assert.ok(backlog.bytes >= 30_000)
    assert.deepEqual(since(backlog, backlog.start), [...stream(backlog.start, backlog.bytes)])
  })

test('what waits longer goes to a file, is read from there, and leaves none behind', async () => {
  const world = new VirtualWorld({ seed: 1 })
  const { disk } = world.machine('server')
  const spool = new StreamSpool({ disk, pid: 7, log: { warning: text => assert.fail(text) } })
  const backlog = new Backlog(1000, { mayReuse: () => true, spool })
  let neededFrom = 1000
  for (let round = 0; round < 300; round++) {
    add(backlog, stream(backlog.end, 9000))
    backlog.trim(needs(10_000, neededFrom, 200_000, backlog.end))
    await world.run(1)
    if (round < 100) continue
    assert.ok(backlog.end - backlog.memoryStart < 300_000, `${backlog.end - backlog.memoryStart} bytes in memory`)
    const piece = backlog.view(neededFrom)!
    assert.deepEqual(piece, stream(neededFrom, piece.length))
    if (round >= 200) neededFrom += piece.length
  }
  assert.deepEqual(since(backlog, neededFrom), [...stream(neededFrom, backlog.end - neededFrom)])
  backlog.trim(needs(10_000))
  assert.equal(backlog.bytes, 10_000)
  assert.deepEqual(disk.readdir('.'), [])
})

test('where the file cannot be written everything stays in memory, and the log says so once', async () => {
  const world = new VirtualWorld({ seed: 1 })
  const { disk } = world.machine('server')
  const warnings: string[] = []
  const spool = new StreamSpool({ disk, pid: 7, log: { warning: text => warnings.push(text) } })
  disk.mkdir('temp-stream-7.spool')
  const backlog = new Backlog(0, { mayReuse: () => true, spool })
  for (let round = 0; round < 100; round++) {
    add(backlog, stream(backlog.end, 9000))
    backlog.trim(needs(10_000, 0, 200_000, backlog.end))
    await world.run(1)
  }
  assert.equal(backlog.memoryStart, 0)
  assert.deepEqual(since(backlog, 0), [...stream(0, backlog.end)])
  assert.equal(warnings.length, 1)
})
