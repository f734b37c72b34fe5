// Values and replies as the debugger shows them, in one line.
//
//   "text"   12   {1; 2; "x"}   {["k"]="v"}   "function@0x…"            Lua values
//   12   "text"   NULL   ["a",1]   "+OK"   "-ERR …"                     replies

import { CR } from '../../lib/ascii.ts'
import { latin1Text } from '../../lib/bytes.ts'
import { quoted } from '../../lib/words.ts'
import { formatGeneral, formatNumber } from '../lua/number.ts'
import { type LuaState, typeName } from '../lua/state.ts'
import { LuaTable } from '../lua/table.ts'
import { LuaUserdata, type LuaValue } from '../lua/value.ts'

/** Tables in tables. */
const DEPTH_MAX = 10
/** What is shown of one value; the debugger trims to less unless maxlen is 0. */
const CHARS_MAX = 1 << 20
const DIGITS = 6

export function describeValue(S: LuaState, value: LuaValue, depth = 0): string {
  if (depth === DEPTH_MAX) return '<max recursion level reached! Nested table?>'
  if (value === undefined) return 'nil'
  if (typeof value === 'boolean') return String(value)
  // C's %g.
  if (typeof value === 'number')
    return Number.isFinite(value) ? formatGeneral(value, DIGITS, false) : formatNumber(value)
  if (typeof value === 'string') return quoted(value)
  if (value instanceof LuaTable) return describeTable(S, value, depth + 1)
  const name = value instanceof LuaUserdata && value.light ? 'light-userdata' : typeName(value)
  return `"${name}@${S.address(value)}"`
}

function describeTable(S: LuaState, table: LuaTable, depth: number): string {
  const values: string[] = []
  const pairs: string[] = []
  let isList = true
  let chars = 0
  for (let at = table.positionOfValue(0); at >= 0 && chars < CHARS_MAX; at = table.positionOfValue(at + 1)) {
    const key = table.keyAt(at)
    const value = describeValue(S, table.valueAt(at), depth)
    values.push(value)
    pairs.push(`[${describeValue(S, key, depth)}]=${value}`)
    if (key !== values.length) isList = false
    chars += pairs[pairs.length - 1].length
  }
  return `{${(isList ? values : pairs).join('; ')}}`
}

/** The reply at the beginning of `bytes`. */
export function describeReply(bytes: Uint8Array): string {
  return new ReplyText(bytes).value()
}

class ReplyText {
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  value(): string {
    const type = String.fromCharCode(this.bytes[this.at])
    const head = this.line()
    switch (type) {
      case ':':
        return head
      case '$':
        return head === '-1' ? 'NULL' : quoted(this.take(Number(head)))
      case '+':
      case '-':
        return quoted(type + head)
      case '*':
        return head === '-1' ? 'NULL' : `[${this.list(Number(head)).join(',')}]`
      case '~':
        return `~(${this.list(Number(head)).join(',')})`
      case '%':
        return `{${this.pairs(Number(head)).join(',')}}`
      case '_':
        return '(null)'
      case '#':
        return head === 't' ? '#true' : '#false'
      case ',':
        return `(double) ${head}`
      case '=':
        return quoted(this.take(Number(head)).slice(4))
      default:
        return head
    }
  }

  private list(count: number): string[] {
    return Array.from({ length: count }, () => this.value())
  }

  private pairs(count: number): string[] {
    return Array.from({ length: count }, () => `${this.value()} => ${this.value()}`)
  }

  /** The rest of the line behind the type. */
  private line(): string {
    const end = this.bytes.indexOf(CR, this.at)
    const text = latin1Text(this.bytes, this.at + 1, end)
    this.at = end + 2
    return text
  }

  private take(length: number): string {
    const text = latin1Text(this.bytes, this.at, this.at + length)
    this.at += length + 2
    return text
  }
}
