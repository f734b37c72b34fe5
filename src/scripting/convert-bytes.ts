// Conversion between bytes and Lua strings, which are JavaScript strings with one char per byte.
//
// Always: chars are 0..255. Where the runtime has Buffer's latin1Write, which accepts any Uint8Array, it is used
// for all but the shortest strings: a call costs 20-50 ns at any small length.

import { latin1Text } from '../lib/bytes.ts'

interface Latin1Methods {
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number
}

const native = (globalThis as { Buffer?: { prototype: Partial<Latin1Methods> } }).Buffer?.prototype
const nativeWrite = native?.latin1Write

const LOOP_CHARS_MAX = 12

/** u8[from .. from + length) as a Lua string. */
export function stringOf(u8: Uint8Array, from: number, length: number): string {
  if (length === 0) return ''
  if (length === 1) return String.fromCharCode(u8[from])
  return latin1Text(u8, from, from + length)
}

/** Writes a Lua string at u8[at]; the caller ensures the capacity. */
export function writeString(u8: Uint8Array, at: number, text: string): void {
  const length = text.length
  if (length > LOOP_CHARS_MAX && nativeWrite !== undefined) {
    nativeWrite.call(u8, text, at, length)
    return
  }
  for (let i = 0; i < length; i++) u8[at + i] = text.charCodeAt(i)
}
