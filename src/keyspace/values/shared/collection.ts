// Collection: base of the objects that commands work with. One object serves many values: open() points it at the value
// of a key.
//
// Always: methods may move the value or change its encoding, so after a change the caller stores `encoding` and `value`
// back (Entries.setValue).

import type { Ref } from '../../../memory/arena.ts'

export abstract class Collection {
  encoding: number
  value: Ref = 0

  constructor(encoding: number) {
    this.encoding = encoding
  }

  open(encoding: number, value: Ref): this {
    this.encoding = encoding
    this.value = value
    return this
  }

  /** Number of elements. */
  abstract get length(): number
  /** Frees the value, which no key holds. */
  abstract discard(): void
}
