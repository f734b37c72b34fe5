// TableSample: some entries of a HashTable, near each other, from a random one on. Cheaper than so many calls of
// HashTable.random(), as they share a bucket: for approximations (eviction).
//
//   bucket   [ first link: 12 slots ] ─▶ [ second link ] ─▶ …
//            begins at a filled slot, goes round in its link, on through the bucket's other links, then the next bucket
//
// Always: every entry has about the same chance to be the first. Eviction removes what it samples: with equal chances
// for buckets those not yet split, which get twice as many keys, would grow without end, and the others be empty.

import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import { bucketIndex, MASK, SLOTS, type TableBuckets } from './table-buckets.ts'

/** A sample visits so many buckets per entry that is wanted, as a sparse table has empty ones. */
const BUCKETS_PER_ENTRY = 10
const TRIES_MAX = 8
/** A sample begins at one of so many slots per entry of an average bucket. */
const SLOTS_PER_ENTRY = 0.75

export class TableSample {
  private readonly arena: Arena
  private readonly layout: TableBuckets
  /** Where the sample begins: a bucket's number, a link of it, or 0, and a slot there. */
  private index = 0
  private link: Ref = 0
  private slot = 0
  /** Where the next sample will begin, and in which table: its memory is on the way. */
  private nextHash = 0
  private nextTable: Ref = 0

  constructor(arena: Arena, layout: TableBuckets) {
    this.arena = arena
    this.layout = layout
  }

  /** Up to `limit` different entries to `out`; their number, which may be 0 where most buckets are empty. */
  take(t: Ref, random: () => number, limit: number, out: Uint32Array): number {
    const { layout } = this
    const count = layout.count(t)
    const wanted = Math.min(limit, count)
    if (wanted === 0) return 0
    const buckets = layout.buckets(t)
    this.begin(t, count, buckets, t === this.nextTable ? this.nextHash : random())
    const found = this.gather(t, buckets, limit, wanted, out)
    this.nextHash = random()
    this.nextTable = t
    this.readAhead(t, buckets, found, out)
    return found
  }

  /** Entries from the beginning on, as many as are wanted. */
  private gather(t: Ref, buckets: number, limit: number, wanted: number, out: Uint32Array): number {
    const { arena, layout } = this
    let { index, link, slot: first } = this
    let found = 0
    for (let left = Math.min(buckets, limit * BUCKETS_PER_ENTRY); left > 0; left--) {
      if (link === 0) link = layout.bucketAtIndex(t, index)
      for (; link !== 0; ) {
        const { dv } = arena.segment(link)
        const at = arena.at(link)
        for (let i = 0, slot = first; i < SLOTS; i++, slot = slot + 1 === SLOTS ? 0 : slot + 1) {
          const entry = dv.getUint32(at + slot * 4, true)
          if (entry === 0) continue
          out[found++] = entry
          if (found === wanted) return found
        }
        link = layout.bucketRef(dv, at)
      }
      if (++index === buckets) index = 0
    }
    return found
  }

  /**
   * A random number is a hash here: a bucket not yet split is chosen twice as often as one that is, and has twice as
   * many entries. One of its first slots must be filled, of more of them in a fuller table. One time in eight the
   * sample begins anywhere in the bucket's last link, so that what is behind those slots has its chance.
   */
  private begin(t: Ref, count: number, buckets: number, random: number): void {
    const { arena, layout } = this
    const mask = arena.dv(t).getUint32(arena.at(t) + MASK, true)
    const span = Math.min(SLOTS, Math.ceil((count * SLOTS_PER_ENTRY) / (mask + 1)))
    let hash = random
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const place = Math.imul(hash, 0x9e3779b1) >>> 16
      const index = bucketIndex(hash, mask, buckets)
      let link = layout.bucketAtIndex(t, index)
      this.index = index
      if (hash >>> 29 === 0) {
        this.slot = (place * SLOTS) >>> 16
        this.link = this.lastLink(link)
        return
      }
      const isSplit = index > mask || index + mask + 1 < buckets
      let slot = (place * (isSplit ? span : span * 2)) >>> 16
      if (slot >= SLOTS) {
        slot -= SLOTS
        link = this.next(link)
      }
      this.slot = slot
      this.link = link
      if (link !== 0 && arena.dv(link).getUint32(arena.at(link) + slot * 4, true) !== 0) return
      hash = otherHash(hash)
    }
  }

  /**
   * Reads a byte of each entry, which its caller will judge, and of the buckets where the next sample is likely to
   * begin: these reads wait for memory together. Nothing may depend on them, and they must be few instructions apart.
   */
  private readAhead(t: Ref, buckets: number, found: number, out: Uint32Array): void {
    const { arena, layout, nextHash } = this
    const { segments } = arena
    const mask = arena.dv(t).getUint32(arena.at(t) + MASK, true)
    const first = layout.bucketAtIndex(t, bucketIndex(nextHash, mask, buckets))
    const second = layout.bucketAtIndex(t, bucketIndex(otherHash(nextHash), mask, buckets))
    let read = segments[first >>> SEGMENT_SHIFT].u8[(first & GRANULE_MASK) << 4]
    read |= segments[second >>> SEGMENT_SHIFT].u8[(second & GRANULE_MASK) << 4]
    for (let i = 0; i < found; i++) {
      const entry = out[i]
      read |= segments[entry >>> SEGMENT_SHIFT].u8[(entry & GRANULE_MASK) << 4]
    }
    layout.lastRead = read
  }

  private next(link: Ref): Ref {
    return this.layout.bucketRef(this.arena.dv(link), this.arena.at(link))
  }

  private lastLink(bucket: Ref): Ref {
    let last = bucket
    for (let next = last; next !== 0; next = this.next(last)) last = next
    return last
  }
}

/** The hash that is tried after another. */
function otherHash(hash: number): number {
  return (Math.imul(hash, 0x915f77f5) + 0x6ef3) >>> 0
}
