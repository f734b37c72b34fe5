// The sum of INCRBYFLOAT and HINCRBYFLOAT.

import type { Context } from '../../engine/context.ts'
import { addLongDoubles, formatLongDouble, parseLongDouble } from '../../lib/longdouble.ts'
import { Slice } from '../../lib/slice.ts'
import { FLOAT_OVERFLOW, NOT_A_FLOAT } from '../../protocol/errors.ts'

const NOTHING = Slice.of('0')

/**
 * The value (0 where there is none) and the increment as one number, valid until the next sum; undefined after an error
 * reply, `notAFloat` when the value is no number.
 */
export function floatSumOrReply(
  ctx: Context,
  value: Slice | undefined,
  increment: Slice,
  notAFloat: Uint8Array,
): Slice | undefined {
  const { sum } = ctx.db.strings
  const text = value ?? NOTHING
  if (sum.add(text, increment)) return sum.text
  const a = parseLongDouble(text)
  const b = a && parseLongDouble(increment)
  if (a === undefined) ctx.reply.fixedError(notAFloat)
  else if (b === undefined) ctx.reply.fixedError(NOT_A_FLOAT)
  else {
    const after = addLongDoubles(a, b)
    if (after !== undefined) return Slice.of(formatLongDouble(after))
    ctx.reply.fixedError(FLOAT_OVERFLOW)
  }
  return undefined
}
