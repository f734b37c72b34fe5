import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnreadableValue, type ValuePlace } from '../keyspace/cold.ts'
import { Crc64 } from '../lib/crc64.ts'
import { Slice } from '../lib/slice.ts'
import { virtualSystem } from '../system/virtual.ts'
import { LargeAppend } from './large-append.ts'
import { FRAME_BYTES, faultOf } from './record.ts'
import { RecordReader } from './record-reader.ts'
import { ValueLog } from './value-log.ts'

const crc = new Crc64()

function newLog() {
  const machine = virtualSystem()
  const log = new ValueLog(machine.disk, '/values', 1 << 20)
  log.settle(new Set())
  return { machine, log }
}

function payloadOf(bytes: number): Uint8Array {
  return new Uint8Array(bytes).map((_, i) => i * 7 + (i >> 9))
}

function append(log: ValueLog, key: string, payload: Uint8Array): ValuePlace {
  const record = new LargeAppend(log, Slice.of(key))
  for (let at = 0; at < payload.length; at += 9000) record.add(payload, at, Math.min(payload.length, at + 9000))
  record.finish()
  return { ...log.last }
}

function readAll(log: ValueLog, place: ValuePlace): Uint8Array {
  const reader = new RecordReader(log, place)
  const pieces: number[] = []
  try {
    for (let piece = reader.next(); piece !== undefined; piece = reader.next())
      for (const byte of piece) pieces.push(byte)
  } finally {
    reader.close()
  }
  return Uint8Array.from(pieces)
}

test('a record in frames is read as it was written, from memory and from the file', () => {
  for (const keyBytes of [0, 3, FRAME_BYTES, FRAME_BYTES + 5])
    for (const bytes of [1, FRAME_BYTES - 4, FRAME_BYTES - 3, FRAME_BYTES, 2 * FRAME_BYTES, 3 * FRAME_BYTES + 1]) {
      const { machine, log } = newLog()
      const payload = payloadOf(bytes)
      const place = append(log, 'k'.repeat(keyBytes), payload)
      assert.deepEqual(readAll(log, place), payload)
      for (let i = 0; i < 10; i++) {
        log.flush()
        machine.advance(10)
      }
      assert.equal(log.figures.pendingBytes, 0)
      assert.deepEqual(readAll(log, place), payload)
      assert.equal(faultOf(log.readNow(place), crc), undefined)
    }
})

test('records that are appended at once are in segments of their own; the next ones go on there', () => {
  const { log } = newLog()
  const payloads = [1, 2].map(n => payloadOf(100_000 * n))
  const records = payloads.map((_, i) => new LargeAppend(log, Slice.of(`key ${i}`)))
  const places: ValuePlace[] = []
  for (let at = 0; at < 100_000; at += 10_000)
    for (const i of [0, 1]) records[i].add(payloads[i], at * (i + 1), (at + 10_000) * (i + 1))
  for (const record of records) {
    record.finish()
    places.push({ ...log.last })
  }
  assert.notEqual(places[0].segment, places[1].segment)
  for (const i of [0, 1]) assert.deepEqual(readAll(log, places[i]), payloads[i])
  const { segment } = append(log, 'third', payloads[0])
  assert.equal(segment, places[1].segment)
})

test('what was abandoned is a whole record that is dead, and its segment goes', () => {
  const { machine, log } = newLog()
  const record = new LargeAppend(log, Slice.of('key'))
  record.add(payloadOf(200_000), 0, 200_000)
  record.abandon()
  const { offset, bytes } = log.last
  assert.equal(log.figures.liveBytes, 0)
  assert.ok(offset === 0 && bytes > 200_000)
  for (let i = 0; i < 5; i++) {
    log.flush()
    machine.advance(10)
  }
  log.tidy()
  assert.equal(log.figures.segments, 0)
})

test('a record that is torn or damaged anywhere is found, before what is behind the damage is used', () => {
  const { log } = newLog()
  const payload = payloadOf(3 * FRAME_BYTES)
  const record = log.readNow(append(log, 'key', payload))
  for (const length of [10, 30, FRAME_BYTES, FRAME_BYTES + 40, record.length - 1])
    assert.notEqual(faultOf(record.subarray(0, length), crc), undefined, `${length}`)
  for (const at of [
    4,
    9,
    17,
    22,
    29,
    5000,
    FRAME_BYTES + 30,
    FRAME_BYTES + 60,
    2 * FRAME_BYTES + 70,
    record.length - 1,
  ]) {
    const damaged = newLog()
    const place = append(damaged.log, 'key', payload)
    for (let i = 0; i < 8; i++) {
      damaged.log.flush()
      damaged.machine.advance(10)
    }
    const fd = damaged.machine.disk.open('/values/value-1.log', 'r+')
    damaged.machine.disk.write(fd, Uint8Array.of(record[at] ^ 4), 0, 1, at)
    assert.notEqual(faultOf(damaged.log.readNow(place), crc), undefined, `${at}`)
    const reader = new RecordReader(damaged.log, place)
    let got = 0
    assert.throws(() => {
      for (let piece = reader.next(); piece !== undefined; piece = reader.next()) {
        assert.deepEqual(piece, payload.subarray(got, got + piece.length))
        got += piece.length
      }
    }, UnreadableValue)
    assert.ok(got <= at)
  }
})
