// Conversion between bytes and Lua strings, which are JavaScript strings with one char per byte.
//
// Always: chars are 0..255. Where the runtime has Buffer's latin1 methods, which accept any Uint8Array, they are used
// for all but the shortest strings: a call costs 20-50 ns at any small length.

interface Latin1Methods {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number
}

const native = (globalThis as { Buffer?: { prototype: Partial<Latin1Methods> } }).Buffer?.prototype
const nativeSlice = native?.latin1Slice
const nativeWrite = native?.latin1Write

const LOOP_CHARS_MAX = 12
const CHUNK = 4096

/** u8[from .. from + length) as a Lua string. */
export function stringOf(u8: Uint8Array, from: number, length: number): string {
  if (length === 0) return ''
  if (length === 1) return String.fromCharCode(u8[from])
  if (nativeSlice !== undefined) return nativeSlice.call(u8, from, from + length)
  let text = ''
  for (let at = from, end = from + length; at < end; at += CHUNK)
    text += String.fromCharCode.apply(null, u8.subarray(at, Math.min(end, at + CHUNK)) as unknown as number[])
  return text
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
