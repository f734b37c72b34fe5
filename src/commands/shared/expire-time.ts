// Expiry times in arguments: seconds or milliseconds, relative or Unix time, converted to Unix time in milliseconds.

import type { Context } from '../../engine/context.ts'
import type { Options } from '../../engine/options.ts'
import { NO_REPLICA } from '../../keyspace/keyspace.ts'
import { type Long, longOf } from '../../lib/long-field.ts'
import { INT64_MAX } from '../../lib/number.ts'
import { NOT_AN_INTEGER } from '../../protocol/errors.ts'

/** Milliseconds per unit of the argument, and whether it is relative. */
export interface TimeUnit {
  readonly ms: 1 | 1000
  readonly fromNow: boolean
}

export const EX: TimeUnit = { ms: 1000, fromNow: true }
export const PX: TimeUnit = { ms: 1, fromNow: true }
export const EXAT: TimeUnit = { ms: 1000, fromNow: false }
export const PXAT: TimeUnit = { ms: 1, fromNow: false }

/** The expiry in args[i] as Unix time in milliseconds: positive, or NaN after an error reply. */
export function expireTimeOrReply(ctx: Context, i: number, unit: TimeUnit): Long {
  const time = ctx.longOrReply(i, NOT_AN_INTEGER)
  if (Number.isNaN(time)) return time
  return time <= 0 ? invalidExpireTime(ctx) : absoluteOrReply(ctx, i, time, unit)
}

/** `time` units from now or since 1970 (args[i]), possibly in the past; NaN after an error reply. */
export function absoluteOrReply(ctx: Context, i: number, time: number, unit: TimeUnit): Long {
  const ms = unit.fromNow ? time * unit.ms + ctx.nowMs : time * unit.ms
  return Number.isSafeInteger(ms) ? ms : distantOrReply(ctx, i, unit)
}

/** The same beyond the year 287396. */
function distantOrReply(ctx: Context, i: number, unit: TimeUnit): Long {
  const ms = BigInt(ctx.args[i].latin1()) * BigInt(unit.ms)
  const latest = unit.fromNow ? INT64_MAX - BigInt(ctx.nowMs) : INT64_MAX
  if (ms > latest || (unit.ms !== 1 && ms < -INT64_MAX)) return invalidExpireTime(ctx)
  return longOf(unit.fromNow ? ms + BigInt(ctx.nowMs) : ms)
}

function invalidExpireTime(ctx: Context): number {
  ctx.reply.error(`ERR invalid expire time in '${ctx.command.fullName}' command`)
  return Number.NaN
}

/** A key with this expiry is deleted at once. Not so on a replica or while loading. */
export function isPast(ctx: Context, whenMs: Long): boolean {
  return whenMs <= ctx.nowMs && ctx.keyspace.replica === NO_REPLICA && !ctx.keyspace.expiryPaused
}

/** Takes one of EX, PX, EXAT and PXAT if an argument follows; a unit may be repeated but not changed. */
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
