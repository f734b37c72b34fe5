// Eviction: removes keys when memory is above maxmemory, by Redis's policies. LRU, LRM, LFU and TTL are approximated: a
// few neighbouring keys of each database are sampled, and the best candidates stay in the eviction pool.
//
//   policy   [ allkeys | volatile ] - [ lru | lrm: seconds idle | lfu: 255 − counter | ttl: nearness | random ]
//
// Always: a pooled key is found again before its memory is read; one that was used since it was pooled is passed over.

import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import type { Database } from './database.ts'
import { EvictionPool } from './eviction-pool.ts'
import type { Keyspace } from './keyspace.ts'

const KEYS_PER_CLOCK = 16
const LAZY_STEP = 512
/** More samples a database than this gain nothing. */
const SAMPLES_MAX = 1024

interface EvictionSettings {
  maxmemory: number
  maxmemoryPolicy: string
  maxmemorySamples: number
  maxmemoryEvictionTenacity: number
  latencyMonitorThreshold: number
}

interface EvictionParts {
  /** Memory that counts towards maxmemory. */
  usedBytes(): number
  /** The same, cheap enough for each command: besides the data it may be a few commands old. */
  usedBytesRoughly(): number
  /** A monotonic clock. */
  nowUs(): number
  /** Whether evicted() has anything to do: false spares a copy of the key. */
  isObserved(): boolean
  /** A key has been evicted. */
  evicted(db: Database, key: Slice): void
  /** Latency event of one removal, or of the cycle, while latency is monitored. */
  took(event: 'eviction-del' | 'eviction-cycle', us: number): void
}

/** ok: below the limit. running: out of time, to be continued soon. failed: nothing (more) may be evicted. */
export type EvictionOutcome = 'ok' | 'running' | 'failed'

type Ranking = 'idle' | 'frequency' | 'ttl' | 'random'

export class Eviction {
  private readonly space: Keyspace
  private readonly parts: EvictionParts
  private readonly pool = new EvictionPool()
  private sampled = new Uint32Array(16)
  private scores = new Float64Array(16)
  /** The policy that the pool's scores are of, and what it says. */
  private policy = ''
  private volatileOnly = false
  private ranking: Ranking = 'random'
  private nextDatabase = 0
  /** When a run first ended above the limit; 0: it is below. */
  private exceededSinceUs = 0
  private exceededBeforeUs = 0
  evictedKeys = 0
  private readonly scratch = new Slice()

  constructor(space: Keyspace, parts: EvictionParts) {
    this.space = space
    this.parts = parts
  }

  /** performEvictions: runs for as long as maxmemory-eviction-tenacity allows. */
  run(settings: EvictionSettings): EvictionOutcome {
    const { parts } = this
    const wanted = parts.usedBytesRoughly() - settings.maxmemory
    let outcome = wanted <= 0 ? 'ok' : this.free(wanted, settings)
    if (outcome === 'failed' && parts.usedBytes() <= settings.maxmemory) outcome = 'ok'
    if (outcome !== 'ok') {
      if (this.exceededSinceUs === 0) this.exceededSinceUs = parts.nowUs()
    } else if (this.exceededSinceUs !== 0) {
      this.exceededBeforeUs = this.exceededUs
      this.exceededSinceUs = 0
    }
    return outcome
  }

  /** Removes keys while something besides memory is above its limit. */
  runWhile(exceeds: () => boolean, settings: EvictionSettings): EvictionOutcome {
    if (!exceeds()) return 'ok'
    const { maxmemoryPolicy, maxmemoryEvictionTenacity } = settings
    if (maxmemoryPolicy === 'noeviction') return 'failed'
    if (maxmemoryPolicy !== this.policy) this.follow(maxmemoryPolicy)
    const untilUs = this.parts.nowUs() + timeLimitUs(maxmemoryEvictionTenacity)
    for (let steps = 1; exceeds(); steps++) {
      if (!this.removeOne(settings)) return 'failed'
      if (steps % KEYS_PER_CLOCK === 0 && this.parts.nowUs() > untilUs) return 'running'
    }
    return 'ok'
  }

  /** current_eviction_exceeded_time of INFO. */
  get currentExceededUs(): number {
    return this.exceededSinceUs === 0 ? 0 : this.parts.nowUs() - this.exceededSinceUs
  }

  /** total_eviction_exceeded_time of INFO. */
  get exceededUs(): number {
    return this.exceededBeforeUs + this.currentExceededUs
  }

  resetStats(): void {
    this.evictedKeys = this.exceededBeforeUs = this.exceededSinceUs = 0
  }

  private free(wanted: number, settings: EvictionSettings): EvictionOutcome {
    if (settings.maxmemoryPolicy === 'noeviction') return this.freeUnlinked(wanted, settings)
    const { parts } = this
    if (settings.maxmemoryPolicy !== this.policy) this.follow(settings.maxmemoryPolicy)
    if (settings.latencyMonitorThreshold === 0) return this.removeKeys(wanted, settings)
    const begin = parts.nowUs()
    const outcome = this.removeKeys(wanted, settings)
    parts.took('eviction-cycle', parts.nowUs() - begin)
    return outcome
  }

  private follow(policy: string): void {
    this.policy = policy
    this.volatileOnly = policy.startsWith('volatile')
    this.ranking = RANKINGS.get(policy.slice(policy.indexOf('-') + 1)) ?? 'random'
    this.pool.clear()
  }

  /** Large values that are unlinked already. */
  private freeUnlinked(wanted: number, settings: EvictionSettings): EvictionOutcome {
    const { space, parts } = this
    const { arena } = space
    const enough = arena.usedBytes - wanted
    if (!space.hasLazy) return 'failed'
    const untilUs = parts.nowUs() + timeLimitUs(settings.maxmemoryEvictionTenacity)
    while (!space.lazyFreeStep(LAZY_STEP) && arena.usedBytes > enough) if (parts.nowUs() > untilUs) return 'running'
    return arena.usedBytes > enough ? 'failed' : 'ok'
  }

  /**
   * Removes keys until the bytes that were too many at the beginning are free: memory for invalidation messages that
   * eviction causes must not lead to more eviction. The clock is read from the second group of keys on.
   */
  private removeKeys(wanted: number, settings: EvictionSettings): EvictionOutcome {
    const { parts, space } = this
    const { arena } = space
    let freed = 0
    let untilUs = 0
    for (let steps = 1; ; steps++) {
      const before = arena.usedBytes
      // What is unlinked already is freed before further keys are evicted.
      if (space.hasLazy) space.lazyFreeStep(LAZY_STEP)
      else if (!this.removeOne(settings)) return 'failed'
      freed += before - arena.usedBytes
      if (freed >= wanted) return 'ok'
      if (steps % KEYS_PER_CLOCK !== 0) continue
      const nowUs = parts.nowUs()
      if (untilUs === 0) untilUs = nowUs + timeLimitUs(settings.maxmemoryEvictionTenacity)
      else if (nowUs > untilUs) return 'running'
    }
  }

  private removeOne(settings: EvictionSettings): boolean {
    const { latencyMonitorThreshold } = settings
    const db = this.ranking === 'random' ? this.findRandom() : this.findBest(settings.maxmemorySamples)
    if (db === undefined) return false
    const begin = latencyMonitorThreshold > 0 ? this.parts.nowUs() : 0
    this.evictedKeys++
    if (this.parts.isObserved()) {
      const key = db.entries.keyOf(db.slot.entry, this.scratch).copy()
      db.removeFound()
      this.parts.evicted(db, key)
    } else db.removeFound()
    if (latencyMonitorThreshold > 0) this.parts.took('eviction-del', this.parts.nowUs() - begin)
    return true
  }

  /** The database whose slot is at a random key, the next one in turn that has any. */
  private findRandom(): Database | undefined {
    const { databases } = this.space
    for (let i = 0; i < databases.length; i++) {
      this.nextDatabase = (this.nextDatabase + 1) % databases.length
      const db = databases[this.nextDatabase]
      if (db.sample(this.volatileOnly, 1, this.sampled) === 0) continue
      const entry = this.sampled[0]
      if (db.findEntry(entry, db.hashOf(entry))) return db
    }
    return undefined
  }

  /** Samples every database; the one whose slot is at the best candidate. */
  private findBest(samples: number): Database | undefined {
    const { pool, space, volatileOnly } = this
    const { databases } = space
    for (;;) {
      let found = 0
      for (let i = 0; i < databases.length; i++) {
        const db = databases[i]
        if (db.size !== 0) found += this.samplePool(db, samples)
      }
      if (found === 0) return undefined
      while (pool.pop()) {
        const db = databases[pool.database]
        const { entry } = pool
        if (!db.findEntry(entry, pool.hash) || (volatileOnly && db.entries.expiryOf(entry) < 0)) continue
        if (this.score(db, entry) >= pool.score) return db
      }
    }
  }

  private samplePool(db: Database, samples: number): number {
    const { pool } = this
    const limit = Math.min(samples, SAMPLES_MAX)
    if (this.sampled.length < limit) {
      this.sampled = new Uint32Array(limit)
      this.scores = new Float64Array(limit)
    }
    const { sampled, scores } = this
    const found = db.sample(this.volatileOnly, limit, sampled)
    if (pool.length > 0) this.readAhead(this.space.databases[pool.bestDatabase], pool.bestHash)
    for (let i = 0; i < found; i++) scores[i] = this.score(db, sampled[i])
    for (let i = 0; i < found; i++) {
      const place = pool.placeOf(scores[i])
      if (place < 0) continue
      const entry = sampled[i]
      if (!pool.has(db.index, entry)) pool.insert(place, scores[i], db.index, entry, db.hashOf(entry))
    }
    return found
  }

  /** What is likely to be evicted now is read together with what was sampled. */
  private readAhead(db: Database, hash: number): void {
    const { tables } = this.space
    tables.readAhead(db.mainTable, hash)
    if (db.expiresSize > 0) tables.readAhead(db.expiryTable, hash)
  }

  /** The higher, the better to evict: seconds idle, 255 − LFU counter, nearness of the expiry. */
  private score(db: Database, entry: Ref): number {
    if (this.ranking === 'ttl') return -db.entries.expiryOf(entry)
    return this.ranking === 'idle' ? db.entries.idleSecondsOf(entry) : 255 - db.entries.frequencyOf(entry)
  }
}

/** By the second word of the policy. */
const RANKINGS = new Map<string, Ranking>([
  ['lru', 'idle'],
  ['lrm', 'idle'],
  ['lfu', 'frequency'],
  ['ttl', 'ttl'],
  ['random', 'random'],
])

/** maxmemory-eviction-tenacity as time: 50 µs a point up to 10, then 15 % more with each, unlimited at 100. */
function timeLimitUs(tenacity: number): number {
  if (tenacity <= 10) return 50 * tenacity
  return tenacity < 100 ? 500 * 1.15 ** (tenacity - 10) : Number.POSITIVE_INFINITY
}
