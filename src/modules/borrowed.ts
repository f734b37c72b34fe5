// BorrowedBytes: words of the running command, and strings of keys, as a module's command passes them on uncopied.
//
//   ctx.borrow(i)         ─▶ word i of the command     valid until the command returns or waits
//   ctx.keys.borrow(key)  ─▶ the entry of the key      the same, and until anything in the dataset changes
//
// Always: bytes that may have gone are not read: a use that is too late throws a TypeError.

import type { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { copyOf, utf8Text } from './bytes.ts'
import type { Borrowed } from './definition.ts'

/** A command, whose words are there while it is open. */
interface Command {
  readonly isOpen: boolean
}

/** Who has strings of keys. */
export interface Lender {
  /** The string in an entry, valid until the next call of this; undefined: it may have gone. */
  lent(entry: Ref, stamp: number): Slice | undefined
}

export class BorrowedBytes implements Borrowed {
  private readonly command: Command | undefined
  private readonly word: Slice | undefined
  private readonly lender: Lender | undefined
  private readonly entry: Ref
  private readonly stamp: number

  /** A word of a command, or the string in an entry. */
  constructor(command: Command | undefined, word: Slice | undefined, lender?: Lender, entry: Ref = 0, stamp = 0) {
    this.command = command
    this.word = word
    this.lender = lender
    this.entry = entry
    this.stamp = stamp
  }

  get isBorrowed(): true {
    return true
  }

  /** A word of the command: its slice stays while the command runs. */
  get isWord(): boolean {
    return this.word !== undefined
  }

  /** Undefined: the bytes may have gone. */
  find(): Slice | undefined {
    if (this.word === undefined) return this.lender!.lent(this.entry, this.stamp)
    return this.command!.isOpen ? this.word : undefined
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
    return this.word === undefined ? slice.copy() : slice
  }

  gone(): TypeError {
    return new TypeError(
      this.word === undefined
        ? 'a borrowed string has gone: a key has changed, or the command has returned'
        : 'the command has returned: its arguments are gone',
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
