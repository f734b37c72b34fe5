// Slice: a byte string that refers to a part of another owner's buffer (a client's query buffer, an arena segment, a
// scratch area) without copying it. All byte strings are passed like this.
//
//   u8  [ ......| k e y |........ ]      dv is a DataView of the same bytes as u8
//               ^off    ^off+len
//
// Always: a slice is valid until the owner of the buffer reuses it (a command's arguments: until the command returns; a
// value in the arena: until the next write to the keyspace).

import { bytesOf, latin1Text } from './bytes.ts'

export class Slice {
  u8: Uint8Array
  dv: DataView
  off: number
  len: number

  constructor(u8: Uint8Array = EMPTY_U8, off = 0, len = 0, dv?: DataView) {
    this.u8 = u8
    this.dv = dv ?? (u8 === EMPTY_U8 ? EMPTY_DV : new DataView(u8.buffer, u8.byteOffset, u8.byteLength))
    this.off = off
    this.len = len
  }

  /** Points this slice at other bytes. */
  set(u8: Uint8Array, dv: DataView, off: number, len: number): this {
    this.u8 = u8
    this.dv = dv
    this.off = off
    this.len = len
    return this
  }

  /** Points this slice at the same bytes as `other`. */
  alias(other: Slice): this {
    return this.set(other.u8, other.dv, other.off, other.len)
  }

  /** Points this slice at nothing, so that it keeps no buffer. */
  clear(): void {
    this.set(EMPTY_U8, EMPTY_DV, 0, 0)
  }

  byte(i: number): number {
    return this.u8[this.off + i]
  }

  /** A copy of the bytes, independent of the owner. Allocates: not for the hot path. */
  copy(): Slice {
    return new Slice(this.u8.slice(this.off, this.off + this.len), 0, this.len)
  }

  /** The length up to the first NUL: that of a C string. */
  get cLength(): number {
    const end = this.off + this.len
    for (let at = this.off; at < end; at++) if (this.u8[at] === 0) return at - this.off
    return this.len
  }

  /** A view of the bytes. Allocates: not for the hot path. */
  view(): Uint8Array {
    return this.u8.subarray(this.off, this.off + this.len)
  }

  /** The bytes as a latin1 JavaScript string, one char per byte. Allocates: not for the hot path. */
  latin1(): string {
    return latin1Text(this.u8, this.off, this.off + this.len)
  }

  /** As latin1(), of the first `bytesMax` bytes alone: enough for a word that is looked up, or clipped in an error. */
  latin1Prefix(bytesMax: number): string {
    return latin1Text(this.u8, this.off, this.off + Math.min(this.len, bytesMax))
  }

  equals(other: Slice): boolean {
    if (this.len !== other.len) return false
    const a = this.dv
    const b = other.dv
    let i = this.off
    let j = other.off
    const end = i + this.len
    for (const words = end - (this.len & 3); i < words; i += 4, j += 4)
      if (a.getInt32(i, true) !== b.getInt32(j, true)) return false
    for (; i < end; i++, j++) if (a.getUint8(i) !== b.getUint8(j)) return false
    return true
  }

  /** A slice over the latin1 bytes of `text` (chars above 255 are not allowed). */
  static of(text: string): Slice {
    const u8 = bytesOf(text)
    return new Slice(u8, 0, u8.length)
  }

  /** A slice over the UTF-8 bytes of `text`. */
  static utf8(text: string): Slice {
    const u8 = new TextEncoder().encode(text)
    return new Slice(u8, 0, u8.length)
  }
}

const EMPTY_U8 = new Uint8Array(0)
const EMPTY_DV = new DataView(EMPTY_U8.buffer)

/** memcmp, then the shorter first: negative, zero or positive. */
export function compareBytes(a: Slice, b: Slice): number {
  const n = Math.min(a.len, b.len)
  const x = a.u8
  const y = b.u8
  let i = a.off
  let j = b.off
  for (const end = i + n; i < end; i++, j++) if (x[i] !== y[j]) return x[i] - y[j]
  return a.len - b.len
}
