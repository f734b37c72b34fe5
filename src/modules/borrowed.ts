// BorrowedBytes: words of the running command, and strings of keys, as a module's command passes them on uncopied.
//
//   ctx.borrow(i)         ─▶ word i of the command     valid until the command returns or waits
//   ctx.keys.borrow(key)  ─▶ the entry of the key      the same, and until anything in the dataset changes
//
// Always: bytes that may have gone are not read: a use that is too late throws a TypeError.

import type { Slice } from '../lib/slice.ts'
import { copyOf, utf8Text } from './bytes.ts'
import type { Borrowed } from './definition.ts'

/** Stamp of a word: it stays what it is while its command is open. */
const WORD = -1

/** Who has the bytes. */
export interface Lender {
  /** The string in an entry, or a word, valid until the next call of this; undefined: it may have gone. */
  lent(at: number, stamp: number): Slice | undefined
}

export class BorrowedBytes implements Borrowed {
  private readonly lender: Lender
  private readonly at: number
  private readonly stamp: number

  /** The string in an entry, or a word of a command. */
  constructor(lender: Lender, at: number, stamp = WORD) {
    this.lender = lender
    this.at = at
    this.stamp = stamp
  }

  get isBorrowed(): true {
    return true
  }

  /** A word of the command: its slice stays while the command runs. */
  get isWord(): boolean {
    return this.stamp === WORD
  }

  /** Undefined: the bytes may have gone. */
  find(): Slice | undefined {
    return this.lender.lent(this.at, this.stamp)
  }

  /** Throws a TypeError when the bytes may have gone. */
  slice(): Slice {
    const slice = this.find()
    if (slice === undefined) throw this.gone()
    return slice
  }

  /** As slice(), and no change of the dataset moves it. */
  stable(): Slice {
    const slice = this.slice()
    return this.isWord ? slice : slice.copy()
  }

  gone(): TypeError {
    return new TypeError(
      this.isWord
        ? 'the command has returned: its arguments are gone'
        : 'a borrowed string has gone: a key has changed, or the command has returned',
    )
  }

  get length(): number {
    return this.slice().len
  }

  bytes(): Uint8Array {
    return copyOf(this.slice())
  }

  text(): string {
    const { u8, off, len } = this.slice()
    return utf8Text(u8, off, off + len)
  }
}
