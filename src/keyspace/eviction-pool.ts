// EvictionPool: the best candidates for eviction that were sampled so far.
//
//   [ lowest score | … | highest ]   up to 16 entries of any database, by their refs; the highest is evicted first
//
// Always: the scores ascend. A candidate may have moved or been removed meanwhile, and its ref may belong to another
// key: its hash is stored to find it in its table (Database.findEntry) before its memory is read.

import type { Ref } from '../memory/arena.ts'

const POOL_SIZE = 16

export class EvictionPool {
  length = 0
  private readonly scores = new Float64Array(POOL_SIZE)
  private readonly databases = new Int32Array(POOL_SIZE)
  private readonly refs = new Uint32Array(POOL_SIZE)
  private readonly hashes = new Uint32Array(POOL_SIZE)

  /** Where a candidate of this score would be inserted, or -1 when all that are here are better. */
  placeOf(score: number): number {
    const { scores, length } = this
    if (length === POOL_SIZE && score <= scores[0]) return -1
    let at = length
    while (at > 0 && scores[at - 1] > score) at--
    return at
  }

  has(database: number, entry: Ref): boolean {
    const { refs, databases, length } = this
    for (let i = 0; i < length; i++) if (refs[i] === entry && databases[i] === database) return true
    return false
  }

  /** Inserts a candidate at placeOf() of its score. A full pool loses its lowest. */
  insert(place: number, score: number, database: number, entry: Ref, hash: number): void {
    const { scores, databases, refs, hashes } = this
    let at = place
    if (this.length === POOL_SIZE) {
      at--
      for (let i = 0; i < at; i++) this.move(i + 1, i)
    } else {
      for (let i = this.length; i > at; i--) this.move(i - 1, i)
      this.length++
    }
    scores[at] = score
    databases[at] = database
    refs[at] = entry
    hashes[at] = hash
  }

  private move(from: number, to: number): void {
    const { scores, databases, refs, hashes } = this
    scores[to] = scores[from]
    databases[to] = databases[from]
    refs[to] = refs[from]
    hashes[to] = hashes[from]
  }

  /** Database, ref and hash of the best candidate of a pool that has any. */
  get bestDatabase(): number {
    return this.databases[this.length - 1]
  }
  get bestHash(): number {
    return this.hashes[this.length - 1]
  }

  /** The candidate that pop() removed last. */
  score = 0
  database = 0
  entry: Ref = 0
  hash = 0

  /** Removes the best candidate; false: there is none. */
  pop(): boolean {
    if (this.length === 0) return false
    const last = --this.length
    this.score = this.scores[last]
    this.database = this.databases[last]
    this.entry = this.refs[last]
    this.hash = this.hashes[last]
    return true
  }

  clear(): void {
    this.length = 0
  }
}
