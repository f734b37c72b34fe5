// FUNCTION DUMP's payload, in the format of RDB files:
//
//   ( 245 | code string )… | RDB version u16 | CRC-64 of everything before
//
//   string    length, bytes | 11000011 packed length, length, LZF bytes | 1100000n integer of 1, 2 or 4 bytes
//   length    00xxxxxx | 01xxxxxx xxxxxxxx | 10000000 u32 BE | 10000001 u64 BE
//
// Always: the payload may be corrupt; no read goes beyond it, and a corrupt one is an error.

import { Crc64 } from '../lib/crc64.ts'
import { LzfCompressor, lzfDecompress } from '../lib/lzf.ts'
import { Slice } from '../lib/slice.ts'

const OP_FUNCTION2 = 245
const OP_FUNCTION_PRE_GA = 246
const VERSION_WRITTEN = 11
const VERSION_MAX = 11
const FOOTER_BYTES = 10
const CHECKSUM_BYTES = 8
const COMPRESS_MIN = 20
const GAIN_MIN = 4
const HEADER_BYTES_MAX = 20
const STRING_LZF = 0xc3

export function dumpLibraries(codes: readonly Slice[]): Slice {
  let room = FOOTER_BYTES
  for (const code of codes) room += code.len + HEADER_BYTES_MAX
  const u8 = new Uint8Array(room)
  const dv = new DataView(u8.buffer)
  const lzf = new LzfCompressor()
  let at = 0
  for (const code of codes) {
    u8[at++] = OP_FUNCTION2
    const packed = new Uint8Array(code.len)
    const limit = Math.max(0, code.len - GAIN_MIN)
    const packedLen =
      code.len > COMPRESS_MIN ? lzf.compress(code.u8, code.off, code.off + code.len, packed, 0, limit) : 0
    if (packedLen > 0) {
      u8[at++] = STRING_LZF
      at = writeLength(u8, dv, at, packedLen)
      at = writeLength(u8, dv, at, code.len)
      u8.set(packed.subarray(0, packedLen), at)
      at += packedLen
    } else {
      at = writeLength(u8, dv, at, code.len)
      u8.set(code.view(), at)
      at += code.len
    }
  }
  dv.setUint16(at, VERSION_WRITTEN, true)
  at += 2
  new Crc64().update(u8, 0, at).writeTo(u8, at)
  return new Slice(u8, 0, at + CHECKSUM_BYTES, dv)
}

function writeLength(u8: Uint8Array, dv: DataView, at: number, n: number): number {
  if (n < 64) {
    u8[at] = n
    return at + 1
  }
  if (n < 16384) {
    dv.setUint16(at, 0x4000 | n)
    return at + 2
  }
  u8[at] = 0x80
  dv.setUint32(at + 1, n)
  return at + 5
}

/** The code of each library, or an error message. */
export function readLibraries(payload: Slice): Slice[] | string {
  if (!isSound(payload)) return 'DUMP payload version or checksum are wrong'
  const { u8, dv } = payload
  // Redis lets a string extend into the footer, where it can only be corrupt.
  const end = payload.off + payload.len - FOOTER_BYTES
  const reader = new StringReader(u8, dv, payload.off, end)
  const codes: Slice[] = []
  while (reader.at < end) {
    const op = u8[reader.at++]
    if (op === OP_FUNCTION_PRE_GA) return 'Pre-GA function format not supported'
    if (op !== OP_FUNCTION2) return 'given type is not a function'
    const code = reader.string()
    if (code === undefined) return 'Failed loading library payload'
    codes.push(code)
  }
  return codes
}

function isSound({ u8, dv, off, len }: Slice): boolean {
  if (len < FOOTER_BYTES) return false
  const checksumAt = off + len - CHECKSUM_BYTES
  if (dv.getUint16(checksumAt - 2, true) > VERSION_MAX) return false
  return new Crc64().update(u8, off, checksumAt).equalsAt(u8, checksumAt)
}

class StringReader {
  at: number
  private readonly u8: Uint8Array
  private readonly dv: DataView
  private readonly end: number

  constructor(u8: Uint8Array, dv: DataView, from: number, end: number) {
    this.u8 = u8
    this.dv = dv
    this.at = from
    this.end = end
  }

  /** undefined: corrupt. */
  string(): Slice | undefined {
    if (this.at >= this.end) return undefined
    const first = this.u8[this.at]
    if (first >> 6 !== 3) return this.bytes(this.length())
    this.at++
    if (first === STRING_LZF) return this.packed()
    const width = 1 << (first & 3)
    const from = this.at
    if (first > STRING_LZF || from + width > this.end) return undefined
    this.at += width
    const { dv } = this
    return Slice.of(
      String(width === 1 ? dv.getInt8(from) : width === 2 ? dv.getInt16(from, true) : dv.getInt32(from, true)),
    )
  }

  private packed(): Slice | undefined {
    const packedLen = this.length()
    const length = this.length()
    const packed = this.bytes(packedLen)
    // LZF expands 3 bytes to at most 264.
    if (packed === undefined || !(length <= packedLen * 88 + 264)) return undefined
    const out = new Uint8Array(length)
    const written = lzfDecompress(packed.u8, packed.off, packed.off + packed.len, out, 0)
    return written === length ? new Slice(out, 0, length) : undefined
  }

  private bytes(length: number): Slice | undefined {
    if (!(this.at + length <= this.end)) return undefined
    this.at += length
    return new Slice(this.u8, this.at - length, length, this.dv)
  }

  /** NaN: corrupt. */
  private length(): number {
    const { u8, dv, at, end } = this
    if (at >= end) return Number.NaN
    const first = u8[at]
    const width = first < 0x40 ? 1 : first < 0x80 ? 2 : first === 0x80 ? 5 : 9
    if (first > 0x81 || at + width > end) return Number.NaN
    this.at += width
    if (width === 1) return first
    if (width === 2) return dv.getUint16(at) & 0x3fff
    return width === 5 ? dv.getUint32(at + 1) : Number(dv.getBigUint64(at + 1))
  }
}
