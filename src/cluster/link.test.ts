import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../system/random.ts'
import { BusLink } from './link.ts'
import { PUBLISH } from './packet.ts'
import { lightPublishPacket } from './packet-writer.ts'

function linkAndPackets() {
  const got: string[] = []
  const garbage: BusLink[] = []
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  const link = new BusLink(
    {
      packet: (_link, bytes) => void got.push(text(bytes)),
      garbage: one => void garbage.push(one),
      ...{ closed: () => {}, flushSoon: () => {} },
    },
    undefined,
    0,
  )
  return { link, got, garbage, text }
}

function packets(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    lightPublishPacket(PUBLISH, new TextEncoder().encode(`c${i}`), new Uint8Array((i * 7919) % 9000).fill(97)),
  )
}

test('packets are whole, however their bytes come', () => {
  const sent = packets(60)
  const whole = Buffer.concat(sent)
  for (const most of [1, 3, 17, 1000, 5000, 70_000, whole.length]) {
    const { link, got, text } = linkAndPackets()
    const random = seededRandom(most)
    for (let at = 0; at < whole.length; ) {
      const bytes = 1 + (random.u32() % most)
      // The buffer of the socket is used again afterwards.
      const piece = new Uint8Array(whole.subarray(at, at + bytes))
      link.received(piece, 0, piece.length)
      piece.fill(0)
      at += bytes
    }
    assert.deepEqual(got, sent.map(text), `pieces of at most ${most} bytes`)
  }
})

test('a link that holds no part of a packet needs no buffer', () => {
  const { link, got } = linkAndPackets()
  const [, second] = packets(2)
  link.received(second, 0, second.length)
  assert.equal(got.length, 1)
  assert.equal(link.memoryBytes, 0)
  link.received(second, 0, 20)
  assert.ok(link.memoryBytes > 0)
  link.received(second, 20, second.length)
  assert.equal(got.length, 2)
})

test('what is no packet ends the link, after those before it', () => {
  const { link, got, garbage } = linkAndPackets()
  const bytes = Buffer.concat([...packets(2), Buffer.from('no packet, but sixteen bytes and more')])
  link.received(bytes, 0, bytes.length)
  link.received(bytes, 0, bytes.length)
  assert.equal(got.length, 2)
  assert.deepEqual(garbage, [link])
})
