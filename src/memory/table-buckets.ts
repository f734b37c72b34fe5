// TableBuckets: linear hashing over 64-byte buckets in the arena. The table grows and shrinks by one bucket at a
// time, so there is no second table while it grows, no step longer than a bucket, and a steady 8 to 9 bytes a key.
//
//   header (32 B)   count u32 | buckets u32 | mask u32 | directory ref u32 | directory entries u32
//                   | overflow buckets u32 | - | -
//   directory       refs of chunks; one chunk holds 32 buckets (2 KiB). Up to 32 buckets there is no directory:
//                   the header points at the only chunk, sized 1, 2, 4 … 32 buckets.
//   bucket (64 B)   12 entry refs (u32, 0 = empty) | 12 tags (u8) | ref of an overflow bucket (u32)
//
// Always: mask + 1 <= buckets < 2 * (mask + 1), mask + 1 a power of two; an entry with hash h is in bucket
// h & (2 * mask + 1), or in h & mask where that bucket does not exist yet; its tag is h >>> 24; overflow buckets
// are never empty.
//
// An entry is allocated by the table's owner. The table knows only where its key is:
//   [ keyAt bytes of the owner's ][ key, prefixed with its length (prefixed.ts) ] …

import { assert } from '../lib/assert.ts'
import type { Hasher } from '../lib/siphash.ts'
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from './arena.ts'
import { prefixedEnd, prefixedLength } from './prefixed.ts'

export const COUNT = 0
export const BUCKETS = 4
export const MASK = 8
export const DIRECTORY = 12
const DIRECTORY_ENTRIES = 16
export const OVERFLOW_COUNT = 20
const HEADER_BYTES = 32

export const SLOTS = 12
export const TAGS_AT = 48
export const OVERFLOW_AT = 60
const BUCKET_BYTES = 64
const CHUNK_BUCKETS = 32
const CHUNK_SHIFT = 5
const CHUNK_BYTES = CHUNK_BUCKETS * BUCKET_BYTES
export const FILL_MAX = 8 // entries per bucket above which a bucket is split
export const FILL_MIN = 3 // entries per bucket below which the last bucket is merged away

assert(TAGS_AT === SLOTS * 4 && OVERFLOW_AT === TAGS_AT + SLOTS, 'tags follow the refs, the overflow ref the tags')
assert(OVERFLOW_AT + 4 === BUCKET_BYTES, 'a bucket is a cache line')
assert(SLOTS % 4 === 0, 'find() looks at four tags at a time')
assert(CHUNK_BUCKETS === 1 << CHUNK_SHIFT, 'chunks are found by a shift')
assert(FILL_MIN * 2 < FILL_MAX && FILL_MAX < SLOTS, 'what was split is not merged at once')

/** The bucket of a hash in a table of so many buckets; `mask` is as in a header. */
export function bucketIndex(hash: number, mask: number, buckets: number): number {
  const index = (hash & (mask * 2 + 1)) >>> 0
  return index < buckets ? index : index & mask
}

export class TableBuckets {
  readonly arena: Arena
  readonly hasher: Hasher
  readonly keyAt: number
  /** So that readAhead() is not optimised away. */
  lastRead = 0

  /** `keyAt`: bytes before the key's length in every entry of these tables. */
  constructor(arena: Arena, hasher: Hasher, keyAt: number) {
    this.arena = arena
    this.hasher = hasher
    this.keyAt = keyAt
  }

  /** A new, empty table. */
  create(): Ref {
    const t = this.arena.alloc(HEADER_BYTES)
    const chunk = this.newChunk(BUCKET_BYTES)
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    for (let i = 0; i < HEADER_BYTES; i += 4) dv.setUint32(at + i, 0, true)
    dv.setUint32(at + BUCKETS, 1, true)
    dv.setUint32(at + DIRECTORY, chunk, true)
    return t
  }

  count(t: Ref): number {
    return this.arena.dv(t).getUint32(this.arena.at(t) + COUNT, true)
  }

  /**
   * Reads a byte of each entry of a bucket whose entries are visited next: these reads wait for memory together, where
   * each visit would wait for its own.
   */
  readAhead(dv: DataView, at: number): void {
    const { segments } = this.arena
    let read = 0
    for (let slot = 0; slot < SLOTS; slot++) {
      const entry = dv.getUint32(at + slot * 4, true)
      if (entry !== 0) read |= segments[entry >>> SEGMENT_SHIFT].u8[(entry & GRANULE_MASK) << 4]
    }
    this.lastRead = read
  }

  /** Reads a byte of an allocation that is visited soon, also when it may be gone. */
  readAheadOne(ref: Ref): void {
    const seg = this.arena.segments[ref >>> SEGMENT_SHIFT]
    if (seg !== undefined) this.lastRead = seg.u8[(ref & GRANULE_MASK) << 4]
  }

  hashOf(entry: Ref): number {
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry) + this.keyAt
    const len = prefixedLength(seg.u8, seg.dv, at)
    return this.hasher.hashBytes(seg.dv, prefixedEnd(seg.u8, seg.dv, at) - len, len)
  }

  /** Number of buckets, for statistics. */
  buckets(t: Ref): number {
    return this.arena.dv(t).getUint32(this.arena.at(t) + BUCKETS, true)
  }

  /** The chunk of a table without a directory; 0: it has one. */
  onlyChunk(t: Ref): Ref {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    return dv.getUint32(at + DIRECTORY_ENTRIES, true) === 0 ? dv.getUint32(at + DIRECTORY, true) : 0
  }

  /** Bytes of the table without its entries. */
  bytes(t: Ref): number {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const entries = dv.getUint32(at + DIRECTORY_ENTRIES, true)
    const chunks = entries === 0 ? this.arena.sizeOf(dv.getUint32(at + DIRECTORY, true)) : 0
    const buckets = dv.getUint32(at + BUCKETS, true)
    const directory = entries === 0 ? 0 : this.arena.sizeOf(dv.getUint32(at + DIRECTORY, true))
    const full = entries === 0 ? chunks : Math.ceil(buckets / CHUNK_BUCKETS) * CHUNK_BYTES
    return HEADER_BYTES + full + directory + dv.getUint32(at + OVERFLOW_COUNT, true) * BUCKET_BYTES
  }

  /** Moves the table itself out of evacuating segments, `chunkLimit` chunks from `from` on; the next `from`, or -1. */
  relocateChunks(t: Ref, from: number, chunkLimit: number): number {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const entries = dv.getUint32(at + DIRECTORY_ENTRIES, true)
    if (from === 0) dv.setUint32(at + DIRECTORY, this.arena.relocate(dv.getUint32(at + DIRECTORY, true)), true)
    if (entries === 0)
      return this.relocateOverflow(dv.getUint32(at + DIRECTORY, true), dv.getUint32(at + BUCKETS, true))
    const chunks = Math.ceil(dv.getUint32(at + BUCKETS, true) / CHUNK_BUCKETS)
    const directory = dv.getUint32(at + DIRECTORY, true)
    const ddv = this.arena.dv(directory)
    const dat = this.arena.at(directory)
    const end = Math.min(chunks, from + chunkLimit)
    for (let i = from; i < end; i++) {
      const chunk = this.arena.relocate(ddv.getUint32(dat + i * 4, true))
      ddv.setUint32(dat + i * 4, chunk, true)
      this.relocateOverflow(chunk, CHUNK_BUCKETS)
    }
    return end < chunks ? end : -1
  }

  private relocateOverflow(chunk: Ref, buckets: number): number {
    for (let i = 0; i < buckets; i++) {
      let bucket = (chunk + i * 4) >>> 0
      for (;;) {
        const dv = this.arena.dv(bucket)
        const at = this.bucketAt(bucket)
        const next = this.bucketRef(dv, at)
        if (next === 0) break
        bucket = this.arena.relocate(next)
        dv.setUint32(at + OVERFLOW_AT, bucket, true)
      }
    }
    return -1
  }

  // A bucket is identified by the ref of its first granule: chunks are allocations, buckets are 4 granules of one.
  bucketOf(t: Ref, hash: number): Ref {
    const seg = this.arena.segments[t >>> SEGMENT_SHIFT]
    const at = (t & GRANULE_MASK) << 4
    const mask = seg.dv.getUint32(at + MASK, true)
    const index = bucketIndex(hash, mask, seg.dv.getUint32(at + BUCKETS, true))
    const directory = seg.dv.getUint32(at + DIRECTORY, true)
    if (seg.dv.getUint32(at + DIRECTORY_ENTRIES, true) === 0) return (directory + index * 4) >>> 0
    return this.inDirectory(directory, index)
  }

  /** Bucket `index`, for iteration (table-cursor.ts). */
  bucketAtIndex(t: Ref, index: number): Ref {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const directory = dv.getUint32(at + DIRECTORY, true)
    if (dv.getUint32(at + DIRECTORY_ENTRIES, true) === 0) return (directory + index * 4) >>> 0
    return this.inDirectory(directory, index)
  }

  private inDirectory(directory: Ref, index: number): Ref {
    const seg = this.arena.segments[directory >>> SEGMENT_SHIFT]
    const chunk = seg.dv.getUint32(((directory & GRANULE_MASK) << 4) + (index >>> CHUNK_SHIFT) * 4, true)
    return (chunk + (index & (CHUNK_BUCKETS - 1)) * 4) >>> 0
  }

  bucketAt(bucket: Ref): number {
    return (bucket & GRANULE_MASK) << 4
  }

  bucketRef(dv: DataView, at: number): Ref {
    return dv.getUint32(at + OVERFLOW_AT, true)
  }

  private newChunk(bytes: number): Ref {
    const chunk = this.arena.alloc(bytes)
    const at = this.arena.at(chunk)
    const { u8, dv } = this.arena.segment(chunk)
    // A call of fill() costs more than a bucket's eight words.
    if (bytes > BUCKET_BYTES) u8.fill(0, at, at + bytes)
    else for (let i = 0; i < bytes; i += 8) dv.setFloat64(at + i, 0, true)
    return chunk
  }

  insertIntoBucket(bucket: Ref, entry: Ref, tag: number, t: Ref): void {
    while (!this.putInto(bucket, entry, tag)) {
      const dv = this.arena.dv(bucket)
      const at = this.bucketAt(bucket)
      let next = this.bucketRef(dv, at)
      if (next === 0) {
        next = this.newChunk(BUCKET_BYTES)
        dv.setUint32(at + OVERFLOW_AT, next, true)
        this.addOverflow(t, 1)
      }
      bucket = next
    }
  }

  /** Puts the entry into the first empty slot of this one bucket; false when there is none. */
  private putInto(bucket: Ref, entry: Ref, tag: number): boolean {
    const seg = this.arena.segments[bucket >>> SEGMENT_SHIFT]
    const at = this.bucketAt(bucket)
    for (let slot = 0; slot < SLOTS; slot++) {
      if (seg.dv.getUint32(at + slot * 4, true) !== 0) continue
      seg.dv.setUint32(at + slot * 4, entry, true)
      seg.u8[at + TAGS_AT + slot] = tag
      return true
    }
    return false
  }

  private addOverflow(t: Ref, n: number): void {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t) + OVERFLOW_COUNT
    dv.setUint32(at, dv.getUint32(at, true) + n, true)
  }

  /** Adds one bucket: the entries of bucket `buckets - (mask + 1)` whose next hash bit is set move into it. */
  split(t: Ref): void {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const fresh = dv.getUint32(at + BUCKETS, true)
    const mask = dv.getUint32(at + MASK, true)
    this.addBucket(t, fresh)
    dv.setUint32(at + BUCKETS, fresh + 1, true)
    if (fresh + 1 === (mask + 1) * 2) dv.setUint32(at + MASK, mask * 2 + 1, true)
    const source = this.bucketAtIndex(t, fresh - (mask + 1))
    const target = this.bucketAtIndex(t, fresh)
    const bit = mask + 1
    for (let bucket = source; bucket !== 0; ) {
      const seg = this.arena.segments[bucket >>> SEGMENT_SHIFT]
      const bat = this.bucketAt(bucket)
      for (let slot = 0; slot < SLOTS; slot++) {
        const entry = seg.dv.getUint32(bat + slot * 4, true)
        if (entry === 0 || (this.hashOf(entry) & bit) === 0) continue
        this.insertIntoBucket(target, entry, seg.u8[bat + TAGS_AT + slot], t)
        seg.dv.setUint32(bat + slot * 4, 0, true)
        seg.u8[bat + TAGS_AT + slot] = 0
      }
      bucket = this.bucketRef(seg.dv, bat)
    }
    if (dv.getUint32(at + OVERFLOW_COUNT, true) > 0) this.compactOverflow(t, source)
  }

  /** Gives an empty table the buckets for so many entries: none of them moves while they are added. */
  reserve(t: Ref, entries: number): void {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const wanted = Math.ceil(entries / FILL_MAX)
    const buckets = dv.getUint32(at + BUCKETS, true)
    if (dv.getUint32(at + COUNT, true) > 0 || wanted <= buckets) return
    for (let index = buckets; index < wanted; index++) this.addBucket(t, index)
    dv.setUint32(at + BUCKETS, wanted, true)
    dv.setUint32(at + MASK, 2 ** (31 - Math.clz32(wanted)) - 1, true)
  }

  /** Frees buckets that were reserved for more entries than there are. */
  trim(t: Ref): void {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    while (
      dv.getUint32(at + BUCKETS, true) > 1 &&
      dv.getUint32(at + COUNT, true) < dv.getUint32(at + BUCKETS, true) * FILL_MIN
    )
      this.mergeLast(t)
  }

  /** Allocates bucket `index`, the next one, and zeroes it. */
  private addBucket(t: Ref, index: number): void {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const entries = dv.getUint32(at + DIRECTORY_ENTRIES, true)
    const directory = dv.getUint32(at + DIRECTORY, true)
    if (index < CHUNK_BUCKETS) {
      const size = this.arena.sizeOf(directory)
      if ((index + 1) * BUCKET_BYTES <= size) {
        const from = this.arena.at(directory) + index * BUCKET_BYTES
        this.arena.u8(directory).fill(0, from, from + BUCKET_BYTES)
        return
      }
      const grown = this.newChunk(Math.min(CHUNK_BYTES, index * BUCKET_BYTES * 2))
      this.arena.copy(grown, 0, directory, 0, index * BUCKET_BYTES)
      this.arena.free(directory)
      dv.setUint32(at + DIRECTORY, grown, true)
      return
    }
    if ((index & (CHUNK_BUCKETS - 1)) !== 0) return
    const chunkIndex = index >>> CHUNK_SHIFT
    let list = directory
    if (entries === 0) {
      list = this.arena.alloc(64)
      this.arena.dv(list).setUint32(this.arena.at(list), directory, true)
    } else if (chunkIndex >= entries) {
      list = this.arena.alloc(this.arena.sizeOf(directory) * 2)
      this.arena.copy(list, 0, directory, 0, entries * 4)
      this.arena.free(directory)
    }
    if (list !== directory) {
      dv.setUint32(at + DIRECTORY, list, true)
      dv.setUint32(at + DIRECTORY_ENTRIES, this.arena.sizeOf(list) >>> 2, true)
    }
    this.arena.dv(list).setUint32(this.arena.at(list) + chunkIndex * 4, this.newChunk(CHUNK_BYTES), true)
  }

  /** Merges the entries of the last bucket into the bucket it was split from. */
  mergeLast(t: Ref): void {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const last = dv.getUint32(at + BUCKETS, true) - 1
    const mask = dv.getUint32(at + MASK, true)
    const half = last === mask ? (mask + 1) >>> 1 : mask + 1
    const target = this.bucketAtIndex(t, last - half)
    const source = this.bucketAtIndex(t, last)
    for (let bucket = source; bucket !== 0; ) {
      const seg = this.arena.segments[bucket >>> SEGMENT_SHIFT]
      const bat = this.bucketAt(bucket)
      for (let slot = 0; slot < SLOTS; slot++) {
        const entry = seg.dv.getUint32(bat + slot * 4, true)
        if (entry !== 0) this.insertIntoBucket(target, entry, seg.u8[bat + TAGS_AT + slot], t)
      }
      const next = this.bucketRef(seg.dv, bat)
      if (bucket !== source) {
        this.arena.free(bucket)
        this.addOverflow(t, -1)
      }
      bucket = next
    }
    // The bucket's bytes stay in its chunk and are reused unchanged when the table grows again.
    const emptied = this.bucketAt(source)
    this.arena.u8(source).fill(0, emptied, emptied + BUCKET_BYTES)
    this.dropLastBucket(t)
  }

  /** Removes the last bucket, whose entries and overflow are removed already. */
  dropLastBucket(t: Ref): void {
    const dv = this.arena.dv(t)
    const at = this.arena.at(t)
    const last = dv.getUint32(at + BUCKETS, true) - 1
    const mask = dv.getUint32(at + MASK, true)
    dv.setUint32(at + BUCKETS, last, true)
    if (last === mask) dv.setUint32(at + MASK, mask >>> 1, true)
    const directory = dv.getUint32(at + DIRECTORY, true)
    const entries = dv.getUint32(at + DIRECTORY_ENTRIES, true)
    if (entries === 0) return this.shrinkOnlyChunk(t, directory, last)
    if ((last & (CHUNK_BUCKETS - 1)) !== 0) return
    const list = this.arena.dv(directory)
    const listAt = this.arena.at(directory)
    this.arena.free(list.getUint32(listAt + (last >>> CHUNK_SHIFT) * 4, true))
    const chunks = last >>> CHUNK_SHIFT
    if (chunks === 1) {
      dv.setUint32(at + DIRECTORY, list.getUint32(listAt, true), true)
      dv.setUint32(at + DIRECTORY_ENTRIES, 0, true)
      this.arena.free(directory)
    } else if (entries >= 64 && chunks * 4 <= entries) {
      const smaller = this.arena.realloc(directory, entries * 2, chunks * 4)
      dv.setUint32(at + DIRECTORY, smaller, true)
      dv.setUint32(at + DIRECTORY_ENTRIES, this.arena.sizeOf(smaller) >>> 2, true)
    }
  }

  private shrinkOnlyChunk(t: Ref, chunk: Ref, buckets: number): void {
    if (buckets * BUCKET_BYTES * 4 > this.arena.sizeOf(chunk)) return
    const bytes = Math.max(1, buckets) * BUCKET_BYTES
    const smaller = this.arena.realloc(chunk, bytes, bytes)
    this.arena.dv(t).setUint32(this.arena.at(t) + DIRECTORY, smaller, true)
  }

  /** Moves entries towards the head of a chain so that its overflow buckets are freed as early as possible. */
  compactOverflow(t: Ref, head: Ref): void {
    for (;;) {
      let last = head
      let before = 0
      for (let next = this.bucketRef(this.arena.dv(last), this.bucketAt(last)); next !== 0; ) {
        before = last
        last = next
        next = this.bucketRef(this.arena.dv(last), this.bucketAt(last))
      }
      if (before === 0) return
      const seg = this.arena.segments[last >>> SEGMENT_SHIFT]
      const at = this.bucketAt(last)
      let left = 0
      for (let slot = 0; slot < SLOTS; slot++) {
        const entry = seg.dv.getUint32(at + slot * 4, true)
        if (entry === 0) continue
        if (this.placeBefore(head, last, entry, seg.u8[at + TAGS_AT + slot])) {
          seg.dv.setUint32(at + slot * 4, 0, true)
          seg.u8[at + TAGS_AT + slot] = 0
        } else left++
      }
      if (left > 0) return
      this.arena.dv(before).setUint32(this.bucketAt(before) + OVERFLOW_AT, 0, true)
      this.arena.free(last)
      this.addOverflow(t, -1)
    }
  }

  private placeBefore(head: Ref, end: Ref, entry: Ref, tag: number): boolean {
    let bucket = head
    for (; bucket !== end; bucket = this.bucketRef(this.arena.dv(bucket), this.bucketAt(bucket)))
      if (this.putInto(bucket, entry, tag)) return true
    return false
  }
}
