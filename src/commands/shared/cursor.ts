// Cursors of SCAN and its like, as Redis reads them: strtoul's unsigned 64-bit integers.

import type { Context } from '../../engine/context.ts'
import { errorBytes } from '../../protocol/reply.ts'

const INVALID_CURSOR = errorBytes('ERR invalid cursor')
const CURSOR_TEXT = /^([+-]?[0-9]+)?$/
const CURSOR_MAX = 0xffffffffffffffffn

/** The low 32 bits of the cursor in args[i], which is all that our tables need of it; NaN after an error reply. */
export function cursorOrReply(ctx: Context, i: number): number {
  const text = ctx.args[i].latin1()
  if (CURSOR_TEXT.test(text)) {
    const cursor = BigInt(text.replace('+', ''))
    if (cursor <= CURSOR_MAX && cursor >= -CURSOR_MAX) return Number(BigInt.asUintN(32, cursor))
  }
  ctx.reply.fixedError(INVALID_CURSOR)
  return Number.NaN
}
