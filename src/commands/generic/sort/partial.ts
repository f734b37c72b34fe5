// Sorting the smallest of many numbers: what SORT with a LIMIT needs.

/** So many are sorted by insertion: the runtime's sort takes a view, which costs as much as to insert 50 values. */
const INSERTION_MAX = 48
/** Partitions: enough to get from a billion to a few, unless the pivots were badly chosen. */
const ROUNDS_MAX = 40

/** Brings the `count` smallest values to the front, ascending; the order of the others is undefined. None is NaN. */
export function sortSmallest(values: Float64Array, count: number): void {
  let to = values.length
  for (let round = 0; to > INSERTION_MAX && count <= to >>> 2 && round < ROUNDS_MAX; round++) {
    const end = partition(values, to)
    if (count > end) break
    to = end
  }
  if (to <= INSERTION_MAX) insertionSort(values, to)
  else values.subarray(0, to).sort()
}

/** Hoare's partition of the first `to` values: none before the returned index is above one from there on. */
function partition(values: Float64Array, to: number): number {
  const a = values[0]
  const b = values[to >>> 1]
  const c = values[to - 1]
  const pivot = a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b
  for (let i = -1, j = to; ; ) {
    do i++
    while (values[i] < pivot)
    do j--
    while (values[j] > pivot)
    if (i >= j) return j + 1
    const value = values[i]
    values[i] = values[j]
    values[j] = value
  }
}

function insertionSort(values: Float64Array, to: number): void {
  for (let i = 1; i < to; i++) {
    const value = values[i]
    let at = i
    for (; at > 0 && values[at - 1] > value; at--) values[at] = values[at - 1]
    values[at] = value
  }
}
