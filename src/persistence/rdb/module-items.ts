// The items of modules' data in RDB files: skipped, and collected as bytes.
//
//   item   opcode as a length | SINT, UINT: a length | FLOAT: 4 bytes | DOUBLE: 8 bytes | STRING: a string
//
// Always: collected items are those before MODULE_EOF, byte by byte as the file has them.

import { MODULE_DOUBLE, MODULE_EOF, MODULE_FLOAT, MODULE_SINT, MODULE_STRING, MODULE_UINT } from './format.ts'
import type { RdbInput } from './input.ts'

const EMPTY = new Uint8Array(0)
/** A larger buffer is released after use. */
const KEPT_BYTES_MAX = 1 << 20

/** Skips one item; false at the end. */
function skipItem(input: RdbInput): boolean {
  switch (input.length()) {
    case MODULE_EOF:
      return false
    case MODULE_SINT:
    case MODULE_UINT:
      input.length()
      return true
    case MODULE_FLOAT:
      input.float()
      return true
    case MODULE_DOUBLE:
      input.double()
      return true
    case MODULE_STRING:
      input.skipString()
      return true
    default:
      return input.fail('Error reading module data')
  }
}

/** Skips all items up to the end; a repetition continues after the last. */
export function skipItems(input: RdbInput): void {
  do input.checkpoint = input.pos
  while (skipItem(input))
}

/** Collects the bytes of items as they arrive. */
export class ItemCollector {
  /** What they are of, for their owner: data of a module that belongs to no key. */
  of: { readonly idHigh: number; readonly idLow: number; readonly when: number } | undefined
  private u8: Uint8Array = EMPTY
  private length = 0

  begin(): void {
    this.length = 0
  }

  /** Takes items up to the end (true), or until input.pos has passed `until`. */
  step(input: RdbInput, until: number): boolean {
    for (;;) {
      input.checkpoint = input.pos
      if (input.pos > until) return false
      const from = input.pos
      if (!skipItem(input)) return true
      this.take(input.u8, from, input.pos)
    }
  }

  private take(u8: Uint8Array, from: number, to: number): void {
    const length = this.length + to - from
    if (length > this.u8.length) {
      const grown = new Uint8Array(Math.max(length, this.u8.length * 2, 64))
      grown.set(this.u8.subarray(0, this.length))
      this.u8 = grown
    }
    this.u8.set(u8.subarray(from, to), this.length)
    this.length = length
  }

  /** What was collected; valid until the next begin(). */
  bytes(): Uint8Array {
    return this.u8.subarray(0, this.length)
  }

  release(): void {
    if (this.u8.length > KEPT_BYTES_MAX) this.u8 = EMPTY
    this.length = 0
  }
}
