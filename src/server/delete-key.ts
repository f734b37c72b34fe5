// A key that the server deletes by itself, as DEL does, apart from what is propagated.

import type { Engine } from '../engine/engine.ts'
import { NOTIFY_GENERIC } from '../engine/messaging/events.ts'
import type { Database } from '../keyspace/database.ts'
import { Slice } from '../lib/slice.ts'

export const DEL: Slice = Slice.of('DEL')

/** Deletes a key and notifies those that watch, track and listen; false: there is none. */
export function deleteKey(engine: Engine, db: Database, key: Slice): boolean {
  if (!db.delete(key)) return false
  engine.keyspace.dirty++
  if (engine.modifiedKeyListeners !== 0) engine.signalModifiedKey(db, key)
  engine.notify(NOTIFY_GENERIC, 'del', key, db)
  return true
}
