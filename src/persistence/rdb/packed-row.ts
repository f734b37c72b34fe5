// Packed rows of RDB files: ziplist and zipmap of older Redis versions, and listpack, read element by element with
// bounds checks.
//
//   ziplist   total u32 | offset of the last entry u32 | entries u16 (65535: count them) | entry … | 0xff
//     entry   length of the entry before: u8, or 254 and u32 | encoding | data
//             00llllll   01llllll llllllll   10...... u32 BE      strings
//             0xc0 i16   0xd0 i32   0xe0 i64   0xf0 i24   0xfe i8   0xf1 … 0xfd: 0 … 12
//
//   zipmap    entries u8 (254: count them) | [ length | field | length | free u8 | value | free bytes ] … | 0xff
//     length  u8 below 254, or 254 and u32
//
// Always: open() has validated the whole row before next() returns its first element.

import { Int64 } from '../../lib/int64.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Element } from '../../memory/element.ts'
import { EOF, HEADER_BYTES, isListpack, skip } from '../../memory/listpack-format.ts'
import type { ListpackReader } from '../../memory/listpack-reader.ts'

/** A row of elements; reused for one row after the other. */
export interface PackedRow {
  /** Validates these bytes and starts at their first element; false when they are not such a row. */
  open(s: Slice): boolean
  /** Sets `e` to the next element; false at the end. */
  next(e: Element): boolean
  readonly count: number
}

export class ListpackRow implements PackedRow {
  count = 0
  private readonly reader: ListpackReader
  private readonly bytes: Slice
  private at = 0

  constructor(reader: ListpackReader, bytes: Slice) {
    this.reader = reader
    this.bytes = bytes
  }

  open(s: Slice): boolean {
    if (!isListpack(s.u8, s.dv, s.off, s.len)) return false
    this.bytes.alias(s)
    this.at = s.off + HEADER_BYTES
    this.count = 0
    for (let p = this.at; s.u8[p] !== EOF; p = skip(s.u8, p)) this.count++
    return true
  }

  next(e: Element): boolean {
    const { u8, dv } = this.bytes
    if (u8[this.at] === EOF) return false
    this.reader.readAt(u8, dv, this.at, e)
    this.at = skip(u8, this.at)
    return true
  }
}

const ZIPLIST_HEADER = 10
const ZIPLIST_END = 255
const BIG_LENGTH = 254
const INT_16 = 0xc0
const INT_32 = 0xd0
const INT_64 = 0xe0
const INT_24 = 0xf0
const INT_8 = 0xfe
const TINY_MIN = 0xf1
const TINY_MAX = 0xfd
const COUNT_UNKNOWN = 0xffff

export class ZiplistRow implements PackedRow {
  count = 0
  private readonly bytes: Slice
  private readonly long = new Int64()
  private at = 0
  private dataAt = 0
  private dataLen = 0

  constructor(bytes: Slice) {
    this.bytes = bytes
  }

  open(s: Slice): boolean {
    const { dv, off, len } = s
    if (len < ZIPLIST_HEADER + 1 || dv.getUint32(off, true) !== len || s.u8[off + len - 1] !== ZIPLIST_END) return false
    this.bytes.alias(s)
    const last = off + len - 1
    let before = off + ZIPLIST_HEADER
    let beforeLen = 0
    let at = before
    this.count = 0
    while (at < last) {
      if (!this.locate(at, last)) return false
      const previous = s.u8[at] < BIG_LENGTH ? s.u8[at] : dv.getUint32(at + 1, true)
      if (previous !== beforeLen) return false
      const end = this.dataAt + this.dataLen
      if (end > last) return false
      before = at
      beforeLen = end - at
      at = end
      this.count++
    }
    if (this.count > 0 && dv.getUint32(off + 4, true) !== before - off) return false
    const told = dv.getUint16(off + 8, true)
    if (told !== COUNT_UNKNOWN && told !== this.count) return false
    this.at = off + ZIPLIST_HEADER
    return true
  }

  next(e: Element): boolean {
    const { u8, dv, off, len } = this.bytes
    const last = off + len - 1
    if (this.at >= last) return false
    this.locate(this.at, last)
    const encoding = u8[this.at + (u8[this.at] < BIG_LENGTH ? 1 : 5)]
    const p = this.dataAt
    this.at = p + this.dataLen
    if (encoding < 0xc0) e.setBytes(u8, dv, p, this.dataLen)
    else if (encoding >= TINY_MIN && encoding <= TINY_MAX) e.setInteger(encoding - TINY_MIN)
    else if (encoding === INT_8) e.setInteger(dv.getInt8(p))
    else if (encoding === INT_16) e.setInteger(dv.getInt16(p, true))
    else if (encoding === INT_24) e.setInteger(((u8[p] | (u8[p + 1] << 8) | (u8[p + 2] << 16)) << 8) >> 8)
    else if (encoding === INT_32) e.setInteger(dv.getInt32(p, true))
    else {
      this.long.read(dv, p)
      e.setInt64(this.long)
    }
    return true
  }

  /** Finds the data of the entry at `at`; false when its header is invalid or reaches past `last`. */
  private locate(at: number, last: number): boolean {
    const { u8, dv } = this.bytes
    if (u8[at] === ZIPLIST_END) return false
    let p = at + (u8[at] < BIG_LENGTH ? 1 : 5)
    if (p >= last) return false
    const encoding = u8[p]
    if (encoding < 0x40) {
      this.dataLen = encoding
      p += 1
    } else if (encoding < 0x80) {
      if (p + 2 > last) return false
      this.dataLen = ((encoding & 63) << 8) | u8[p + 1]
      p += 2
    } else if (encoding < 0xc0) {
      if (p + 5 > last) return false
      this.dataLen = dv.getUint32(p + 1)
      p += 5
    } else {
      const bytes = integerBytes(encoding)
      if (bytes < 0) return false
      this.dataLen = bytes
      p += 1
    }
    this.dataAt = p
    return true
  }
}

function integerBytes(encoding: number): number {
  if (encoding >= TINY_MIN && encoding <= TINY_MAX) return 0
  if (encoding === INT_8) return 1
  if (encoding === INT_16) return 2
  if (encoding === INT_24) return 3
  if (encoding === INT_32) return 4
  return encoding === INT_64 ? 8 : -1
}

const ZIPMAP_END = 255

/** Yields field, value, field, value … */
export class ZipmapRow implements PackedRow {
  count = 0
  private readonly bytes: Slice
  private at = 0
  private isValue = false

  constructor(bytes: Slice) {
    this.bytes = bytes
  }

  open(s: Slice): boolean {
    const { u8, off, len } = s
    const last = off + len - 1
    if (len < 2 || u8[last] !== ZIPMAP_END) return false
    this.bytes.alias(s)
    this.count = 0
    let at = off + 1
    while (u8[at] !== ZIPMAP_END) {
      at = this.skip(at, last, false)
      if (at < 0) return false
      at = this.skip(at, last, true)
      if (at < 0) return false
      this.count += 2
    }
    if (at !== last || this.count === 0) return false
    if (u8[off] < BIG_LENGTH && u8[off] * 2 !== this.count) return false
    this.at = off + 1
    this.isValue = false
    return true
  }

  /** Offset after the string at `at`, -1 when it does not end before `last`. */
  private skip(at: number, last: number, isValue: boolean): number {
    const { u8, dv } = this.bytes
    const lengthBytes = u8[at] < BIG_LENGTH ? 1 : 5
    if (u8[at] === ZIPMAP_END || at + lengthBytes + (isValue ? 1 : 0) > last) return -1
    const len = lengthBytes === 1 ? u8[at] : dv.getUint32(at + 1, true)
    const free = isValue ? 1 + u8[at + lengthBytes] : 0
    const end = at + lengthBytes + len + free
    return end > last ? -1 : end
  }

  next(e: Element): boolean {
    const { u8, dv, off, len } = this.bytes
    const { at, isValue } = this
    if (u8[at] === ZIPMAP_END) return false
    const lengthBytes = u8[at] < BIG_LENGTH ? 1 : 5
    e.setBytes(u8, dv, at + lengthBytes + (isValue ? 1 : 0), lengthBytes === 1 ? u8[at] : dv.getUint32(at + 1, true))
    this.at = this.skip(at, off + len - 1, isValue)
    this.isValue = !isValue
    return true
  }
}
