// JsonEncoder: a Lua value as JSON text in lua-cjson's format.
//
// Always: tables are traversed with an explicit stack, limited like Lua's, on which an open array takes one slot and an
// open object two.

import { INT_MAX } from '../../lib/bits.ts'
import { formatGeneral, formatNumber } from '../lua/number.ts'
import { type LuaState, typeName } from '../lua/state.ts'
import { LuaTable } from '../lua/table.ts'
import type { LuaError, LuaUserdata, LuaValue } from '../lua/value.ts'
import type { CjsonConfig } from './cjson-config.ts'

const INT_MIN = -INT_MAX - 1
/** The precision at which C's %.14g equals formatNumber(). */
const USUAL_PRECISION = 14
/** Slots of Lua's stack, less the three needed to inspect a table. */
const SLOTS_MAX = 8000 - 3
const ALL_SPECIAL = /[\x00-\x1f"/\\\x7f]/g
const SHORT_ESCAPES: Record<string, string> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '/': '\\/',
  '\\': '\\\\',
}

/** A table being written. */
interface Level {
  table: LuaTable
  /** The last index of an array; 0: an object. */
  length: number
  /** The last index written, or the iteration position after the last member written. */
  at: number
}

export class JsonEncoder {
  private readonly S: LuaState
  private readonly config: CjsonConfig
  private readonly nullValue: LuaUserdata
  private readonly levels: Level[] = []
  private out = ''
  /** The first is the argument's. */
  private slots = 1

  constructor(S: LuaState, config: CjsonConfig, nullValue: LuaUserdata) {
    this.S = S
    this.config = config
    this.nullValue = nullValue
  }

  encode(value: LuaValue): string {
    this.append(value)
    const { levels } = this
    while (levels.length > 0) {
      const level = levels[levels.length - 1]
      if (level.length > 0 ? this.appendElement(level) : this.appendMember(level)) continue
      levels.pop()
      this.slots -= level.length > 0 ? 1 : 2
      this.out += level.length > 0 ? ']' : '}'
    }
    return this.out
  }

  /** False after the last element. */
  private appendElement(level: Level): boolean {
    if (level.at === level.length) return false
    if (level.at > 0) this.out += ','
    this.append(level.table.getInt(++level.at))
    return true
  }

  private appendMember(level: Level): boolean {
    const { table } = level
    const position = table.positionOfValue(level.at)
    if (position < 0) return false
    if (level.at > 0) this.out += ','
    level.at = position + 1
    const key = table.keyAt(position)
    if (typeof key === 'string') this.out += `${quoted(key)}:`
    else if (typeof key === 'number') this.out += `"${this.numberText(key)}":`
    else throw this.cannot(key, 'table key must be a number or string')
    this.append(table.valueAt(position))
    return true
  }

  /** Writes a value; of a table only its opening. */
  private append(value: LuaValue): void {
    if (typeof value === 'string') this.out += quoted(value)
    else if (typeof value === 'number') this.out += this.numberText(value)
    else if (value instanceof LuaTable) this.open(value)
    else if (typeof value === 'boolean') this.out += value ? 'true' : 'false'
    else if (value === undefined || value === this.nullValue) this.out += 'null'
    else throw this.cannot(value, 'type not supported')
  }

  private open(table: LuaTable): void {
    const depth = this.levels.length + 1
    if (depth > this.config.encodeDepthMax || this.slots > SLOTS_MAX)
      throw this.S.error(`Cannot serialise, excessive nesting (${depth})`)
    const length = this.arrayLength(table)
    this.levels.push({ table, length, at: 0 })
    this.slots += length > 0 ? 1 : 2
    this.out += length > 0 ? '[' : '{'
  }

  /** The last index of an array; 0: an object. */
  private arrayLength(table: LuaTable): number {
    let max = 0
    let count = 0
    for (let at = table.positionOfValue(0); at >= 0; at = table.positionOfValue(at + 1)) {
      const key = table.keyAt(at)
      if (typeof key !== 'number' || key < 1 || Math.floor(key) !== key) return 0
      // A C int: a larger one overflows to INT_MIN.
      if (key > max) max = key > INT_MAX ? INT_MIN : key
      count++
    }
    const { encodeSparseConvert, encodeSparseRatio, encodeSparseSafe } = this.config
    if (encodeSparseRatio > 0 && max > Math.imul(count, encodeSparseRatio) && max > encodeSparseSafe) {
      if (encodeSparseConvert === 0) throw this.cannot(table, 'excessively sparse array')
      return 0
    }
    return Math.max(max, 0)
  }

  private numberText(n: number): string {
    const { encodeInvalidNumbers, encodePrecision } = this.config
    if (!Number.isFinite(n)) {
      if (encodeInvalidNumbers === 0) throw this.cannot(n, 'must not be NaN or Inf')
      if (encodeInvalidNumbers === 2) return 'null'
      return n !== n ? 'nan' : n > 0 ? 'inf' : '-inf'
    }
    return encodePrecision === USUAL_PRECISION ? formatNumber(n) : formatGeneral(n, encodePrecision, false)
  }

  private cannot(value: LuaValue, reason: string): LuaError {
    return this.S.error(`Cannot serialise ${typeName(value)}: ${reason}`)
  }
}

function quoted(text: string): string {
  if (!hasSpecial(text)) return `"${text}"`
  return `"${text.replace(ALL_SPECIAL, c => SHORT_ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
}

/** Equals the regular expression above; starting a regular expression costs more than scanning most texts. */
function hasSpecial(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 0x20 || c === 0x22 || c === 0x2f || c === 0x5c || c === 0x7f) return true
  }
  return false
}
