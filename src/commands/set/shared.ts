// What the set commands share: opening the set of an entry, and storing it back.

import type { Context } from '../../engine/context.ts'
import type { MemberSet } from '../../keyspace/set.ts'
import { SetKind } from '../../keyspace/set-kind.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import type { Element } from '../../memory/element.ts'

/** The set of an entry. One at a time: the next call points the same object elsewhere. */
export function openSet(ctx: Context, entry: Ref): MemberSet {
  return SetKind.of(ctx.keyspace).first.open(ctx.db.encodingOf(entry), ctx.db.valueOf(entry))
}

export function elementOf(ctx: Context): Element {
  return SetKind.of(ctx.keyspace).element
}

/** After members were taken out: the entry learns of a changed value; an emptied set goes with its key. True when gone. */
export function storeBack(ctx: Context, entry: Ref, key: Slice, set: MemberSet): boolean {
  if (set.length > 0) {
    ctx.db.setValue(entry, set.encoding, set.value)
    return false
  }
  set.discard()
  ctx.db.deleteEmptied(key)
  return true
}
