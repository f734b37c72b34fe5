// Shared by the hash commands: opening the hash of an entry, and storing it.

import type { Context } from '../../engine/context.ts'
import { TYPE_HASH } from '../../keyspace/types.ts'
import type { Hash } from '../../keyspace/values/hash/hash.ts'
import { HashType } from '../../keyspace/values/hash/hash-type.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'

/** The hash of an entry, or a new one (entry 0). One object per server: the next call reuses it. */
export function openHash(ctx: Context, entry: Ref): Hash {
  const hash = HashType.of(ctx.keyspace).current
  return entry === 0 ? hash.create() : hash.open(ctx.db.entries.encodingOf(entry), ctx.db.entries.valueOf(entry))
}

/** After fields were set: stores the value reference in the entry; a new hash (entry 0) gets a key. */
export function storeHash(ctx: Context, entry: Ref, key: Slice, hash: Hash): void {
  if (entry === 0) ctx.db.add(key, TYPE_HASH, hash.encoding, hash.value)
  else ctx.db.entries.setValue(entry, hash.encoding, hash.value)
}
