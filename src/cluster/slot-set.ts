// SlotSet: the slots of one node.
//
//   bitmap of all slots  [ 0 … 0 | bytes | 0 … 0 ]      bytes: from byte `first` of the bitmap on
//
// A node of a large cluster has a few slots side by side: it keeps the bytes from the first to the last of them, and a
// few free ones, rather than two kilobytes for each node that it knows.

import { BITMAP_BYTES, clearBit, hasBit, rangesText, setBit } from './bitmap.ts'

const NO_BYTES = new Uint8Array(0)

export class SlotSet {
  count = 0
  private bytes = NO_BYTES
  private first = 0
  /** rangesText() of the slots; undefined: not computed since they changed. */
  private text: string | undefined = ''

  has(slot: number): boolean {
    const at = slot - this.first * 8
    return at >= 0 && at < this.bytes.length * 8 && hasBit(this.bytes, at)
  }

  add(slot: number): void {
    this.reach(slot >> 3)
    setBit(this.bytes, slot - this.first * 8)
    this.count++
    this.text = undefined
  }

  delete(slot: number): void {
    clearBit(this.bytes, slot - this.first * 8)
    this.count--
    this.text = undefined
    if (this.count === 0) this.bytes = NO_BYTES
  }

  /** Makes a place for that byte of the bitmap; twice the bytes at least, so that slots can be added one by one. */
  private reach(at: number): void {
    const { bytes, first } = this
    const end = first + bytes.length
    if (at >= first && at < end) return
    const isEmpty = bytes.length === 0
    let from = isEmpty ? at : Math.min(first, at)
    let to = isEmpty ? at + 1 : Math.max(end, at + 1)
    if (!isEmpty && at < first) from = Math.max(0, Math.min(from, first - bytes.length))
    else if (!isEmpty) to = Math.min(BITMAP_BYTES, Math.max(to, end + bytes.length))
    this.bytes = new Uint8Array(to - from)
    if (!isEmpty) this.bytes.set(bytes, first - from)
    this.first = from
  }

  /** These are the slots of the bitmap at bytes[at], and no others. */
  equals(bytes: DataView, at: number): boolean {
    const { bytes: own, first } = this
    const end = first + own.length
    if (!isZero(bytes, at, at + first) || !isZero(bytes, at + end, at + BITMAP_BYTES)) return false
    for (let i = 0; i < own.length; i++) if (bytes.getUint8(at + first + i) !== own[i]) return false
    return true
  }

  /** Writes the bitmap to u8[at], where all bits are clear. */
  copyTo(u8: Uint8Array, at: number): void {
    u8.set(this.bytes, at + this.first)
  }

  /** A bitmap of its own. */
  get bitmap(): Uint8Array {
    const bitmap = new Uint8Array(BITMAP_BYTES)
    this.copyTo(bitmap, 0)
    return bitmap
  }

  /** '0-100 200' */
  get ranges(): string {
    this.text ??= rangesText(this.bitmap)
    return this.text
  }
}

function isZero(bytes: DataView, from: number, to: number): boolean {
  let at = from
  for (; at + 4 <= to; at += 4) if (bytes.getInt32(at) !== 0) return false
  for (; at < to; at++) if (bytes.getUint8(at) !== 0) return false
  return true
}

/** Of a node without slots: nobody changes it. */
export const NO_SLOTS = new SlotSet()
