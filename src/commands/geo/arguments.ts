// Coordinates, distances and units in arguments and replies of geo commands.

import type { Context } from '../../engine/context.ts'
import { Slice } from '../../lib/slice.ts'
import { withoutLastZeros } from '../../lib/strtod.ts'
import { errorBytes, type Reply } from '../../protocol/reply.ts'
import { LATITUDE_MAX, LONGITUDE_MAX, type Place } from './geo-hash.ts'

const UNIT = errorBytes('ERR unsupported unit provided. please use M, KM, FT, MI')

/** Reads longitude and latitude from args[i] and args[i + 1]; false after an error reply. */
export function placeOrReply(ctx: Context, i: number, out: Place): boolean {
  out.longitude = ctx.doubleOrReply(i)
  if (Number.isNaN(out.longitude)) return false
  out.latitude = ctx.doubleOrReply(i + 1)
  if (Number.isNaN(out.latitude)) return false
  if (Math.abs(out.longitude) <= LONGITUDE_MAX && Math.abs(out.latitude) <= LATITUDE_MAX) return true
  ctx.reply.error(`ERR invalid longitude,latitude pair ${sixDecimals(out.longitude)},${sixDecimals(out.latitude)}`)
  return false
}

function sixDecimals(n: number): string {
  if (!Number.isFinite(n)) return n < 0 ? '-inf' : 'inf'
  if (Object.is(n, -0)) return '-0.000000'
  return Math.abs(n) < 1e21 ? n.toFixed(6) : `${BigInt(n)}.000000`
}

/** Meters per unit named by args[i], or NaN after an error reply. */
export function unitOrReply(ctx: Context, i: number): number {
  if (ctx.is(i, 'm')) return 1
  if (ctx.is(i, 'km')) return 1000
  if (ctx.is(i, 'ft')) return 0.3048
  if (ctx.is(i, 'mi')) return 1609.34
  ctx.reply.fixedError(UNIT)
  return Number.NaN
}

/** A coordinate with up to 17 decimals: RESP2 a bulk string, RESP3 a double. */
export function replyCoordinate(reply: Reply, n: number): void {
  const fixed = withoutLastZeros(n.toFixed(17))
  const digits = fixed.endsWith('.') ? fixed.slice(0, -1) : fixed
  const text = digits === '-0' ? '0' : digits
  if (reply.resp === 2) reply.bulkText(text)
  else reply.raw(Slice.of(`,${text}\r\n`))
}
