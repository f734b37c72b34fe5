// Shared by the set commands: opening the set of an entry, and storing it.

import type { Context } from '../../engine/context.ts'
import type { MemberSet } from '../../keyspace/values/set/set.ts'
import { SetType } from '../../keyspace/values/set/set-type.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import type { Element } from '../../memory/element.ts'

/** The set of an entry. One object per server: the next call reuses it. */
export function openSet(ctx: Context, entry: Ref): MemberSet {
  return SetType.of(ctx.keyspace).current.open(ctx.db.entries.encodingOf(entry), ctx.db.entries.valueOf(entry))
}

export function elementOf(ctx: Context): Element {
  return SetType.of(ctx.keyspace).element
}

/** After a removal: stores the value reference in the entry, or deletes the key of an empty set and returns true. */
export function storeBack(ctx: Context, entry: Ref, key: Slice, set: MemberSet): boolean {
  if (set.length > 0) {
    ctx.db.entries.setValue(entry, set.encoding, set.value)
    return false
  }
  set.discard()
  ctx.db.deleteEmptied(key)
  return true
}
