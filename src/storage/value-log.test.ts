import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnreadableValue } from '../keyspace/cold.ts'
import { bytesOf } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import { virtualSystem } from '../system/virtual.ts'
import { ValueLog } from './value-log.ts'

const SEGMENT_BYTES = 4096

function append(log: ValueLog, key: string, text: string) {
  const u8 = bytesOf(text)
  log.append(Slice.of(key), u8, u8.length)
  return { ...log.last }
}

test('a record is readable at once, and from the file when it is written', () => {
  const machine = virtualSystem()
  const log = new ValueLog(machine.disk, '/values', SEGMENT_BYTES)
  log.settle(new Set())
  const place = append(log, 'key', 'payload')
  assert.deepEqual(log.checked(log.readLater(place, () => assert.fail())!), bytesOf('payload'))
  assert.deepEqual(log.read(place), bytesOf('payload'))
  log.flush()
  machine.advance(100)
  assert.equal(log.figures.pendingBytes, 0)
  assert.deepEqual(log.read(place), bytesOf('payload'))
  let later: Uint8Array | undefined
  const done = (record: Uint8Array | undefined) => {
    later = record
  }
  assert.equal(log.readLater(place, done), undefined)
  machine.advance(100)
  assert.deepEqual(log.checked(later!), bytesOf('payload'))
})

test('a segment is removed when the last of its records is released, and one of an earlier run at the start', () => {
  const machine = virtualSystem()
  const log = new ValueLog(machine.disk, '/values', SEGMENT_BYTES)
  log.settle(new Set())
  const places = Array.from({ length: 10 }, (_, i) => append(log, `key ${i}`, 'x'.repeat(1000)))
  for (let i = 0; i < 10; i++) {
    log.flush()
    machine.advance(100)
  }
  const { length } = machine.disk.readdir('/values')
  assert.ok(length >= 3)
  for (const place of places) if (place.segment === 1) log.release(1, place.bytes)
  machine.advance(100)
  assert.equal(machine.disk.readdir('/values').length, length - 1)
  assert.deepEqual(log.read(places[9]), bytesOf('x'.repeat(1000)))
  new ValueLog(machine.disk, '/values').settle(new Set())
  machine.advance(100)
  assert.deepEqual(machine.disk.readdir('/values'), [])
})

test('a byte that changed on disk, and an end that is torn off, are found', () => {
  for (const damage of ['byte', 'end']) {
    const machine = virtualSystem()
    const log = new ValueLog(machine.disk, '/values', SEGMENT_BYTES)
    log.settle(new Set())
    append(log, 'first', 'payload')
    const place = append(log, 'key', 'payload')
    log.flush()
    machine.advance(100)
    const fd = machine.disk.open('/values/value-1.log', 'r+')
    if (damage === 'byte') machine.disk.write(fd, bytesOf('X'), 0, 1, place.offset + place.bytes - 2)
    else machine.disk.truncate(fd, place.offset + place.bytes - 1)
    machine.disk.close(fd)
    assert.throws(() => log.read(place), UnreadableValue, damage)
  }
})
