// TextCache: names as JavaScript strings, without making the string of a name that was seen lately anew.
//
//   texts  [ news | – | user:17 | … ]     a name has one place, by its bytes; the last name that came there has it
//
// Always: what it returns is the latin1 text of the bytes; names beyond NAME_BYTES_MAX are not kept.

import type { Slice } from './slice.ts'

const PLACES = 256
const NAME_BYTES_MAX = 64

export class TextCache {
  private readonly texts: string[] = new Array(PLACES).fill('')

  /** The latin1 text of `name`. */
  textOf(name: Slice): string {
    const { len, off, u8 } = name
    if (len > NAME_BYTES_MAX) return name.latin1()
    let hash = len
    for (let at = off, end = off + len; at < end; at++) hash = (Math.imul(hash, 31) + u8[at]) | 0
    const place = (hash ^ (hash >>> 8)) & (PLACES - 1)
    const text = this.texts[place]
    if (text.length !== len) return (this.texts[place] = name.latin1())
    for (let i = 0; i < len; i++) if (text.charCodeAt(i) !== u8[off + i]) return (this.texts[place] = name.latin1())
    return text
  }
}
