import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { randomFrom } from '../../test/harness/random.ts'
import { encodeCommand } from '../../test/harness/resp.ts'
import { virtualSystem } from '../system/virtual.ts'
import { PrimaryClient } from './primary-client.ts'
import type { ReplicationStream } from './stream.ts'

const SEEDS = 3
const COMMANDS = 1500
/** Pieces of a stream: short ones, long reads, and those that are used where they are. */
const PIECE_BYTES = [50, 3000, 5000, 20_000, 70_000, 500_000]

/** What PrimaryClient passes on. */
class Passed {
  offset = 0
  readonly pieces: Uint8Array[] = []

  forward(u8: Uint8Array, from: number, to: number): void {
    this.offset += to - from
    this.pieces.push(u8.slice(from, to))
  }
}

/** A stream of commands and transactions, and the offsets where it may be resumed. */
function randomStream(below: (n: number) => number): { stream: Buffer; places: number[] } {
  const pieces: Uint8Array[] = []
  const places = [0]
  let offset = 0
  const add = (...words: string[]) => {
    const bytes = encodeCommand(words)
    pieces.push(bytes)
    offset += bytes.length
  }
  const change = () => {
    if (below(3) === 0) add('INCR', 'n')
    else if (below(100) === 0) add('SET', 'big', 'b'.repeat(40_000 + below(90_000)))
    else add('APPEND', `k${below(20)}`, 'x'.repeat(below(10) === 0 ? below(6000) : below(60)))
  }
  for (let i = 0; i < COMMANDS; i++) {
    if (below(20) === 0) {
      add('MULTI')
      for (let left = below(200); left > 0; left--) change()
      add('EXEC')
    } else change()
    places.push(offset)
  }
  return { stream: Buffer.concat(pieces), places }
}

test('a stream in pieces of any length is applied and passed on byte for byte, up to the last whole command or transaction', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const below = randomFrom(seed)
    const { stream, places } = randomStream(below)
    const server = await MachineServer.start(virtualSystem())
    const { engine } = server.server.persistence.parts
    const passed = new Passed()
    const link = { peer: 'primary:1', local: 'replica:1', pause() {}, resume() {} }
    const primary = new PrimaryClient({
      engine,
      stream: passed as unknown as ReplicationStream,
      link,
      database: 0,
      applied() {},
      closed: () => assert.fail('closed'),
    })
    engine.afterCommand.push(() => primary.afterEvent())
    for (let at = 0; at < stream.length; ) {
      const end = Math.min(stream.length, at + 1 + below(PIECE_BYTES[below(PIECE_BYTES.length)]))
      primary.apply(new Uint8Array(stream.subarray(at, end)))
      at = end
      // The next piece may come while this one waits for its budget.
      if (at < stream.length && below(4) === 0) continue
      server.machine.settle()
      assert.equal(
        passed.offset,
        places.findLast(place => place <= at),
      )
      assert.equal(primary.readOffset, at)
    }
    assert.ok(Buffer.concat(passed.pieces).equals(stream))

    const digest = server.digest()
    const other = await MachineServer.start(virtualSystem())
    other.connect()
    for (let at = 0; at < stream.length; at += 100_000) {
      other.write(0, stream.subarray(at, at + 100_000))
      other.machine.settle()
    }
    other.take(0)
    assert.equal(digest, other.digest())
  }
})
