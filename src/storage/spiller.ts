// Spiller: moves values to disk while memory is above its limit. The least recently (LRU) or least frequently (LFU)
// used of some sampled values goes first; where samples find nothing, a cursor over all keys does.
//
// Always: no more than PENDING_MAX bytes wait for the disk; then nothing is spilled until it has followed. A full or
// failing disk stops spilling, and loses nothing.

import type { Database } from '../keyspace/database.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import type { Ref } from '../memory/arena.ts'
import { attempt } from '../system/system.ts'
import type { ColdStore } from './cold-store.ts'

const SAMPLES = 16
const BUCKETS_MAX = 64
const PENDING_MAX = 16 * 1024 * 1024

interface SpillParts {
  space: Keyspace
  store: ColdStore
  /** Bytes in use above the limit. */
  excess(): number
  /** storage-value-max. */
  largest(): number
  nowUs(): number
}

export class Spiller {
  private readonly parts: SpillParts
  private readonly sampled = new Uint32Array(SAMPLES)
  private database = 0
  private cursor = 0
  private best: Ref = 0
  private bestScore = -1
  failed = false

  constructor(parts: SpillParts) {
    this.parts = parts
  }

  get waitsForDisk(): boolean {
    return this.parts.store.log.figures.pendingBytes > PENDING_MAX
  }

  /** Spills for about `limitUs`; true: memory is below its limit, or nothing can be done now. */
  run(limitUs: number): boolean {
    const { parts } = this
    const until = parts.nowUs() + limitUs
    while (parts.excess() > 0) {
      if (this.failed || this.waitsForDisk || !this.spillOne()) break
      if (parts.nowUs() > until) return false
    }
    return true
  }

  private spillOne(): boolean {
    const { space, store } = this.parts
    const { databases } = space
    for (let tries = 0; tries < databases.length; tries++) {
      const db = databases[this.database]
      if (db.size !== 0 && this.choose(db)) {
        const entry = this.best
        let spilled = false
        this.failed =
          attempt(() => {
            spilled = store.spill(db, entry)
          }) !== undefined
        return spilled
      }
      this.database = (this.database + 1) % databases.length
      this.cursor = 0
    }
    return false
  }

  private choose(db: Database): boolean {
    this.best = 0
    this.bestScore = -1
    const found = db.sample(false, SAMPLES, this.sampled)
    for (let i = 0; i < found; i++) this.consider(this.sampled[i])
    for (let i = 0; i < BUCKETS_MAX && this.best === 0; i++) {
      this.cursor = db.scan(this.cursor, this.consider)
      if (this.cursor === 0) break
    }
    return this.best !== 0
  }

  private readonly consider = (entry: Ref): void => {
    const { store } = this.parts
    if (!store.maySpill(entry, this.parts.largest())) return
    const score = this.score(entry)
    if (score <= this.bestScore) return
    this.best = entry
    this.bestScore = score
  }

  private score(entry: Ref): number {
    const { space } = this.parts
    return space.lfu ? 255 - space.entries.frequencyOf(entry) : space.entries.idleSecondsOf(entry)
  }
}
