// FoundAhead: the key that was looked up just before its command runs, so that the command need not look again.
//
//   find() before the command ─▶ lookup() of the same Slice: the same entry, if nothing has changed in between
//
// Always: it knows only entries that lookup() returns as they are: without an expiry, and with their value in memory.
// Who moves an entry without counting it in Keyspace.mutations calls forget().

import type { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { type Database, LOOKUP_EXPIRED, LOOKUP_KEY } from './database.ts'
import { COLD, HAS_EXPIRY } from './entry.ts'
import type { Keyspace } from './keyspace.ts'

export class FoundAhead {
  /** The Slice of the key that was found; undefined: none was. */
  key: Slice | undefined
  private readonly space: Keyspace
  private db: Database | undefined
  private entry: Ref = 0
  private mutations = 0

  constructor(space: Keyspace) {
    this.space = space
  }

  /** The entry of a key, also when it has expired or its value is on disk. */
  find(db: Database, key: Slice): Ref {
    this.key = undefined
    const { arena, mutations } = this.space
    const entry = db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
    if (entry === 0 || (arena.u8(entry)[arena.at(entry) + 1] & (HAS_EXPIRY | COLD)) !== 0) return entry
    this.key = key
    this.db = db
    this.entry = entry
    this.mutations = mutations
    return entry
  }

  /** As Database.find(), for `key`. */
  take(db: Database, flags: number): Ref {
    const key = this.key!
    this.key = undefined
    // Where another key was looked up since, the slot is not at this one.
    const isThere = this.db === db && this.mutations === this.space.mutations && db.slot.entry === this.entry
    return isThere ? this.entry : db.find(key, flags)
  }

  forget(): void {
    this.key = undefined
  }
}
