// LuaTable: Lua 5.1's table structure, so that `pairs` has the same order and `#` the same border as in Redis.
//
//   arr    [ t[1] | t[2] | ... ]                    the array part; its length is the size, undefined is nil
//   nodes  [ key value next | key value next | ... ] the hash part, a power of two of nodes, 3 slots each;
//                                                    next is the slot index of the chain's next node, or -1
//
// Always: a node in use is in its key's main position or in the chain that begins there (Brent's variation: a colliding
// node that is not in its main position is moved to a free one). A node with value nil keeps its key until the next
// rehash. All tables without a hash part share the single node of EMPTY, which is never written.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import { LuaObject, type LuaValue } from './value.ts'

const EMPTY: any[] = [undefined, undefined, -1]
const ARRAY_BITS_MAX = 26

const f64 = new Float64Array(1)
const u32 = new Uint32Array(f64.buffer)
/** counts[b]: the number of integer keys in (2^(b-1), 2^b]. Used within one rehash only. */
const counts = new Int32Array(ARRAY_BITS_MAX + 1)

/** Lua 5.1's string hash, which uses at most 32 characters. */
export function hashString(s: string): number {
  let h = s.length
  const step = (h >> 5) + 1
  for (let l = h; l >= step; l -= step) h = h ^ (((h << 5) + (h >>> 2) + s.charCodeAt(l - 1)) | 0)
  return h
}

/** The exponent of the smallest power of two that is >= n. */
function ceilLog2(n: number): number {
  return n <= 1 ? 0 : 32 - Math.clz32(n - 1)
}

/** The source of object ids, which replace addresses. */
export interface Heap {
  serial: number
}

export class LuaTable extends LuaObject {
  arr: LuaValue[]
  nodes: any[] = EMPTY
  /** Number of nodes - 1. */
  mask = 0
  /** Slot index above the last node that may be free. */
  free = 0
  mt: LuaTable | undefined = undefined
  /** Writes raise "Attempt to modify a readonly table". */
  readonly = false

  private readonly heap: Heap

  /** `arr` becomes the array part without a copy. */
  constructor(heap: Heap, arr: LuaValue[] = [], hashSize = 0) {
    super()
    this.heap = heap
    this.arr = arr
    if (hashSize > 0) this.makeNodes(hashSize)
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === 'string') return this.getStr(key, hashString(key))
    if (typeof key === 'number') {
      const i = (key | 0) - 1
      if (i + 1 === key && i >>> 0 < this.arr.length) return this.arr[i]
      if (this.nodes === EMPTY) return undefined
    } else if (key === undefined) return undefined
    const slot = this.find(key)
    return slot < 0 ? undefined : this.nodes[slot + 1]
  }

  /** `hash` is hashString(key). */
  getStr(key: string, hash: number): LuaValue {
    const nodes = this.nodes
    let slot = (hash & this.mask) * 3
    do {
      if (nodes[slot] === key) return nodes[slot + 1]
      slot = nodes[slot + 2]
    } while (slot >= 0)
    return undefined
  }

  getName(key: string): LuaValue {
    return this.getStr(key, hashString(key))
  }

  /** `i` is an integer. */
  getInt(i: number): LuaValue {
    return i > 0 && i <= this.arr.length ? this.arr[i - 1] : this.get(i)
  }

  /**
   * t[key] = value. False when the slow path is needed: the table is read-only, the key is nil or NaN, or it is new
   * and there is a metatable.
   */
  put(key: LuaValue, value: LuaValue): boolean {
    if (typeof key === 'number') {
      const i = (key | 0) - 1
      const arr = this.arr
      if (i + 1 === key && i >>> 0 < arr.length) {
        if (this.readonly || (this.mt !== undefined && arr[i] === undefined)) return false
        arr[i] = value
        return true
      }
      if (key !== key) return false
    } else if (typeof key === 'string') return this.putStr(key, hashString(key), value)
    else if (key === undefined) return false
    if (this.readonly) return false
    const slot = this.find(key)
    if (this.mt !== undefined && (slot < 0 || this.nodes[slot + 1] === undefined)) return false
    if (slot >= 0) this.nodes[slot + 1] = value
    else this.insert(key, value)
    return true
  }

  putStr(key: string, hash: number, value: LuaValue): boolean {
    if (this.readonly) return false
    const nodes = this.nodes
    let slot = (hash & this.mask) * 3
    do {
      if (nodes[slot] === key) {
        if (this.mt !== undefined && nodes[slot + 1] === undefined) return false
        nodes[slot + 1] = value
        return true
      }
      slot = nodes[slot + 2]
    } while (slot >= 0)
    if (this.mt !== undefined) return false
    this.insert(key, value)
    return true
  }

  /** Raw assignment; the key is neither nil nor NaN. */
  set(key: LuaValue, value: LuaValue): void {
    if (typeof key === 'number') {
      const i = (key | 0) - 1
      if (i + 1 === key && i >>> 0 < this.arr.length) {
        this.arr[i] = value
        return
      }
    }
    const slot = this.nodes === EMPTY ? -1 : this.find(key)
    if (slot >= 0) this.nodes[slot + 1] = value
    else this.insert(key, value)
  }

  /** `#t` */
  length(): number {
    const arr = this.arr
    let high = arr.length
    if (high > 0 && arr[high - 1] === undefined) {
      let low = 0
      while (high - low > 1) {
        const middle = (low + high) >>> 1
        if (arr[middle - 1] === undefined) high = middle
        else low = middle
      }
      return low
    }
    return this.nodes === EMPTY ? high : this.unboundLength(high)
  }

  private unboundLength(low: number): number {
    let high = low + 1
    while (this.getInt(high) !== undefined) {
      low = high
      high *= 2
      if (high > 0x7fffffff) {
        // Only a deliberately built table comes here; the search is linear, as in Lua.
        let i = 1
        while (this.getInt(i) !== undefined) i++
        return i - 1
      }
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.getInt(middle) === undefined) high = middle
      else low = middle
    }
    return low
  }

  /** The position after `key` in iteration order: 0 for nil, -1 when there is no such key. */
  positionAfter(key: LuaValue): number {
    if (key === undefined) return 0
    if (typeof key === 'number') {
      const i = key | 0
      if (i === key && i > 0 && i <= this.arr.length) return i
    }
    const slot = this.find(key)
    return slot < 0 ? -1 : this.arr.length + slot / 3 + 1
  }

  /** The first position from `at` on that holds a value, or -1. */
  positionOfValue(at: number): number {
    const arr = this.arr
    for (; at < arr.length; at++) if (arr[at] !== undefined) return at
    const nodes = this.nodes
    for (let slot = (at - arr.length) * 3; slot < nodes.length; slot += 3)
      if (nodes[slot + 1] !== undefined) return arr.length + slot / 3
    return -1
  }

  keyAt(position: number): LuaValue {
    return position < this.arr.length ? position + 1 : this.nodes[(position - this.arr.length) * 3]
  }

  valueAt(position: number): LuaValue {
    return position < this.arr.length ? this.arr[position] : this.nodes[(position - this.arr.length) * 3 + 1]
  }

  /** The slot index of a key in the hash part, or -1. */
  private find(key: LuaValue): number {
    const nodes = this.nodes
    let slot = this.mainPosition(key)
    do {
      if (nodes[slot] === key) return slot
      slot = nodes[slot + 2]
    } while (slot >= 0)
    return -1
  }

  private mainPosition(key: any): number {
    const mask = this.mask
    if (typeof key === 'string') return (hashString(key) & mask) * 3
    if (typeof key === 'number') {
      if (key === 0) return 0
      f64[0] = key
      return (((u32[0] + u32[1]) >>> 0) % (mask | 1)) * 3
    }
    if (typeof key === 'boolean') return ((key ? 1 : 0) & mask) * 3
    if (key.id === 0) key.id = ++this.heap.serial
    return (key.id % (mask | 1)) * 3
  }

  private makeNodes(size: number): void {
    const nodeCount = 1 << ceilLog2(size)
    const nodes: any[] = []
    for (let i = 0; i < nodeCount; i++) nodes.push(undefined, undefined, -1)
    this.nodes = nodes
    this.mask = nodeCount - 1
    this.free = nodeCount * 3
  }

  /** Adds a key that is not in the table. */
  private insert(key: LuaValue, value: LuaValue): void {
    const nodes = this.nodes
    let slot = nodes === EMPTY ? 0 : this.mainPosition(key)
    if (nodes === EMPTY || nodes[slot + 1] !== undefined) {
      const free = this.freeSlot()
      if (free < 0) {
        this.rehash(key)
        if (typeof key === 'string') this.insert(key, value)
        else this.set(key, value)
        return
      }
      const home = this.mainPosition(nodes[slot])
      if (home !== slot) {
        // The node is not in its main position: move it to the free node (Brent's variation).
        let previous = home
        while (nodes[previous + 2] !== slot) previous = nodes[previous + 2]
        nodes[previous + 2] = free
        nodes[free] = nodes[slot]
        nodes[free + 1] = nodes[slot + 1]
        nodes[free + 2] = nodes[slot + 2]
        nodes[slot + 2] = -1
      } else {
        nodes[free + 2] = nodes[slot + 2]
        nodes[slot + 2] = free
        slot = free
      }
    }
    nodes[slot] = key
    nodes[slot + 1] = value
  }

  private freeSlot(): number {
    const nodes = this.nodes
    let free = this.free
    while (free > 0) {
      free -= 3
      if (nodes[free] === undefined) {
        this.free = free
        return free
      }
    }
    this.free = 0
    return -1
  }

  /** Resizes for `extra`: the largest array part that is more than half full, the other keys into nodes. */
  private rehash(extra: LuaValue): void {
    const arr = this.arr
    if (this.nodes === EMPTY && extra === arr.length + 1 && isFullPower(arr)) {
      for (let more = Math.max(1, arr.length); more > 0; more--) arr.push(undefined)
      return
    }
    counts.fill(0)
    let total = 1
    let integers = countInteger(extra)
    for (let i = 0, bit = 0, end = 1; i < arr.length; bit++, end *= 2) {
      let used = 0
      const stop = Math.min(end, arr.length)
      for (; i < stop; i++) if (arr[i] !== undefined) used++
      counts[bit] += used
      integers += used
      total += used
    }
    const nodes = this.nodes
    for (let slot = 0; slot < nodes.length; slot += 3) {
      if (nodes[slot + 1] === undefined) continue
      total++
      integers += countInteger(nodes[slot])
    }
    let arraySize = 0
    let arrayUsed = 0
    for (let bit = 0, power = 1, seen = 0; power / 2 < integers; bit++, power *= 2) {
      seen += counts[bit]
      if (counts[bit] > 0 && seen > power / 2) {
        arraySize = power
        arrayUsed = seen
      }
      if (seen === integers) break
    }
    this.resize(arraySize, total - arrayUsed)
  }

  private resize(arraySize: number, hashSize: number): void {
    const arr = this.arr
    const nodes = this.nodes
    const oldLength = arr.length
    for (let i = oldLength; i < arraySize; i++) arr.push(undefined)
    if (hashSize === 0) {
      this.nodes = EMPTY
      this.mask = 0
      this.free = 0
    } else this.makeNodes(hashSize)
    if (arraySize < oldLength) {
      const cut = arr.splice(arraySize)
      for (let i = 0; i < cut.length; i++) if (cut[i] !== undefined) this.set(arraySize + i + 1, cut[i])
    }
    for (let slot = nodes.length - 3; slot >= 0; slot -= 3) {
      if (nodes[slot + 1] === undefined) continue
      if (typeof nodes[slot] === 'string') this.insert(nodes[slot], nodes[slot + 1])
      else this.set(nodes[slot], nodes[slot + 1])
    }
  }

  /**
   * Grows the array part to at least `size`, for a constructor with an open call at its end; nodes move to it.
   */
  reserveArray(size: number): void {
    if (size > this.arr.length) this.resize(size, this.nodes === EMPTY ? 0 : this.mask + 1)
  }
}

/** One more element would double the array part: its size is a power of two, or 0. */
function isFullPower(arr: LuaValue[]): boolean {
  const { length } = arr
  if ((length & (length - 1)) !== 0) return false
  for (let i = length - 1; i >= 0; i--) if (arr[i] === undefined) return false
  return true
}

function countInteger(key: LuaValue): number {
  if (typeof key !== 'number') return 0
  const i = key | 0
  if (i !== key || i <= 0 || i > 1 << ARRAY_BITS_MAX) return 0
  counts[ceilLog2(i)]++
  return 1
}

/** The size that Lua's constructor requests, rounded by its 'floating point byte'. */
export function constructorSize(n: number): number {
  let exponent = 0
  let size = n
  while (size >= 16) {
    size = (size + 1) >> 1
    exponent++
  }
  return size * 2 ** exponent
}
