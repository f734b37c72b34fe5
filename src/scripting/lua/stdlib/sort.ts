// table.sort: the quicksort of Lua 5.1 step by step, because order functions that are inconsistent or have side effects
// make every step visible. Median of three; recursion on the smaller part, iteration on the larger.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import { callMetamethod, finishMetamethod, isTrue, less, PENDING, pause, startMetamethod } from '../operations.ts'
import type { LuaState } from '../state.ts'
import type { LuaTable } from '../table.ts'
import { first, LuaError, type LuaFunction, type LuaValue } from '../value.ts'

/** The smaller part is at most half of the range, so this depth is enough for any table. */
const PARTS_MAX = 64
const UNDECIDED = -1

type Steps<T> = Generator<number, T, unknown>

export function* sort(
  S: LuaState,
  self: LuaFunction,
  table: LuaTable,
  size: number,
  order: LuaFunction | undefined,
): Steps<LuaValue[]> {
  S.enter(self)
  if (order !== undefined || !isUniform(table, size)) yield* new Sorter(S, table, order).parts(1, size)
  else if (size > 1) {
    if (table.readonly) throw new LuaError('Attempt to modify a readonly table')
    S.budget -= size
    sortUniform(table.arr, size)
  }
  S.leave()
  return []
}

/** Strings only, or numbers without NaN only, all in the array part: the steps are not visible. */
function isUniform(table: LuaTable, size: number): boolean {
  const { arr } = table
  if (size > arr.length) return false
  const type = typeof arr[0]
  if (type !== 'number' && type !== 'string') return false
  for (let i = 0; i < size; i++) if (typeof arr[i] !== type || arr[i] !== arr[i]) return false
  return true
}

function sortUniform(arr: any[], size: number): void {
  const values = arr.slice(0, size)
  if (typeof values[0] === 'number') values.sort((a, b) => a - b || 0)
  else values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  for (let i = 0; i < size; i++) arr[i] = values[i]
}

class Sorter {
  private readonly S: LuaState
  private readonly table: LuaTable
  private readonly order: LuaFunction | undefined
  private left: LuaValue = undefined
  private right: LuaValue = undefined

  constructor(S: LuaState, table: LuaTable, order: LuaFunction | undefined) {
    this.S = S
    this.table = table
    this.order = order
  }

  private get(i: number): LuaValue {
    return this.table.getInt(i)
  }

  private set(i: number, value: LuaValue): void {
    if (this.table.readonly) throw new LuaError('Attempt to modify a readonly table')
    this.table.set(i, value)
  }

  /** a < b: 1 or 0, or UNDECIDED: then `isLess` continues. */
  private compare(a: LuaValue, b: LuaValue): number {
    const { S, order } = this
    if (--S.budget < 0) {
      this.left = a
      this.right = b
      return UNDECIDED
    }
    if (order !== undefined) {
      const result = startMetamethod(S, order, [a, b])
      return result === PENDING ? UNDECIDED : isTrue(first(result)) ? 1 : 0
    }
    if (typeof a === typeof b && (typeof a === 'number' || typeof a === 'string'))
      return (a as any) < (b as any) ? 1 : 0
    this.left = a
    this.right = b
    return UNDECIDED
  }

  /** Continues an UNDECIDED `compare`. */
  private *isLess(): Steps<boolean> {
    const { S, order, left, right } = this
    if (S.pending !== undefined) return isTrue(first(yield* finishMetamethod(S)))
    if (S.budget < 0) yield* pause(S)
    if (order !== undefined) return isTrue(first(yield* callMetamethod(S, order, [left, right])))
    return yield* less(S, left, right, S.site)
  }

  /** Sorts positions low to high. */
  *parts(low: number, high: number, depth = 0): Steps<void> {
    if (depth > PARTS_MAX) throw this.S.error('invalid order function for sorting', 2)
    while (low < high) {
      const middle = yield* this.split(low, high)
      if (middle < 0) return
      if (middle - low < high - middle) {
        yield* this.parts(low, middle - 1, depth + 1)
        low = middle + 1
      } else {
        yield* this.parts(middle + 1, high, depth + 1)
        high = middle - 1
      }
    }
  }

  /** Partitions around one element and returns its position; -1 when the part is sorted already. */
  private *split(low: number, high: number): Steps<number> {
    let c: number
    let x = this.get(low)
    let y = this.get(high)
    c = this.compare(y, x)
    if (c < 0 ? yield* this.isLess() : c > 0) {
      this.set(low, y)
      this.set(high, x)
    }
    if (high - low === 1) return -1
    let i = Math.floor((low + high) / 2)
    x = this.get(i)
    y = this.get(low)
    c = this.compare(x, y)
    if (c < 0 ? yield* this.isLess() : c > 0) {
      this.set(i, y)
      this.set(low, x)
    } else {
      y = this.get(high)
      c = this.compare(y, x)
      if (c < 0 ? yield* this.isLess() : c > 0) {
        this.set(i, y)
        this.set(high, x)
      }
    }
    if (high - low === 2) return -1
    const pivot = this.get(i)
    this.set(i, this.get(high - 1))
    this.set(high - 1, pivot)
    i = low
    let j = high - 1
    for (;;) {
      for (;;) {
        x = this.get(++i)
        c = this.compare(x, pivot)
        if (!(c < 0 ? yield* this.isLess() : c > 0)) break
        this.check(i <= high)
      }
      for (;;) {
        y = this.get(--j)
        c = this.compare(pivot, y)
        if (!(c < 0 ? yield* this.isLess() : c > 0)) break
        this.check(j >= low)
      }
      if (j < i) break
      this.set(i, y)
      this.set(j, x)
    }
    x = this.get(high - 1)
    this.set(high - 1, this.get(i))
    this.set(i, x)
    return i
  }

  private check(isInside: boolean): void {
    if (!isInside) throw this.S.error('invalid order function for sorting', 2)
  }
}
