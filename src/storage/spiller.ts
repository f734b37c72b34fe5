// Spiller: moves values to disk while memory is above its limit. The least recently (LRU) or least frequently (LFU)
// used of some sampled values goes first; where samples find nothing, a cursor over all keys does.
//
// A large value leaves memory in slices, one at a time, while others may follow it.
//
// Always: no more than PENDING_MAX bytes wait for the disk; then nothing is spilled until it has followed. A full or
// failing disk stops spilling, and loses nothing.

import type { Database } from '../keyspace/database.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import type { Ref } from '../memory/arena.ts'
import { attempt } from '../system/system.ts'
import type { ColdStore } from './cold-store.ts'
import { FRAME_BYTES } from './record.ts'

const SAMPLES = 16
const BUCKETS_MAX = 64
const LOOKS_MAX = 64
const PENDING_MAX = 8 * 1024 * 1024
/** Of a large value: space is left for others, so that writers need not wait. */
const LARGE_PENDING_MAX = PENDING_MAX / 2
const SLICE_US = 300

interface SpillParts {
  space: Keyspace
  store: ColdStore
  /** Bytes in use above the limit. */
  excess(): number
  /** storage-value-max. */
  largest(): number
  nowUs(): number
  /** Calls job(limitUs) between commands, until it returns true. */
  start(job: (limitUs: number) => boolean): void
}

export class Spiller {
  private readonly parts: SpillParts
  private readonly sampled = new Uint32Array(SAMPLES)
  private database = 0
  private cursor = 0
  private best: Ref = 0
  private bestScore = -1
  private spilled = false
  failed = false

  constructor(parts: SpillParts) {
    this.parts = parts
  }

  get waitsForDisk(): boolean {
    return this.parts.store.log.figures.pendingBytes > PENDING_MAX
  }

  /**
   * Spills for about `limitUs`; true: memory is below its limit, or nothing can be done now: among some keys, `looks`
   * times in a row, there was no value to spill.
   */
  run(limitUs: number, looks = LOOKS_MAX): boolean {
    const { parts } = this
    const until = parts.nowUs() + Math.min(limitUs, SLICE_US)
    let looked = 0
    while (this.excess > 0 && !this.failed && !this.waitsForDisk) {
      if (this.choose()) {
        if (!this.spill()) break
        looked = 0
      } else if (++looked > looks) break
      // Where hardly anything is left in memory, looking for it waits until the next time.
      if (parts.nowUs() > until) return looked > 0
    }
    return true
  }

  /** Without what is leaving memory already. */
  private get excess(): number {
    return this.parts.excess() - this.parts.store.leavingBytes
  }

  /** The disk has followed, or works again: a large value on its way there goes on. */
  resume(): void {
    if (this.parts.store.leavingBytes > 0) this.parts.start(this.continueLarge)
  }

  private readonly continueLarge = (limitUs: number): boolean => {
    const { store, nowUs, start } = this.parts
    const until = nowUs() + Math.min(limitUs, SLICE_US)
    // resume() continues when the disk has followed.
    while (store.log.figures.pendingBytes <= LARGE_PENDING_MAX) {
      if (store.continueSpill()) {
        start(this.again)
        return true
      }
      if (nowUs() > until) return false
    }
    return true
  }

  private readonly again = (limitUs: number): boolean => this.run(limitUs)

  private spill(): boolean {
    this.spilled = false
    this.failed = attempt(this.spillBest) !== undefined
    this.resume()
    return this.spilled
  }

  private readonly spillBest = (): void => {
    this.spilled = this.parts.store.spill(this.db, this.best)
  }

  private get db(): Database {
    return this.parts.space.databases[this.database]
  }

  /** Looks at some keys of a database; the next call at others, and then at those of the next database. */
  private choose(): boolean {
    const { db } = this
    this.best = 0
    this.bestScore = -1
    if (db.size === 0) this.cursor = 0
    else {
      const found = db.sample(false, SAMPLES, this.sampled)
      for (let i = 0; i < found; i++) this.consider(this.sampled[i])
      for (let i = 0; i < BUCKETS_MAX && this.best === 0; i++) {
        this.cursor = db.scan(this.cursor, this.consider)
        if (this.cursor === 0) break
      }
    }
    if (this.best !== 0) return true
    if (this.cursor === 0) this.database = (this.database + 1) % this.parts.space.databases.length
    return false
  }

  private readonly consider = (entry: Ref): void => {
    const { store } = this.parts
    const largest = store.isLargeBusy ? FRAME_BYTES : this.parts.largest()
    if (!store.maySpill(entry, largest)) return
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
