// Expiry times as commands take them: seconds or milliseconds, from now or since 1970, all kept as milliseconds since
// 1970.

import type { Context } from '../../engine/context.ts'
import type { Options } from '../../engine/options.ts'
import { INT64_MAX } from '../../lib/number.ts'
import { NOT_AN_INTEGER } from '../../protocol/errors.ts'

/** How many milliseconds one unit of the argument is, and whether it counts from now. */
export interface TimeUnit {
  readonly ms: 1 | 1000
  readonly fromNow: boolean
}

export const EX: TimeUnit = { ms: 1000, fromNow: true }
export const PX: TimeUnit = { ms: 1, fromNow: true }
export const EXAT: TimeUnit = { ms: 1000, fromNow: false }
export const PXAT: TimeUnit = { ms: 1, fromNow: false }

/** When args[i] says a key expires, in milliseconds since 1970: later than 1970, or NaN after an error reply. */
export function expireTimeOrReply(ctx: Context, i: number, unit: TimeUnit): number {
  const time = ctx.longOrReply(i, NOT_AN_INTEGER)
  if (Number.isNaN(time)) return time
  return time <= 0 ? invalidExpireTime(ctx) : absoluteOrReply(ctx, i, time, unit)
}

/** The moment `time` units from now or since 1970 (args[i]), which may lie in the past; NaN after an error reply. */
export function absoluteOrReply(ctx: Context, i: number, time: number, unit: TimeUnit): number {
  const ms = unit.fromNow ? time * unit.ms + ctx.nowMs : time * unit.ms
  return Number.isSafeInteger(ms) ? ms : distantOrReply(ctx, i, unit)
}

/** The same beyond the year 287396, where moments are kept as the nearest double: up to half a second off. */
function distantOrReply(ctx: Context, i: number, unit: TimeUnit): number {
  const ms = BigInt(ctx.args[i].latin1()) * BigInt(unit.ms)
  const latest = unit.fromNow ? INT64_MAX - BigInt(ctx.nowMs) : INT64_MAX
  if (ms > latest || (unit.ms !== 1 && ms < -INT64_MAX)) return invalidExpireTime(ctx)
  return Number(unit.fromNow ? ms + BigInt(ctx.nowMs) : ms)
}

function invalidExpireTime(ctx: Context): number {
  ctx.reply.error(`ERR invalid expire time in '${ctx.command.fullName}' command`)
  return Number.NaN
}

/** True when a key given this expiry is gone at once. A replica, or a file being loaded, leaves that to others. */
export function isPast(ctx: Context, whenMs: number): boolean {
  return whenMs <= ctx.nowMs && !ctx.keyspace.replica && !ctx.keyspace.expiryPaused
}

/** A moment as it is written out. What a double rounded up beyond 64 bits is the last moment there is. */
export function msWord(ms: number): string {
  if (Number.isSafeInteger(ms)) return String(ms)
  const exact = BigInt(ms)
  return (exact > INT64_MAX ? INT64_MAX : exact).toString()
}

/** Takes one of EX, PX, EXAT and PXAT if an operand follows; a unit may be repeated but not exchanged. */
export function eatTimeUnit(opt: Options, before: TimeUnit | undefined): TimeUnit | undefined {
  const unit = opt.eat('ex', 1)
    ? EX
    : opt.eat('px', 1)
      ? PX
      : opt.eat('exat', 1)
        ? EXAT
        : opt.eat('pxat', 1)
          ? PXAT
          : undefined
  return before === undefined || before === unit ? unit : undefined
}
