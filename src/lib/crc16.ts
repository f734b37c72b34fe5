// CRC16-CCITT (XMODEM: polynomial 0x1021, start 0) and the cluster slot computed from it.

import type { Slice } from './slice.ts'

export const CLUSTER_SLOT_COUNT = 16384

const OPEN = 0x7b
const CLOSE = 0x7d

/** TABLES[k × 256 + byte]: the checksum of a byte with k zero bytes behind it, k from 0 to 3. */
const TABLES = makeTables()

function makeTables(): Uint16Array {
  const tables = new Uint16Array(4 * 256)
  for (let i = 0; i < 256; i++) {
    let crc = i << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
    tables[i] = crc
  }
  for (let i = 256; i < tables.length; i++) {
    const crc = tables[i - 256]
    tables[i] = (crc << 8) ^ tables[crc >> 8]
  }
  return tables
}

/** The checksum continued by one byte. */
function step(crc: number, byte: number): number {
  return ((crc << 8) & 0xffff) ^ TABLES[(crc >> 8) ^ byte]
}

/** The checksum continued by four bytes, the first in the high bits: their tables are read side by side. */
function stepWord(crc: number, word: number): number {
  return (
    TABLES[768 + ((crc >>> 8) ^ (word >>> 24))] ^
    TABLES[512 + ((crc & 0xff) ^ ((word >>> 16) & 0xff))] ^
    TABLES[256 + ((word >>> 8) & 0xff)] ^
    TABLES[word & 0xff]
  )
}

/** The checksum of u8[from..to). */
export function crc16(u8: Uint8Array, from: number, to: number): number {
  let crc = 0
  for (let i = from; i < to; i++) crc = step(crc, u8[i])
  return crc
}

/** The cluster slot of a key: of its hash tag, the text between the first { and the next }, if that is not empty. */
export function keySlot(key: Slice): number {
  const { u8, dv } = key
  const end = key.off + key.len
  let at = key.off
  let crc = 0
  for (const words = end - 3; at < words; at += 4) {
    const word = dv.getInt32(at)
    // Zero bytes of x are braces; a byte behind one may seem to be one too.
    const x = word ^ 0x7b7b7b7b
    if (((x - 0x01010101) & ~x & 0x80808080) !== 0) return slotOfTag(key, at)
    crc = stepWord(crc, word)
  }
  for (; at < end; at++) {
    if (u8[at] === OPEN) return slotOfTag(key, at)
    crc = step(crc, u8[at])
  }
  return crc & (CLUSTER_SLOT_COUNT - 1)
}

/** The slot of a key whose first { is not before `from`. */
function slotOfTag({ u8, off, len }: Slice, from: number): number {
  const end = off + len
  let open = from
  while (open < end && u8[open] !== OPEN) open++
  let close = open + 1
  while (close < end && u8[close] !== CLOSE) close++
  const isTagged = close < end && close > open + 1
  return (isTagged ? crc16(u8, open + 1, close) : crc16(u8, off, end)) & (CLUSTER_SLOT_COUNT - 1)
}
