// Copying between buffers. The fastest way depends on the length: words for short runs (no call into the runtime),
// copyWithin inside one buffer (12-20 ns at any small size), set(subarray) for the rest.
//
// Always: copyBytes() is so short that the runtimes inline it, in every argument and reply: what is longer is apart.
// Offsets become 32-bit integers first (no buffer has 4 GiB): JavaScriptCore stops inlining a DataView's methods after
// an offset that it represents as a double, and then every caller of copyBytes() is several times as slow.

import type { Slice } from './slice.ts'

/** Copied where copyBytes() is called. */
const SHORT_MAX = 64
const WORDS_MAX = 192
/** Arguments of one call: far below any runtime's limit. */
const CHARS_AT_ONCE = 4096
/** Longer texts are written by the runtime: 50 to 80 ns at any small length, beside 4 ns a char. */
const WRITTEN_HERE_MAX = 20
/**
 * Buffer's latin1Slice accepts any Uint8Array and takes 30 ns at any small length; String.fromCharCode takes 120 to
 * 200. Other runtimes have none.
 */
const native = (globalThis as { Buffer?: { prototype: Latin1Methods } }).Buffer?.prototype
interface Latin1Methods {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number
}

/**
 * Copies `len` bytes from (from, fromDv) at `fromAt` to (to, toDv) at `toAt`. The views of a pair cover the same
 * bytes.
 */
export function copyBytes(
  to: Uint8Array,
  toDv: DataView,
  toAt: number,
  from: Uint8Array,
  fromDv: DataView,
  fromAt: number,
  len: number,
): void {
  if (len > SHORT_MAX || to === from) return copyLong(to, toDv, toAt, from, fromDv, fromAt, len)
  toAt >>>= 0
  fromAt >>>= 0
  len >>>= 0
  const words = fromAt + (len & ~3)
  for (; fromAt < words; fromAt += 4, toAt += 4) toDv.setInt32(toAt, fromDv.getInt32(fromAt, true), true)
  for (const end = fromAt + (len & 3); fromAt < end; fromAt++, toAt++) to[toAt] = from[fromAt]
}

/** copyBytes() for long runs, and inside one buffer. */
function copyLong(
  to: Uint8Array,
  toDv: DataView,
  toAt: number,
  from: Uint8Array,
  fromDv: DataView,
  fromAt: number,
  len: number,
): void {
  if (to === from) {
    to.copyWithin(toAt, fromAt, fromAt + len)
    return
  }
  if (len > WORDS_MAX) {
    to.set(from.subarray(fromAt, fromAt + len), toAt)
    return
  }
  toAt >>>= 0
  fromAt >>>= 0
  len >>>= 0
  for (const end = fromAt + (len & ~15); fromAt < end; fromAt += 16, toAt += 16) {
    toDv.setInt32(toAt, fromDv.getInt32(fromAt, true), true)
    toDv.setInt32(toAt + 4, fromDv.getInt32(fromAt + 4, true), true)
    toDv.setInt32(toAt + 8, fromDv.getInt32(fromAt + 8, true), true)
    toDv.setInt32(toAt + 12, fromDv.getInt32(fromAt + 12, true), true)
  }
  for (const end = fromAt + (len & 12); fromAt < end; fromAt += 4, toAt += 4)
    toDv.setInt32(toAt, fromDv.getInt32(fromAt, true), true)
  for (const end = fromAt + (len & 3); fromAt < end; fromAt++, toAt++) to[toAt] = from[fromAt]
}

/** Copies the bytes of `s` to (to, toDv) at `toAt`. */
export function copySlice(to: Uint8Array, toDv: DataView, toAt: number, s: Slice): void {
  copyBytes(to, toDv, toAt, s.u8, s.dv, s.off, s.len)
}

/** Adds `bytes` at the end of `list`; where they lie behind the last ones, as one view with those. */
export function pushAdjacent(list: Uint8Array[], bytes: Uint8Array): void {
  const end = list.length - 1
  const last = list[end]
  const isAdjacent = end >= 0 && last.byteOffset + last.length === bytes.byteOffset && last.buffer === bytes.buffer
  if (isAdjacent) list[end] = new Uint8Array(bytes.buffer, last.byteOffset, last.length + bytes.length)
  else list.push(bytes)
}

/** A view of the same bytes. */
export function viewOf(u8: Uint8Array): DataView {
  return new DataView(u8.buffer, u8.byteOffset, u8.length)
}

/** The latin1 bytes of `text`. */
export function bytesOf(text: string): Uint8Array {
  const u8 = new Uint8Array(text.length)
  writeLatin1(u8, 0, text)
  return u8
}

/** Writes the latin1 bytes of `text` at u8[at]; the caller ensures that they fit. */
export function writeLatin1(u8: Uint8Array, at: number, text: string): void {
  const { length } = text
  if (length > WRITTEN_HERE_MAX && native !== undefined) native.latin1Write.call(u8, text, at, length)
  else for (let i = 0; i < length; i++) u8[at + i] = text.charCodeAt(i)
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Two hexadecimal digits for each byte. */
export function hexOf(u8: Uint8Array): string {
  let text = ''
  for (let i = 0; i < u8.length; i++) text += HEX[u8[i]]
  return text
}

/** u8[from .. to) as text of one char a byte. */
export function latin1Text(u8: Uint8Array, from = 0, to: number = u8.length): string {
  if (native !== undefined) return native.latin1Slice.call(u8, from, to)
  let text = ''
  for (let at = from; at < to; at += CHARS_AT_ONCE)
    text += String.fromCharCode.apply(null, u8.subarray(at, Math.min(to, at + CHARS_AT_ONCE)) as unknown as number[])
  return text
}

/** Case-insensitive equality; `lower` is lower case. */
export function equalsNoCase(s: Slice, lower: string): boolean {
  if (s.len !== lower.length) return false
  for (let i = 0; i < s.len; i++) {
    let c = s.u8[s.off + i]
    if (c >= 65 && c <= 90) c |= 32
    if (c !== lower.charCodeAt(i)) return false
  }
  return true
}

/** Whether releaseBuffer() frees it at once. */
export function isReleasable(buffer: ArrayBufferLike): boolean {
  return 'transfer' in buffer
}

/**
 * Frees the memory of a buffer that nobody uses any more, at once where the runtime can; otherwise the collector does
 * later. Returns the bytes that are left to it.
 */
export function releaseBuffer(buffer: ArrayBufferLike): number {
  const { byteLength } = buffer
  const { transfer } = buffer as { transfer?: (bytes: number) => ArrayBuffer }
  // A released buffer has no bytes left.
  if (transfer === undefined || byteLength === 0) return byteLength
  transfer.call(buffer, 0)
  return 0
}
