// HashTable: entries found by their keys. The buckets' layout, and how their number changes: TableBuckets.
//
// Always: replaceAt() and removeAt() get a slot that find() or findRef() of the same table has filled, and the table
// was not changed in between.
//
// scan() keeps Redis's guarantee (every entry present from begin to end is returned, whatever the table did meanwhile)
// with Redis's cursor: bucket numbers counted up from their highest bit.

import { reverseBits } from '../lib/bits.ts'
import type { Hasher } from '../lib/siphash.ts'
import type { Slice } from '../lib/slice.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import { readPrefixed } from './prefixed.ts'
import {
  BUCKETS,
  COUNT,
  DIRECTORY,
  FILL_MAX,
  FILL_MIN,
  MASK,
  OVERFLOW_AT,
  OVERFLOW_COUNT,
  SLOTS,
  TAGS_AT,
  TableBuckets,
} from './table-buckets.ts'
import { TableSample } from './table-sample.ts'
import type { TableSlot } from './table-slot.ts'

export class HashTable {
  /** The tables in memory: for HashTable and TableCursor. */
  readonly layout: TableBuckets
  private readonly samples: TableSample
  private readonly arena: Arena
  private readonly hasher: Hasher
  private readonly keyAt: number

  /** `keyAt`: bytes before the key's length in every entry of the tables this one works on. */
  constructor(arena: Arena, hasher: Hasher, keyAt: number) {
    this.layout = new TableBuckets(arena, hasher, keyAt)
    this.samples = new TableSample(arena, this.layout)
    this.arena = arena
    this.hasher = hasher
    this.keyAt = keyAt
  }

  // ---- a table as a whole ----

  /** A new, empty table. */
  create(): Ref {
    return this.layout.create()
  }

  count(t: Ref): number {
    return this.layout.count(t)
  }

  /** Number of buckets, for statistics. */
  buckets(t: Ref): number {
    return this.layout.buckets(t)
  }

  /** The chunk of a table that has only one, with buckets() of 64 bytes; 0: it has a directory. */
  onlyChunk(t: Ref): Ref {
    return this.layout.onlyChunk(t)
  }

  /** Bytes of the table itself, entries not included. */
  bytes(t: Ref): number {
    return this.layout.bytes(t)
  }

  /** Gives an empty table the buckets that so many entries will need: none of them moves while they are added. */
  reserve(t: Ref, entries: number): void {
    this.layout.reserve(t, entries)
  }

  /** Gives up buckets that were reserved for more entries than there are. */
  trim(t: Ref): void {
    this.layout.trim(t)
  }

  /** Moves the table's header out of an evacuating segment; its ref from then on. */
  relocate(t: Ref): Ref {
    return this.arena.relocate(t)
  }

  /** Moves the table's own memory out of evacuating segments, `chunkLimit` chunks from `from` on; the next, or -1. */
  relocateChunks(t: Ref, from: number, chunkLimit: number): number {
    return this.layout.relocateChunks(t, from, chunkLimit)
  }

  // ---- entries ----

  /** The hash of an entry's key. */
  hashOf(entry: Ref): number {
    return this.layout.hashOf(entry)
  }

  hash(key: Slice): number {
    return this.hasher.hashBytes(key.dv, key.off, key.len)
  }

  /** Points `out` at the key of an entry. */
  keyOf(entry: Ref, out: Slice): Slice {
    const seg = this.arena.segment(entry)
    return readPrefixed(seg.u8, seg.dv, this.arena.at(entry) + this.keyAt, out)
  }

  /** The entry with this key, or 0; `slot` is its position. */
  find(t: Ref, key: Slice, hash: number, slot: TableSlot): Ref {
    return this.findIn(this.layout.bucketOf(t, hash), key, hash, slot)
  }

  /** As find(), in this bucket and those behind it. */
  findIn(first: Ref, key: Slice, hash: number, slot: TableSlot): Ref {
    slot.hash = hash
    let bucket = first
    const spread = Math.imul(hash >>> 24, 0x01010101)
    do {
      const seg = this.arena.segments[bucket >>> SEGMENT_SHIFT]
      const dv = seg.dv
      const at = this.layout.bucketAt(bucket)
      for (let w = 0; w < SLOTS; w += 4) {
        // Zero bytes of x are equal tags; a false positive above a true one fails the key comparison.
        const x = dv.getInt32(at + TAGS_AT + w, true) ^ spread
        let marks = (x - 0x01010101) & ~x & 0x80808080
        while (marks !== 0) {
          const index = w + ((31 - Math.clz32(marks & -marks)) >>> 3)
          const entry = dv.getUint32(at + index * 4, true)
          if (entry !== 0 && this.hasKey(entry, key)) {
            slot.segment = seg
            slot.refAt = at + index * 4
            slot.tagAt = at + TAGS_AT + index
            slot.entry = entry
            return entry
          }
          marks &= marks - 1
        }
      }
      bucket = this.layout.bucketRef(dv, at)
    } while (bucket !== 0)
    slot.entry = 0
    return 0
  }

  /** Reads a word of the bucket of a hash that is looked up soon, and does not wait for it. */
  readAhead(t: Ref, hash: number): void {
    this.layout.readAheadOne(this.layout.bucketOf(t, hash))
  }

  /** Adds an entry whose key is not in the table. */
  insert(t: Ref, entry: Ref, hash: number): void {
    this.layout.insertIntoBucket(this.layout.bucketOf(t, hash), entry, hash >>> 24, t)
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const count = dv.getUint32(at + COUNT, true) + 1
    dv.setUint32(at + COUNT, count, true)
    if (count > dv.getUint32(at + BUCKETS, true) * FILL_MAX) this.layout.split(t)
  }

  /** Replaces the found entry by `entry`. */
  replaceAt(slot: TableSlot, entry: Ref): void {
    slot.segment.dv.setUint32(slot.refAt, entry, true)
  }

  /** Removes the found entry. The entry itself is not freed. */
  removeAt(t: Ref, slot: TableSlot): void {
    slot.entry = 0
    slot.segment.dv.setUint32(slot.refAt, 0, true)
    slot.segment.u8[slot.tagAt] = 0
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const count = dv.getUint32(at + COUNT, true) - 1
    dv.setUint32(at + COUNT, count, true)
    if (dv.getUint32(at + OVERFLOW_COUNT, true) > 0) this.layout.compactOverflow(t, this.layout.bucketOf(t, slot.hash))
    const buckets = dv.getUint32(at + BUCKETS, true)
    if (buckets > 1 && count < buckets * FILL_MIN) {
      this.layout.mergeLast(t)
      if (buckets > 2 && count < (buckets - 1) * FILL_MIN) this.layout.mergeLast(t)
    }
  }

  /** True when this very entry is in the table; `slot` is its position. */
  findRef(t: Ref, entry: Ref, hash: number, slot: TableSlot): boolean {
    slot.hash = hash
    slot.entry = 0
    let bucket = this.layout.bucketOf(t, hash)
    do {
      const seg = this.arena.segments[bucket >>> SEGMENT_SHIFT]
      const at = this.layout.bucketAt(bucket)
      for (let index = 0; index < SLOTS; index++) {
        if (seg.dv.getUint32(at + index * 4, true) !== entry) continue
        slot.entry = entry
        slot.segment = seg
        slot.refAt = at + index * 4
        slot.tagAt = at + TAGS_AT + index
        return true
      }
      bucket = this.layout.bucketRef(seg.dv, at)
    } while (bucket !== 0)
    return false
  }

  /**
   * Calls `visit` with each entry of the next bucket and returns the cursor to continue with, 0 at the end.
   * `visit` must not change the table. Cursors are unsigned 32-bit integers.
   */
  scan(t: Ref, cursor: number, visit: (entry: Ref) => void): number {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const buckets = dv.getUint32(at + BUCKETS, true)
    let mask = dv.getUint32(at + MASK, true)
    if ((cursor & mask) + mask + 1 < buckets) mask = mask * 2 + 1
    this.visitBucket(this.layout.bucketAtIndex(t, cursor & mask), visit)
    return reverseBits(reverseBits(cursor | ~mask) + 1)
  }

  /** An entry chosen nearly evenly, or 0 in an empty table. `random` gives unsigned 32-bit integers. */
  random(t: Ref, random: () => number): Ref {
    if (this.layout.count(t) === 0) return 0
    const buckets = this.arena.dv(t).getUint32(this.arena.at(t) + BUCKETS, true)
    // A filled slot among the first two links of a random bucket is taken: every entry there has the same chance.
    // Sparse or chained tables end with the first entry at or after a random bucket.
    for (let tries = 0; tries < 128; tries++) {
      const index = random() % buckets
      let slot = random() % (SLOTS * 2)
      let bucket = this.layout.bucketAtIndex(t, index)
      if (slot >= SLOTS) {
        slot -= SLOTS
        bucket = this.layout.bucketRef(this.arena.dv(bucket), this.layout.bucketAt(bucket))
        if (bucket === 0) continue
      }
      const entry = this.arena.dv(bucket).getUint32(this.layout.bucketAt(bucket) + slot * 4, true)
      if (entry !== 0) return entry
    }
    for (let i = 0, index = random() % buckets; i < buckets; i++, index = (index + 1) % buckets) {
      const entry = this.anyOf(this.layout.bucketAtIndex(t, index))
      if (entry !== 0) return entry
    }
    return 0
  }

  /** Up to `limit` different entries, from a random one on, to `out`; their number (table-sample.ts). */
  sample(t: Ref, random: () => number, limit: number, out: Uint32Array): number {
    const found = this.samples.take(t, random, limit, out)
    if (found !== 0 || limit === 0 || this.layout.count(t) === 0) return found
    out[0] = this.random(t, random)
    return 1
  }

  /**
   * Empties the table from its last bucket on: frees buckets and calls `visit` with each entry, up to about `limit` of
   * them. True when all of the table is freed, its header too.
   */
  drain(t: Ref, limit: number, visit: (entry: Ref) => void): boolean {
    let left = limit
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    while (left > 0) {
      const last = dv.getUint32(at + BUCKETS, true) - 1
      let bucket = this.layout.bucketAtIndex(t, last)
      let primary = true
      while (bucket !== 0) {
        const bdv = this.arena.dv(bucket)
        const bat = this.layout.bucketAt(bucket)
        this.layout.readAhead(bdv, bat)
        for (let slot = 0; slot < SLOTS; slot++) {
          const entry = bdv.getUint32(bat + slot * 4, true)
          if (entry === 0) continue
          bdv.setUint32(bat + slot * 4, 0, true)
          visit(entry)
          left--
          dv.setUint32(at + COUNT, dv.getUint32(at + COUNT, true) - 1, true)
        }
        const next = this.layout.bucketRef(bdv, bat)
        if (!primary) this.arena.free(bucket)
        else bdv.setUint32(bat + OVERFLOW_AT, 0, true)
        primary = false
        bucket = next
      }
      if (last === 0) {
        this.arena.free(dv.getUint32(at + DIRECTORY, true))
        this.arena.free(t)
        return true
      }
      this.layout.dropLastBucket(t)
    }
    return false
  }

  /** Calls `visit` for each entry of bucket `index`; it returns the entry's ref from then on (moved or the same). */
  mapBucket(t: Ref, index: number, visit: (entry: Ref) => Ref): void {
    let bucket = this.layout.bucketAtIndex(t, index)
    while (bucket !== 0) {
      const dv = this.arena.dv(bucket)
      const at = this.layout.bucketAt(bucket)
      for (let slot = 0; slot < SLOTS; slot++) {
        const entry = dv.getUint32(at + slot * 4, true)
        if (entry !== 0) dv.setUint32(at + slot * 4, visit(entry), true)
      }
      bucket = this.layout.bucketRef(dv, at)
    }
  }

  private hasKey(entry: Ref, key: Slice): boolean {
    const seg = this.arena.segments[entry >>> SEGMENT_SHIFT]
    let at = ((entry & GRANULE_MASK) << 4) + this.keyAt
    let len = seg.u8[at++]
    if (len === 255) {
      len = seg.dv.getUint32(at, true)
      at += 4
    }
    if (len !== key.len) return false
    const a = seg.dv
    const b = key.dv
    let k = key.off
    const words = at + (len & ~3)
    for (; at < words; at += 4, k += 4) if (a.getInt32(at, true) !== b.getInt32(k, true)) return false
    for (const end = at + (len & 3); at < end; at++, k++) if (a.getUint8(at) !== b.getUint8(k)) return false
    return true
  }

  private visitBucket(bucket: Ref, visit: (entry: Ref) => void): void {
    while (bucket !== 0) {
      const dv = this.arena.dv(bucket)
      const at = this.layout.bucketAt(bucket)
      this.layout.readAhead(dv, at)
      for (let slot = 0; slot < SLOTS; slot++) {
        const entry = dv.getUint32(at + slot * 4, true)
        if (entry !== 0) visit(entry)
      }
      bucket = this.layout.bucketRef(dv, at)
    }
  }

  private anyOf(bucket: Ref): Ref {
    while (bucket !== 0) {
      const dv = this.arena.dv(bucket)
      const at = this.layout.bucketAt(bucket)
      for (let slot = 0; slot < SLOTS; slot++) {
        const entry = dv.getUint32(at + slot * 4, true)
        if (entry !== 0) return entry
      }
      bucket = this.layout.bucketRef(dv, at)
    }
    return 0
  }
}
