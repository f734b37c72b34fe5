// SortPattern: a pattern of BY and GET: `weight_*` a string, `object_*->name` a field of a hash, `#` the element.
// The first * is replaced by the element.

import type { Context } from '../../../engine/context.ts'
import { TYPE_HASH, TYPE_STRING } from '../../../keyspace/types.ts'
import { HashType } from '../../../keyspace/values/hash/hash-type.ts'
import { copySlice } from '../../../lib/bytes.ts'
import { Slice } from '../../../lib/slice.ts'
import { openHash } from '../../hash/shared.ts'

const STAR = '*'
const SELF = '#'
const ARROW = '->'

export class SortPattern {
  readonly isSelf: boolean
  /** Without a * there is nothing to look up. */
  readonly isConstant: boolean
  private readonly prefix: Slice
  private readonly suffix: Slice
  private readonly field: Slice | undefined
  private readonly key = new Slice(new Uint8Array(64))

  constructor(pattern: Slice) {
    const text = pattern.latin1()
    const star = text.indexOf(STAR)
    this.isSelf = text === SELF
    this.isConstant = star < 0
    const arrow = star < 0 ? -1 : text.indexOf(ARROW, star + 1)
    const hasField = arrow >= 0 && arrow + ARROW.length < text.length
    this.prefix = Slice.of(text.slice(0, Math.max(0, star)))
    this.suffix = Slice.of(hasField ? text.slice(star + 1, arrow) : text.slice(star + 1))
    this.field = hasField ? Slice.of(text.slice(arrow + ARROW.length)) : undefined
  }

  /** Points `out` at the value for `element`, valid until the keyspace changes; false when it does not exist. */
  lookup(ctx: Context, element: Slice, out: Slice): boolean {
    if (this.isSelf) {
      out.alias(element)
      return true
    }
    if (this.isConstant) return false
    const { db } = ctx
    const entry = ctx.lookupRead(this.keyFor(element))
    if (entry === 0) return false
    const type = db.entries.typeOf(entry)
    if (this.field === undefined) {
      if (type !== TYPE_STRING) return false
      db.strings.textOf(entry, out)
      return true
    }
    if (type !== TYPE_HASH) return false
    const e = HashType.of(ctx.keyspace).field
    if (!openHash(ctx, entry).get(this.field, e)) return false
    out.alias(e.text())
    return true
  }

  private keyFor(element: Slice): Slice {
    const { key, prefix, suffix } = this
    const length = prefix.len + element.len + suffix.len
    if (length > key.u8.length) {
      const u8 = new Uint8Array(length * 2)
      key.set(u8, new DataView(u8.buffer), 0, 0)
    }
    copySlice(key.u8, key.dv, 0, prefix)
    copySlice(key.u8, key.dv, prefix.len, element)
    copySlice(key.u8, key.dv, prefix.len + element.len, suffix)
    key.len = length
    return key
  }
}
