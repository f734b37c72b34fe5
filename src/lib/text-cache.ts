// TextCache: a cache of names as JavaScript strings, so that a recent name allocates no string.
//
//   texts   [ news | – | user:17 | … ]     direct-mapped by the hash of the bytes
//   bytes   [ n e w s . . | . . . | … ]     NAME_BYTES_MAX per slot
//
// Always: it returns the latin1 text of the bytes; names longer than NAME_BYTES_MAX are not cached.

import type { Slice } from './slice.ts'

const PLACES = 256
const NAME_BYTES_MAX = 64
const FACTOR = 0x9e3779b1

export class TextCache {
  private readonly texts: string[] = new Array(PLACES).fill('')
  /** Made for the first name. */
  private bytes = new DataView(new ArrayBuffer(0))

  /** The latin1 text of `name`. */
  textOf(name: Slice): string {
    const { len, off, dv, u8 } = name
    if (len > NAME_BYTES_MAX) return name.latin1()
    const words = off + (len & ~3)
    const end = off + len
    let hash = len
    for (let at = off; at < words; at += 4) hash = Math.imul(hash ^ dv.getInt32(at, true), FACTOR)
    for (let at = words; at < end; at++) hash = Math.imul(hash ^ u8[at], FACTOR)
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
    const { bytes } = this
    let to = place * NAME_BYTES_MAX
    let at = this.texts[place].length === len ? off : end + 1
    for (; at < words && dv.getInt32(at, true) === bytes.getInt32(to, true); at += 4) to += 4
    if (at >= words) for (; at < end && u8[at] === bytes.getUint8(to); at++) to++
    return at === end ? this.texts[place] : this.keep(name, place)
  }

  private keep(name: Slice, place: number): string {
    if (this.bytes.byteLength === 0) this.bytes = new DataView(new ArrayBuffer(PLACES * NAME_BYTES_MAX))
    const at = place * NAME_BYTES_MAX
    for (let i = 0; i < name.len; i++) this.bytes.setUint8(at + i, name.byte(i))
    return (this.texts[place] = name.latin1())
  }
}
