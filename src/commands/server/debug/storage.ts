// DEBUG STORAGE: where the value of a key is.

import type { Context } from '../../../engine/context.ts'
import { LOOKUP_KEY, LOOKUP_NO_EXPIRE } from '../../../keyspace/database.ts'
import { NO_SUCH_KEY } from '../../../protocol/errors.ts'

/** DEBUG STORAGE key: 'value:disk segment:3 offset:8192 bytes:220', the same with 'both', or 'value:memory'. */
export function valuePlace(ctx: Context): void {
  const { db, reply, args } = ctx
  const entry = db.find(args[2], LOOKUP_KEY | LOOKUP_NO_EXPIRE)
  if (entry === 0) return reply.fixedError(NO_SUCH_KEY)
  const { entries } = db
  if (!entries.hasPlace(entry)) return reply.simple('value:memory')
  const { segment, offset, bytes } = entries.cold!.placeOf(entry)
  const where = entries.isCold(entry) ? 'disk' : 'both'
  reply.simple(`value:${where} segment:${segment} offset:${offset} bytes:${bytes}`)
}
