// Peek: a lookup that leaves the access time alone, as commands about keys (not about their values) do it.

import type { Context } from '../../engine/context.ts'
import { LOOKUP_NO_TOUCH } from '../../keyspace/database.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'

/** As ctx.lookupRead(), but it is no access to the value. */
export function peek(ctx: Context, key: Slice): Ref {
  return ctx.lookupRead(key, LOOKUP_NO_TOUCH)
}

/** As peek(), and a missing key is not announced to listeners either. */
export function peekSilently(ctx: Context, key: Slice): Ref {
  return ctx.db.lookup(key, LOOKUP_NO_TOUCH)
}
