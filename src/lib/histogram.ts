// Histogram: counts of values with two significant digits, in the layout of HdrHistogram (lowest value 1, highest above
// 10^9), so that percentiles equal Redis's.
//
//   values 0..255 one by one | 256..511 by 2 | 512..1023 by 4 | ...        128 counts for each doubling
//
// Always: total is the sum of all counts.

const SUB_BITS = 8
const SUB_COUNT = 1 << SUB_BITS
const SUB_HALF = SUB_COUNT / 2
const VALUE_MAX = 1_000_000_000
const DOUBLINGS = 23

export class Histogram {
  total = 0
  /** The last value recorded. */
  last = 0
  private readonly counts = new Float64Array((DOUBLINGS + 1) * SUB_HALF)

  record(value: number, times: number): void {
    this.counts[indexOf(Math.max(1, Math.min(value, VALUE_MAX)))] += times
    this.total += times
    this.last = value
  }

  reset(): void {
    this.counts.fill(0)
    this.total = this.last = 0
  }

  /** The value at a percentile: the highest that is equivalent at this precision. */
  percentile(percent: number): number {
    const wanted = Math.max(1, Math.floor((Math.min(percent, 100) / 100) * this.total + 0.5))
    let sum = 0
    for (let i = 0; i < this.counts.length; i++) {
      sum += this.counts[i]
      if (sum >= wanted) return percent === 0 ? lowestAt(i) : lowestAt(i) + unitAt(i) - 1
    }
    return 0
  }

  /** For `first`, 2 first, 4 first …: the highest equivalent value, and the cumulative count. */
  *doublings(first: number): Generator<readonly [value: number, count: number]> {
    let sum = 0
    let i = 0
    for (let level = first; sum < this.total; level *= 2) {
      const last = indexOf(Math.min(level, VALUE_MAX * 1.07))
      for (; i <= last; i++) sum += this.counts[i]
      yield [lowestAt(last) + unitAt(last) - 1, sum]
    }
  }
}

function indexOf(value: number): number {
  const v = Math.floor(value)
  const doubling = Math.max(0, 32 - SUB_BITS - Math.clz32(v))
  return doubling * SUB_HALF + (v >>> doubling)
}

function unitAt(index: number): number {
  return index < SUB_COUNT ? 1 : 1 << (Math.floor(index / SUB_HALF) - 1)
}

function lowestAt(index: number): number {
  return index < SUB_COUNT ? index : ((index % SUB_HALF) + SUB_HALF) * unitAt(index)
}
