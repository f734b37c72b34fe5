// table.sort: the quicksort of Lua 5.1, step by step, because an inconsistent order function, or one that counts its
// calls, shows every step. Median of three; the smaller part is done first, the larger one in the same round.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import { callMeta, isTrue, less, pause } from '../operations.ts'
import type { LuaState } from '../state.ts'
import type { LuaTable } from '../table.ts'
import { first, LuaError, type LuaFunction, type LuaValue } from '../value.ts'

/** The smaller part is sorted first, so this many halvings are enough for any table. */
const PARTS_MAX = 64

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

/** Strings only, or numbers without NaN only, all in the array part: their order does not depend on the steps. */
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

  private *isLess(a: LuaValue, b: LuaValue): Steps<boolean> {
    const { S, order } = this
    if (--S.budget < 0) yield* pause(S)
    if (order !== undefined) return isTrue(first(yield* callMeta(S, order, [a, b])))
    return yield* less(S, a, b, S.site)
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

  /** Puts one element in its place, smaller ones before it; -1 when the part is sorted already. */
  private *split(low: number, high: number): Steps<number> {
    let x = this.get(low)
    let y = this.get(high)
    if (yield* this.isLess(y, x)) {
      this.set(low, y)
      this.set(high, x)
    }
    if (high - low === 1) return -1
    let i = Math.floor((low + high) / 2)
    x = this.get(i)
    y = this.get(low)
    if (yield* this.isLess(x, y)) {
      this.set(i, y)
      this.set(low, x)
    } else {
      y = this.get(high)
      if (yield* this.isLess(y, x)) {
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
      while (yield* this.isLess((x = this.get(++i)), pivot)) this.check(i <= high)
      while (yield* this.isLess(pivot, (y = this.get(--j)))) this.check(j >= low)
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
