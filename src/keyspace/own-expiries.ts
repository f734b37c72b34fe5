// OwnExpiries: keys of a writable replica to which its own clients gave an expiry. The primary does not know of them,
// so the replica removes them itself.
//
//   client's SET EX, EXPIRE … ─▶ remember ─▶ [cron] slice ─▶ expired: removed; no expiry any more: forgotten
//
// Always: a key is remembered under the database in which it got its expiry; databases from 64 on are not followed, as
// in Redis.

import { Slice } from '../lib/slice.ts'
import { LOOKUP_EXPIRED, LOOKUP_WRITE } from './database.ts'
import { entryExpiry } from './entry.ts'
import type { Keyspace } from './keyspace.ts'

const DATABASES_MAX = 64
const KEYS_PER_SLICE = 64

export class OwnExpiries {
  private readonly space: Keyspace
  /** By database index and latin1 key. */
  private readonly keys = new Map<string, { database: number; key: string }>()

  constructor(space: Keyspace) {
    this.space = space
  }

  get count(): number {
    return this.keys.size
  }

  remember(database: number, key: Slice): void {
    if (database >= DATABASES_MAX) return
    const name = key.latin1()
    this.keys.set(`${database} ${name}`, { database, key: name })
  }

  forgetAll(): void {
    this.keys.clear()
  }

  /** Looks at some keys, each once: what stays goes to the end. */
  slice(): void {
    let left = Math.min(KEYS_PER_SLICE, this.keys.size)
    for (const [id, { database, key }] of this.keys) {
      if (left-- === 0) return
      this.keys.delete(id)
      const db = this.space.databases[database]
      const name = Slice.of(key)
      const entry = db.find(name, LOOKUP_EXPIRED)
      if (entry === 0 || entryExpiry(this.space.arena, entry) < 0) continue
      // Removes it if it has expired.
      if (db.find(name, LOOKUP_WRITE) !== 0) this.keys.set(id, { database, key })
    }
  }
}
