// ArenaImage: the contents of an arena at one moment, to be put back into it, or into another one, under the same refs.
//
//   segment   [free][slab][slab][free][large …]  ─▶  runs: [ byte offset, bytes of the pages in use ] …
//
// Always: an image shares no buffer with an arena. A segment that has room for the pages in use keeps its buffer,
// whatever its size; others are made, no larger than needed, or dropped. Free pages are not copied: memory that is
// handed out is not zeroed anyway.

import type { Arena } from './arena.ts'
import { PAGES_PER_SEGMENT, SEGMENT_BYTES } from './segment.ts'
import { PAGE_BYTES } from './size-classes.ts'

interface Run {
  readonly at: number
  readonly bytes: Uint8Array
}

interface SegmentImage {
  readonly index: number
  /** Of the segment. */
  readonly bytes: number
  /** Up to the end of the last page in use. */
  readonly usedBytes: number
  readonly usedPages: number
  readonly runs: readonly Run[]
  readonly firstFree: number
  readonly evacuating: boolean
}

type Figures = Pick<Arena, 'usedBytes' | 'count' | 'pageBytes'>
type PageTable = 'pageClass' | 'pageLive' | 'pageFreeSlot' | 'pageFresh' | 'pageNext' | 'pagePrev'

const PAGE_TABLES: readonly PageTable[] = ['pageClass', 'pageLive', 'pageFreeSlot', 'pageFresh', 'pageNext', 'pagePrev']

export class ArenaImage {
  /** Of the image itself. */
  readonly bytes: number
  private readonly segments: SegmentImage[] = []
  private readonly figures: Figures
  private readonly pages: number
  private readonly tables: Pick<Arena, PageTable>
  private readonly partial: Int32Array

  /** Of the arena as it is now. */
  constructor(arena: Arena) {
    const { usedBytes, count, pageBytes } = arena
    this.figures = { usedBytes, count, pageBytes }
    this.partial = arena.partial.slice()
    this.pages = lastPage(arena)
    this.tables = {
      pageClass: arena.pageClass.slice(0, this.pages),
      pageLive: arena.pageLive.slice(0, this.pages),
      pageFreeSlot: arena.pageFreeSlot.slice(0, this.pages),
      pageFresh: arena.pageFresh.slice(0, this.pages),
      pageNext: arena.pageNext.slice(0, this.pages),
      pagePrev: arena.pagePrev.slice(0, this.pages),
    }
    for (let index = 0; index < arena.segments.length; index++) {
      const segment = arena.segments[index]
      if (segment === undefined || segment === arena.segments[index - 1]) continue
      const { u8, firstFree, evacuating } = segment
      const runs = runsOf(arena, index, u8)
      const last = runs.at(-1)
      this.segments.push({
        index,
        bytes: u8.length,
        usedBytes: last === undefined ? PAGE_BYTES : last.at + last.bytes.length,
        usedPages: runs.reduce((sum, { bytes }) => sum + bytes.length, 0) / PAGE_BYTES,
        runs,
        firstFree,
        evacuating,
      })
    }
    const copied = this.segments.reduce((sum, { usedPages }) => sum + usedPages, 0)
    this.bytes = copied * PAGE_BYTES + this.pages * TABLE_BYTES
  }

  /** Puts the image in the place of what the arena contains. */
  restoreInto(arena: Arena): void {
    this.dropOthers(arena)
    arena.growPageTable(this.pages)
    for (const name of PAGE_TABLES) {
      arena[name].set(this.tables[name])
      arena[name].fill(0, this.pages)
    }
    arena.partial.set(this.partial)
    for (const image of this.segments) {
      const { index } = image
      if (arena.segments[index] === undefined) {
        const bytes = roomFor(image, arena)
        arena.placeSegment(index, bytes, Math.ceil(bytes / SEGMENT_BYTES))
      }
      const segment = arena.segments[index]
      for (const { at, bytes } of image.runs) segment.u8.set(bytes, at)
      // Nothing is free in the segment of a huge allocation; what it reserves beyond is not counted.
      const isHuge = segment.u8.length > SEGMENT_BYTES
      segment.freePages = isHuge ? 0 : segment.pages - image.usedPages
      segment.runMax = segment.freePages
      segment.firstFree = isHuge ? image.firstFree : Math.min(image.firstFree, segment.pages)
      segment.evacuating = image.evacuating
    }
    arena.segmentBytes = 0
    for (const { index, usedPages } of this.segments) {
      const { length } = arena.segments[index].u8
      arena.segmentBytes += length > SEGMENT_BYTES ? usedPages * PAGE_BYTES : length
    }
    Object.assign(arena, this.figures)
    arena.endEvacuation()
  }

  /** Drops the segments that have no place in the image. */
  private dropOthers(arena: Arena): void {
    const wanted = new Map(this.segments.map(image => [image.index, image]))
    const before = arena.segments.slice()
    for (const [index, segment] of before.entries()) {
      if (segment === undefined || segment === before[index - 1]) continue
      const image = wanted.get(index)
      if (image === undefined || !fits(image, segment.u8.length)) arena.dropSegment(index)
    }
  }
}

/** Takes the buffers of an arena, which is like a new one then, with a first segment of the smallest size. */
export function takeBuffers(arena: Arena): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  for (const segment of arena.segments) if (segment !== undefined) buffers.add(segment.u8.buffer as ArrayBuffer)
  arena.segments.length = 0
  for (const name of PAGE_TABLES) arena[name].fill(0)
  arena.partial.fill(-1)
  arena.usedBytes = arena.count = arena.segmentBytes = arena.pageBytes = 0
  arena.begin(SMALLEST_BYTES)
  return [...buffers]
}

/** Whether a segment of so many bytes can have the contents of another. */
function fits(image: SegmentImage, bytes: number): boolean {
  if (image.bytes > SEGMENT_BYTES) return bytes === image.bytes
  return bytes <= SEGMENT_BYTES && bytes >= image.usedBytes
}

/** The size of a new segment: a whole one where a buffer is at hand, else with as much free as in use. */
function roomFor(image: SegmentImage, arena: Arena): number {
  if (image.bytes > SEGMENT_BYTES || arena.spare.bytes > 0) return Math.max(image.bytes, SEGMENT_BYTES)
  let bytes = SMALLEST_BYTES
  while (bytes < image.usedBytes * 2 && bytes < SEGMENT_BYTES) bytes *= 2
  return bytes
}

const SMALLEST_BYTES = 16 * PAGE_BYTES
/** Bytes that PAGE_TABLES have for a page. */
const TABLE_BYTES = 17

/** The number of pages up to the last one in use. */
function lastPage(arena: Arena): number {
  let pages = Math.min(arena.pageClass.length, arena.segments.length * PAGES_PER_SEGMENT)
  while (pages > 0 && arena.pageClass[pages - 1] === 0) pages--
  return pages
}

/** Copies of the pages in use; those of a huge allocation are at the beginning of its segment. */
function runsOf(arena: Arena, index: number, u8: Uint8Array): Run[] {
  const { pageClass } = arena
  const base = index * PAGES_PER_SEGMENT
  const end = Math.min(base + u8.length / PAGE_BYTES, pageClass.length)
  const runs: Run[] = []
  for (let page = base; page < end; ) {
    if (pageClass[page] === 0) {
      page++
      continue
    }
    const from = page
    while (page < end && pageClass[page] !== 0) page++
    const at = (from - base) * PAGE_BYTES
    runs.push({ at, bytes: u8.slice(at, (page - base) * PAGE_BYTES) })
  }
  return runs
}
