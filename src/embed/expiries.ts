// Expiries: the keys of a server by the time they expire, to expire each at its own time while a clock is moved.
//
// Always: what it knows is as of `commandsProcessed` and `mutations`; after another command, and after any change of an
// entry that is not its own doing (active expiry, a restored dataset), it reads the tables again.

import type { Engine } from '../engine/engine.ts'
import type { Database } from '../keyspace/database.ts'

interface Due {
  atMs: number
  db: Database
  entry: number
}

export class Expiries {
  private readonly engine: Engine
  private readonly isEnabled: () => boolean
  /** The latest first. */
  private list: Due[] = []
  private commandsSeen = -1
  private mutationsSeen = 0

  /** `isEnabled`: active expiry is not switched off. */
  constructor(engine: Engine, isEnabled: () => boolean) {
    this.engine = engine
    this.isEnabled = isEnabled
  }

  /** Wall-clock time of the next expiry, milliseconds; Infinity: there is none. */
  nextMs(): number {
    const { stats, keyspace } = this.engine
    if (this.commandsSeen !== stats.commandsProcessed || this.mutationsSeen !== keyspace.mutations) this.read()
    return this.list.at(-1)?.atMs ?? Number.POSITIVE_INFINITY
  }

  /** Expires the keys whose time has come, in the order of their times. */
  expire(): void {
    const { engine } = this
    const { keyspace } = engine
    engine.tick()
    while (this.nextMs() <= keyspace.nowMs) {
      const { db, entry } = this.list.pop()!
      const { expiredKeys } = keyspace
      db.expireNow(entry)
      if (keyspace.expiredKeys > expiredKeys) this.mutationsSeen++
      engine.serveBlockedAndFlush()
    }
  }

  private read(): void {
    const { keyspace, stats } = this.engine
    this.commandsSeen = stats.commandsProcessed
    this.mutationsSeen = keyspace.mutations
    this.list = []
    if (!this.isEnabled() || keyspace.replica || keyspace.hideExpired || keyspace.expiryPaused) return
    for (const db of keyspace.databases) {
      if (db.expiresSize === 0) continue
      let cursor = 0
      do cursor = db.scanExpires(cursor, entry => this.list.push({ atMs: db.entries.expiryOf(entry), db, entry }))
      while (cursor !== 0)
    }
    this.list.sort((a, b) => b.atMs - a.atMs)
  }
}
