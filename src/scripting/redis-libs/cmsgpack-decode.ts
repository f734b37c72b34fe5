// MessageDecoder: decodes a sequence of MessagePack values. Always: `at` is after the last value. Nested values are on
// an explicit stack, limited like Lua's; a table and a key take one slot each.

import type { LuaState } from '../lua/state.ts'
import { C_STACK_MAX } from '../lua/state.ts'
import { rawSet } from '../lua/stdlib/base.ts'
import { LuaTable } from '../lua/table.ts'
import type { LuaValue } from '../lua/value.ts'

/** The bytes of one floating point number. */
const scratch = new DataView(new ArrayBuffer(8))
const TOO_MANY = 'stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)'

interface Level {
  table: LuaTable
  isMap: boolean
  /** Elements or members still to be read. */
  left: number
  /** The last index of an array; in a map, the key whose value comes next. */
  key: LuaValue
  valueNext: boolean
}

export class MessageDecoder {
  at: number
  private readonly S: LuaState
  private readonly text: string
  private readonly levels: Level[] = []
  private slots = 0

  constructor(S: LuaState, text: string, at: number) {
    this.S = S
    this.text = text
    this.at = at
  }

  /** Decodes the value at `at`; `slots` of Lua's stack are in use. */
  next(slots: number): LuaValue {
    const { levels } = this
    this.slots = slots
    for (;;) {
      const depth = levels.length
      let value = this.begin()
      if (levels.length > depth) continue
      while (levels.length > 0 && this.put(levels[levels.length - 1], value)) {
        const { table, isMap } = levels.pop()!
        value = table
        this.slots -= isMap ? 1 : 2
      }
      if (levels.length === 0) return value
    }
  }

  /** Adds a value to its container; true when that ends with it. */
  private put(level: Level, value: LuaValue): boolean {
    if (!level.isMap) level.table.set((level.key = (level.key as number) + 1), value)
    else if (!level.valueNext) {
      level.key = value
      level.valueNext = true
      this.slots++
      return false
    } else {
      if (typeof level.key === 'string') level.table.set(level.key, value)
      else rawSet(level.table, level.key, value)
      level.valueNext = false
      this.slots--
    }
    return --level.left === 0
  }

  private begin(): LuaValue {
    if (this.slots + 1 > C_STACK_MAX) throw this.S.error(TOO_MANY)
    this.need(1)
    const code = this.text.charCodeAt(this.at++)
    if (code < 0x80) return code
    if (code < 0x90) return this.open(code & 15, true)
    if (code < 0xa0) return this.open(code & 15, false)
    if (code < 0xc0) return this.string(code & 31)
    if (code >= 0xe0) return code - 256
    if (code === 0xc0) return undefined
    if (code === 0xc2 || code === 0xc3) return code === 0xc3
    if (code === 0xca) return this.load(4).getFloat32(0)
    if (code === 0xcb) return this.load(8).getFloat64(0)
    if (code >= 0xcc && code <= 0xce) return this.unsigned(2 ** (code - 0xcc))
    if (code === 0xd0) return (this.unsigned(1) << 24) >> 24
    if (code === 0xd1) return (this.unsigned(2) << 16) >> 16
    if (code === 0xd2) return this.unsigned(4) | 0
    // Lua's integers are signed, also where the format's are not.
    if (code === 0xcf || code === 0xd3) return (this.unsigned(4) | 0) * 2 ** 32 + this.unsigned(4)
    if (code >= 0xd9 && code <= 0xdb) return this.string(this.unsigned(2 ** (code - 0xd9)))
    if (code >= 0xdc) return this.open(this.unsigned(code % 2 === 0 ? 2 : 4), code >= 0xde)
    throw this.S.error('Bad data format in input.')
  }

  private open(length: number, isMap: boolean): LuaTable {
    const table = new LuaTable(this.S)
    if (length === 0) return table
    if (!isMap && this.slots + 2 > C_STACK_MAX)
      throw this.S.error('stack overflow (in function mp_decode_to_lua_array)')
    this.levels.push({ table, isMap, left: length, key: 0, valueNext: false })
    this.slots += isMap ? 1 : 2
    return table
  }

  private need(size: number): void {
    if (this.text.length - this.at < size) throw this.S.error('Missing bytes in input.')
  }

  private unsigned(size: number): number {
    this.need(size)
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + this.text.charCodeAt(this.at++)
    return value
  }

  private load(size: number): DataView {
    this.need(size)
    for (let i = 0; i < size; i++) scratch.setUint8(i, this.text.charCodeAt(this.at++))
    return scratch
  }

  private string(length: number): string {
    this.need(length)
    this.at += length
    return this.text.slice(this.at - length, this.at)
  }
}
