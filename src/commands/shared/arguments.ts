// Argument readers shared by several groups of commands.

import type { Context } from '../../engine/context.ts'
import type { Slice } from '../../lib/slice.ts'
import { cText } from '../../lib/text.ts'
import { NOT_AN_INTEGER, OUT_OF_RANGE, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'

const OUTSIDE_INT32 = errorBytes('ERR value is out of range, value must between -2147483648 and 2147483647')

/** args[i] as a 32-bit integer, or NaN after an error reply; `error` replaces both error texts. */
export function int32OrReply(ctx: Context, i: number, error?: Uint8Array): number {
  const n = ctx.longOrReply(i, error ?? NOT_AN_INTEGER)
  if (Number.isNaN(n) || (n >= -0x80000000 && n <= 0x7fffffff)) return n
  ctx.reply.fixedError(error ?? OUTSIDE_INT32)
  return Number.NaN
}

const OUTSIDE_SYMMETRIC = errorBytes(
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
)
const INT64_MIN_TEXT = '-9223372036854775808'

/** Context.longOrReply() without the smallest integer, whose negation overflows. */
export function symmetricLongOrReply(ctx: Context, i: number): number {
  const n = ctx.longOrReply(i)
  if (n > -(2 ** 63) || ctx.args[i].latin1Prefix(INT64_MIN_TEXT.length + 1) !== INT64_MIN_TEXT) return n
  ctx.reply.fixedError(OUTSIDE_SYMMETRIC)
  return Number.NaN
}

/** Redis clips names of subcommands and categories here. */
export const ERROR_NAME_BYTES_MAX = 128

/** A word in an error text, clipped at `bytesMax`: a C string, which ends at its first NUL. */
export function errorText(s: Slice, bytesMax = s.len): string {
  return cText(s.latin1Prefix(bytesMax))
}

/** Error reply of a container's subcommand for unknown options, or for too many. */
export function replySubcommandError(ctx: Context): void {
  const container = errorText(ctx.args[0]).toUpperCase()
  const sub = errorText(ctx.args[1], ERROR_NAME_BYTES_MAX)
  ctx.reply.error(`ERR unknown subcommand or wrong number of arguments for '${sub}'. Try ${container} HELP.`)
}

/** `count [word]` of HRANDFIELD and ZRANDMEMBER, from args[2] on: the count, or NaN after an error reply. */
export function randomCountOrReply(ctx: Context, word: string): number {
  const { args, argc, reply } = ctx
  const count = symmetricLongOrReply(ctx, 2)
  if (Number.isNaN(count)) return count
  if (argc > 4 || (argc === 4 && !ctx.is(3, word))) reply.fixedError(SYNTAX)
  else if (argc === 4 && exceedsHalfLong(args[2], count)) reply.fixedError(OUT_OF_RANGE)
  else return count
  return Number.NaN
}

/** Whether twice a valid count, of which `count` is the nearest number, has no int64 with its sign changed. */
function exceedsHalfLong(argument: Slice, count: number): boolean {
  if (Math.abs(count) < HALF_LONG) return false
  const exact = BigInt(argument.latin1())
  return exact > HALF_LONG_MAX || exact < -HALF_LONG_MAX
}

const HALF_LONG = 2 ** 62
const HALF_LONG_MAX = 2n ** 62n - 1n
