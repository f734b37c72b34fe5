// Loops over pairs and ipairs without a call per step: a walker reads the table directly.

// biome-ignore-all lint/suspicious/noExplicitAny: nodes of a table are keys, values and numbers in turn

import type { LuaState } from './state.ts'
import { LuaTable } from './table.ts'
import { LuaError, type LuaValue } from './value.ts'

/** An iterator over a table, for loops over pairs and ipairs. */
interface Walker {
  key: LuaValue
  value: LuaValue
  /** False at the end. */
  next(): boolean
}

export function walker(S: LuaState, f: LuaValue, state: LuaValue, control: LuaValue): Walker | undefined {
  if (!(state instanceof LuaTable)) return undefined
  if (f === S.nextFunction && control === undefined) return new PairsWalker(state)
  if (f === S.ipairsFunction && control === 0) return new IpairsWalker(state)
  return undefined
}

class PairsWalker implements Walker {
  key: LuaValue = undefined
  value: LuaValue = undefined
  private readonly table: LuaTable
  private nodes: any[]
  private arrayLength: number
  private position = 0

  constructor(table: LuaTable) {
    this.table = table
    this.nodes = table.nodes
    this.arrayLength = table.arr.length
  }

  next(): boolean {
    const table = this.table
    if (table.nodes !== this.nodes || table.arr.length !== this.arrayLength) {
      // The table was rehashed during the loop.
      this.nodes = table.nodes
      this.arrayLength = table.arr.length
      this.position = table.positionAfter(this.key)
      if (this.position < 0) throw new LuaError("invalid key to 'next'")
    }
    const at = table.positionOfValue(this.position)
    if (at < 0) return false
    this.key = table.keyAt(at)
    this.value = table.valueAt(at)
    this.position = at + 1
    return true
  }
}

class IpairsWalker implements Walker {
  key = 0
  value: LuaValue = undefined
  private readonly table: LuaTable
  constructor(table: LuaTable) {
    this.table = table
  }

  next(): boolean {
    this.value = this.table.getInt(++this.key)
    return this.value !== undefined
  }
}
