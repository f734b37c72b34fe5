// Slots and ranges of slots among the arguments of CLUSTER.

import type { Context } from '../engine/context.ts'
import { parseInt64 } from '../lib/number.ts'
import { SLOTS } from './bitmap.ts'

export type SlotRange = [first: number, last: number]

export const BAD_SLOT = 'ERR Invalid or out of range slot'

/** The slot that args[i] names, or -1. */
export function slotAt(ctx: Context, i: number): number {
  const slot = parseInt64(ctx.args[i])
  return slot >= 0 && slot < SLOTS ? slot : -1
}

/** The range in args[i] and args[i + 1], or an error. */
export function rangeAt(ctx: Context, i: number): SlotRange | string {
  const first = slotAt(ctx, i)
  const last = slotAt(ctx, i + 1)
  if (first < 0 || last < 0) return BAD_SLOT
  if (first > last) return `ERR start slot number ${first} is greater than end slot number ${last}`
  return [first, last]
}
