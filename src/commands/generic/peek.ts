// Peek: a lookup that neither updates the access time nor reads a value from disk, for commands about keys.

import type { Context } from '../../engine/context.ts'
import { LOOKUP_KEY, LOOKUP_NO_TOUCH } from '../../keyspace/database.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'

/** ctx.lookupRead() without counting as an access. */
export function peek(ctx: Context, key: Slice): Ref {
  return ctx.lookupRead(key, LOOKUP_NO_TOUCH | LOOKUP_KEY)
}

/** peek() without a keymiss event. */
export function peekSilently(ctx: Context, key: Slice): Ref {
  return ctx.db.lookup(key, LOOKUP_NO_TOUCH | LOOKUP_KEY)
}
