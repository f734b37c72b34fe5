// Arena: the memory for keys and values, outside the garbage-collected heap.
//
//   segment  4 MiB ArrayBuffer, committed lazily by the operating system; larger for one larger allocation
//   page     16 KiB of a segment: free, part of a slab, or part of a large allocation
//   slab     equal slots in one page or a few (size-classes.ts)
//   granule  16 B; every allocation starts on one
//
//   ref (u32)  | segment 14 bits | granule in segment 18 bits |     64 GiB addressable; 0 is "nothing"
//                                  byte offset = (ref & GRANULE_MASK) << 4
//
//   slab  [slot][slot][free: next free granule of the slab u16 ...][never used yet ...]
//
// Page metadata of a slab is stored at its first page (the head).
//
// Always: a slab is in the partial list of its class exactly when it has a free slot and its segment is not
// evacuating; usedBytes is the sum of the sizes of all live allocations; memory handed out is not zeroed. Buffers of
// empty segments are reused until SpareBuffers frees them.

import { assert } from '../lib/assert.ts'
import { copyBytes } from '../lib/bytes.ts'
import { PAGES_PER_SEGMENT, SEGMENT_BYTES, Segment } from './segment.ts'
import {
  CLASS_OF_GRANULES,
  PAGE_BYTES,
  SLAB_BYTES,
  SLAB_PAGES,
  SLAB_PAGES_MAX,
  SLOT_BYTES,
  SLOT_BYTES_MAX,
  THREE_PAGES_SLOT_BYTES_MAX,
} from './size-classes.ts'
import { SpareBuffers } from './spare-buffers.ts'

/** A handle to an allocation: an unsigned 32-bit integer, 0 for none. */
export type Ref = number

export const SEGMENT_SHIFT = 18
export const GRANULE_MASK = (1 << SEGMENT_SHIFT) - 1
const SEGMENTS_MAX = 1 << (32 - SEGMENT_SHIFT)
const PAGE_SHIFT = 10 // granules of a page, as a shift
const PAGES_SHIFT = SEGMENT_SHIFT - PAGE_SHIFT
const PAGE_MASK = PAGES_PER_SEGMENT - 1
const NO_SLOT = 0xffff
/** A segment fuller than this is not worth evacuating. */
const SPARSE_MAX = 0.92
/** Evacuated allocations need this much free space per byte: free slots elsewhere may be of other sizes. */
const FREE_BYTES_PER_MOVED = 1.25
/** A huge allocation that grows gets so many times the address space it needs. */
const HUGE_RESERVE = 2

// Page states: free, the head of a slab (its class), or one of these.
const FREE = 0
const SLAB_SECOND = 248 // up to 253, the seventh
const LARGE_HEAD = 254
const LARGE_TAIL = 255

assert(PAGE_BYTES === 16 << PAGE_SHIFT, 'a page is so many granules')
assert(SLOT_BYTES.length <= SLAB_SECOND, 'slot classes are told from the marks of other pages')
assert(SLAB_SECOND + SLAB_PAGES_MAX - 1 === LARGE_HEAD, 'every page of a slab has a mark')
assert(NO_SLOT >= SLAB_PAGES_MAX << PAGE_SHIFT, 'no granule of a slab is NO_SLOT')

/** A buffer of so many bytes, with any content; untouched parts of large ones should not be resident. */
export type Allocate = (bytes: number) => ArrayBuffer

class OutOfMemory extends Error {}

export class Arena {
  /** Indexed by ref >>> SEGMENT_SHIFT. Holes are undefined. */
  readonly segments: Segment[] = []
  /** Sum of the sizes of all live allocations, in bytes. */
  usedBytes = 0
  /** Live allocations. */
  count = 0
  /** Bytes of address space in segments, resident or not; without what huge allocations reserve. */
  segmentBytes = 0
  /** Bytes in pages with at least one allocation. */
  pageBytes = 0

  /** The state of each page; these, the partial lists and segments are open to ArenaImage alone. */
  pageClass = new Uint8Array(PAGES_PER_SEGMENT)
  pageLive = new Uint32Array(PAGES_PER_SEGMENT) // slots in use; pages of a large head
  pageFreeSlot = new Uint16Array(PAGES_PER_SEGMENT)
  pageFresh = new Uint16Array(PAGES_PER_SEGMENT) // first granule never handed out
  pageNext = new Int32Array(PAGES_PER_SEGMENT)
  pagePrev = new Int32Array(PAGES_PER_SEGMENT)
  readonly partial = new Int32Array(SLOT_BYTES.length).fill(-1)
  /** Of empty segments, for new ones. */
  readonly spare = new SpareBuffers()
  private readonly allocate: Allocate

  /** `startBytes`: size of the first segment, which may be smaller than the others. */
  constructor(allocate: Allocate = bytes => new ArrayBuffer(bytes), startBytes = SEGMENT_BYTES) {
    this.allocate = allocate
    this.begin(startBytes)
  }

  /** Makes the first segment. */
  begin(startBytes: number): void {
    this.addSegment(startBytes)
    // The first page is reserved so that ref 0 means none.
    this.pageClass[0] = LARGE_HEAD
    this.pageLive[0] = 1
    this.segments[0].freePages--
    this.segments[0].firstFree = 1
  }

  /** The segment of an allocation; at() is its offset there. */
  segment(ref: Ref): Segment {
    return this.segments[ref >>> SEGMENT_SHIFT]
  }

  u8(ref: Ref): Uint8Array {
    return this.segments[ref >>> SEGMENT_SHIFT].u8
  }

  dv(ref: Ref): DataView {
    return this.segments[ref >>> SEGMENT_SHIFT].dv
  }

  /** Byte offset of the allocation within u8(ref) and dv(ref). */
  at(ref: Ref): number {
    return (ref & GRANULE_MASK) << 4
  }

  /** A new allocation of at least `bytes` bytes, not zeroed. Throws OutOfMemory past 64 GiB. */
  alloc(bytes: number): Ref {
    if (bytes > SLOT_BYTES_MAX) return this.allocLarge(bytes)
    const cls = bytes <= 16 ? 1 : CLASS_OF_GRANULES[(bytes + 15) >>> 4]
    let page = this.partial[cls]
    if (page < 0) page = this.newSlab(cls)
    let granule = this.pageFreeSlot[page]
    const size = SLOT_BYTES[cls]
    if (granule !== NO_SLOT) {
      const seg = this.segments[page >>> PAGES_SHIFT]
      this.pageFreeSlot[page] = seg.dv.getUint16(((page & PAGE_MASK) << 14) + (granule << 4), true)
    } else {
      granule = this.pageFresh[page]
      this.pageFresh[page] = granule + (size >>> 4)
    }
    this.pageLive[page]++
    if (this.pageFreeSlot[page] === NO_SLOT && (this.pageFresh[page] << 4) + size > SLAB_BYTES[cls])
      this.unlink(page, cls)
    this.usedBytes += size
    this.count++
    return ((page << PAGE_SHIFT) + granule) >>> 0
  }

  /** Frees an allocation. */
  free(ref: Ref): void {
    let page = ref >>> PAGE_SHIFT
    let cls = this.pageClass[page]
    if (cls >= LARGE_HEAD) return this.freeLarge(page)
    if (cls >= SLAB_SECOND) {
      page = slabHead(page, cls)
      cls = this.pageClass[page]
    }
    const granule = (ref - (page << PAGE_SHIFT)) | 0
    const seg = this.segments[page >>> PAGES_SHIFT]
    const head = this.pageFreeSlot[page]
    const size = SLOT_BYTES[cls]
    seg.dv.setUint16(((page & PAGE_MASK) << 14) + (granule << 4), head, true)
    this.pageFreeSlot[page] = granule
    this.usedBytes -= size
    this.count--
    const live = --this.pageLive[page]
    const wasFull = head === NO_SLOT && (this.pageFresh[page] << 4) + size > SLAB_BYTES[cls]
    if (live === 0) {
      // The only partial slab of a class is not freed, so that a lone key set and deleted does not thrash. Filling a
      // large slot costs more than finding its pages.
      const isOnly = !wasFull && !seg.evacuating && this.partial[cls] === page && this.pageNext[page] < 0
      if (isOnly && size <= THREE_PAGES_SLOT_BYTES_MAX) return
      if (!wasFull && !seg.evacuating) this.unlink(page, cls)
      this.releasePages(page, SLAB_PAGES[cls])
    } else if (wasFull && !seg.evacuating) this.link(page, cls)
  }

  /** Usable bytes of an allocation. */
  sizeOf(ref: Ref): number {
    const page = ref >>> PAGE_SHIFT
    const cls = this.pageClass[page]
    if (cls < SLAB_SECOND) return SLOT_BYTES[cls]
    if (cls >= LARGE_HEAD) return this.pageLive[page] * PAGE_BYTES
    return SLOT_BYTES[this.pageClass[slabHead(page, cls)]]
  }

  /** The slot size of an allocation of `bytes`. */
  static sizeFor(bytes: number): number {
    return bytes > SLOT_BYTES_MAX
      ? Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
      : SLOT_BYTES[CLASS_OF_GRANULES[Math.max(1, (bytes + 15) >>> 4)]]
  }

  /**
   * An allocation of at least `bytes` with the first `keep` bytes of `ref`, which is freed unless returned. A large one
   * is resized in place where the pages after it are free.
   */
  realloc(ref: Ref, bytes: number, keep: number): Ref {
    const size = this.sizeOf(ref)
    if (bytes <= size && Arena.sizeFor(bytes) === size) return ref
    if (this.trim(ref, bytes)) return ref
    const fresh = bytes > SEGMENT_BYTES && bytes > size ? this.allocLarge(bytes, HUGE_RESERVE) : this.alloc(bytes)
    this.copy(fresh, 0, ref, 0, keep)
    this.free(ref)
    return fresh
  }

  /** Copies bytes between two allocations (they may be the same; overlap is handled). */
  copy(to: Ref, toOff: number, from: Ref, fromOff: number, bytes: number): void {
    const a = this.segments[to >>> SEGMENT_SHIFT]
    const b = this.segments[from >>> SEGMENT_SHIFT]
    copyBytes(a.u8, a.dv, this.at(to) + toOff, b.u8, b.dv, this.at(from) + fromOff, bytes)
  }

  /** A copy of an allocation. */
  duplicate(ref: Ref): Ref {
    const size = this.sizeOf(ref)
    const fresh = this.alloc(size)
    this.copy(fresh, 0, ref, 0, size)
    return fresh
  }

  /** True when the allocation's segment is evacuating, so that relocate() would move it. */
  isEvacuating(ref: Ref): boolean {
    return this.segments[ref >>> SEGMENT_SHIFT].evacuating
  }

  /** Moves an allocation out of an evacuating segment; returns its new ref, or the same if it did not move. */
  relocate(ref: Ref): Ref {
    if (!this.isEvacuating(ref)) return ref
    const fresh = this.duplicate(ref)
    this.free(ref)
    return fresh
  }

  /**
   * Chooses sparse segments, as many as fit into the rest, and stops allocating in them: the owners of the refs then
   * call relocate() on each, in one pass over all keys. Returns their number; no segment may be evacuating yet.
   */
  evacuateSparse(): number {
    const found: { index: number; live: number }[] = []
    let room = 0
    for (let i = 0; i < this.segments.length; i++) {
      const seg = this.segments[i]
      if (seg === undefined || seg.pages < PAGES_PER_SEGMENT || seg.u8.length > SEGMENT_BYTES) continue
      const live = this.liveBytes(i)
      room += SEGMENT_BYTES - live
      if (i > 0 && live < SEGMENT_BYTES * SPARSE_MAX) found.push({ index: i, live })
    }
    found.sort((a, b) => a.live - b.live)
    let moving = 0
    let evacuated = 0
    for (const { index, live } of found) {
      moving += live
      room -= SEGMENT_BYTES - live
      if (moving * FREE_BYTES_PER_MOVED > room) break
      this.evacuate(index)
      evacuated++
    }
    return evacuated
  }

  /** Some segment that was chosen has not been emptied. */
  get isEvacuatingAny(): boolean {
    return this.segments.some(seg => seg?.evacuating)
  }

  /** Ends a compaction: segments that were not emptied are allocated from again. Returns their number. */
  endEvacuation(): number {
    let left = 0
    for (let i = 0; i < this.segments.length; i++) {
      if (!this.segments[i]?.evacuating) continue
      this.endEvacuationOf(i)
      left++
    }
    return left
  }

  private liveBytes(index: number): number {
    let bytes = 0
    for (let p = index * PAGES_PER_SEGMENT, end = p + PAGES_PER_SEGMENT; p < end; p++) {
      const cls = this.pageClass[p]
      if (cls === LARGE_HEAD || cls === LARGE_TAIL) bytes += PAGE_BYTES
      else if (cls < SLAB_SECOND) bytes += this.pageLive[p] * SLOT_BYTES[cls]
    }
    return bytes
  }

  private evacuate(index: number): void {
    this.segments[index].evacuating = true
    for (let p = index * PAGES_PER_SEGMENT, end = p + PAGES_PER_SEGMENT; p < end; p++) {
      const cls = this.pageClass[p]
      if (cls === FREE || cls >= SLAB_SECOND || !this.hasFreeSlot(p, cls)) continue
      this.unlink(p, cls)
      if (this.pageLive[p] === 0) this.releasePages(p, SLAB_PAGES[cls])
      if (this.segments[index] === undefined) return
    }
  }

  private endEvacuationOf(index: number): void {
    this.segments[index].evacuating = false
    for (let p = index * PAGES_PER_SEGMENT, end = p + PAGES_PER_SEGMENT; p < end; p++) {
      const cls = this.pageClass[p]
      if (cls !== FREE && cls < SLAB_SECOND && this.hasFreeSlot(p, cls)) this.link(p, cls)
    }
  }

  private hasFreeSlot(page: number, cls: number): boolean {
    return this.pageFreeSlot[page] !== NO_SLOT || (this.pageFresh[page] << 4) + SLOT_BYTES[cls] <= SLAB_BYTES[cls]
  }

  private newSlab(cls: number): number {
    const pages = SLAB_PAGES[cls]
    const page = this.takePages(pages)
    this.pageClass[page] = cls
    for (let i = 1; i < pages; i++) this.pageClass[page + i] = SLAB_SECOND + i - 1
    this.pageLive[page] = 0
    this.pageFreeSlot[page] = NO_SLOT
    this.pageFresh[page] = 0
    this.link(page, cls)
    return page
  }

  private link(page: number, cls: number): void {
    const head = this.partial[cls]
    this.pageNext[page] = head
    this.pagePrev[page] = -1
    if (head >= 0) this.pagePrev[head] = page
    this.partial[cls] = page
  }

  private unlink(page: number, cls: number): void {
    const next = this.pageNext[page]
    const prev = this.pagePrev[page]
    if (prev >= 0) this.pageNext[prev] = next
    else this.partial[cls] = next
    if (next >= 0) this.pagePrev[next] = prev
  }

  private allocLarge(bytes: number, reserve = 1): Ref {
    const pages = Math.ceil(bytes / PAGE_BYTES)
    const page = pages > PAGES_PER_SEGMENT ? this.takeHuge(pages, pages * reserve) : this.takePages(pages)
    this.pageClass[page] = LARGE_HEAD
    this.pageLive[page] = pages
    for (let i = 1; i < pages; i++) this.pageClass[page + i] = LARGE_TAIL
    this.usedBytes += pages * PAGE_BYTES
    this.count++
    return (page << PAGE_SHIFT) >>> 0
  }

  /** Makes a large allocation `bytes` long without moving it; false: impossible, or not worth its memory. */
  trim(ref: Ref, bytes: number): boolean {
    const page = ref >>> PAGE_SHIFT
    const pages = Math.ceil(bytes / PAGE_BYTES)
    const seg = this.segments[page >>> PAGES_SHIFT]
    if (bytes <= SLOT_BYTES_MAX || this.pageClass[page] !== LARGE_HEAD || seg.evacuating) return false
    const have = this.pageLive[page]
    const isHuge = seg.u8.length > SEGMENT_BYTES
    const pagesMax = isHuge ? seg.u8.length / PAGE_BYTES : seg.pages - (page & PAGE_MASK)
    if (pages > pagesMax || (isHuge && pages < have && pages * HUGE_RESERVE < pagesMax)) return false
    for (let i = have; i < pages; i++) if (this.pageClass[page + i] !== FREE) return false
    const bytesMore = (pages - have) * PAGE_BYTES
    this.pageLive[page] = pages
    this.usedBytes += bytesMore
    if (pages < have && !isHuge) {
      this.releasePages(page + pages, have - pages)
      return true
    }
    if (pages > have) this.pageClass.fill(LARGE_TAIL, page + have, page + pages)
    else this.pageClass.fill(FREE, page + pages, page + have)
    this.pageBytes += bytesMore
    if (isHuge) this.segmentBytes += bytesMore
    else seg.freePages -= pages - have
    return true
  }

  private freeLarge(page: number): void {
    const pages = this.pageLive[page]
    this.usedBytes -= pages * PAGE_BYTES
    this.count--
    this.releasePages(page, pages)
  }

  /** First page of a run of `pages` free pages, lowest segment first. */
  private takePages(pages: number): number {
    for (let i = 0; i < this.segments.length; i++) {
      const seg = this.segments[i]
      if (seg === undefined || seg.evacuating || seg.runMax < pages || seg.freePages < pages) continue
      const page = this.takeRun(i, seg, pages)
      if (page >= 0) return page
      seg.runMax = pages - 1
    }
    const index = this.addSegment(SEGMENT_BYTES)
    return this.takeRun(index, this.segments[index], pages)
  }

  private takeRun(index: number, seg: Segment, pages: number): number {
    const base = index * PAGES_PER_SEGMENT
    for (let p = seg.firstFree, run = 0; p < seg.pages; p++) {
      if (this.pageClass[base + p] !== FREE) {
        run = 0
        continue
      }
      if (++run < pages) continue
      const first = p - pages + 1
      if (first === seg.firstFree) seg.firstFree = p + 1
      seg.freePages -= pages
      this.pageBytes += pages * PAGE_BYTES
      return base + first
    }
    return -1
  }

  private takeHuge(pages: number, reserved: number): number {
    const spans = Math.ceil(reserved / PAGES_PER_SEGMENT)
    const index = this.addSegment(reserved * PAGE_BYTES, spans)
    this.segmentBytes -= (reserved - pages) * PAGE_BYTES
    const seg = this.segments[index]
    seg.freePages = 0
    seg.runMax = 0
    this.pageBytes += pages * PAGE_BYTES
    return index * PAGES_PER_SEGMENT
  }

  private releasePages(page: number, pages: number): void {
    const index = page >>> PAGES_SHIFT
    const seg = this.segments[index]
    this.pageBytes -= pages * PAGE_BYTES
    this.pageClass.fill(FREE, page, page + pages)
    if (seg.u8.length > SEGMENT_BYTES) {
      this.segmentBytes += seg.u8.length - pages * PAGE_BYTES
      return this.dropSegment(index)
    }
    const inSegment = page & PAGE_MASK
    seg.freePages += pages
    seg.runMax = seg.pages
    if (inSegment < seg.firstFree) seg.firstFree = inSegment
    if (index > 0 && seg.freePages === seg.pages) this.dropSegment(index)
  }

  dropSegment(index: number): void {
    const { u8 } = this.segments[index]
    const bytes = u8.length
    this.spare.add(u8.buffer as ArrayBuffer)
    this.segmentBytes -= bytes
    for (let i = 0; i * SEGMENT_BYTES < bytes; i++) this.segments[index + i] = undefined as unknown as Segment
    while (this.segments.length > 0 && this.segments[this.segments.length - 1] === undefined) this.segments.pop()
  }

  /** Index of a new segment; `spans` > 1 takes that many consecutive indexes for one huge buffer. */
  private addSegment(bytes: number, spans = 1): number {
    let index = 0
    for (let run = 0; run < spans; index++) run = this.segments[index] === undefined ? run + 1 : 0
    index -= spans
    if (index + spans > SEGMENTS_MAX) throw new OutOfMemory('the arena is full')
    this.growPageTable((index + spans) * PAGES_PER_SEGMENT)
    this.placeSegment(index, bytes, spans)
    return index
  }

  placeSegment(index: number, bytes: number, spans: number): void {
    const kept = bytes === SEGMENT_BYTES ? this.spare.take() : undefined
    const seg = new Segment(kept ?? this.allocate(bytes))
    for (let i = 0; i < spans; i++) this.segments[index + i] = seg
    this.segmentBytes += bytes
  }

  growPageTable(pages: number): void {
    if (pages <= this.pageClass.length) return
    const size = Math.max(pages, this.pageClass.length * 2)
    const grown = <T extends Uint8Array | Uint16Array | Uint32Array | Int32Array>(from: T, to: T): T => {
      to.set(from)
      return to
    }
    this.pageClass = grown(this.pageClass, new Uint8Array(size))
    this.pageLive = grown(this.pageLive, new Uint32Array(size))
    this.pageFreeSlot = grown(this.pageFreeSlot, new Uint16Array(size))
    this.pageFresh = grown(this.pageFresh, new Uint16Array(size))
    this.pageNext = grown(this.pageNext, new Int32Array(size))
    this.pagePrev = grown(this.pagePrev, new Int32Array(size))
  }
}

/** The first page of the slab that `page`, a later one of it, is in. */
function slabHead(page: number, cls: number): number {
  return page - (cls - SLAB_SECOND + 1)
}
