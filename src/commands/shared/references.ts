// References to a value, as OBJECT REFCOUNT and DEBUG OBJECT tell them. Values are never shared here: they answer as if
// the small integers that Redis shares were.

import type { Context } from '../../engine/context.ts'
import { ENC_INT } from '../../keyspace/types.ts'
import type { Ref } from '../../memory/arena.ts'

const SHARED_INTEGERS = 10000
const SHARED_REFERENCES = 0x7fffffff

export function referencesTo(ctx: Context, entry: Ref): number {
  return isSharedInteger(ctx, entry) ? SHARED_REFERENCES : 1
}

function isSharedInteger(ctx: Context, entry: Ref): boolean {
  if (ctx.db.entries.encodingOf(entry) !== ENC_INT) return false
  const n = ctx.db.strings.integerOf(entry)
  const { maxmemory, maxmemoryPolicy } = ctx.settings
  return n >= 0 && n < SHARED_INTEGERS && (maxmemory === 0 || !/lru|lfu/.test(maxmemoryPolicy))
}
