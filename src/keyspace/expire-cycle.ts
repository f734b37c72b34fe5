// ExpireCycle: active expiry. Removes expired keys that are not accessed. Samples the expiry tables bucket by bucket,
// and stays with a database as long as many of the samples have expired.
//
//   slow cycle   begun by the cron `hz` times a second: up to 25 % of the time, over all databases
//   fast cycle   between commands, 1 ms at most, only when the last slow cycle ran out of time with much left to do
//
// Both run in slices, so that no client waits longer than a slice. Source of the numbers: Redis's active expire.
//
// Always: within a slice the wall clock stands still (keyspace.nowMs); nothing is removed on a replica, or while expiry
// is paused.

import type { Ref } from '../memory/arena.ts'
import type { Database } from './database.ts'
import { type Keyspace, NO_REPLICA } from './keyspace.ts'

const KEYS_PER_LOOP = 20
const BUCKETS_PER_KEY_MAX = 20 // a sparse table must not stall the cycle
const FAST_US = 1000
const SLOW_PERCENT = 25
const STALE_PERCENT = 10
const TTL_MEMORY = 50

export class ExpireCycle {
  /** active-expire-effort, 1..10. */
  effort = 1
  /** DEBUG SET-ACTIVE-EXPIRE 0. */
  enabled = true
  /** expired_stale_perc: estimated share of keys with an expiry that have expired. */
  stalePercent = 0
  /** Cycles that ended because their time was over. */
  timeCapReached = 0
  usedUs = 0
  private readonly space: Keyspace
  private readonly nowUs: () => number
  private next = 0
  private databasesLeft = 0
  private budgetUs = 0
  private lastFastUs = 0
  private endedByTime = false
  private sampledInCycle = 0
  private expiredInCycle = 0
  // State of the current sampling loop.
  private sampled = 0
  private ttlSum = 0
  private ttlSamples = 0
  private readonly due: Ref[] = []

  /** `nowUs`: a monotonic clock. */
  constructor(space: Keyspace, nowUs: () => number) {
    this.space = space
    this.nowUs = nowUs
  }

  resetStats(): void {
    this.stalePercent = this.timeCapReached = this.usedUs = 0
  }

  private get resting(): boolean {
    return !this.enabled || this.space.replica !== NO_REPLICA || this.space.hideExpired || this.space.expiryPaused
  }

  /** Begins a slow cycle; false when there is nothing to do. The caller then calls slice() until it is over. */
  begin(hz: number): boolean {
    if (this.resting) return false
    const percent = SLOW_PERCENT + 2 * (this.effort - 1)
    this.start((percent * 1e6) / hz / 100)
    return this.databasesLeft > 0
  }

  /** Begins a fast cycle if it is worth it; true: slice() follows. */
  beginFast(): boolean {
    if (!this.endedByTime || this.resting || this.stalePercent < STALE_PERCENT - (this.effort - 1)) return false
    const us = FAST_US + (FAST_US / 4) * (this.effort - 1)
    const now = this.nowUs()
    if (this.databasesLeft > 0 || now < this.lastFastUs + us * 2) return false
    this.lastFastUs = now
    this.start(us)
    return this.databasesLeft > 0
  }

  private start(budgetUs: number): void {
    this.budgetUs = budgetUs
    this.databasesLeft = 0
    for (const db of this.space.databases) if (db.expiresSize > 0) this.databasesLeft = this.space.databases.length
    this.sampledInCycle = this.expiredInCycle = 0
    this.endedByTime = false
  }

  /** Works for about `limitUs`; true when the cycle is over. */
  slice(limitUs: number): boolean {
    const begin = this.nowUs()
    const end = begin + Math.min(limitUs, this.budgetUs)
    const { databases } = this.space
    let nowUs = begin
    while (this.databasesLeft > 0 && nowUs < end && !this.resting) {
      const db = databases[this.next % databases.length]
      if (db.expiresSize === 0) db.averageTtlMs = 0
      if (db.expiresSize === 0 || this.isDone(db)) {
        this.next = (this.next + 1) % databases.length
        this.databasesLeft--
      }
      nowUs = this.nowUs()
    }
    this.usedUs += nowUs - begin
    this.budgetUs -= nowUs - begin
    if (this.databasesLeft > 0 && this.budgetUs > 0 && !this.resting) return false
    this.finish()
    return true
  }

  private finish(): void {
    if (this.databasesLeft > 0) {
      this.endedByTime = true
      this.timeCapReached++
      this.databasesLeft = 0
    }
    const percent = this.sampledInCycle === 0 ? 0 : (this.expiredInCycle * 100) / this.sampledInCycle
    this.stalePercent = percent * 0.05 + this.stalePercent * 0.95
  }

  /** One sampling loop in a database; true when few samples had expired, or the whole table was sampled. */
  private isDone(db: Database): boolean {
    const wanted = Math.min(KEYS_PER_LOOP + (KEYS_PER_LOOP / 4) * (this.effort - 1), db.expiresSize)
    this.sampled = this.ttlSum = this.ttlSamples = 0
    let expired = 0
    let through = false
    for (let bucketsLeft = wanted * BUCKETS_PER_KEY_MAX; this.sampled < wanted && bucketsLeft > 0; bucketsLeft--) {
      db.expiryCursor = db.scanExpires(db.expiryCursor, entry => this.look(db, entry))
      expired += this.due.length
      // Removing one entry moves no other: the refs stay valid.
      for (const entry of this.due) db.expireNow(entry)
      this.due.length = 0
      if (db.expiryCursor === 0) {
        through = true
        break
      }
    }
    this.sampledInCycle += this.sampled
    this.expiredInCycle += expired
    if (this.ttlSamples > 0) {
      const average = this.ttlSum / this.ttlSamples
      if (db.averageTtlMs === 0) db.averageTtlMs = average
      db.averageTtlMs = (db.averageTtlMs / TTL_MEMORY) * (TTL_MEMORY - 1) + average / TTL_MEMORY
    }
    const repeat = this.sampled === 0 || (expired * 100) / this.sampled > STALE_PERCENT - (this.effort - 1)
    return through || !repeat
  }

  private look(db: Database, entry: Ref): void {
    this.sampled++
    if (db.entries.isDue(entry)) {
      this.due.push(entry)
      return
    }
    this.ttlSum += db.entries.expiryOf(entry) - this.space.nowMs
    this.ttlSamples++
  }
}
