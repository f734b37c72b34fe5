// CommandReader: finds the commands of an append-only file in a window of its bytes, as redis-server reads them.
//
//   *2\r\n $3\r\n DEL\r\n $1\r\n k\r\n        #TS:1700000000\r\n
//            ^args[0]       ^args[1]
//
// Lines end in LF, and their numbers are read as by atoi: what follows the digits counts for nothing. Of the two bytes
// behind an argument nothing is asked but that they are there. A file is refused where redis-server refuses it.
//
// Always: the bytes are never written to; args[0 .. argc) point into them; INCOMPLETE leaves `pos` at the start of the
// command.

import { CR, DOLLAR, LF, MINUS, PLUS, STAR, ZERO } from '../../lib/ascii.ts'
import { Slice } from '../../lib/slice.ts'
import { isDigit, isSpace } from '../../lib/strtod.ts'
import { HASH } from './format.ts'

export const INCOMPLETE = 0
export const COMMAND = 1
export const ANNOTATION = 2
export const MALFORMED = 3

/** A longer line is read as several. */
const LINE_BYTES_MAX = 1023
const INT_MAX = 2 ** 31 - 1
/** $0, LF and two bytes. */
const ARGUMENT_BYTES_MIN = 5

export class CommandReader {
  readonly args: Slice[] = []
  argc = 0
  /** After a command or an annotation: the first byte behind it. */
  pos = 0
  /** After INCOMPLETE: minimal length of the command; 0: not known. */
  bytesNeeded = 0

  /** Reads from u8[pos .. end); `isLast`: nothing follows, and the last line needs no LF. */
  read(u8: Uint8Array, dv: DataView, pos: number, end: number, isLast: boolean): number {
    this.bytesNeeded = 0
    this.argc = 0
    this.pos = pos
    if (pos === end) return INCOMPLETE
    let at = lineEnd(u8, pos, end, isLast)
    const mark = u8[pos]
    if (mark !== STAR && mark !== HASH) return MALFORMED
    if (at < 0) return INCOMPLETE
    if (mark === HASH) {
      // A torn one must not take what is appended behind it.
      if (at === end && u8[at - 1] !== LF) return INCOMPLETE
      this.pos = at
      return ANNOTATION
    }
    if (at === pos + 1) return INCOMPLETE
    const count = numberAt(u8, pos + 1, at)
    if (count < 1) return MALFORMED
    for (let i = 0; i < count; i++) {
      this.bytesNeeded = at - pos + (count - i) * ARGUMENT_BYTES_MIN
      if (at === end) return INCOMPLETE
      if (u8[at] !== DOLLAR) return MALFORMED
      let length = 0
      let from = at + 1
      for (let digit = u8[from] - ZERO; from < end && digit >= 0 && digit <= 9; digit = u8[++from] - ZERO)
        length = length * 10 + digit
      if (from + 2 <= end && from > at + 1 && length <= INT_MAX && u8[from] === CR && u8[from + 1] === LF) from += 2
      else {
        // Not as redis-server writes it, or not all there.
        from = lineEnd(u8, at, end, isLast)
        if (from < 0) return INCOMPLETE
        length = numberAt(u8, at + 1, from)
        if (length < 0) return MALFORMED
      }
      at = from + length + 2
      if (at > end) {
        this.bytesNeeded = at - pos + (count - i - 1) * ARGUMENT_BYTES_MIN
        return INCOMPLETE
      }
      if (i === this.args.length) this.args.push(new Slice())
      this.args[i].set(u8, dv, from, length)
    }
    this.argc = count
    this.pos = at
    return COMMAND
  }
}

/** The first byte behind the line at `at`, or -1 if its end is not there yet. */
function lineEnd(u8: Uint8Array, at: number, end: number, isLast: boolean): number {
  const longest = Math.min(end, at + LINE_BYTES_MAX)
  for (let i = at; i < longest; i++) if (u8[i] === LF) return i + 1
  return isLast || longest === at + LINE_BYTES_MAX ? longest : -1
}

/** atoi: blanks, a sign, digits; 0 without any, and clamped. */
function numberAt(u8: Uint8Array, at: number, end: number): number {
  while (at < end && isSpace(u8[at])) at++
  const isNegative = at < end && u8[at] === MINUS
  if (isNegative || (at < end && u8[at] === PLUS)) at++
  let n = 0
  for (; at < end && isDigit(u8[at]); at++) n = Math.min(INT_MAX, n * 10 + u8[at] - ZERO)
  return isNegative ? -n : n
}
