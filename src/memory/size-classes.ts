// Size classes of the arena: the slots of slabs, and the pages of a slab.
//
//   slot     16 … 1488 bytes   … 8192              … 32768
//   slab     one page          three               up to seven, filled to the last byte
//
// Always: slot sizes are granules of 16 bytes and ascend; a slab holds at least one slot.

import { assert } from '../lib/assert.ts'

export const PAGE_BYTES = 1 << 14
export const SLOT_BYTES_MAX = 32768
/**
 * Slots up to these sizes are in slabs of one page, and of three; the pages of larger ones' slabs are PAGES_OF_LARGE.
 */
const ONE_PAGE_SLOT_BYTES_MAX = 1488
export const THREE_PAGES_SLOT_BYTES_MAX = 8192
/** Slots that fill their pages to the last byte. */
const PAGES_OF_LARGE = new Map([
  [9360, 4],
  [10912, 2],
  [12288, 3],
  [14336, 7],
  [16384, 1],
  [20480, 5],
  [24576, 3],
  [28672, 7],
  [32768, 2],
])
export const SLAB_PAGES_MAX = 7

/** Slot sizes in bytes; the index is the class, class 0 is unused. */
const CLASS_BYTES = [
  0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 272, 288, 304, 320, 336, 352, 368, 384,
  400, 416, 432, 448, 464, 480, 496, 512, 528, 544, 560, 576, 592, 624, 640, 672, 704, 736, 768, 816, 848, 896, 960,
  1024, 1088, 1168, 1248, 1360, 1488, 1536, 1584, 1632, 1680, 1744, 1808, 1888, 1952, 2048, 2128, 2224, 2336, 2448,
  2576, 2720, 2880, 3072, 3264, 3504, 3776, 4096, 4464, 4912, 5456, 6144, 7008, 8192, 9360, 10912, 12288, 14336, 16384,
  20480, 24576, 28672, 32768,
]
/** The class of an allocation, by its granules. */
export const CLASS_OF_GRANULES = new Uint8Array(SLOT_BYTES_MAX / 16 + 1)
for (let g = 1, c = 1; g < CLASS_OF_GRANULES.length; g++) {
  while (CLASS_BYTES[c] < g * 16) c++
  CLASS_OF_GRANULES[g] = c
}
/** Bytes of a slot, pages and bytes of a slab, by class. */
export const SLOT_BYTES = Int32Array.from(CLASS_BYTES)
export const SLAB_PAGES = Int32Array.from(CLASS_BYTES, bytes => {
  if (bytes <= ONE_PAGE_SLOT_BYTES_MAX) return 1
  return bytes <= THREE_PAGES_SLOT_BYTES_MAX ? 3 : (PAGES_OF_LARGE.get(bytes) ?? 0)
})
export const SLAB_BYTES = SLAB_PAGES.map(pages => pages * PAGE_BYTES)

assert(
  SLAB_PAGES.every(pages => pages > 0 && pages <= SLAB_PAGES_MAX),
  'every class has a slab',
)
assert(CLASS_BYTES.at(-1) === SLOT_BYTES_MAX, 'the largest slots are those of the largest class')
assert(
  CLASS_BYTES.every((bytes, i) => bytes % 16 === 0 && (i === 0 || bytes > CLASS_BYTES[i - 1])),
  'slot sizes are granules, and ascend',
)
assert(
  SLAB_BYTES.every((bytes, i) => i === 0 || bytes >= CLASS_BYTES[i]),
  'a slab holds its slots',
)
