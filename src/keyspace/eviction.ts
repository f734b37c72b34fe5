// Eviction: removes keys when memory is above maxmemory, by one of Redis's eight policies. LRU, LFU and TTL are
// approximated: a few random keys of each database are sampled, and the best candidates stay in the eviction pool.
//
//   pool   [ worst | … | best ]   up to 16, sorted by score; the highest is evicted first
//
// Always: a pooled key may have been removed meanwhile, so it is looked up again before eviction.

import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import type { Database } from './database.ts'
import type { Keyspace } from './keyspace.ts'
import { lfuDecayed } from './lfu.ts'

const POOL_SIZE = 16
const KEYS_PER_CLOCK = 16
const LRU_CLOCK_RANGE = 1 << 24
const LAZY_STEP = 512

interface EvictionSettings {
  maxmemory: number
  maxmemoryPolicy: string
  maxmemorySamples: number
  maxmemoryEvictionTenacity: number
}

interface EvictionParts {
  /** Memory that counts towards maxmemory. */
  usedBytes(): number
  /** A monotonic clock. */
  nowUs(): number
  /** A key has been evicted. */
  evicted(db: Database, key: Slice): void
  /** Latency event of one removal, or of the cycle. */
  took(event: 'eviction-del' | 'eviction-cycle', us: number): void
}

/** ok: below the limit. running: out of time, to be continued soon. failed: nothing (more) may be evicted. */
export type EvictionOutcome = 'ok' | 'running' | 'failed'

interface Candidate {
  score: number
  database: number
  key: Slice
}

export class Eviction {
  private readonly space: Keyspace
  private readonly parts: EvictionParts
  private readonly pool: Candidate[] = []
  /** The policy that the pool's scores are of. */
  private poolPolicy = ''
  private nextDatabase = 0
  /** Bytes that the last removal freed. */
  private justFreed = 0
  /** When memory went above the limit; 0: it is below. */
  exceededSinceUs = 0
  exceededUs = 0
  evictedKeys = 0
  private readonly scratch = new Slice()

  constructor(space: Keyspace, parts: EvictionParts) {
    this.space = space
    this.parts = parts
  }

  /** performEvictions: runs for as long as maxmemory-eviction-tenacity allows. */
  run(settings: EvictionSettings): EvictionOutcome {
    const { parts } = this
    if (parts.usedBytes() <= settings.maxmemory) {
      if (this.exceededSinceUs !== 0) this.endExceeding()
      return 'ok'
    }
    if (this.exceededSinceUs === 0) this.exceededSinceUs = parts.nowUs()
    if (settings.maxmemoryPolicy === 'noeviction') return 'failed'
    const begin = parts.nowUs()
    const outcome = this.removeKeys(settings, begin + timeLimitUs(settings.maxmemoryEvictionTenacity))
    parts.took('eviction-cycle', parts.nowUs() - begin)
    if (outcome === 'ok') this.endExceeding()
    return outcome
  }

  /** current_eviction_exceeded_time of INFO. */
  get currentExceededUs(): number {
    return this.exceededSinceUs === 0 ? 0 : this.parts.nowUs() - this.exceededSinceUs
  }

  resetStats(): void {
    this.evictedKeys = this.exceededUs = this.exceededSinceUs = 0
  }

  private endExceeding(): void {
    this.exceededUs += this.parts.nowUs() - this.exceededSinceUs
    this.exceededSinceUs = 0
  }

  /**
   * Removes keys until the bytes that were too many at the beginning are free: memory for invalidation messages that
   * eviction causes must not lead to more eviction.
   */
  private removeKeys(settings: EvictionSettings, untilUs: number): EvictionOutcome {
    const { parts, space } = this
    const { arena } = space
    const wanted = parts.usedBytes() - settings.maxmemory
    let freed = 0
    for (let removed = 0; freed < wanted; ) {
      const before = arena.usedBytes
      // Large values that are unlinked already are freed before further keys are evicted.
      const nothingWaits = space.lazyFreeStep(LAZY_STEP)
      freed += before - arena.usedBytes
      if (nothingWaits && freed < wanted) {
        const begin = parts.nowUs()
        this.justFreed = 0
        if (!this.removeOne(settings)) return 'failed'
        freed += this.justFreed
        parts.took('eviction-del', parts.nowUs() - begin)
        removed++
      }
      if (removed % KEYS_PER_CLOCK === 0 && parts.nowUs() > untilUs) return 'running'
    }
    return 'ok'
  }

  private removeOne(settings: EvictionSettings): boolean {
    const { databases } = this.space
    if (settings.maxmemoryPolicy !== this.poolPolicy) {
      this.pool.length = 0
      this.poolPolicy = settings.maxmemoryPolicy
    }
    const volatileOnly = settings.maxmemoryPolicy.startsWith('volatile')
    if (settings.maxmemoryPolicy.endsWith('random')) {
      for (let i = 0; i < databases.length; i++) {
        this.nextDatabase = (this.nextDatabase + 1) % databases.length
        const db = databases[this.nextDatabase]
        const entry = db.sample(volatileOnly)
        if (entry === 0) continue
        this.remove(db, db.entries.keyOf(entry, this.scratch).copy())
        return true
      }
      return false
    }
    for (;;) {
      let keys = 0
      for (const db of databases) {
        const size = volatileOnly ? db.expiresSize : db.size
        if (size === 0) continue
        keys += size
        this.sample(db, settings, volatileOnly)
      }
      if (keys === 0) return false
      for (let best = this.pool.pop(); best !== undefined; best = this.pool.pop()) {
        const db = databases[best.database]
        const entry = db.find(best.key)
        if (entry === 0 || (volatileOnly && db.entries.expiryOf(entry) < 0)) continue
        this.remove(db, best.key)
        return true
      }
    }
  }

  private remove(db: Database, key: Slice): void {
    const { arena } = this.space
    const before = arena.usedBytes
    const removed = db.delete(key)
    this.justFreed += before - arena.usedBytes
    if (!removed) return
    this.evictedKeys++
    this.parts.evicted(db, key)
  }

  private sample(db: Database, settings: EvictionSettings, volatileOnly: boolean): void {
    const { pool } = this
    for (let i = 0; i < settings.maxmemorySamples; i++) {
      const entry = db.sample(volatileOnly)
      const score = this.score(db, entry, settings.maxmemoryPolicy)
      let at = 0
      while (at < pool.length && pool[at].score < score) at++
      if (at === 0 && pool.length === POOL_SIZE) continue
      const key = db.entries.keyOf(entry, this.scratch)
      if (pool.some(c => c.database === db.index && c.score === score && c.key.equals(key))) continue
      pool.splice(at, 0, { score, database: db.index, key: key.copy() })
      if (pool.length > POOL_SIZE) pool.shift()
    }
  }

  /** The higher, the better to evict: seconds idle, 255 − LFU counter, nearness of the expiry. */
  private score(db: Database, entry: Ref, policy: string): number {
    if (policy === 'volatile-ttl') return -db.entries.expiryOf(entry)
    const { space } = this
    const bits = db.entries.accessOf(entry)
    if (policy.endsWith('lru')) return (space.lruClock - bits + LRU_CLOCK_RANGE) % LRU_CLOCK_RANGE
    const minutes = Math.floor(space.nowMs / 60000) & 0xffff
    return 255 - lfuDecayed(bits & 0xff, bits >>> 8, minutes, space.lfuDecayMinutes)
  }
}

/** maxmemory-eviction-tenacity as time: 50 µs a point up to 10, then 15 % more with each, unlimited at 100. */
function timeLimitUs(tenacity: number): number {
  if (tenacity <= 10) return 50 * tenacity
  return tenacity < 100 ? 500 * 1.15 ** (tenacity - 10) : Number.POSITIVE_INFINITY
}
