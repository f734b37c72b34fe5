// Conversion between bytes and Lua strings, which are JavaScript strings with one char per byte.
//
// Always: chars are 0..255.

import { latin1Text } from '../lib/bytes.ts'

/** u8[from .. from + length) as a Lua string. */
export function stringOf(u8: Uint8Array, from: number, length: number): string {
  if (length === 0) return ''
  if (length === 1) return String.fromCharCode(u8[from])
  return latin1Text(u8, from, from + length)
}
