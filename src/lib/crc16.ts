// CRC16-CCITT (XMODEM: polynomial 0x1021, start 0) and the cluster slot computed from it.

import type { Slice } from './slice.ts'

export const CLUSTER_SLOT_COUNT = 16384

const TABLE = makeTable()

function makeTable(): Uint16Array {
  const table = new Uint16Array(256)
  for (let i = 0; i < 256; i++) {
    let crc = i << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
    table[i] = crc
  }
  return table
}

/** The checksum of u8[from..to). */
export function crc16(u8: Uint8Array, from: number, to: number): number {
  let crc = 0
  for (let i = from; i < to; i++) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ u8[i]]
  return crc
}

/** The cluster slot of a key: of its hash tag, the text between the first { and the next }, if that is not empty. */
export function keySlot(key: Slice): number {
  const u8 = key.u8
  const end = key.off + key.len
  let open = key.off
  while (open < end && u8[open] !== 0x7b) open++
  let close = open + 1
  while (close < end && u8[close] !== 0x7d) close++
  const tagged = close < end && close > open + 1
  return (tagged ? crc16(u8, open + 1, close) : crc16(u8, key.off, end)) & (CLUSTER_SLOT_COUNT - 1)
}
