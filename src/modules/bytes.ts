// Copies and texts of bytes for modules. Short ones are handled byte by byte: a view costs more than they do.

import { latin1Text } from '../lib/bytes.ts'
import type { Slice } from '../lib/slice.ts'

/** Of bytes that are looked at one by one. */
const SMALL_BYTES = 64
const DECODER = new TextDecoder()

export function copyOf({ u8, off, len }: Slice): Uint8Array {
  if (len > SMALL_BYTES) return u8.slice(off, off + len)
  const copy = new Uint8Array(len)
  for (let i = 0; i < len; i++) copy[i] = u8[off + i]
  return copy
}

/** The text of UTF-8 bytes. */
export function utf8Text(u8: Uint8Array, start: number, end: number): string {
  if (end - start > SMALL_BYTES) return DECODER.decode(u8.subarray(start, end))
  for (let at = start; at < end; at++) if (u8[at] > 0x7f) return DECODER.decode(u8.subarray(start, end))
  return latin1Text(u8, start, end)
}
