// CallWords: the words of commands that modules call, as arguments.
//
//   u8  [ words of the outer call | words of the call within it | free ]
//                                 ^mark                         ^pos
//
// Always: arguments are valid from put() to the end() of their call, whatever is called within it: a buffer that is too
// small is replaced, and the slices keep the old one. Long byte strings are not copied.

import { copyBytes } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import { BorrowedBytes } from './borrowed.ts'
import type { ModuleWord } from './definition.ts'
import { wordText } from './values.ts'

const START_BYTES = 4096
/** A larger buffer is dropped after the outermost call. */
const RETAIN_BYTES = 256 * 1024
const SHORT_MAX = 64
/** Byte strings of more bytes are used where they are. */
const COPY_MAX = 512
/** More slices than these are dropped after their call. */
const SLICES_MAX = 64
/** Of a char in UTF-8. */
const CHAR_BYTES_MAX = 3
const UTF8 = new TextEncoder()

export class CallWords {
  /** None before the first call. */
  private u8 = new Uint8Array(0)
  private dv = new DataView(this.u8.buffer)
  private pos = 0
  private depth = 0
  private readonly slices: Slice[][] = []

  /** Begins a call; every begin() is paired with end(), which takes what it returns. */
  begin(): number {
    if (this.slices.length === this.depth) this.slices.push([])
    this.depth++
    return this.pos
  }

  /** The arguments of the call that begin() began; there may be more slices than words. */
  put(words: readonly ModuleWord[]): Slice[] {
    const args = this.slices[this.depth - 1]
    while (args.length < words.length) args.push(new Slice())
    for (let i = 0; i < words.length; i++) {
      const word = words[i]
      if (word instanceof Uint8Array) this.putBytes(args[i], word)
      else if (word instanceof BorrowedBytes) this.putBorrowed(args[i], word.slice())
      else this.putText(args[i], wordText(word))
    }
    return args
  }

  end(mark: number, count: number): void {
    const args = this.slices[--this.depth]
    if (count > SLICES_MAX) args.length = 0
    for (let i = 0; i < args.length && i < count; i++) if (args[i].u8 !== this.u8) args[i].clear()
    this.pos = mark
    if (this.depth === 0 && this.u8.length > RETAIN_BYTES) this.replace(START_BYTES)
  }

  private putBytes(slice: Slice, bytes: Uint8Array): void {
    const { byteLength: length } = bytes
    if (length > COPY_MAX) {
      slice.set(bytes, new DataView(bytes.buffer, bytes.byteOffset, length), 0, length)
      return
    }
    this.reserve(length)
    const { u8, pos } = this
    if (length > SHORT_MAX) u8.set(bytes, pos)
    else for (let i = 0; i < length; i++) u8[pos + i] = bytes[i]
    this.pos += length
    slice.set(u8, this.dv, pos, length)
  }

  /** Always copied: what is called may take a long argument over, or move a key's string. */
  private putBorrowed(slice: Slice, { u8, dv, off, len }: Slice): void {
    this.reserve(len)
    const { pos } = this
    copyBytes(this.u8, this.dv, pos, u8, dv, off, len)
    this.pos += len
    slice.set(this.u8, this.dv, pos, len)
  }

  private putText(slice: Slice, text: string): void {
    this.reserve(text.length * CHAR_BYTES_MAX)
    const { u8, pos } = this
    const length = putAscii(u8, pos, text) ? text.length : UTF8.encodeInto(text, u8.subarray(pos)).written
    this.pos += length
    slice.set(u8, this.dv, pos, length)
  }

  private reserve(bytes: number): void {
    if (this.pos + bytes > this.u8.length) this.replace(Math.max(START_BYTES, 2 * this.u8.length, this.pos + bytes))
  }

  private replace(length: number): void {
    this.u8 = new Uint8Array(length)
    this.dv = new DataView(this.u8.buffer)
  }
}

/** Writes a short text of characters below 128; false for others. */
export function putAscii(u8: Uint8Array, pos: number, text: string): boolean {
  const { length } = text
  if (length > SHORT_MAX) return false
  for (let i = 0; i < length; i++) {
    const char = text.charCodeAt(i)
    if (char > 0x7f) return false
    u8[pos + i] = char
  }
  return true
}
