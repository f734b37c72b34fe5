// NameIndex: finds a command by the bytes of its name, in any case, in a few nanoseconds and without allocating.
// Open addressing, linear probing, at most a quarter full; names are few and never removed (rebuild instead).
//
//   name   c l i e n t          head = first four bytes, tail = last four bytes, as little-endian words with the
//          [head ]              lower-case bit set in every byte; they overlap in names of 4 to 7 bytes.
//              [tail ]          Names below four bytes: all of them packed into head, tail = 0.
//
//   slots  [ 0 | 3 | 0 | 1 | ... ]      0: free, n: values[n - 1], whose heads, tails and lengths must match
//
// Always: a name of up to eight letters is decided by head, tail and length: only a letter turns into that letter
// when the lower-case bit is set. Other bytes ('-', digits) share their word with a control byte, so such names, and
// long ones, are compared byte by byte.

import type { Slice } from '../../lib/slice.ts'

const LOWER = 0x20202020

export class NameIndex<T> {
  private readonly values: (T | undefined)[]
  /** Makes the value of a name that is asked for first. */
  private readonly make: ((i: number) => T) | undefined
  private readonly names: Uint8Array[]
  private readonly heads: Int32Array
  private readonly tails: Int32Array
  /** Length of the name if head, tail and it decide; 0 if bytes must be compared. */
  private readonly decided: Uint8Array
  private readonly slots: Int32Array
  private readonly mask: number

  /** `like`: an index of the same names in the same order, whose tables are shared. */
  constructor(
    entries: Iterable<readonly [name: Slice, value: T]>,
    like?: { index: NameIndex<unknown>; make: (i: number) => T },
  ) {
    this.make = like?.make
    if (like !== undefined) {
      const { index } = like
      this.values = Array.from({ length: index.size }, () => undefined)
      this.names = index.names
      this.mask = index.mask
      this.slots = index.slots
      this.heads = index.heads
      this.tails = index.tails
      this.decided = index.decided
      return
    }
    this.values = []
    this.names = []
    const all = [...entries]
    let size = 8
    while (size < all.length * 4) size *= 2
    this.mask = size - 1
    this.slots = new Int32Array(size)
    this.heads = new Int32Array(all.length)
    this.tails = new Int32Array(all.length)
    this.decided = new Uint8Array(all.length)
    for (const [name, value] of all) this.add(name, value)
  }

  /** An index of the same names for other values, made when they are asked for. */
  withValues<U>(make: (i: number) => U): NameIndex<U> {
    return new NameIndex<U>([], { index: this, make })
  }

  get size(): number {
    return this.values.length
  }

  find(name: Slice): T | undefined {
    const len = name.len
    const head = headOf(name)
    const tail = len < 4 ? 0 : name.dv.getInt32(name.off + len - 4, true) | LOWER
    for (let slot = this.slotOf(head, tail, len); this.slots[slot] !== 0; slot = (slot + 1) & this.mask) {
      const i = this.slots[slot] - 1
      if (this.heads[i] !== head || this.tails[i] !== tail) continue
      if (this.decided[i] === len || sameName(name, this.names[i])) return this.values[i] ?? this.made(i)
    }
    return undefined
  }

  private made(i: number): T | undefined {
    this.values[i] = this.make?.(i)
    return this.values[i]
  }

  private add(name: Slice, value: T): void {
    const i = this.values.length
    this.values.push(value)
    this.names.push(lowered(name))
    this.heads[i] = headOf(name)
    this.tails[i] = name.len < 4 ? 0 : name.dv.getInt32(name.off + name.len - 4, true) | LOWER
    this.decided[i] = name.len <= 8 && name.view().every(isLetter) ? name.len : 0
    let slot = this.slotOf(this.heads[i], this.tails[i], name.len)
    while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask
    this.slots[slot] = i + 1
  }

  private slotOf(head: number, tail: number, len: number): number {
    const h = Math.imul(head, 0x9e3779b1) ^ Math.imul(tail + len, 0x85ebca6b)
    return (h ^ (h >>> 15)) & this.mask
  }
}

function headOf(name: Slice): number {
  if (name.len >= 4) return name.dv.getInt32(name.off, true) | LOWER
  let head = name.len
  for (let i = 0; i < name.len; i++) head = (head << 8) | (name.u8[name.off + i] | 0x20)
  return head
}

/** Compares all bytes; the second is lower case already. */
function sameName(name: Slice, lowerName: Uint8Array): boolean {
  const len = name.len
  if (len !== lowerName.length) return false
  const u8 = name.u8
  for (let i = 0, at = name.off; i < len; i++, at++) {
    const byte = u8[at]
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== lowerName[i]) return false
  }
  return true
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
}

function lowered(name: Slice): Uint8Array {
  return name.copy().u8.map(byte => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte))
}
