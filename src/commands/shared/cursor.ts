// Cursors of SCAN, SSCAN, HSCAN and ZSCAN, read as by strtoul: unsigned 64-bit integers in C strings.

import type { Context } from '../../engine/context.ts'
import { MINUS, PLUS, ZERO } from '../../lib/ascii.ts'
import { isDigit } from '../../lib/strtod.ts'
import { errorBytes } from '../../protocol/reply.ts'

const INVALID_CURSOR = errorBytes('ERR invalid cursor')
const CURSOR_DIGITS_MAX = 20
/** Numbers of so many digits are exact as doubles. */
const EXACT_DIGITS_MAX = 15
const CURSOR_MAX = 0xffffffffffffffffn

/**
 * The low `bits` of the cursor in args[i]: 32 are enough for one table, a database in slots needs 14 more. NaN after an
 * error reply.
 */
export function cursorOrReply(ctx: Context, i: number, bits = 32): number {
  const s = ctx.args[i]
  const length = s.cLength
  const sign = length === 0 ? 0 : s.byte(0)
  let at = sign === PLUS || sign === MINUS ? 1 : 0
  let isCursor = at === 0 || length > 1
  while (at < length && s.byte(at) === ZERO) at++
  if (isCursor && sign !== MINUS && length - at <= EXACT_DIGITS_MAX) {
    let cursor = 0
    for (; at < length && isDigit(s.byte(at)); at++) cursor = cursor * 10 + s.byte(at) - ZERO
    if (at === length) return cursor % 2 ** bits
  } else if (length - at <= CURSOR_DIGITS_MAX) {
    let digits = ''
    for (; at < length && isDigit(s.byte(at)); at++) digits += String.fromCharCode(s.byte(at))
    const cursor = BigInt(digits)
    isCursor &&= at === length && cursor <= CURSOR_MAX
    if (isCursor) return Number(BigInt.asUintN(bits, sign === MINUS ? -cursor : cursor))
  }
  ctx.reply.fixedError(INVALID_CURSOR)
  return Number.NaN
}
