// Records of the value log: a value in its RDB encoding under its key.
//
//   0   payload length u32, little-endian        a large value: LARGE
//   4   key length u32
//   8   CRC-64 of the lengths, the key and the payload        a large value: of the lengths
//   16  key
//       payload: RDB type u8, value
//
// A large value is written and read in frames, each of which is checked before it is used. They begin with the key:
//
//   16  [ length u32 | CRC-64 | bytes ][ length | CRC-64 | bytes ] …
//
// The CRC-64 of a frame covers the lengths and bytes of the record up to its end.
//
// Always: all frames but the last have FRAME_BYTES, and the last has less, so that the end of a record is known.

import type { Crc64 } from '../lib/crc64.ts'
import type { Slice } from '../lib/slice.ts'

export const RECORD_HEAD = 16
export const FRAME_HEAD = 12
export const FRAME_BYTES: number = 64 * 1024 - RECORD_HEAD - FRAME_HEAD
const LARGE = 0xffffffff

/** The record of the payload in u8[0 .. bytes). */
export function writeRecord(to: Uint8Array, at: number, key: Slice, u8: Uint8Array, bytes: number, crc: Crc64): void {
  writeU32(to, at, bytes)
  writeU32(to, at + 4, key.len)
  const keyAt = at + RECORD_HEAD
  // Without a view, which would be garbage.
  for (let i = 0; i < key.len; i++) to[keyAt + i] = key.u8[key.off + i]
  to.set(u8.subarray(0, bytes), keyAt + key.len)
  crc
    .reset()
    .update(to, at, at + 8)
    .update(to, keyAt, keyAt + key.len + bytes)
    .writeTo(to, at + 8)
}

/** The head of the record of a large value at `to`; `crc` goes on over its frames. */
export function writeLargeHead(to: Uint8Array, keyBytes: number, crc: Crc64): void {
  writeU32(to, 0, LARGE)
  writeU32(to, 4, keyBytes)
  crc.reset().update(to, 0, 8).writeTo(to, 8)
}

/** The head of a frame whose bytes are behind it, and in the checksum. */
export function writeFrameHead(to: Uint8Array, at: number, bytes: number, crc: Crc64): void {
  writeU32(to, at, bytes)
  crc.update(to, at, at + 4).writeTo(to, at + 4)
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

/** Whether the record whose head is at u8[at ..) has frames. */
export function isLargeRecord(u8: Uint8Array, at: number): boolean {
  return readU32(u8, at) === LARGE
}

/** Bytes of the frame whose head is at u8[at ..). */
export function frameBytes(u8: Uint8Array, at: number): number {
  return readU32(u8, at)
}

/** Bytes of the record at u8[at ..), by its head; 0 when its head is not there. */
export function recordBytes(u8: Uint8Array, at: number): number {
  return at + RECORD_HEAD > u8.length ? 0 : RECORD_HEAD + readU32(u8, at) + readU32(u8, at + 4)
}

/** Bytes of the key of the record at u8[at ..). */
export function recordKeyBytes(u8: Uint8Array, at: number): number {
  return readU32(u8, at + 4)
}

/** The payload of a record without frames. */
export function payloadOf(record: Uint8Array): Uint8Array {
  return record.subarray(RECORD_HEAD + recordKeyBytes(record, 0))
}

/** What is wrong with a record; undefined: it is sound. */
export function faultOf(record: Uint8Array, crc: Crc64): string | undefined {
  if (record.length < RECORD_HEAD) return TORN
  if (isLargeRecord(record, 0)) return largeFaultOf(record, crc)
  if (recordBytes(record, 0) !== record.length) return TORN
  crc.reset().update(record, 0, 8).update(record, RECORD_HEAD, record.length)
  return crc.equalsAt(record, 8) ? undefined : DAMAGED
}

function largeFaultOf(record: Uint8Array, crc: Crc64): string | undefined {
  const fault = headFaultOf(record, crc)
  if (fault !== undefined) return fault
  for (let at = RECORD_HEAD; ; at += FRAME_HEAD + FRAME_BYTES) {
    const isLast = record.length - at < FRAME_HEAD + FRAME_BYTES
    const error = frameFaultOf(record, at, isLast ? record.length : at + FRAME_HEAD + FRAME_BYTES, isLast, crc)
    if (error !== undefined || isLast) return error
  }
}

/** What is wrong with the head of the record of a large value; `crc` goes on over its frames. */
export function headFaultOf(u8: Uint8Array, crc: Crc64): string | undefined {
  return crc.reset().update(u8, 0, 8).equalsAt(u8, 8) ? undefined : DAMAGED
}

/** What is wrong with the next frame, at u8[at .. end); undefined: it is sound. */
export function frameFaultOf(u8: Uint8Array, at: number, end: number, isLast: boolean, crc: Crc64): string | undefined {
  const bytes = end - at - FRAME_HEAD
  if (bytes < 0 || readU32(u8, at) !== bytes || isLast !== bytes < FRAME_BYTES) return TORN
  crc.update(u8, at + FRAME_HEAD, end).update(u8, at, at + 4)
  return crc.equalsAt(u8, at + 4) ? undefined : DAMAGED
}

const TORN = 'the record is torn'
const DAMAGED = 'the checksum does not match'
