// Expiries: the keys of a server by the time they expire, to expire each at its own time while a clock is moved.
//
// Always: what it knows is as of `commandsProcessed` and `mutations`; after another command, and after any change of an
// entry that is not its own doing (active expiry, a restored dataset), it reads the tables again.

import type { Engine } from '../engine/engine.ts'
import type { Database } from '../keyspace/database.ts'

export class Expiries {
  private readonly engine: Engine
  private readonly isEnabled: () => boolean
  /** When each of the keys expires, where it is, and the positions of all by time. */
  private times: number[] = []
  private entries: number[] = []
  private dbs: Database[] = []
  private order: Float64Array = new Float64Array()
  /** How many of `order` have expired. */
  private done = 0
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
    return this.done < this.order.length ? this.times[this.order[this.done]] : Number.POSITIVE_INFINITY
  }

  /** Expires the keys whose time has come, in the order of their times. */
  expire(): void {
    const { engine } = this
    const { keyspace } = engine
    engine.tick()
    while (this.nextMs() <= keyspace.nowMs) {
      const next = this.order[this.done++]
      const { expiredKeys } = keyspace
      this.dbs[next].expireNow(this.entries[next])
      if (keyspace.expiredKeys > expiredKeys) this.mutationsSeen++
      engine.serveBlockedAndFlush()
    }
  }

  private read(): void {
    const { keyspace, stats } = this.engine
    this.commandsSeen = stats.commandsProcessed
    this.mutationsSeen = keyspace.mutations
    this.times = []
    this.entries = []
    this.dbs = []
    const isPlayed = this.isEnabled() && !keyspace.replica && !keyspace.hideExpired && !keyspace.expiryPaused
    for (const db of keyspace.databases) if (isPlayed && db.expiresSize > 0) this.readOf(db)
    this.order = byTime(this.times)
    this.done = 0
  }

  private readOf(db: Database): void {
    const { times, entries, dbs } = this
    let cursor = 0
    do
      cursor = db.scanExpires(cursor, entry => {
        times.push(db.entries.expiryOf(entry))
        entries.push(entry)
        dbs.push(db)
      })
    while (cursor !== 0)
  }
}

/** The positions of the times, the earliest first. */
function byTime(times: readonly number[]): Float64Array {
  const count = times.length
  let first = Number.POSITIVE_INFINITY
  let last = 0
  for (const at of times) {
    first = Math.min(first, at)
    last = Math.max(last, at)
  }
  // Numbers alone are sorted several times as fast as by a function: time and position are one where that is exact.
  if ((last - first + 1) * count <= Number.MAX_SAFE_INTEGER)
    return Float64Array.from(times, (at, i) => (at - first) * count + i)
      .sort()
      .map(both => both % count)
  return Float64Array.from(times.keys()).sort((a, b) => times[a] - times[b])
}
