// Strings with raw encoding whatever their text, because commands change them in place: bitmaps and HyperLogLogs.

import type { Context } from '../../engine/context.ts'
import { LOOKUP_WRITE } from '../../keyspace/database.ts'
import { INLINE_BYTES_MAX } from '../../keyspace/entry.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { copySlice } from '../../lib/bytes.ts'
import { Slice } from '../../lib/slice.ts'

const NO_BYTES = new Slice()

/** Sets a key to a raw string, whatever it was before, and removes its expiry. The caller signals the change. */
export function setRawString(ctx: Context, key: Slice, bytes: Slice): void {
  const { db } = ctx
  if (bytes.len > INLINE_BYTES_MAX) {
    // It is raw in any case.
    db.strings.setText(db, key, bytes)
    return
  }
  let entry = db.lookup(key, LOOKUP_WRITE)
  if (entry !== 0) {
    if (db.entries.typeOf(entry) === TYPE_STRING) entry = db.setExpiry(key, entry, -1)
    else {
      // Replaced, not removed and created: it is not a new key.
      db.strings.set(db, key, NO_BYTES, false, -1)
      entry = db.find(key, LOOKUP_WRITE)
    }
  }
  const value = db.strings.textOf(db.strings.resize(db, key, entry, bytes.len), ctx.value)
  copySlice(value.u8, value.dv, value.off, bytes)
}
