// Records of the value log: a value in its RDB encoding under its key.
//
//   0   payload length u32, little-endian
//   4   key length u32
//   8   CRC-64 of the lengths, the key and the payload
//   16  key
//       payload: RDB type u8, value

import type { Crc64 } from '../lib/crc64.ts'
import type { Slice } from '../lib/slice.ts'

export const RECORD_HEAD = 16

export function writeRecord(to: Uint8Array, at: number, key: Slice, payload: Uint8Array, crc: Crc64): void {
  writeU32(to, at, payload.length)
  writeU32(to, at + 4, key.len)
  const keyAt = at + RECORD_HEAD
  to.set(key.u8.subarray(key.off, key.off + key.len), keyAt)
  to.set(payload, keyAt + key.len)
  crc
    .reset()
    .update(to, at, at + 8)
    .update(to, keyAt, keyAt + key.len + payload.length)
    .writeTo(to, at + 8)
}

function writeU32(to: Uint8Array, at: number, n: number): void {
  to[at] = n
  to[at + 1] = n >>> 8
  to[at + 2] = n >>> 16
  to[at + 3] = n >>> 24
}

function readU32(u8: Uint8Array, at: number): number {
  return (u8[at] | (u8[at + 1] << 8) | (u8[at + 2] << 16) | (u8[at + 3] << 24)) >>> 0
}

/** Bytes of the record at u8[at ..), by its head; 0 when its head is not there. */
export function recordBytes(u8: Uint8Array, at: number): number {
  return at + RECORD_HEAD > u8.length ? 0 : RECORD_HEAD + readU32(u8, at) + readU32(u8, at + 4)
}

/** Bytes of the key of the record at u8[at ..). */
export function recordKeyBytes(u8: Uint8Array, at: number): number {
  return readU32(u8, at + 4)
}

/** The payload of a record. */
export function payloadOf(record: Uint8Array): Uint8Array {
  return record.subarray(RECORD_HEAD + recordKeyBytes(record, 0))
}

/** What is wrong with a record; undefined: it is sound. */
export function faultOf(record: Uint8Array, crc: Crc64): string | undefined {
  if (record.length < RECORD_HEAD || recordBytes(record, 0) !== record.length) return 'the record is torn'
  crc.reset().update(record, 0, 8).update(record, RECORD_HEAD, record.length)
  return crc.equalsAt(record, 8) ? undefined : 'the checksum does not match'
}
