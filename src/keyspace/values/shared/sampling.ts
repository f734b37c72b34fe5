// Sampling: different random elements of a collection, every subset with the same probability.

import type { Ref } from '../../../memory/arena.ts'
import type { HashTable } from '../../../memory/table.ts'
import type { TableCursor } from '../../../memory/table-cursor.ts'

/** When more than one in so many is wanted, shuffling all is faster than drawing until enough are different. */
const SHUFFLE_SHARE = 3
/** So many are searched for in an array rather than a Set. */
const FEW = 16

/** `count` different integers below `length`, ascending. */
export function distinctIndexes(length: number, count: number, random: () => number): number[] {
  if (count <= FEW) return fewIndexes(length, count, random)
  // Robert Floyd's sample: one draw for each.
  const chosen = new Set<number>()
  for (let limit = length - count; limit < length; limit++) {
    const index = random() % (limit + 1)
    chosen.add(chosen.has(index) ? limit : index)
  }
  return [...chosen].sort((a, b) => a - b)
}

/** As distinctIndexes(), in an array that stays sorted. */
function fewIndexes(length: number, count: number, random: () => number): number[] {
  const chosen: number[] = []
  for (let limit = length - count; limit < length; limit++) {
    let index = (random() % (limit + 1)) | 0
    if (chosen.includes(index)) index = limit
    let at = chosen.length
    chosen.push(index)
    for (; at > 0 && chosen[at - 1] > index; at--) chosen[at] = chosen[at - 1]
    chosen[at] = index
  }
  return chosen
}

/** `count` (fewer than there are) different entries of table `t`. */
export function distinctEntries(
  tables: HashTable,
  tableCursor: TableCursor,
  t: Ref,
  count: number,
  random: () => number,
): Iterable<Ref> {
  const length = tables.count(t)
  if (count * SHUFFLE_SHARE <= length) {
    const chosen = new Set<Ref>()
    // Each draw is new with a chance of at least two in three.
    while (chosen.size < count) chosen.add(tables.random(t, random))
    return chosen
  }
  const entries: Ref[] = []
  tableCursor.open(t)
  for (let entry = tableCursor.next(); entry !== 0; entry = tableCursor.next()) entries.push(entry)
  for (let i = 0; i < count; i++) {
    const other = i + (random() % (length - i))
    const entry = entries[other]
    entries[other] = entries[i]
    entries[i] = entry
  }
  entries.length = count
  return entries
}
